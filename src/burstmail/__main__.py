"""`python -m burstmail`, and the entry of the bundle: so this file must parse under any Python 3."""

import sys


def _run() -> int:
    # The first line of a bundle may name an interpreter that is too old to import the package.
    if sys.hexversion < 0x030B0000:
        sys.stderr.write("burstmail: needs Python 3.11 or newer, and this is " + sys.version.split()[0] + "\n")
        return 78
    from burstmail.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(_run())
