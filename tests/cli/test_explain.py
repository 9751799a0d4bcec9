"""What a configuration does, in plain sentences: they are what somebody found good, and true."""

from __future__ import annotations

import os
import sys
from difflib import unified_diff
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.cli import options
from burstmail.cli.configuration import read
from burstmail.cli.explain import explain
from burstmail.cli.phrases import counted, criteria_in_words, each, several, span
from burstmail.cli.place import Place
from tests.cli.process import environment, run

HERE = Path(__file__).parent / "explained"
PLACE = Place(root="/var/lib/burstmail", name="alerts-3f2a91")
HOW = "look at it, and keep it with `python -m tests.cli.test_explain --write`"


def explained(file: Path) -> str:
    # Paths in a file are relative to it, wherever this checkout is.
    return "\n".join(explain(read(str(file)), PLACE)).replace(str(HERE), "/etc") + "\n"


@pytest.mark.parametrize("file", sorted(HERE.glob("*.toml")), ids=lambda file: file.stem)
def test_the_explanation_is_as_it_was_found_good(file: Path) -> None:
    expected, found = file.with_suffix(".txt").read_text(), explained(file)
    rows = unified_diff(expected.split("\n"), found.split("\n"), "as it was", "as it is", lineterm="", n=1)
    assert found == expected, f"{file.stem} has changed: {HOW}\n" + "\n".join(rows)


def test_the_page_on_routes_shows_what_is_said(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "routes.md").read_text()
    file = tmp_path / "alerts.toml"
    file.write_text(page.split("```toml\n# alerts.toml\n", 1)[1].split("```", 1)[0])
    shown = page.split("```text\ndisks: ", 1)[1].split("```", 1)[0]
    assert f"\ndisks: {shown}\n" in "\n".join(explain(read(str(file))))


def test_nothing_is_expected_of_no_file() -> None:
    assert {file.stem for file in HERE.glob("*.txt")} == {file.stem for file in HERE.glob("*.toml")}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--state", "none"], "Nothing is kept: what is not delivered when it ends is lost."),
        (["--sendmail", "/opt/sendmail"], "Mails are handed to /opt/sendmail."),
        (["--smtp", "smtps://mail.example.org"], "Mails are handed to the mail server mail.example.org, port 465."),
        (["--journal", "--journal-directory", "/x"], "Entries are read from the systemd journal in /x, at first from "),
        (["--cool-down", "off"], "At most 3 mails a minute and 5 in 15 minutes, and never more than 20 in an hour."),
        (
            ["--cool-down", "1m..15m"],
            "At most 3 mails a minute and 5 in 15 minutes, and never more than 13 in an hour.",
        ),
        (["--cap", "5/h"], "At most 5 mails an hour. What is over waits, merged and counted."),
        (["--cap", "1/d"], "At most 1 mail a day. What"),
    ],
)
def test_options_are_explained_as_a_file_is(given: list[str], words: str) -> None:
    found = options.parse(["--to", "root", *given])
    place = Place(root=None, name="x") if "none" in given else None
    assert words in "\n".join(explain(found, place))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5.0, "5 seconds"),
        (1.0, "1 second"),
        (0.5, "0.5 seconds"),
        (60.0, "60 seconds"),
        (120.0, "2 minutes"),
        (90.0, "90 seconds"),
        (5400.0, "1 hour 30 minutes"),
        (259200.0, "3 days"),
        (3601.0, "1 hour 1 second"),
        (125.5, "125.5 seconds"),
    ],
)
def test_a_time_is_said_as_a_person_says_it(seconds: float, words: str) -> None:
    assert span(seconds) == words


@given(st.integers(1, 10**8))
def test_no_second_is_lost_in_words(seconds: int) -> None:
    sizes = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
    found = span(float(seconds)).replace(",", "").split()
    assert (
        sum(int(count) * sizes[unit.rstrip("s")] for count, unit in zip(found[::2], found[1::2], strict=True))
        == seconds
    )


def test_how_often_is_said_as_a_person_says_it() -> None:
    assert [each(per) for per in (1.0, 60.0, 3600.0, 86400.0)] == ["a second", "a minute", "an hour", "a day"]
    assert [each(per) for per in (900.0, 7200.0, 30.0)] == ["in 15 minutes", "in 2 hours", "in 30 seconds"]


def test_words_stand_in_a_row() -> None:
    assert [several(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert counted(1_000_000, "line") == "1,000,000 lines"
    assert counted(1, "line") == "1 line"


def test_criteria_that_are_none_say_nothing() -> None:
    assert criteria_in_words({}) == ""
    assert criteria_in_words({"not": {}}) == "not anything"


# The command


def test_check_says_what_a_file_does_and_touches_nothing(tmp_path: Path) -> None:
    text = f'to = "root"\nmaildir = "mail"\nlisten = "unix://{tmp_path}/socket"\n'
    (tmp_path / "alerts.toml").write_text(text)
    done = run("check", "-c", str(tmp_path / "alerts.toml"), env=environment(tmp_path / "state"))
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert text.startswith(f"{tmp_path}/alerts.toml can be used. As alerts-")
    assert f"Mails are put into the Maildir {tmp_path}/mail." in text
    assert os.listdir(tmp_path) == ["alerts.toml"]


def test_check_tells_all_that_is_wrong_a_line_each_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    text = 'to = "root"\ngpa = "5s"\nmaildir = "mail"\n\n'
    text += '[[route]]\nname = "a"\nmatch = { progam = "sshd" }\ncap = "1/h"\nurgent = "x"\n'
    file.write_text(text)
    done = run("check", "-c", str(file))
    assert (done.returncode, done.stdout) == (78, b"")
    told = done.stderr.decode().splitlines()
    assert [line.split(": ")[0] for line in told] == [f"{file}:{number}" for number in (2, 7, 8)]
    assert "did you mean gap?" in told[0] and "did you mean program?" in told[1] and "let each cap allow 2" in told[2]


def test_check_takes_options_without_a_file() -> None:
    done = run("check", "--to", "root", "--print", "--gap", "7s")
    assert done.returncode == 0
    assert b"A mail is sent 7 seconds after the last line" in done.stdout


def test_what_is_wrong_with_options_is_told_without_a_file() -> None:
    done = run("check", "--to", "root", "--print", "--gap", "0s", "--cap", "1/h", "--urgent", "x", "--from-beginning")
    assert (done.returncode, done.stdout) == (78, b"")
    assert done.stderr.count(b"\n") == 3
    assert b"--from-beginning says where --file and --journal begin" in done.stderr


def test_what_is_doubtful_is_told_and_is_no_error(tmp_path: Path) -> None:
    done = run("check", "--to", "root", "--print", "--file", str(tmp_path / "nothing.log"))
    assert done.returncode == 0
    assert b"nothing.log' is no file yet: it is waited for" in done.stderr


def test_check_has_a_help_of_its_own() -> None:
    done = run("check", "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"usage: burstmail check -c FILE [options]")


if __name__ == "__main__" and "--write" in sys.argv:
    for one in HERE.glob("*.toml"):
        one.with_suffix(".txt").write_text(explained(one))
