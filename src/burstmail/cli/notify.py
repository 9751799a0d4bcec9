"""State -> the service manager. What sd_notify(3) says, in plain datagrams, and nothing of libsystemd.

Without NOTIFY_SOCKET every call does nothing. None raises, and none waits longer than `PATIENCE` seconds: words about
the service must never stop the mail. The variables are taken out of the environment: a child that told the manager of
itself would be taken for us.
"""

from __future__ import annotations

import logging
import os
from collections.abc import MutableMapping
from math import inf

from burstmail import Clock, SystemClock

from .channel import visible

SOCKET, MICROSECONDS, PROCESS = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
# A manager that boots a machine may be busy for a while, and a lost READY=1 makes it give up on us. It has no more
# than TimeoutStartSec= (90 seconds) for all of the start.
PATIENCE = 5.0
# `systemctl status` shows one line.
STATUS = 200

logger = logging.getLogger("burstmail")


class Notifier:
    """Tells the service manager at `address` (a path, or an abstract socket with `@` in front; "" for nobody).

    `watchdog` is how many seconds may pass between two signs of life: `inf` where nobody waits for one.
    """

    def __init__(self, address: str = "", *, watchdog: float = inf, clock: Clock | None = None) -> None:
        self.watchdog = watchdog if address else inf
        self._address = address
        self._clock = clock or SystemClock()
        self._failed = False

    @classmethod
    def from_environment(
        cls, environ: MutableMapping[str, str] | None = None, *, clock: Clock | None = None
    ) -> Notifier:
        """What the service manager asks for: call it once, before anything else is started. Never raises."""
        given = os.environ if environ is None else environ
        address, period, process = (given.pop(name, "") for name in (SOCKET, MICROSECONDS, PROCESS))
        # As sd_watchdog_enabled(3): where a process is named, the others are not meant.
        meant = process in ("", str(os.getpid()))
        # Only these two kinds are documented for services of this machine (sd_notify(3)).
        known = address[:1] in ("/", "@") and len(address) > 1
        return cls(address if known else "", watchdog=_seconds(period) if meant else inf, clock=clock)

    def ready(self) -> None:
        """It listens, and knows where files begin: what waits for this service may start. Ends a `reloading`, too."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """A new configuration is being read; `ready` must follow, whether it was accepted or not."""
        # Type=notify-reload takes the moment to tell this answer from one to an earlier request (sd_notify(3)).
        self._tell("RELOADING=1", f"MONOTONIC_USEC={self._clock.monotonic() * 1e6:.0f}")

    def stopping(self) -> None:
        """Nothing is read any more; what is left is being delivered."""
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._tell(f"STATUS={visible(text)[:STATUS]}")

    def alive(self) -> None:
        """A sign of life, for the watchdog."""
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            self._send("\n".join(lines).encode("utf-8", "backslashreplace"))
        except OSError as error:
            if not self._failed:
                logger.warning("the service manager cannot be told %s: %s", lines[0], error.strerror or error)
            self._failed = True

    def _send(self, data: bytes) -> None:
        import socket

        address = os.fsencode(self._address)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(PATIENCE)
            sender.connect(b"\0" + address[1:] if address[:1] == b"@" else address)
            sender.send(data)


def _seconds(period: str) -> float:
    """WATCHDOG_USEC as seconds; `inf` for what is no positive number, as without it."""
    # More digits than any period has: what they would be made into may not fit.
    usable = period.isascii() and period.isdecimal() and len(period) < 20 and int(period) > 0
    return int(period) / 1e6 if usable else inf
