"""Nothing is lost: the engine under crashes at every write, a store that fails, and sinks that do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from burstmail import (
    Aggregator,
    Batch,
    Caps,
    Composer,
    CoolDown,
    Join,
    Keep,
    Limit,
    Route,
    Routes,
    Stage,
    TemporaryDeliveryError,
    Threshold,
    each,
    where,
)
from tests.drivers.life import Life, Make

DOWN = TemporaryDeliveryError("connection refused")
PART = {"a@example.org": DOWN}
# So many that nothing is ever left out, and each line can be looked for.
ALL = Keep(head=5000, tail=5000, bytes=10**7)


def stages() -> Sequence[Stage[Any, Any]]:
    return (
        Aggregator(gap=5, max_age=60, key=each(lambda line: line[-1]), keep=ALL),
        Caps(Limit(3, per=60), Limit(5, per=900), per_key=CoolDown(first=60, longest=900)),
        Composer(to=["a@example.org", "b@example.org"], sender="me@example.org", host="example.org"),
    )


GAPS = [0.0, 0.5, 4.9, 5.0, 70.0, 1000.0, 1e5]
# 40 lives of some 30 steps take seconds.
SEEDS = pytest.mark.parametrize(
    "seeds", [range(40), pytest.param(range(40, 1000), marks=pytest.mark.full)], ids=["40 lives", "1,000 lives"]
)


def words(chance: Random, some: Sequence[Any], often: float) -> Iterator[Any]:
    while True:
        yield chance.choice(some) if chance.random() < often else ""


def lived(
    seed: int,
    faults: Sequence[str],
    outcomes: Sequence[Any],
    make: Make = stages,
    kind: type[Life] = Life,
    **options: Any,
) -> Life:
    """A life of random steps, with so many faults, to its quiet end."""
    chance = Random(seed)
    life = kind(make, words(chance, faults, 0.2), words(chance, outcomes, 0.3), **options)
    for _ in range(chance.randrange(5, 60)):
        life.wait(chance.choice(GAPS))
        if chance.random() < 0.9:
            life.lines(chance.randrange(1, 8))
        else:
            life.flush()
    life.end()
    return life


@SEEDS
def test_a_crash_at_any_write_loses_nothing_and_repeats_only_under_the_same_id(seeds: Iterable[int]) -> None:
    for seed in seeds:
        life = lived(seed, ["crash", "crash after"], [DOWN, PART, "crash", "crash after"])
        life.check()
        assert life.crashes


@SEEDS
def test_a_store_that_fails_now_and_then_loses_nothing_while_the_process_lives(seeds: Iterable[int]) -> None:
    for seed in seeds:
        life = lived(seed, ["fail", "fail after"], [DOWN, PART])
        life.check()
        assert not life.crashes


@SEEDS
def test_what_a_store_has_survives_a_crash_that_comes_while_it_fails(seeds: Iterable[int]) -> None:
    for seed in seeds:
        faults = ["fail", "fail after", "crash", "crash after"]
        lived(seed, faults, [DOWN, PART, "crash"], exact=False).check()


@SEEDS
def test_every_destination_gets_everything(seeds: Iterable[int]) -> None:
    for seed in seeds:
        lived(seed, ["crash", "crash after"], [DOWN, PART], destinations=("here", "there")).check()


# Routes.


def routed() -> Sequence[Stage[Any, Any]]:
    """By its last digit, each line to one of three."""
    routes = [
        Route(
            where(lambda fields, last=last: fields.message[-1] in last),  # type: ignore[misc]  # each has its own
            Join(wait=1),
            Threshold(1, per=60),
            Aggregator(gap=gap, max_age=60, keep=ALL),
            Caps(Limit(2, per=60), per_key=None),
            Composer(to=f"{name}@example.org", sender="me@example.org", host="example.org"),
            name=name,
        )
        for name, last, gap in (("low", "012", 5), ("middle", "345", 1), ("high", "6789", 20))
    ]
    return (Routes(*routes),)


@SEEDS
def test_routes_lose_nothing_at_any_crash_and_their_lines_never_meet(seeds: Iterable[int]) -> None:
    for seed in seeds:
        life = lived(seed, ["crash", "crash after"], [DOWN, "crash", "crash after"], routed)
        life.check()
        for mail in life.mails.values():
            assert mail.recipients == (f"{mail.burst.route}@example.org",)
            last = {"low": "012", "middle": "345", "high": "6789"}[mail.burst.route]
            assert {line[-1] for line in (*mail.burst.head, *mail.burst.tail)} <= set(last)


# Sources that know where they are.


class Following(Life):
    """Its lines come from a source that goes on where the engine says."""

    def lines(self, count: int) -> None:
        self.live(lambda: self._read(count))

    def _read(self, count: int) -> None:
        # Of a store that fails from the start nobody knows more for now: the source waits.
        if (places := self.engine.places()) is None:
            return
        self.number = places.get("numbers", 0)
        names = [f"line {self.number + place}" for place in range(count)]
        lines = Batch.of(names)
        self.todo += self.engine.feed(replace(lines, place=("numbers", self.number + count)))
        self.send()

    def check(self) -> None:
        places = self.engine.places()
        assert places is not None
        self.accepted = {f"line {number}" for number in range(places.get("numbers", 0))}
        super().check()
        count = sum(mail.burst.count for mail in self.mails.values()) + len(self.buried())
        assert count == len(self.accepted), f"{count} lines of {len(self.accepted)}"


@SEEDS
def test_a_source_that_goes_on_where_it_was_neither_loses_nor_repeats(seeds: Iterable[int]) -> None:
    for seed in seeds:
        lived(seed, ["crash", "crash after"], [DOWN, "crash", "crash after"], kind=Following).check()


@SEEDS
def test_nor_while_a_store_fails_now_and_then(seeds: Iterable[int]) -> None:
    for seed in seeds:
        lived(seed, ["fail", "fail after"], [DOWN], kind=Following).check()
