"""What a mail program puts into one thread."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, timedelta, timezone

from burstmail.core.aggregate import Aggregator
from burstmail.core.mail.mime import MARK
from burstmail.core.mail.topic import topic
from burstmail.core.model import Batch, Burst

AGGREGATOR = Aggregator()
AGGREGATOR.feed(Batch.of("one"), 0.0)
# 2026-11-23 23:30:00 UTC.
BURST = replace(AGGREGATOR.flush(1.0)[0], key="web1", time=1795476600.0)
OPS = ("ops@example.org",)


def test_it_is_a_message_id_that_no_mail_has() -> None:
    found = topic(BURST, OPS, "web1.example.org", UTC)
    assert re.fullmatch(r"<[0-9a-f]{32}\.20261123\.topic@web1\.example\.org>", found)
    assert MARK not in found


def test_mails_of_one_key_and_day_share_it_whatever_is_in_them() -> None:
    later = replace(BURST, time=BURST.time + 1700, first=5.0, epoch="other", seq=9, bursts=4)
    assert topic(BURST, OPS, "web1", UTC) == topic(later, OPS, "web1", UTC)
    assert topic(BURST, ("a", "b"), "web1", UTC) == topic(BURST, ("b", "a"), "web1", UTC)


def test_others_have_another() -> None:
    others = [
        topic(BURST, OPS, "web1", UTC),
        topic(replace(BURST, key="web2"), OPS, "web1", UTC),
        topic(replace(BURST, key=""), OPS, "web1", UTC),
        topic(replace(BURST, key="", parts=(("web1", 1),)), OPS, "web1", UTC),
        topic(BURST, ("root",), "web1", UTC),
        topic(BURST, OPS, "web2", UTC),
        topic(replace(BURST, time=BURST.time + 1800), OPS, "web1", UTC),
    ]
    assert len(set(others)) == len(others)


def test_digests_share_one_whatever_they_are_about() -> None:
    one, two = (replace(BURST, key="", parts=parts) for parts in ((("a", 1), ("b", 2)), (("c", 3),)))
    assert topic(one, OPS, "web1", UTC) == topic(two, OPS, "web1", UTC)


def test_the_day_is_the_readers() -> None:
    berlin = timezone(timedelta(hours=1))
    assert ".20261124.topic@" in topic(BURST, OPS, "web1", berlin)
    assert ".20261123.topic@" in topic(BURST, OPS, "web1", UTC)


def of(*lines: str) -> Burst:
    aggregator = Aggregator()
    aggregator.feed(Batch.of(lines), 0.0)
    return replace(aggregator.flush(1.0)[0], time=BURST.time)


def test_without_keys_it_is_for_what_most_lines_are_from() -> None:
    ssh, kernel = ("<38>Nov 23 10:00:00 web1 sshd[1]: no", "<38>Nov 23 10:00:00 web1 kernel: no")
    assert topic(of(ssh, ssh, kernel), OPS, "web1", UTC) == topic(of(ssh), OPS, "web1", UTC)
    assert topic(of(ssh), OPS, "web1", UTC) != topic(of(kernel), OPS, "web1", UTC)
    assert topic(of(ssh), OPS, "web1", UTC) != topic(of(ssh.replace("web1", "web2")), OPS, "web1", UTC)
    keyed = [replace(of(line), key="web1") for line in (ssh, kernel)]
    assert len({topic(item, OPS, "web1", UTC) for item in keyed}) == 1


def test_what_is_grave_stands_alone() -> None:
    assert topic(of("<34>Nov 23 10:00:00 web1 sshd[1]: crit"), OPS, "web1", UTC) == ""
    assert topic(of("<35>Nov 23 10:00:00 web1 sshd[1]: err"), OPS, "web1", UTC) != ""


def test_it_is_the_same_on_every_python_and_in_every_process() -> None:
    assert topic(BURST, OPS, "web1", UTC) == "<7878bda9ebad675fcbee3e191f61c33f.20261123.topic@web1>"


def test_hostile_keys_are_not_in_it() -> None:
    for key in ("a\r\nBcc: evil@example.org", "<>@", "\ud800", "日本"):
        assert re.fullmatch(r"<[0-9a-f]{32}\.20261123\.topic@web1>", topic(replace(BURST, key=key), OPS, "web1", UTC))
