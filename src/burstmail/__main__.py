"""`python -m burstmail`, `burstmail`, and the entry of the bundle: so this file must parse under any Python 3."""

import sys

# As a shell has it for what SIGINT has ended.
INTERRUPTED = 130


def run() -> int:
    """Run the command line, and return the exit status. What is imported first takes its time, too."""
    # The first line of a bundle may name an interpreter that is too old to import the package.
    if sys.hexversion < 0x030B0000:
        sys.stderr.write("burstmail: needs Python 3.11 or newer, and this is " + sys.version.split()[0] + "\n")
        return 78
    try:
        if _stays(sys.argv[1:]):
            _outlive()
        from burstmail.cli import main

        return main()
    except KeyboardInterrupt:
        # Where nothing has begun yet there is nothing to tell.
        return INTERRUPTED


def _stays(words: "list[str]") -> bool:
    """Whether these words start a service, and neither a command that ends by itself nor somebody else's."""
    return "--" not in words and (not words or words[0] == "run" or words[0].startswith("-"))


def _outlive() -> None:
    """Asked too early, before it has read its file or a line, a service has nothing to do anew, or to count."""
    import signal

    for number in (signal.SIGHUP, signal.SIGUSR1):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda *_: None)


if __name__ == "__main__":
    sys.exit(run())
