"""Process -> the words that start its program again, from any directory and with no environment of ours."""

from __future__ import annotations

import os
import sys

ENV = "/usr/bin/env"


def executable() -> list[str]:
    """An absolute command: this bundle, this console script, or this Python with `-m`, which may need PYTHONPATH."""
    home = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    if os.path.isfile(home):
        # A bundle: the package is in a file. One that may not be executed is the argument of its Python.
        return [home] if os.access(home, os.X_OK) else [sys.executable, "-I", home]
    script = os.path.abspath(sys.argv[0])
    if os.path.basename(script).startswith("burstmail") and os.path.isfile(script) and os.access(script, os.X_OK):
        return [script]
    # Not resolved: python3 in a virtual environment is a link to one that does not know its packages.
    command = [os.path.abspath(sys.executable), "-m", "burstmail"]
    return command if _is_found(home) else [ENV, f"PYTHONPATH={home}", *command]


def _is_found(home: str) -> bool:
    """Whether a Python without our environment, somewhere else and as somebody else, has this very package."""
    from subprocess import DEVNULL, run

    code = "import burstmail; print(burstmail.__file__)"
    try:
        # -I: neither the directory it runs in, nor PYTHONPATH, nor packages of one user.
        done = run([sys.executable, "-I", "-c", code], stdin=DEVNULL, capture_output=True, cwd="/", timeout=30)
    except (OSError, ValueError):
        return False
    return os.fsdecode(done.stdout).strip() == os.path.join(home, "burstmail", "__init__.py")
