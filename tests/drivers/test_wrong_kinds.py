"""Every public part told something of another kind than is meant: one line at once, that names what is wrong.

Not a comparison that Python refuses deep inside, and nothing that is taken silently and fails with the first line.
"""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import burstmail
from burstmail import (
    Aggregator,
    AsyncPipeline,
    Backoff,
    BurstHandler,
    Caps,
    Composer,
    CoolDown,
    FileSource,
    FileStore,
    Framer,
    Join,
    JournalSource,
    Keep,
    Limit,
    MaildirSink,
    Outbox,
    Pipeline,
    SendmailSink,
    SMTPSink,
    StreamSource,
    SyslogLimits,
    SyslogSource,
    Threshold,
    Window,
    collect,
)
from burstmail.testing import RecordingSink

PACKAGE = Path(burstmail.__file__).parent
Make = Callable[..., object]


def composer(to: Any = "root", **options: Any) -> Composer:
    return Composer(to, **{"sender": "a@web1.example", "host": "web1.example", **options})


def pipeline(*stages: Any, **options: Any) -> Pipeline:
    return Pipeline(*(stages or (Aggregator(), composer())), **{"sink": RecordingSink(), **options})


def asynchronous(*stages: Any, **options: Any) -> AsyncPipeline:
    return AsyncPipeline(*(stages or (Aggregator(), composer())), **{"sink": RecordingSink(), **options})


def collection(to: Any = "root", **options: Any) -> object:
    return collect(to, **{"sink": RecordingSink(), **options})


def handler(to: Any = "root", **options: Any) -> BurstHandler:
    return BurstHandler(to, **{"sink": RecordingSink(), **options})


def files(*patterns: Any, **options: Any) -> FileSource:
    return FileSource(*(patterns or ("app.log",)), **options)


def syslog(*places: Any, **options: Any) -> SyslogSource:
    return SyslogSource(*(places or ("udp://127.0.0.1:0",)), **options)


def sendmail(**options: Any) -> SendmailSink:
    return SendmailSink("/bin/true", **options)


def journal(*matches: Any, **options: Any) -> JournalSource:
    return JournalSource(*matches, **{"journalctl": "/bin/true", **options})


NUMBERS: list[tuple[Make, str]] = [
    (Window, "gap max_age"),
    (Aggregator, "gap max_age keys budget"),
    (Caps, "separate keys reserve"),
    (CoolDown, "first factor longest"),
    (Backoff, "first factor longest"),
    (Keep, "head tail bytes log"),
    (Join, "wait lines bytes keys budget"),
    (Framer, "bound"),
    (Outbox, "give_up"),
    (SyslogLimits, "connections per_address unfinished bound handshake message idle"),
    (composer, "attach"),
    (pipeline, "give_up grace"),
    (asynchronous, "give_up grace"),
    (collection, "grace"),
    (handler, "gap max_age capacity grace"),
    (files, "poll bound linger"),
    (syslog, "linger"),
    (journal, "bound"),
    (StreamSource, "linger bound"),
    (SMTPSink, "port timeout connect_timeout"),
    (sendmail, "timeout"),
]


def told(make: Callable[[], object]) -> str:
    """What the library itself says, in one line."""
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert Path(traceback.extract_tb(caught.value.__traceback__)[-1].filename).is_relative_to(PACKAGE)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("value", ["5", "5s", None, True, [5]], ids=repr)
@pytest.mark.parametrize(("make", "name"), [(make, name) for make, names in NUMBERS for name in names.split()])
def test_what_is_no_number_is_told_by_name(make: Make, name: str, value: object) -> None:
    text = told(lambda: make(**{name: value}))
    assert f"{name}={value!r}" in text
    assert "must be a number" in text or "write seconds" in text


@pytest.mark.parametrize("value", ["5", True, [5]], ids=repr)
@pytest.mark.parametrize("make", [Window, Aggregator])
@pytest.mark.parametrize("name", ["max_lines", "max_bytes"])
def test_a_bound_that_is_no_number_is_told_by_name(make: Make, name: str, value: object) -> None:
    assert told(lambda: make(**{name: value})) == f"{name}={value!r}: must be a number, as 20"


