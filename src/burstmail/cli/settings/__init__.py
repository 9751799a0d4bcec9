"""All settings, in the order in which they are explained: options, keys of a file and the reference are these."""

from __future__ import annotations

from .content import AMOUNT, BURSTS, CONTENT, MAIL
from .delivery import DESTINATION, FAILURES, KEEPING
from .intake import FILE, FILTERS, JOB, SOURCES
from .setting import Group, Setting

__all__ = ["FILE", "GROUPS", "KEEPING", "SETTINGS", "Group", "Setting", "by_dest", "named"]

GROUPS = (FILE, MAIL, SOURCES, JOB, FILTERS, CONTENT, BURSTS, AMOUNT, DESTINATION, FAILURES, KEEPING)
SETTINGS = tuple(setting for group in GROUPS for setting in group.settings)

_NAMED = {setting.name: setting for setting in SETTINGS}


def named(name: object) -> Setting | None:
    """The setting of this name, as a file has it."""
    return _NAMED.get(name) if isinstance(name, str) else None


def by_dest(dest: str) -> tuple[Setting, ...]:
    """The settings that are called so among the options: mostly one; two where they exclude each other."""
    return tuple(setting for setting in SETTINGS if setting.dest == dest)
