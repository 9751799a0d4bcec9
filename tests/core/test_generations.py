"""What rotated files are called, and which is the older."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pytest

from burstmail.core.follow import Status
from burstmail.core.generations import Found, Scheme, generation, holds_nothing, ordered, origins, packed

OF_APP_LOG = [
    ("app.log.1", Scheme.NUMBER, False, False),
    ("app.log.12.gz", Scheme.NUMBER, False, True),
    ("app.log-3", Scheme.NUMBER, False, False),
    ("app.log-20261123", Scheme.DATE, False, False),
    ("app.log-20261123.xz", Scheme.DATE, False, True),
    ("app.log-20261123-1795465632", Scheme.DATE, False, False),
    ("app.log.2026-11-23", Scheme.DATE, False, False),
    ("app.log.2026-11-23_10-00-00", Scheme.DATE, False, False),
    ("app.log-2026112310", Scheme.DATE, False, False),
    ("app.log-202611", Scheme.DATE, False, False),
    ("app.log-1795465632", Scheme.DATE, False, False),
    ("app.log.2026-11-23.1", Scheme.DATE, False, False),
    ("app.log-2026-11-23T10:00:00Z", Scheme.DATE, False, False),
    ("app.log.old", Scheme.OLD, False, False),
    ("app.1.log", Scheme.NUMBER, True, False),
    ("app-2.log", Scheme.NUMBER, True, False),
    ("app-20261123.log", Scheme.DATE, True, False),
    ("app-20261123.log.gz", Scheme.DATE, True, True),
    ("app_old.log", Scheme.OLD, True, False),
]


@pytest.mark.parametrize(("name", "scheme", "inner", "is_packed"), OF_APP_LOG)
def test_generations_of_app_log(name: str, scheme: Scheme, inner: bool, is_packed: bool) -> None:
    made = generation("app.log", name)
    assert made
    assert (made.scheme, made.inner, made.packed) == (scheme, inner, is_packed)
    assert packed(name) == is_packed
    assert ("app.log" in origins(name)) == (not inner and not is_packed)


@pytest.mark.parametrize(
    "name",
    [
        *("app.log", "app.log.bak", "app.log~", ".app.log.swp", "app.log.gz", "app.log.", "app.log.x1", "myapp.log.1"),
        *("app.log.1.2", "app.logs.1", "app.log1", "app2.log", "app.log.1\n", "app.log.123456", "app", ".log"),
        *("error.log", "app.log.-1", "app.log.٣", "app.log." + "1" * 300, "app.log-2026/11", "application.log"),
    ],
)
def test_what_is_no_generation(name: str) -> None:
    assert generation("app.log", name) is None


def test_a_name_without_an_extension() -> None:
    assert generation("syslog", "syslog.1") and not generation("syslog", "syslog1")
    assert generation(".hidden", ".hidden.1") and not generation(".hidden", "x.hidden")


def files(base: str, *names: str, times: tuple[int, ...] = ()) -> list[Found]:
    found = []
    for number, name in enumerate(names):
        time = times[number] if times else 0
        status = Status(device=1, inode=number, size=0, time=time)
        found.append(Found(name=name, status=status, generation=generation(base, name)))
    return found


@pytest.mark.parametrize(
    "names",
    [
        ("a.10", "a.9", "a.2", "a.1"),
        ("a-20251231", "a-20260101", "a-20260102"),
        ("a-20261123-99", "a-20261123-100"),
        ("a.2026-11-23.1", "a.2026-11-23.2", "a.2026-11-24.1"),
    ],
)
def test_the_oldest_comes_first(names: tuple[str, ...]) -> None:
    found = files("a", *names)
    assert ordered(found[::-1]) == ordered(found) == found


def test_numbers_that_count_upwards_are_told_by_the_times() -> None:
    found = files("a", "a.1", "a.2", "a.3", times=(10, 20, 30))
    assert ordered(found) == found
    # A writer that goes on with an old file for a while changes nothing.
    found = files("a", "a.3", "a.2", "a.1", times=(10, 25, 20))
    assert ordered(found) == found


def test_names_that_say_nothing_are_told_by_the_times() -> None:
    found = files("a", "a.old", "a.prev", "b", times=(10, 20, 30))
    assert ordered(found[::-1]) == found


COMPRESSORS = [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]


@pytest.mark.parametrize(("suffix", "compress"), COMPRESSORS)
def test_a_compressed_file_of_nothing_is_told_by_its_size(suffix: str, compress: Callable[[bytes], bytes]) -> None:
    for content in (b"", b"a"):
        size = len(compress(content))
        for name in (f"app.log.1{suffix}", f"app{suffix}.log-20261123{suffix}"):
            file = Found(name=name, status=Status(device=1, inode=1, size=size, time=1))
            assert holds_nothing(file) is not bool(content)


@pytest.mark.parametrize("name", ["app.log.1", "app.log.1.zst", "app.log.gz.1"])
def test_nothing_else_is_told_by_its_size(name: str) -> None:
    assert not holds_nothing(Found(name=name, status=Status(device=1, inode=1, size=1, time=1)))
