"""How a page looks: its frame, its colours in daylight and at night, and a style for each kind of block.

What a block needs to be read stands in the element itself, for some mail programs drop <style>; what <style> adds is
the night, and the marks of severe lines. Every pair of colours has a contrast of 4.5 : 1 or more (WCAG 2.1, 1.4.3).
"""

from __future__ import annotations

_SANS = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_BREAK = "overflow-wrap:anywhere;word-break:break-word"

# By class, for the element's own style attribute: daylight.
STYLES = {
    "page": f"margin:0;padding:0;background:#eef0f3;color:#1c2127;font:15px/1.45 {_SANS}",
    "card": "width:100%;max-width:820px;table-layout:fixed;background:#ffffff;border-radius:6px",
    "in": f"padding:16px 16px 14px;text-align:left;color:#1c2127;font:15px/1.45 {_SANS};{_BREAK}",
    "h": "margin:0 0 8px;font-size:20px;line-height:1.3;font-weight:600",
    "v": f"margin:2px 0 8px;font:600 13px/1.45 {_MONO}",
    "s": "margin:18px 0 6px;font-size:13px;line-height:1.3;font-weight:600",
    "f": "margin:0 0 2px;font-size:14px",
    "q": "color:#59636e",
    "t": "margin:0 0 12px;font-size:13px;color:#59636e",
    "bars": "width:100%;table-layout:fixed;color:#4878a8;margin:10px 0 4px;border-bottom:1px solid #c3cad2",
    "rows": "width:100%;table-layout:fixed;margin:0",
    "k": "display:inline-block;margin:0 16px 4px 0",
    "n": "padding:4px 10px 4px 0;text-align:right;vertical-align:top;font-weight:600;white-space:nowrap",
    "m": f"padding:4px 0;text-align:left;vertical-align:top;font:13px/1.45 {_MONO};{_BREAK}",
    "d": f"font:12px/1.45 {_SANS};color:#59636e",
    "x": f"font:12px/1.45 {_MONO};color:#59636e",
    "share": "color:#4878a8;margin:3px 0 2px;font-size:0;line-height:0",
    "l": (
        f"margin:10px 0 0;padding:8px 8px 8px 26px;text-indent:-14px;background:#f5f6f8;font:12px/1.5 {_MONO};"
        f"white-space:pre-wrap;{_BREAK};direction:ltr;unicode-bidi:isolate;border-radius:4px"
    ),
    "gap": (
        "margin:10px 0 0;padding:5px 8px;text-align:center;font-size:13px;font-weight:600;"
        "border:1px dashed #8d97a3;border-radius:4px"
    ),
    "chip": "display:inline-block;margin:0 6px 6px 0;padding:1px 9px;border-radius:10px;font-size:13px;font-weight:600",
    "e": "background:#b42318;color:#ffffff",
    "w": "background:#ffe3a3;color:#533600",
    "i": "background:#e3e7ec;color:#333b44",
    "te": "border-top:4px solid #b42318",
    "tw": "border-top:4px solid #d99a00",
    "ti": "border-top:4px solid #4878a8",
    "r": "color:#b42318",
    "a": "color:#8a5a00",
    "z": "margin:18px 0 0;padding:10px 0 0;border-top:1px solid #dde1e6;font-size:12px;color:#59636e",
}

# A line that is severe stands out by its edge; the word is there for those who see no colours.
_EDGE = "margin-left:-26px;padding-left:23px;border-left:3px solid"
_DAY = f".l .e{{{_EDGE} #b42318;background:#fdeceb!important;color:inherit!important}}" + (
    f".l .w{{{_EDGE} #c98a00;background:#fff6e0!important;color:inherit!important}}"
)
_NIGHT = {
    ".page": "background:#0e1116;color:#e4e8ed",
    ".card": "background:#171b21",
    ".in": "color:#e4e8ed",
    ".q,.t,.d,.x,.z": "color:#9ba6b3",
    ".bars": "color:#6ea5dc;border-color:#3d4650",
    ".share": "color:#6ea5dc",
    ".l": "background:#0f1318",
    ".gap": "border-color:#697480",
    ".e": "background:#c4372b;color:#ffffff",
    ".w": "background:#5c4300;color:#ffe3a3",
    ".i": "background:#2b323b;color:#d5dbe2",
    ".z": "border-color:#2d343d",
    ".te": "border-color:#e5484d",
    ".tw": "border-color:#e0a93c",
    ".ti": "border-color:#6ea5dc",
    ".r": "color:#ff8f87",
    ".a": "color:#f0c060",
    ".l .e": "background:#331715;border-color:#f2665a",
    ".l .w": "background:#2c2410;border-color:#e0a93c",
}
_RULES = "".join(f"{name}{{{rule.replace(';', '!important;')}!important}}" for name, rule in _NIGHT.items())

STYLE = f":root{{color-scheme:light dark}}{_DAY}\n@media (prefers-color-scheme:dark){{{_RULES}}}"

# No address, number or date in a log line is to become something to tap on.
_PLAIN = "telephone=no, date=no, address=no, email=no, url=no"
HEAD = (
    '<!DOCTYPE html>\n<html lang="en" dir="ltr"><head><meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">\n'
    f'<meta name="format-detection" content="{_PLAIN}">\n'
)


def tag(name: str, style: str, inner: str, more: str = "") -> str:
    """An element with a class, its style, and what is in it, which is HTML already."""
    return f'<{name} class="{style}" style="{STYLES[style]}"{more}>{inner}</{name}>'
