"""The bursts whose mails are looked at by eye, and kept as they were found good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from burstmail import Burst, Caps, CloseReason, CoolDown, Keep, Limit
from burstmail.core.stage import Instant, Stage
from tests.golden import floods, hostile
from tests.golden.scene import START, Line, Scene, from_file


def _few() -> list[Stage[Any, Any]]:
    return [Caps(Limit(1, per=120), per_key=None, separate=3)]


def _cooling() -> list[Stage[Any, Any]]:
    return [Caps(Limit(20, per=3600), per_key=CoolDown())]


class _Failed(Instant[Burst, Burst]):
    """As `burstmail run -- COMMAND` has it of a command that fails."""

    def feed(self, item: Burst, now: float) -> list[Burst]:
        ran, outcome = "backup.sh --all", "exit status 3 after 41 s"
        return [replace(item, ran=ran, outcome=outcome, failed=True, reason=CloseReason.END)]


def _failed() -> list[Stage[Any, Any]]:
    return [_Failed()]


def _example() -> Iterable[Line]:
    """The lines to try things on, as they came by the times in them: "<38>Nov 23 03:12:04 web1 ..."."""
    for line in (Path(__file__).parents[2] / "docs" / "examples" / "burst.log").read_text("utf-8").split("\n")[:-1]:
        stamp = line.partition(">")[2][:15]
        moment = datetime.strptime(f"{START.year} {stamp} +0000", "%Y %b %d %H:%M:%S %z")
        yield (moment - START).total_seconds(), line


# For a picture only: what the documentation says of it, its own tests see to.
EXAMPLE = Scene(name="example", lines=_example)

SCENES = (
    Scene(name="ssh-brute-force", lines=floods.ssh),
    Scene(name="disk-errors", lines=from_file("disk-errors")),
    Scene(name="oom-killer", lines=from_file("oom-killer")),
    Scene(name="java-stack-trace", lines=from_file("java-stack-trace")),
    Scene(name="python-traceback", lines=from_file("python-traceback")),
    Scene(name="cron-on-30-hosts", lines=floods.cron, window={"key": "host"}, stages=_few, mail=1),
    Scene(name="firewall-flood", lines=floods.firewall),
    Scene(name="usb-flap", lines=floods.usb),
    Scene(name="mail-queue", lines=floods.mailqueue, window={"keep": Keep(head=20, tail=20)}),
    Scene(name="kernel-panic", lines=from_file("kernel-panic")),
    Scene(name="mixed-languages", lines=from_file("mixed-languages")),
    Scene(name="application-file", lines=from_file("application-file"), source="/srv/billing/log/billing.log"),
    Scene(name="router-file", lines=from_file("router-file"), source="/var/log/network/core1.log"),
    Scene(name="one-line", lines=from_file("one-line")),
    Scene(name="hostile-lines", lines=hostile.hostile),
    Scene(name="structured-data", lines=from_file("structured-data")),
    Scene(name="json-lines", lines=floods.json_lines),
    Scene(name="long-lines", lines=hostile.long_lines),
    Scene(name="after-an-outage", lines=floods.outage, stages=_cooling, down=8, mail=2),
    Scene(name="held-by-a-cap", lines=floods.held, stages=_cooling, mail=3),
    Scene(name="web-server-5xx", lines=floods.web, window={"keep": Keep(head=20, tail=20)}),
    Scene(name="database-deadlocks", lines=floods.deadlocks),
    Scene(name="raid-degraded", lines=from_file("raid-degraded")),
    Scene(name="console-login", lines=from_file("console-login")),
    Scene(
        name="failed-job",
        lines=from_file("failed-job"),
        stages=_failed,
        source="backup.sh",
        window={"gap": 60, "max_age": 600},
    ),
)
