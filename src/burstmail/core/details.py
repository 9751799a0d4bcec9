"""STRUCTURED-DATA -> mapping. What RFC 5424 section 6.3 has between the header and the message.

Read when first asked for: most lines are never asked. Nothing fails on any text; what is no element is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

_ELEMENT = re.compile(r'\[([^ =\]"]{1,255}+)((?:[^\]"\\]++|"(?:[^"\\]++|\\.)*+"|\\.)*+)\]', re.DOTALL)
_PARAMETER = re.compile(r'([^ =\]"]++)="((?:[^"\\]++|\\.)*+)"', re.DOTALL)
# RFC 5424 section 6.3.3: a backslash in front of any other character is one.
_ESCAPED = re.compile(r'\\(["\\\]])')


class Data(Mapping[str, Mapping[str, str]]):
    """The elements by SD-ID, each a mapping of parameters: `data["origin"]["ip"]`. Cannot be changed.

    Values are without escapes (section 6.3.3). Those of a parameter that is there more than once, as section 7.2.1
    allows for `ip`, are joined by `, `; of an element that is there twice, which section 6.3.2 forbids, both count.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        """From STRUCTURED-DATA as it stands in the line."""
        self._text = text

    def __getitem__(self, name: str) -> Mapping[str, str]:
        return _read(self._text)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_read(self._text))

    def __len__(self) -> int:
        return len(_read(self._text))

    def __hash__(self) -> int:
        # The same for equal ones, whatever the order of their elements.
        return len(self)

    def __repr__(self) -> str:
        return f"Data({self._text!r})"


NONE = Data()


# The same elements come again and again only where they count nothing; those of the line at hand are asked for twice.
@lru_cache(maxsize=64)
def _read(text: str) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, parameters in _ELEMENT.findall(text):
        element = found.setdefault(name, {})
        for key, raw in _PARAMETER.findall(parameters):
            value = _ESCAPED.sub(r"\1", raw)
            element[key] = f"{element[key]}, {value}" if key in element else value
    return MappingProxyType({name: MappingProxyType(element) for name, element in found.items()})
