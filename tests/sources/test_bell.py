"""The bell: rung from anywhere, heard by whoever waits, once and for good."""

from __future__ import annotations

import os
import select
import signal
import threading

from burstmail.sources.bell import Bell


def test_it_is_silent_until_it_is_rung() -> None:
    bell = Bell()
    assert not bell.rung and not bell.wait(0)
    bell.ring()
    assert bell.rung and bell.wait(3600) and bell.wait(3600)


def test_who_waits_is_woken_from_another_thread() -> None:
    bell = Bell()
    threading.Timer(0.02, bell.ring).start()
    assert bell.wait(3600)


def test_who_waits_is_woken_by_a_signal_handler() -> None:
    bell = Bell()
    before = signal.signal(signal.SIGALRM, lambda *_: bell.ring())
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    assert bell.wait(3600)
    signal.signal(signal.SIGALRM, before)


def test_its_descriptor_stays_readable() -> None:
    bell = Bell()
    for _ in range(70_000):
        bell.ring()
    assert select.select([bell], [], [], 0)[0] == [bell]


def test_its_descriptors_go_with_it() -> None:
    before = os.listdir("/proc/self/fd")
    bell = Bell()
    assert len(os.listdir("/proc/self/fd")) == len(before) + 2
    del bell
    assert len(os.listdir("/proc/self/fd")) == len(before)
