"""Who has to go: the worst first, so that good senders stay."""

from __future__ import annotations

from dataclasses import fields
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.guests import FAREWELL, Guest, Guests, SyslogLimits

FEW = SyslogLimits(connections=4, per_address=2, unfinished=100, handshake=10, message=60, idle=3600)


def full(limits: SyslogLimits = FEW) -> tuple[Guests, list[Guest]]:
    """Four, from two addresses, who came one second after the other."""
    guests = Guests(limits)
    return guests, [guests.arrive("ab"[second // 2], float(second))[0] for second in range(4)]


@pytest.mark.parametrize("name", [field.name for field in fields(SyslogLimits)])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_must_let_something_in(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name}={value}: must be more than 0"):
        SyslogLimits(**{name: value})


def test_while_there_is_room_nobody_goes() -> None:
    guests = Guests(FEW)
    assert [guests.arrive("ab"[second // 2], float(second))[1] for second in range(4)] == [[]] * 4
    assert len(guests) == 4


def test_whoever_has_said_nothing_for_longest_goes_first() -> None:
    guests, (first, second, third, fourth) = full()
    for guest in (first, second, third, fourth):
        guests.heard(guest, 10.0, whole=True, held=0)
    guests.heard(first, 11.0, whole=True, held=0)
    assert guests.worst() is second
    assert guests.arrive("c", 12.0)[1] == [second]


def test_those_who_never_said_anything_go_before_those_who_did() -> None:
    guests, (first, second, third, fourth) = full()
    guests.heard(first, 3.5, whole=True, held=0)
    guests.heard(second, 3.5, whole=True, held=0)
    # Half of a message is none.
    guests.heard(third, 4.0, whole=False, held=5)
    guests.heard(fourth, 4.0, whole=False, held=5)
    assert guests.arrive("c", 1000.0)[1] == [third]
    guests.leave(third)
    assert guests.arrive("c", 1000.0)[1] == [fourth]


def test_one_who_has_just_come_is_not_pushed_out_by_those_who_spoke_once() -> None:
    guests, (first, second, third, fourth) = full()
    for guest in (first, second, third):
        guests.heard(guest, 2.5, whole=True, held=0)
    # One of four is few: it may speak yet.
    assert guests.arrive("c", 5.0)[1] == [first]
    guests.leave(first)
    # Two of four are not.
    assert guests.arrive("c", 6.0)[1] == [fourth]


def test_many_from_one_address_push_out_only_their_own() -> None:
    guests = Guests(FEW)
    other, _ = guests.arrive("b", 0.0)
    first, _ = guests.arrive("a", 1.0)
    second, _ = guests.arrive("a", 2.0)
    assert guests.arrive("a", 3.0)[1] == [first]
    guests.leave(first)
    assert guests.arrive("a", 4.0)[1] == [second]
    assert guests.worst() is other


def test_silence_ends_a_connection_after_it_was_told() -> None:
    guests = Guests(FEW)
    guest, _ = guests.arrive("a", 100.0)
    assert guests.deadline == 3700.0
    assert guests.due(3699.9) == []
    assert guests.due(3700.0) == [guest]
    assert guest.idle
    assert "silent" in guest.why
    guests.farewell(guest, 3700.0)
    # What it says now is still heard, and it goes all the same.
    guests.heard(guest, 3705.0, whole=True, held=3)
    assert guests.deadline == 3700.0 + FAREWELL
    assert guests.due(3709.0) == []
    assert guests.due(3710.0) == [guest]
    assert guest.leaving
    guests.leave(guest)
    assert guests.deadline == inf


def test_every_message_begins_the_silence_anew() -> None:
    guests = Guests(FEW)
    guest, _ = guests.arrive("a", 0.0)
    guests.heard(guest, 3000.0, whole=True, held=0)
    assert guests.due(3600.0) == []
    assert guests.deadline == 6600.0


def test_a_message_must_be_finished_in_time_however_slowly_it_comes() -> None:
    guests = Guests(FEW)
    guest, _ = guests.arrive("a", 0.0)
    for second in range(10, 70):
        assert guests.due(second) == []
        guests.heard(guest, float(second), whole=False, held=second)
    assert guests.due(70.0) == [guest]
    assert not guest.idle
    assert "did not finish" in guest.why


def test_each_message_has_its_own_time() -> None:
    guests = Guests(FEW)
    guest, _ = guests.arrive("a", 0.0)
    guests.heard(guest, 10.0, whole=False, held=5)
    guests.heard(guest, 60.0, whole=True, held=5)
    assert guests.due(70.0) == []
    assert guests.due(119.0) == []
    guests.heard(guest, 119.0, whole=True, held=0)
    assert guests.due(120.0) == []
    assert guests.deadline == 119.0 + 3600.0


def test_bytes_that_turn_out_to_be_no_message_do_not_hurry_anybody() -> None:
    guests = Guests(FEW)
    guest, _ = guests.arrive("a", 0.0)
    guests.heard(guest, 10.0, whole=False, held=1)
    guests.heard(guest, 11.0, whole=False, held=0)
    assert guests.due(71.0) == []
    assert guests.deadline == 3611.0


def test_a_handshake_has_its_own_time() -> None:
    guests = Guests(FEW)
    slow, _ = guests.arrive("a", 0.0, handshake=True)
    good, _ = guests.arrive("a", 0.0, handshake=True)
    assert guests.deadline == 10.0
    guests.greeted(good, 9.0)
    assert guests.due(10.0) == [slow]
    assert "handshake" in slow.why
    guests.leave(slow)
    assert guests.due(10.0) == []
    assert guests.deadline == 3609.0


def test_whoever_is_next_is_not_forgotten_for_the_one_who_is_due() -> None:
    guests = Guests(FEW)
    first, _ = guests.arrive("a", 0.0)
    guests.arrive("b", 0.25)
    assert guests.due(3600.0) == [first]
    assert guests.deadline == 3600.25


def test_by_default_nobody_is_ended_for_silence() -> None:
    guests = Guests(SyslogLimits())
    guest, _ = guests.arrive("a", 0.0)
    guests.heard(guest, 1.0, whole=True, held=0)
    assert guests.deadline == inf
    assert guests.due(1e9) == []


def test_too_much_unfinished_costs_one_of_those_who_hold_it() -> None:
    guests, (first, second, third, _) = full()
    assert guests.heard(second, 5.0, whole=True, held=60) == []
    assert guests.heard(third, 6.0, whole=True, held=40) == []
    assert guests.heard(first, 7.0, whole=True, held=1) == [second]
    guests.leave(second)
    assert guests.heard(first, 8.0, whole=False, held=60) == []
    # It may be the one who speaks.
    guests.heard(third, 9.0, whole=True, held=40)
    assert guests.heard(first, 9.0, whole=False, held=61) == [first]


def test_leaving_twice_is_leaving_once() -> None:
    guests, (first, *_) = full()
    guests.heard(first, 5.0, whole=True, held=60)
    guests.leave(first)
    guests.leave(first)
    assert len(guests) == 3
    assert guests.worst() is not None
    assert Guests(FEW).worst() is None


@given(st.lists(st.tuples(st.sampled_from("+!-~"), st.integers(0, 9), st.integers(0, 50)), max_size=60))
def test_the_limits_hold_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    guests = Guests(FEW)
    there: list[Guest] = []
    now = 0.0
    for what, which, amount in steps:
        now += amount
        gone = guests.due(now)
        if what == "+":
            guest, more = guests.arrive("abc"[which % 3], now, handshake=which > 7)
            there.append(guest)
            gone = [*gone, *more]
        elif there and what != "-":
            gone += guests.heard(there[which % len(there)], now, whole=what == "!", held=amount)
        elif there:
            gone.append(there[which % len(there)])
        for guest in gone:
            guests.leave(guest)
        there = [guest for guest in there if guest not in gone]
        assert len(guests) == len(there) <= FEW.connections
        assert sum(guest.held for guest in there) <= FEW.unfinished
        assert all(sum(guest.group == group for guest in there) <= FEW.per_address for group in "abc")
        assert guests.deadline > now or guests.due(now) == []
        assert guests.deadline <= min((guest.ends for guest in there), default=inf)
