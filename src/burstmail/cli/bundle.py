"""Package -> one executable file. The form to put behind `program()` on a host without pip.

The same sources give the same bytes: names in order, no compression (its bytes differ between zlib versions), one
date. Works from a directory, a wheel or another bundle.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from . import channel
from .commands import parse_bundle
from .options import Misuse
from .status import OK

# The earliest date a zip can carry.
DATE = (1980, 1, 1, 0, 0, 0)
# One word, absolute: Linux hands everything after it over as a single argument, and looks nothing up in PATH.
INTERPRETER = re.compile(r"/[^\s\0]{1,120}")


def command(arguments: Sequence[str]) -> int:
    """`burstmail bundle`: write the file, and return the exit status."""
    options = parse_bundle(arguments)
    try:
        bundle(options["path"], python=options["python"])
    except ValueError as error:
        raise Misuse(str(error)) from None
    except OSError as error:
        raise Misuse(f"cannot write {options['path']!r}: {error.strerror}") from None
    if not os.access(options["python"], os.X_OK):
        # The shell answers 127 for a file whose interpreter is missing.
        channel.say(f"note: there is no {options['python']} here; the file runs only where there is one")
    return OK


def bundle(path: str, *, python: str = "/usr/bin/python3") -> None:
    """Write the package to `path` as an executable zip that `python` runs; an existing file is replaced as a whole.

    Raises ValueError for an interpreter that is no absolute path in one word, OSError if the file cannot be written.
    """
    if not INTERPRETER.fullmatch(python):
        raise ValueError(f"--python {python!r}: must be one absolute path without spaces, like /usr/bin/python3")
    # -I: what PYTHONPATH and the user's own packages hold is not this program's business.
    data = f"#!{python} -I\n".encode() + _zipped()
    folder, name = os.path.split(os.path.abspath(path))
    draft = os.path.join(folder, f".{name}.{os.getpid()}")
    try:
        with open(draft, "wb") as file:
            file.write(data)
        os.chmod(draft, 0o755)
        os.replace(draft, path)
    except OSError:
        if os.path.exists(draft):
            os.unlink(draft)
        raise


def _zipped() -> bytes:
    from io import BytesIO
    from zipfile import ZipFile, ZipInfo

    package = files("burstmail")
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name, data in [("__main__.py", package.joinpath("__main__.py").read_bytes()), *_sources(package)]:
            entry = ZipInfo(name, DATE)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def _sources(folder: Traversable, name: str = "burstmail") -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        inner = f"{name}/{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, inner)
        elif entry.name.endswith((".py", ".typed")):
            yield inner, entry.read_bytes()
