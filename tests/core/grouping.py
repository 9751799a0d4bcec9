"""How well patterns group labelled lines. `python -m tests.core.grouping DIR [SET]` scores the *.csv files in DIR.

Grouping accuracy (Zhu et al., "Tools and Benchmarks for Automated Log Parsing", ICSE-SEIP 2019): a line counts as right
when the set of lines that share its pattern is exactly the set of lines that share its label. A file has the columns
`content` and `event`.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path

from burstmail.core.patterns.masks import Masker, shown
from burstmail.core.patterns.merge import merged
from burstmail.core.patterns.naming import named
from burstmail.core.patterns.tally import Tally


def patterns_of(lines: Sequence[str]) -> list[str]:
    """The pattern that each line is counted in, by a tally of them all, with its defaults."""
    text = "".join(line + "\n" for line in lines)
    groups = named(text.encode(), [line.encode() for line in lines], lambda name: None)
    shapes = [Masker().shape(lines[places[0]]) for _, places in groups]
    templates = merged(dict.fromkeys(shapes))
    pattern = {
        place: templates[shape][0] for shape, (_, places) in zip(shapes, groups, strict=True) for place in places
    }
    out = [pattern[place] for place in range(len(lines))]
    # What a reader sees is what was scored.
    tally = Tally()
    tally.add(text, len(lines), 0.0)
    assert sorted(Counter(out).values(), reverse=True) == [found.count for found in tally.patterns()]
    assert tally.count == len(lines) and not tally.other
    return out


def accuracy(labels: Sequence[Hashable], groups: Sequence[Hashable]) -> float:
    """The share of lines in groups that are exactly a label's lines."""
    return 1 - sum(len(group) for group in wrong(labels, groups)) / len(labels)


def wrong(labels: Sequence[Hashable], groups: Sequence[Hashable]) -> list[list[int]]:
    """The groups that are not exactly one label's lines."""
    sizes = Counter(labels)
    members: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place)
    return [
        places
        for places in members.values()
        if len({labels[place] for place in places}) > 1 or sizes[labels[places[0]]] != len(places)
    ]


def labelled(path: Path) -> tuple[list[str], list[str]]:
    """Lines and labels of a file."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["content"] for row in rows], [row["event"] for row in rows]


def main(folder: str, *names: str) -> None:
    scores = []
    for path in sorted(Path(folder).glob("*.csv")):
        lines, labels = labelled(path)
        groups = patterns_of(lines)
        scores.append(accuracy(labels, groups))
        print(f"{path.stem:<12} {scores[-1]:.3f}  {len(set(groups))} patterns, {len(set(labels))} labels")
        for places in wrong(labels, groups) if path.stem in names else ():
            print("  ", dict(Counter(labels[place] for place in places)), shown(groups[places[0]])[:150])
    print(f"{'average':<12} {sum(scores) / len(scores):.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
