"""Real servers, each in a temporary directory; skipped, with how to run them, where they are not installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.conftest import HOW
from tests.servers.postfix import Postfix
from tests.servers.syslog_ng import SyslogNg

Starter = Callable[..., SyslogNg]


@pytest.fixture
def syslog_ng(tmp_path: Path) -> Iterator[Starter]:
    """Starts a syslog-ng with one alert: `syslog_ng("usb", options="--max-age 10s")`."""
    if not shutil.which("syslog-ng"):
        pytest.skip(f"no syslog-ng here: {HOW}")
    with ExitStack() as stack:

        def start(alert: str, options: str = "", **more: Any) -> SyslogNg:
            server = SyslogNg(tmp_path, alert, options, **more)
            stack.callback(server.stop)
            return server

        yield start


# Not for the whole session: other tests make sure that no child is left.
@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    """A private Postfix on a loopback port of its own."""
    if not shutil.which("postfix"):
        pytest.skip(f"no Postfix here: {HOW}")
    if os.getuid() != 0:
        pytest.skip("Postfix starts as root only: run these tests as root, in a container for example")
    with TemporaryDirectory(prefix="burstmail-postfix-") as directory:
        # Postfix's own users must reach their directories; pytest's temporary ones are for root alone.
        Path(directory).chmod(0o755)
        server = Postfix(Path(directory))
        try:
            yield server
        finally:
            server.stop()