@pytest.mark.parametrize(("count", "per"), [("3", 60), (None, 60), (True, 60), (3, "60"), (3, "1h"), (3, None)])
@pytest.mark.parametrize(
    ("make", "name"), [(Limit, "Limit"), (lambda count, per: Threshold(count, per=per), "Threshold")]
)
def test_a_rate_that_is_none_is_told_by_name(make: Make, name: str, count: object, per: object) -> None:
    text = told(lambda: make(count, per))
    assert text.startswith((f"{name}(count={count!r}): must be a number", f"{name}(per={per!r}): must be a number"))


def keyword(make: Make, name: str, *values: object) -> list[Any]:
    return [
        pytest.param(
            lambda value=value: make(**{name: value}), f"{name}={value!r}", id=f"{make.__name__}-{name}-{value!r}"
        )
        for value in values
    ]


def place(make: Make, *values: object) -> list[Any]:
    return [
        pytest.param(lambda value=value: make(value), repr(value), id=f"{make.__name__}-{value!r}") for value in values
    ]


OTHERS = [
    *keyword(Aggregator, "key", ["host"], True, 5),
    *keyword(Aggregator, "urgent", "panic", True, 5),
    *keyword(Aggregator, "masks", "abc", None, 5),
    *place(Caps, "20/h", 20, (20, 3600), None, CoolDown()),
    *keyword(Caps, "per_key", "20/h", 5, True),
    *place(composer, None, 5, True, [None], [5], b"root"),
    *keyword(composer, "name", None, 5),
    *keyword(composer, "subject", None, 5, True),
    *keyword(composer, "redact", "urls", None, True),
    *keyword(composer, "zone", "UTC", 5),
    *[case for make in (pipeline, asynchronous) for case in place(make, None, "x", Aggregator, [Aggregator])],
    *[
        case
        for make in (pipeline, asynchronous)
        for case in (
            *keyword(make, "sink", None, "smtp://localhost", RecordingSink),
            *keyword(make, "store", "state", True),
            *keyword(make, "clock", 5, "UTC"),
            *keyword(make, "backoff", "30s", 5),
            *keyword(make, "on_dead", "root", 5),
        )
    ],
    *place(collection, None, 5),
    *keyword(collection, "capture", True, None, 5, "x"),
    *keyword(handler, "sink", True, 5),
    *keyword(handler, "state", True, 5, ["state"]),
    *keyword(handler, "pipeline", "x", True),
    *place(files, None, 5, ["app.log"], b"app.log"),
    *place(syslog, None, 514, ["udp://127.0.0.1:0"]),
    *keyword(syslog, "allow", "192.0.2.0/24", None, 5),
    *place(journal, None, 5, ["_PID=1"]),
    *keyword(journal, "zone", "UTC"),
    *keyword(journal, "directory", 5, ["/"]),
    *place(StreamSource, None, "app.log", [5]),
    *keyword(SMTPSink, "host", None, 5, True),
    *keyword(SMTPSink, "local_hostname", 5),
    *keyword(SendmailSink, "path", 5, True),
    *keyword(MaildirSink, "path", None, 5),
    *keyword(FileStore, "directory", None, 5, True),
]


@pytest.mark.parametrize(("make", "named"), OTHERS)
def test_what_is_of_another_kind_is_told_by_name(make: Callable[[], object], named: str) -> None:
    text = told(make)
    assert named.strip("()[]") in text


def test_a_password_of_another_kind_is_not_quoted() -> None:
    assert "4711" not in told(lambda: SMTPSink(user="ops", password=4711))  # type: ignore[arg-type]


def test_a_store_that_was_refused_says_nothing_more(capfd: pytest.CaptureFixture[str]) -> None:
    told(lambda: FileStore(None))  # type: ignore[arg-type]
    gc.collect()
    assert capfd.readouterr().err == ""
