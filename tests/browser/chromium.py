"""A real Chromium, for as long as it takes to draw one page: `--dump-dom` and `--screenshot`, no protocol, no driver.

It has a home of its own that is thrown away, and a proxy on loopback instead of a network: whatever it asks for is
written down and refused.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

# The shell renders at any width; the full browser does not go below 500 pixels.
COMMAND = "chromium-headless-shell"
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
)
# blink::mojom::PreferredColorScheme.
SCHEMES = {"dark": 0, "light": 1}
PATIENCE = 60.0
MEASURE = Path(__file__).with_name("measure.js")


def command() -> str | None:
    """Where it is; None where it is not installed."""
    return shutil.which(COMMAND)


class Watch:
    """A proxy that lets nothing through: `asked` is the first line of each request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    self.asked.append(connection.recv(4096).split(b"\r\n")[0].decode("latin-1"))
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                except OSError:
                    self.asked.append("(a connection)")

    def close(self) -> None:
        # close() alone does not wake accept().
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@contextmanager
def _run(page: str, scheme: str, *switches: str) -> Iterator[tuple[str, list[str]]]:
    """What Chromium prints for the page, and what it asked the network for."""
    watch = Watch()
    try:
        with tempfile.TemporaryDirectory(prefix="burstmail-chromium-", ignore_cleanup_errors=True) as home:
            file = Path(home, "page.html")
            file.write_text(page, "utf-8")
            done = subprocess.run(
                [
                    command() or COMMAND,
                    *SWITCHES,
                    f"--user-data-dir={home}/profile",
                    f"--proxy-server=http://127.0.0.1:{watch.port}",
                    "--proxy-bypass-list=<-loopback>",
                    f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
                    *switches,
                    file.as_uri(),
                ],
                env={"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            if done.returncode:
                words = done.stderr.decode(errors="replace")[-2000:]
                raise RuntimeError(f"{COMMAND} ended with {done.returncode}: {words}")
            yield done.stdout.decode("utf-8", "replace"), watch.asked
    finally:
        watch.close()


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was measured in each page, in the order in which they were given, and what left the browser meanwhile."""

    pages: list[dict[str, Any]]
    asked: list[str]


def measured(pages: Sequence[str], *, width: int, scheme: str) -> Findings:
    """Each page in a frame of its own, `width` pixels wide, looked at by `measure.js` from outside."""
    style = f"width: {width}px; height: 600px; border: 0"
    frames = "\n".join(f'<iframe style="{style}" srcdoc="{escape(page)}"></iframe>' for page in pages)
    outer = (
        f'<!DOCTYPE html><html style="color-scheme: {scheme}"><meta charset="utf-8"><title>-</title>{frames}'
        f'<script type="application/json" id="result"></script><script>{MEASURE.read_text("utf-8")}</script></html>'
    )
    # Time is virtual: it passes as fast as the page allows, and ends when nothing is left to do.
    with _run(outer, scheme, "--dump-dom", "--virtual-time-budget=10000", "--window-size=1200,800") as (out, asked):
        _, _, rest = out.partition('id="result">')
        found, end, _ = rest.partition("</script>")
        if not end or not found:
            raise RuntimeError(f"nothing was measured; {COMMAND} printed {out[-500:]!r}")
        return Findings(pages=json.loads(found), asked=asked)


def screenshot(page: str, target: Path, *, width: int, height: int, scheme: str) -> None:
    """The page as a PNG, as it would stand in a reader of that width."""
    with _run(page, scheme, f"--screenshot={target.absolute()}", f"--window-size={width},{height}"):
        if not target.exists():
            raise RuntimeError(f"{COMMAND} wrote no {target}")
