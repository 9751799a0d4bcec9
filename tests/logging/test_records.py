"""What a record becomes: a header that every part of burstmail understands, and lines that cannot fake another."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burstmail.core.fields import parse
from burstmail.logging import records


def record(name: str = "app.views", level: int = logging.ERROR, **more: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"name": name, "levelno": level, "created": 1763892000.5, "process": 7} | more)


def told(text: str, **more: Any) -> str:
    return records.lines(records.header(record(**more), "web1"), text)


def test_a_header_says_level_time_host_logger_and_process(monkeypatch: pytest.MonkeyPatch) -> None:
    line = told("order 4711 failed")
    fields = parse(line.removesuffix("\n"))
    assert (fields.host, fields.program, fields.pid, fields.message) == ("web1", "app.views", "7", "order 4711 failed")
    assert (fields.facility, fields.severity) == (1, 3)
    assert fields.time(1763892000.0) is not None


@pytest.mark.parametrize(
    ("level", "severity"),
    [(5, 7), (10, 7), (20, 6), (25, 5), (30, 4), (35, 4), (40, 3), (45, 3), (50, 2), (99, 2)],
)
def test_every_level_has_a_severity(level: int, severity: int) -> None:
    assert parse(told("x", level=level)).severity == severity


def test_what_is_urgent_is_known_by_its_line() -> None:
    line = records.header(record(), "web1", urgent=True)
    assert line.startswith(f"<{16 * 8 + 3}>")
    assert records.URGENT_FACILITY == "local0"


def test_further_lines_are_indented() -> None:
    assert told("one\ntwo\r\n  three\n\n").endswith(": one\n\ttwo\n\t  three\n")


@example(text="", name="-")
@given(text=st.text(max_size=200), name=st.text(max_size=50))
def test_no_text_and_no_name_can_fake_a_record(text: str, name: str) -> None:
    first, *rest = told(text, name=name).removesuffix("\n").split("\n")
    assert all(line.startswith("\t") for line in rest)
    fields = parse(first)
    assert (fields.host, fields.pid, fields.severity) == ("web1", "7", 3)
    assert fields.program
    assert first.isprintable() or not text.isprintable()


@given(st.text(st.characters(categories=["Cs", "Ll"]), max_size=20))
def test_all_of_it_can_be_encoded(text: str) -> None:
    told(text, name=text).encode()


def test_a_process_that_is_not_known_is_left_out() -> None:
    assert "] " not in told("x", process=None)
    assert parse(told("x", process=None)).program == "app.views"


def test_of_a_very_long_text_beginning_and_end_are_kept() -> None:
    line = told("a" * 50_000 + "b" * 50_000 + "\nKeyError: 7")
    assert len(line) < records.LONGEST + 200
    assert "a" * (records.LONGEST - records.ENDING) not in line.partition("\n")[2]
    assert "\n\t[34,476 characters left out]\n\t" in line
    assert line.endswith("\n\tKeyError: 7\n")


def test_a_name_of_any_length_fits() -> None:
    assert parse(told("x", name="a.b" * 1000)).message == "x\n"
    assert parse(told("x", name="")).program == "_"
    assert parse(told("x", name="7up: [9]")).program == "_7up___9_"
