"""What goes in, and what must come out: one table for every driver.

Each row says by itself what is right, to the line and the second; it was written from what the parts promise, and no
driver is asked for it. Lines are words, with `|` between those that are read together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from burstmail import (
    ANYTHING,
    Aggregator,
    Backoff,
    Caps,
    Composer,
    CoolDown,
    DeliveryError,
    Join,
    Keep,
    Limit,
    PermanentDeliveryError,
    Route,
    Routes,
    Stage,
    TemporaryDeliveryError,
    Threshold,
    contains,
    each,
)

Stages: TypeAlias = Callable[[], Sequence[Stage[Any, Any]]]
Outcome: TypeAlias = "DeliveryError | Mapping[str, DeliveryError] | None"


@dataclass(frozen=True, slots=True)
class Become:
    """Other stages, from here on."""

    stages: Stages


@dataclass(frozen=True, slots=True)
class Stepped:
    """The wall clock is set forward, or back."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Flush:
    """What is open closes."""


@dataclass(frozen=True, slots=True)
class Restart:
    """The driver closes, and the next one goes on with its store."""


Act: TypeAlias = str | Become | Stepped | Flush | Restart


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`steps` are (when, what), `mails` are (when, lines shown, why the window closed): seconds since the start."""

    name: str
    stages: Stages
    steps: Sequence[tuple[float, Act]]
    mails: Sequence[tuple[float, str, str]]
    until: float = 100_000.0
    # What comes of the first attempts; all others are accepted.
    outcomes: Sequence[Outcome] = ()
    stored: bool = False
    backoff: Backoff | None = None
    give_up: float = 259200.0
    # Counts at the end, by their names.
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def retry(self) -> dict[str, Any]:
        return {"backoff": self.backoff, "give_up": self.give_up}

    def __str__(self) -> str:
        return self.name


def windows(**more: Any) -> Stages:
    return lambda: [Aggregator(**more)]


def by_letter(**more: Any) -> Aggregator:
    return Aggregator(key=each(lambda line: line[:1]), **more)


def capped(*limits: Limit, per_key: Any = None, **more: Any) -> Stages:
    return lambda: [by_letter(), Caps(*limits, per_key=per_key, **more)]


def mailed(*stages: Stage[Any, Any], to: str | list[str] = "ops@example.org") -> Sequence[Stage[Any, Any]]:
    return [*stages, Composer(to, sender="me@example.org", host="example.org")]


def routed(*, every: bool = False) -> Sequence[Stage[Any, Any]]:
    return [
        Routes(
            Route(contains("usb"), Aggregator(gap=2), Caps(Limit(1, per=60), per_key=None), name="usb"),
            Route(contains("1"), Aggregator(gap=10), name="ones"),
            every=every,
        )
    ]


DOWN = TemporaryDeliveryError("down")
NO = PermanentDeliveryError("no such user")


def anything() -> Sequence[Stage[Any, Any]]:
    """Small limits, so that all of them are met."""
    caps = Caps(Limit(2, per=20), per_key=CoolDown(first=5, longest=20), separate=2, reserve=1)
    return mailed(Join(wait=1), by_letter(gap=3, max_age=8, max_lines=4, keys=2, urgent=contains("!")), caps)


SCENARIOS = [
    Scenario(
        name="a burst closes a gap after its last line",
        stages=windows(gap=5),
        steps=[(0, "a"), (3, "b"), (7.5, "c")],
        mails=[(12.5, "a|b|c", "gap")],
        counts={"lines_in": 3, "lines_out": 3, "bursts": 1, "sent": 1},
    ),
    Scenario(
        name="a line at the very end of the gap begins another burst",
        stages=windows(gap=5),
        steps=[(0, "a"), (5, "b"), (9.999, "c")],
        mails=[(5, "a", "gap"), (14.999, "b|c", "gap")],
    ),
    Scenario(
        name="a stream that never pauses is mailed by its age",
        stages=windows(gap=5, max_age=10),
        steps=[(second, f"l{second}") for second in range(0, 24, 4)],
        mails=[(10, "l0|l4|l8", "max_age"), (22, "l12|l16|l20", "max_age")],
    ),
    Scenario(
        name="a window closes when it is full, in the middle of a read",
        stages=windows(gap=5, max_lines=2),
        steps=[(1, "a|b|c"), (2, "d|e")],
        mails=[(1, "a|b", "max_lines"), (2, "c|d", "max_lines"), (7, "e", "gap")],
    ),
    Scenario(
        name="a long burst keeps its first and last lines and counts the others",
        stages=windows(keep=Keep(head=1, tail=1), gap=5),
        steps=[(0, "a|b|c"), (1, "d")],
        mails=[(6, "a|...2|d", "gap")],
        counts={"lines_left_out": 2},
    ),
    Scenario(
        name="keys have windows of their own",
        stages=lambda: [by_letter(gap=5)],
        steps=[(0, "a1|b1"), (2, "a2"), (4, "b2|c1")],
        mails=[(7, "a1|a2", "gap"), (9, "b1|b2", "gap"), (9, "c1", "gap")],
    ),
    Scenario(
        name="the quietest window closes early where there are too many",
        stages=lambda: [by_letter(gap=5, keys=2)],
        steps=[(0, "a1"), (1, "b1"), (2, "a2"), (3, "c1")],
        mails=[(3, "b1", "crowded"), (7, "a1|a2", "gap"), (8, "c1", "gap")],
    ),
    Scenario(
        name="an urgent line is told of at once",
        stages=windows(gap=60, max_age=600, urgent=contains("fire")),
        steps=[(0, "a"), (30, "fire"), (30.1, "b")],
        mails=[(30.2, "a|fire|b", "urgent")],
    ),
    Scenario(
        name="a flush closes what is open and a second one finds nothing",
        stages=windows(gap=30),
        steps=[(0, "a"), (10, Flush()), (11, Flush()), (12, "b")],
        mails=[(10, "a", "flush"), (42, "b", "gap")],
    ),
    Scenario(
        name="the end gives up everything",
        stages=capped(Limit(1, per=60)),
        steps=[(0, "a1"), (6, "b1|c1"), (20, "d1")],
        until=21,
        mails=[(5, "a1", "gap"), (21, "b1|c1|d1", "end")],
        counts={"lines_held": 0, "sent": 2},
    ),
    Scenario(
        name="a cap lets leave what it holds as soon as it may, with no further line",
        stages=capped(Limit(1, per=60)),
        steps=[(0, "a1"), (6, "a2"), (20, "a3"), (100, "a4")],
        mails=[(5, "a1", "gap"), (65, "a2|a3", "gap"), (125, "a4", "gap")],
    ),
    Scenario(
        name="a flush does not open a cap",
        stages=capped(Limit(1, per=60)),
        steps=[(0, "a1"), (1, Flush()), (2, "a2"), (3, Flush())],
        mails=[(1, "a1", "flush"), (61, "a2", "flush")],
    ),
    Scenario(
        name="what is held of too many keys is one digest",
        stages=capped(Limit(1, per=60), separate=2),
        steps=[(0, "a1"), (6, "b1|c1|d1")],
        mails=[(5, "a1", "gap"), (65, "b1|c1|d1", "gap")],
    ),
    Scenario(
        name="a noisy key is told of ever more rarely",
        stages=lambda: [by_letter(gap=4), Caps(Limit(100, per=60), per_key=CoolDown(first=11, factor=2, longest=40))],
        steps=[*((second, f"a{second}") for second in range(0, 100, 10)), (12, "b1")],
        mails=[
            (4, "a0", "gap"),
            (4 + 11, "a10", "gap"),
            (16, "b1", "gap"),
            (15 + 22, "a20|a30", "gap"),
            (37 + 40, "a40|a50|a60|a70", "gap"),
            (77 + 40, "a80|a90", "gap"),
        ],
    ),
    Scenario(
        name="urgent bursts have a slot of their own",
        stages=lambda: [
            by_letter(gap=5, urgent=contains("fire")),
            Caps(Limit(2, per=60), per_key=None, reserve=1),
        ],
        steps=[(0, "a1"), (6, "b1"), (20, "cfire"), (30, "dfire")],
        mails=[(5, "a1", "gap"), (20.2, "cfire", "urgent"), (65, "dfire", "urgent"), (125, "b1", "gap")],
    ),
    Scenario(
        name="too little is not mailed, and counted",
        stages=lambda: [Threshold(3, per=60), Aggregator(gap=5)],
        steps=[(0, "a"), (100, "b"), (110, "c"), (120, "d")],
        mails=[(125, "b|c|d", "gap")],
        counts={"lines_in": 4, "lines_below": 1, "lines_out": 3},
    ),
    Scenario(
        name="a stack trace stays whole",
        stages=lambda: [Join(wait=1), Aggregator(gap=1)],
        steps=[(0, "lost|Traceback (most recent call last):|  here"), (0.5, "KeyError: 7"), (3, "next")],
        mails=[
            (2.5, "lost|\tTraceback (most recent call last):|\t  here|\tKeyError: 7", "gap"),
            (5, "next", "gap"),
        ],
    ),
    Scenario(
        name="each line goes by the first route that takes it",
        stages=routed,
        steps=[(0, "usb1|usb2|net1|other"), (4, "usb3")],
        mails=[(2, "usb1|usb2", "gap"), (10, "net1", "gap"), (62, "usb3", "gap")],
        counts={"lines_in": 5, "lines_refused": 1, "bursts": 3},
    ),
    Scenario(
        name="each line goes by every route that takes it",
        stages=lambda: routed(every=True),
        steps=[(0, "usb1|usb2|net1")],
        mails=[(2, "usb1|usb2", "gap"), (10, "usb1|net1", "gap")],
    ),
    Scenario(
        name="what is refused for now is tried again, later each time",
        stages=lambda: mailed(Aggregator(gap=5)),
        steps=[(0, "a")],
        outcomes=[DOWN, DOWN, DOWN],
        backoff=Backoff(first=10, factor=2, longest=30),
        mails=[(5 + 10 + 20 + 30, "a", "gap")],
        counts={"deferred": 3, "sent": 1},
    ),
    Scenario(
        name="what is refused for good does not hold up what comes next",
        stages=lambda: mailed(Aggregator(gap=5)),
        steps=[(0, "a"), (10, "b")],
        outcomes=[NO],
        # The notice about it has no lines of its own.
        mails=[(5, "", "gap"), (15, "b", "gap")],
        counts={"dead": 1, "lines_out": 2},
    ),
    Scenario(
        name="a mail is given up in the end, and it is said",
        stages=lambda: mailed(Aggregator(gap=5)),
        steps=[(0, "a")],
        outcomes=[DOWN] * 4,
        backoff=Backoff(first=10, factor=2, longest=60),
        give_up=60,
        # Tries at 5, 15, 35 and 75, which is one too late; the notice is sent once the destination has rested.
        mails=[(75 + 60, "", "gap")],
        counts={"dead": 1},
    ),
    Scenario(
        name="an outage ends in few mails",
        stages=lambda: mailed(by_letter(gap=5), Caps(Limit(100, per=60), per_key=None)),
        steps=[(second, f"{letter}{second}") for second, letter in zip(range(0, 100, 10), "abcdefghij", strict=True)],
        outcomes=[DOWN],
        backoff=Backoff(first=1000, longest=1000),
        mails=[
            (1005, "b10", "gap"),
            (1005, "c20", "gap"),
            (1005, "d30|e40|f50|g60|h70|i80|j90", "gap"),
            # One that has failed stands behind those that have not.
            (1005, "a0", "gap"),
        ],
    ),
    Scenario(
        name="only who has not got it gets it again",
        stages=lambda: mailed(Aggregator(gap=5), to=["one@example.org", "two@example.org"]),
        steps=[(0, "a")],
        outcomes=[{"two@example.org": DOWN}],
        backoff=Backoff(first=10),
        mails=[(5, "a", "gap"), (15, "a", "gap")],
        counts={"sent": 1},
    ),
    Scenario(
        name="other stages go on with what the caps hold",
        stages=capped(Limit(1, per=60)),
        steps=[(0, "a1"), (6, "a2"), (8, Become(capped(Limit(1, per=30)))), (9, "a3")],
        mails=[(5, "a1", "gap"), (35, "a2|a3", "gap")],
    ),
    Scenario(
        name="a wall clock that is set is nobody's business",
        stages=capped(Limit(1, per=60)),
        steps=[(0, "a1"), (3, Stepped(-7200)), (6, "a2"), (30, Stepped(86400))],
        mails=[(8 - 3, "a1", "gap"), (65, "a2", "gap")],
    ),
    Scenario(
        name="a restart closes windows and keeps what the caps hold",
        stages=capped(Limit(1, per=60)),
        steps=[(0, "a1"), (10, "a2"), (12, Restart()), (20, "a3")],
        stored=True,
        mails=[(5, "a1", "gap"), (65, "a2|a3", "gap")],
    ),
    Scenario(
        name="a mail that waits is tried again after a restart",
        stages=lambda: mailed(Aggregator(gap=5)),
        steps=[(0, "a"), (10, Restart())],
        outcomes=[DOWN],
        stored=True,
        backoff=Backoff(first=60),
        mails=[(65, "a", "gap")],
    ),
    Scenario(
        name="lines that nobody takes are counted",
        stages=lambda: [Routes(Route(contains("x"), Aggregator(), name="x"), Route(~ANYTHING, Aggregator(), name="n"))],
        steps=[(0, "a|b")],
        mails=[],
        counts={"lines_in": 2, "lines_refused": 2},
    ),
]
