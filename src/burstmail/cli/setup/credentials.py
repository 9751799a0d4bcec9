"""Handover -> credentials. Files that only root may read, which systemd reads for the service (systemd.exec(5)).

A password file that is named without a directory is looked for among the credentials first: so the same options work
by hand and in the service.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ..configuration.document import document
from ..options import Misuse
from .handover import Handover

OPTION = "--password-file"
KEY = "password-file"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is to be read, by the name it gets, and the options that find it there."""

    files: Mapping[str, str]
    arguments: tuple[str, ...]


def credentials(given: Handover) -> Credentials:
    """What these options need. Raises Misuse for a file that they find in one place only."""
    if path := given.paths.get("password"):
        return Credentials({"password": path}, given.replacing(path, "password"))
    if "password" in given.options and (config := given.paths.get("config")):
        return Credentials(_of_file(config), given.arguments)
    return Credentials({}, given.arguments)


def _of_file(config: str) -> dict[str, str]:
    said = str(document(config).tables.get(KEY, ""))
    folder = os.path.dirname(config)
    if not said or "/" in said or not said.isascii() or ":" in said or not said.isprintable():
        raise Misuse(
            f'{config}: {KEY} = {said!r}: write {KEY} = "password", and put that file into {folder}: a service may not '
            "read it, but systemd can hand it over under a name without a directory"
        )
    return {said: os.path.join(folder, said)}
