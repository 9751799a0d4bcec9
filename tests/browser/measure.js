// Looks at each frame from outside, and leaves what it finds in #result as JSON. A mail has no script of its own.

"use strict";

window.ran = [];

const BLANK = /^\s*$/;

function channels(color) {
  const numbers = color.match(/[\d.]+/g).map(Number);
  return numbers.length > 3 ? numbers : [...numbers, 1];
}

function over(above, below) {
  const alpha = above[3];
  return [0, 1, 2].map((at) => above[at] * alpha + below[at] * (1 - alpha)).concat(1);
}

// WCAG 2.1, relative luminance and contrast ratio.
function luminance(color) {
  const [red, green, blue] = color.slice(0, 3).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, two) {
  const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

// What is painted behind an element, down to the canvas, whose colour depends on the scheme.
function behind(element, canvas, view) {
  if (!element) return canvas;
  const color = channels(view.getComputedStyle(element).backgroundColor);
  return color[3] === 1 ? color : over(color, behind(element.parentElement, canvas, view));
}

function faded(element, view) {
  return element !== null && (Number(view.getComputedStyle(element).opacity) < 1 || faded(element.parentElement, view));
}

function canvasColor(document, view) {
  const probe = document.createElement("div");
  probe.style.backgroundColor = "Canvas";
  document.body.append(probe);
  const color = channels(view.getComputedStyle(probe).backgroundColor);
  probe.remove();
  return color;
}

function name(element) {
  return element.tagName.toLowerCase() + (element.className ? "." + element.className : "");
}

function outside(box, width) {
  return box.right > width + 0.5 || box.left < -0.5;
}

// Blanks where a line is broken hang over the edge (CSS Text 3, section 4.1.3): nobody sees them.
function wordsOf(node) {
  return [...node.data.matchAll(/\S+/g)].flatMap((match) => {
    const range = node.ownerDocument.createRange();
    range.setStart(node, match.index);
    range.setEnd(node, match.index + match[0].length);
    return [...range.getClientRects()];
  });
}

function texts(document, view) {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (BLANK.test(node.data) || node.parentElement.closest("style, script, title")) continue;
    found.push({ node, element: node.parentElement, box, style: view.getComputedStyle(node.parentElement) });
  }
  return found;
}

function looked(frame) {
  const document = frame.contentDocument;
  const view = frame.contentWindow;
  const canvas = canvasColor(document, view);
  const all = [...document.querySelectorAll("*")];
  const inBody = [...document.body.querySelectorAll("*")].filter((element) => !element.closest("style"));
  const width = document.documentElement.clientWidth;
  const words = texts(document, view).map(({ node, element, box, style }) => ({
    text: node.data.trim().slice(0, 60),
    ratio: contrast(over(channels(style.color), behind(element, canvas, view)), behind(element, canvas, view)),
    size: parseFloat(style.fontSize),
    hidden: box.width * box.height === 0 || style.visibility !== "visible" || faded(element, view),
    out: outside(box, width) && wordsOf(node).some((word) => outside(word, width)),
  }));
  return {
    dark: view.matchMedia("(prefers-color-scheme: dark)").matches,
    width,
    scrollWidth: document.documentElement.scrollWidth,
    height: document.documentElement.scrollHeight,
    out: inBody
      .filter((element) => outside(element.getBoundingClientRect(), width))
      .map(name),
    cut: inBody
      .filter((element) => view.getComputedStyle(element).overflowX !== "visible" && element.scrollWidth > element.clientWidth)
      .map(name),
    brightness: luminance(behind(document.querySelector(".in") || document.body, canvas, view)),
    lowest: Math.min(...words.map((word) => word.ratio)),
    faint: words.filter((word) => word.ratio < 4.5),
    smallest: Math.min(...words.map((word) => word.size)),
    hidden: words.filter((word) => word.hidden),
    beyond: words.filter((word) => word.out),
    elements: [...new Set(all.map((element) => element.tagName.toLowerCase()))].sort(),
    attributes: [...new Set(all.flatMap((element) => element.getAttributeNames()))].sort(),
    links: document.links.length,
    scripts: document.scripts.length,
    text: document.body.innerText,
  };
}

// With virtual time all frames have long been drawn by then, and what they set off has happened.
setTimeout(() => {
  const frames = [...document.querySelectorAll("iframe")];
  const pages = frames.map((frame) => ({ ...looked(frame), ran: window.ran }));
  document.getElementById("result").textContent = JSON.stringify(pages).replaceAll("<", "\\u003c");
}, 3000);
