"""Words -> their spelling in somebody else's configuration: a shell, syslog-ng, rsyslog, systemd.

Each gives back exactly these words, whatever is in them, or ValueError says which word it cannot have.
"""

from __future__ import annotations

from collections.abc import Sequence

# What no spelling can do: an argument of a program ends at the first one.
NUL = "\0"
# Without a meaning of their own in any place of a systemd command line.
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-./:,=@^")


def shell(words: Sequence[str]) -> str:
    """For sh(1)."""
    from shlex import join

    return join(map(_whole, words))


def syslog_ng(text: str) -> str:
    """A string of syslog-ng. Backticks would be replaced by variables, in strings too; two stand for one."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("`", "``")
    return '"' + text.replace("\n", "\\n").replace("\r", "\\r") + '"'


def rsyslog(words: Sequence[str]) -> str:
    """The command of omprog: no shell, and no quotes, so a space ends a word, whatever is around it."""
    for word in map(_whole, words):
        if not word or " " in word or word[0] == '"':
            told = "is empty" if not word else "has a space in it" if " " in word else "begins with a quote"
            raise ValueError(f"rsyslog cannot pass the word {word!r}, which {told}")
    text = " ".join(words).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + '"'


def systemd(words: Sequence[str]) -> str:
    """A command line of systemd (systemd.service(5), "Command lines"): % and $ have meanings inside of quotes too."""
    program, *rest = map(_whole, words)
    # Variables are not looked for in the path of the program.
    return " ".join([_unit_word(program), *(_unit_word(word.replace("$", "$$")) for word in rest)])


def unit_path(path: str) -> str:
    """A path among several of a unit's setting."""
    return _unit_word(_whole(path))


def _unit_word(word: str) -> str:
    word = word.replace("%", "%%")
    if word and PLAIN.issuperset(word.replace("%", "")):
        return word
    return '"' + "".join(ESCAPED.get(character, character) for character in word) + '"'


ESCAPED = {chr(code): f"\\x{code:02x}" for code in (*range(1, 32), 127)} | {"\\": "\\\\", '"': '\\"'}


def _whole(word: str) -> str:
    if NUL in word:
        raise ValueError(f"no program can be given {word!r}: it has a NUL in it")
    return word
