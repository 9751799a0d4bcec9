"""A configuration file: what it says, what the command line makes of it, and that all that is wrong has its line."""

from __future__ import annotations

import os
import random
import re
import runpy
import threading
import time
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import CoolDown, Keep, Limit, Routes
from burstmail.cli.configuration import Configuration, Invalid, given_by, merged, read
from burstmail.cli.configuration.proof import Findings, examine
from burstmail.cli.options import Misuse, first_look, parse
from burstmail.cli.parts import stages_of
from burstmail.cli.settings import SETTINGS, named
from burstmail.testing import Simulation
from tests.cli import reference
from tests.cli.broken import BROKEN
from tests.cli.process import mails, run
from tests.servers.test_four_alerts import everything

NAMES = ("auth", "console", "network", "usb")

GOOD = """
to = "ops@example.org"
file = ["/var/log/syslog", "app/*.log"]
gap = 10                       # a number is seconds
max-age = "1m30s"
cap = ["3/min", "20/h"]
keep = "5+5"
state = "state"
join = true
stdin = false
routes = "every"

[[route]]
name = "disks"
match = { program = "kernel", contains = ["I/O error", "SMART"], ignore-case = true }
to = ["storage@example.org", "ops@example.org"]
cool-down = "off"

[[route]]
name = "logins"
key = "host"

[route.match]
at-least = "err"
any = [
    { program = ["sshd", "login"] },
    { not = { data = { "shop@32473.customer" = "a*" } } },
]

[[route]]
name = "rest"
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str | bytes) -> str:
        path = tmp_path / "burstmail.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return write


def refused(path: str) -> list[tuple[int | None, str]]:
    with pytest.raises(Invalid) as caught:
        read(path)
    return [(problem.line, problem.words) for problem in caught.value.problems]


def test_a_file_says_what_the_options_say(write: Any, tmp_path: Path) -> None:
    path = write(GOOD)
    assert read(path) == {
        "to": ["ops@example.org"],
        "files": ["/var/log/syslog", f"{tmp_path}/app/*.log"],
        "gap": 10.0,
        "max_age": 90.0,
        "caps": [Limit(3, 60), Limit(20, 3600)],
        "keep": Keep(head=5, tail=5),
        "state": f"{tmp_path}/state",
        "join": True,
        "every": True,
        "routes": [
            {
                "name": "disks",
                "match": {"program": "kernel", "contains": ["I/O error", "SMART"], "ignore_case": True},
                "to": ["storage@example.org", "ops@example.org"],
                "cool_down": None,
            },
            {
                "name": "logins",
                "match": {
                    "at_least": "err",
                    "any": [
                        {"program": ["sshd", "login"]},
                        {"not": {"data": {"shop@32473.customer": "a*"}}},
                    ],
                },
                "key": "host",
            },
            {"name": "rest", "match": {}},
        ],
    }
    assert examine({"config": path}).problems == ()


# What is written for each setting, as an option and in a file, where the two are not the same text.
EXAMPLES: dict[str, tuple[str, str]] = {
    "to": ("root", '"root"'),
    "keep": ("3+4", '"3+4"'),
    "listen": ("udp://127.0.0.1:5514", '["udp://127.0.0.1:5514"]'),
    "allow": ("192.0.2.0/24", '["192.0.2.0/24"]'),
    "journal-match": ("A=b", '["A=b"]'),
    "program": ("sshd", '"sshd"'),
    "include": (r"\d+", r"'\d+'"),
    "exclude": (r"\d+", r"['\d+']"),
    "at-least": ("err", '"err"'),
    "threshold": ("3/5m", '"3/5m"'),
    "urgent": ("panic", '"panic"'),
    "redact": ("urls,tokens", '"urls,tokens"'),
    "attach": ("65536", "65_536"),
    "mask": ("x+", "'x+'"),
    "gap": ("0.5", "0.5"),
    "max-age": ("120", "120"),
    "max-lines": ("7", "7"),
    "max-bytes": ("2k", '"2k"'),
    "key": ("host,program", '"host,program"'),
    "cap": ("3/min", '["3/min"]'),
    "cool-down": ("1m..1h", '"1m..1h"'),
    "smtp": ("smtp://localhost", '"smtp://localhost"'),
    "backoff": ("1s..1m", '"1s..1m"'),
    "give-up": ("1d", '"1d"'),
    "grace": ("2s", '"2s"'),
    "name": ("web", '"web"'),
    "sync": ("off", '"off"'),
    "from": ("log@example.org", '"log@example.org"'),
    "from-name": ("Web 1", '"Web 1"'),
    "subject": ("{count}", '"{count}"'),
}
FILES = {"text-template": "$count\n", "html-template": "<p>$count</p>", "password-file": "hunter2\n"}


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS if setting.filed])
def test_every_key_is_read_as_its_option(name: str, write: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    setting = named(name)
    assert setting
    if name in FILES:
        (tmp_path / "some").write_text(FILES[name])
        (tmp_path / "some").chmod(0o600)
    if name == "smtp-ca":
        monkeypatch.setattr("ssl.create_default_context", lambda cafile: None)
    option, key = ("", "true") if setting.flag else EXAMPLES.get(name, ("some", '"some"'))
    there = read(write(f"{name} = {key}\n"))
    given = parse([f"--{name}", *([option] if option else []), *(() if name == "to" else ("--to", "root"))])
    wanted = given[setting.dest]
    if setting.path and name not in (*FILES,):
        wanted = [str(tmp_path / value) for value in wanted] if setting.repeatable else str(tmp_path / wanted)
    assert there == {setting.dest: wanted}


def test_what_is_false_is_as_if_not_said_and_a_route_takes_a_no_back(write: Any) -> None:
    flags = [setting for setting in SETTINGS if setting.flag and setting.filed]
    assert read(write("".join(f"{flag.name} = false\n" for flag in flags))) == {}
    routed = [flag for flag in flags if flag.routed]
    (route,) = read(write('[[route]]\nname = "a"\n' + "".join(f"{flag.name} = false\n" for flag in routed)))["routes"]
    assert route == {"name": "a", "match": {}, "html": True, "patterns": True, "threads": True}


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "et[c]"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", "/home/me")
    paths = {"log": "stderr", "state": "none", "maildir": "~/Maildir", "file": ["*.log", "/a", "../b"]}
    text = f'log = "stderr"\nstate = "none"\nmaildir = "~/Maildir"\nfile = {paths["file"]}\ntls-key = "key"\n'
    (folder / "c.toml").write_text(text)
    wanted = {"log": "stderr", "state": "none", "maildir": "/home/me/Maildir", "tls_key": f"{folder}/key"}
    files = [f"{tmp_path}/et[[]c]/*.log", "/a", f"{tmp_path}/et[[]c]/../b"]
    assert read("c.toml") == read(str(folder / "c.toml")) == wanted | {"files": files}


def test_a_credential_is_no_path(write: Any, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "here").mkdir()
    for folder, secret in ((tmp_path, "of the file"), (tmp_path / "here", "of systemd")):
        (folder / "password").write_text(secret)
        (folder / "password").chmod(0o600)
    path = write('password-file = "password"\n')
    assert read(path) == {"password": "of the file"}
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "here"))
    assert read(path) == {"password": "of systemd"}


@pytest.mark.parametrize("start", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_as_editors_save_it(start: str, end: str, write: Any) -> None:
    path = write(f'{start}to = "root"{end}gpa = 1{end}subject = """x{end}y"""{end}gaap = 1{end}')
    assert [line for line, _ in refused(path)] == [2, 5]


# The command line above the file.


def both(path: str, *given: str) -> dict[str, Any]:
    options = given_by(["-c", path, *given])
    assert options.pop("config") == path
    return options


def test_the_command_line_wins_over_the_top_and_over_the_routes(write: Any) -> None:
    options = both(write(GOOD), "--to", "me", "--gap", "1s", "--cool-down", "1m..2m", "--include", "x")
    assert (options["to"], options["gap"], options["max_age"], options["include"]) == (["me"], 1.0, 90.0, ["x"])
    assert options["cool_down"] == CoolDown(first=60, longest=120)
    assert [sorted(route) for route in options["routes"]] == [
        ["match", "name"],
        ["key", "match", "name"],
        ["match", "name"],
    ]
    assert options["every"] is True


@pytest.mark.parametrize(
    ("text", "given", "wanted"),
    [
        ('smtp = "smtp://me@x"\npassword-file = "pw"', ("--print",), {"print": True}),
        ('smtp = "smtp://me@x"\npassword-file = "pw"', ("--smtp", "smtp://y"), {"smtp": "smtp://y"}),
        ('maildir = "/m"', ("--sendmail", "/s"), {"sendmail": "/s"}),
        ('maildir = "/m"', ("--log", "none"), {"maildir": "/m", "log": "none"}),
        ('file = "/f"\nfrom-beginning = true', ("--stdin",), {"stdin": True}),
        ('file = "/f"\nfrom-beginning = true', ("--journal",), {"journal": True, "from_beginning": True}),
        ('file = "/f"\njournal = true', ("--file", "g"), {"files": ["g"]}),
        ('journal = true\njournal-match = "A=b"\njournal-directory = "/j"', ("--file", "g"), {"files": ["g"]}),
        (
            'listen = "udp://127.0.0.1"\nallow = "192.0.2.0/24"',
            ("--listen", "udp://0.0.0.0"),
            {"listen": ["udp://0.0.0.0"], "allow": ["192.0.2.0/24"]},
        ),
        (
            'listen = "tls://127.0.0.1"\ntls-cert = "/c"\ntls-key = "/k"',
            ("--listen", "tls://0.0.0.0"),
            {"listen": ["tls://0.0.0.0"], "tls_cert": "/c", "tls_key": "/k"},
        ),
        (
            'listen = "tls://127.0.0.1"\ntls-cert = "/c"\ntls-client-ca = "/k"',
            ("--listen", "udp://0.0.0.0"),
            {"listen": ["udp://0.0.0.0"]},
        ),
        ('file = "/f"', ("--from-beginning",), {"files": ["/f"], "from_beginning": True}),
        ("mask = 'x'", ("--no-patterns",), {"patterns": False}),
        ("no-patterns = true", ("--mask", "x"), {"masks": ["x"]}),
        ("text-only = true", ("--html-template", "t"), {"html": "$count"}),
    ],
)
def test_what_is_given_replaces_what_does_not_go_with_it(
    text: str, given: tuple[str, ...], wanted: dict[str, Any], write: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pw").write_text("hunter2")
    (tmp_path / "pw").chmod(0o600)
    (tmp_path / "t").write_text("$count")
    assert both(write(f'to = "root"\n{text}\n'), *given) == {"to": ["root"]} | wanted


def test_what_is_given_replaces_what_does_not_go_with_it_in_routes(write: Any) -> None:
    text = 'to = "root"\n[[route]]\nname = "a"\nmask = "x"\nto = "ops"\n[[route]]\nname = "b"\nno-patterns = true\n'
    assert both(write(text), "--no-patterns")["routes"] == [
        {"name": "a", "match": {}, "to": ["ops"]},
        {"name": "b", "match": {}},
    ]


def test_the_name_of_a_route_is_not_that_of_the_instance(write: Any) -> None:
    options = both(write('to = "a"\nname = "x"\n[[route]]\nname = "r"\nmatch = { host = "h" }\n'), "--name", "y")
    assert (options["name"], options["routes"]) == ("y", [{"name": "r", "match": {"host": "h"}}])


def test_without_a_file_the_options_are_those_given() -> None:
    assert given_by(["--to", "root"]) == {"to": ["root"]}
    with pytest.raises(Misuse, match="--to ADDRESS is missing"):
        given_by(["--gap", "5s"])


@pytest.mark.parametrize(
    ("text", "given", "line"),
    [
        ("gap = 5", (), None),
        ("gap = 5", ("--to", "me"), 0),
        ('[[route]]\nname = "a"\nto = "x"\n[[route]]\nname = "b"', (), 4),
        ('[[route]]\nname = "a"\nto = "x"\n[[route]]\nname = "b"', ("--to", "me"), 0),
    ],
)
def test_somebody_gets_every_mail(text: str, given: tuple[str, ...], line: int | None, write: Any) -> None:
    options = ["-c", write(text), *given]
    if line == 0:
        assert given_by(options)["to"] == ["me"]
        return
    with pytest.raises(Invalid, match="nobody gets") as caught:
        given_by(options)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert examine(parse(options)).problems == (problem,)


def test_where_to_tell_of_what_is_wrong_may_be_in_a_file_with_mistakes(write: Any, tmp_path: Path) -> None:
    path = write('log = "l"\nstate = "s"\nname = "n"\ngpa = 1\n')
    told = {"log": f"{tmp_path}/l", "state": f"{tmp_path}/s", "name": "n"}
    assert first_look(["-c", path, "--hepl"]) == told | {"config": path}
    assert first_look(["-c", path, "--name", "m"]) == told | {"config": path, "name": "m"}
    assert first_look(["-c", f"{path}x", "--name", "m"]) == {"config": f"{path}x", "name": "m"}
    assert first_look(["--config"]) == {}


def test_the_line_of_every_option_is_known(write: Any) -> None:
    options = read(write(GOOD))
    assert [options.lines[options.place(dest)] for dest in ("to", "files", "caps")] == [2, 3, 6]
    assert [options.lines[options.place(dest, 1)] for dest in ("name", "match", "key")] == [20, 23, 21]
    assert options.place("to", 1) == options.place("subject") == ()
    assert options.problem((*options.place("match", 1), "any", 1, "not", "data"), "x").line == 27
    assert str(options.problem(("route", 2, "nowhere"), "x")) == f"{options.path}:30: x"
    over = merged(options, {"to": ["me"], "config": "c", "name": "x"})
    assert over.place("name", 1) == ("route", 1, "name")
    assert over.place("to") == over.place("to", 0) == ()
    assert over.place("files") == options.place("files")


# What the page says.


def test_the_reference_is_the_table_of_settings() -> None:
    assert reference.PAGE.read_text() == reference.page(), (
        "run python -m tests.cli.reference, and look at the difference"
    )


def test_what_the_page_says_of_mistakes_is_said(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    rows = ['to = "root"', "gpa = 5", "", "max-age = 2m", "", "", "[[route]]", 'name = "a"']
    rows += ['match = { progam = "x" }', "", "[[route]]", 'name = "b"', "", 'state = "/s"', ""]
    (tmp_path / "burstmail.toml").write_text("\n".join(rows))
    told = "".join(f"{problem}\n" for problem in examine({"config": "burstmail.toml"}).problems)
    assert f"```text\n{told}```\n" in reference.PAGE.read_text()


def subject(message: Any) -> str:
    found = re.search(r"^Subject: (.*)$", message.readable(), re.MULTILINE)
    assert found
    return found[1]


def test_the_example_file_does_what_the_example_program_does() -> None:
    examples = reference.PAGE.parent / "examples"
    options = read(str(examples / "four-alerts.toml"))
    lines = everything()
    for number, failure in enumerate(("FAILED SU (to root)", "FAILED LOGIN (1)", "x: incorrect password", "nothing")):
        lines.insert(number * 5, f"<38>Nov 23 10:00:00 web{number} su[7]: {failure}")
    for keys in ({}, {"every": True}):
        mails = []
        program = runpy.run_path(str(examples / "four_alerts.py"))
        for routes in (Routes(*program["ALERTS"], **keys), *stages_of(options | keys)):
            run = Simulation(routes)
            for number, line in enumerate(lines * 3):
                run.at(number, line)
            run.end()
            mails.append([(one.item.recipients, subject(one.item), one.item.count) for one in run.deliveries])
        assert mails[0] == mails[1]
        assert {recipients for recipients, *_ in mails[0]} == {(f"{name}@example.org",) for name in NAMES}


# What is wrong.


def found(text: str, path: Path, *given: str) -> Findings:
    path.write_text(text)
    return examine(parse(["-c", str(path), *given]))


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_all_that_is_wrong_has_its_line(case: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    problems = found(case.text, tmp_path / "c.toml").problems
    told = [f"{problem.line}: {problem.words}" for problem in problems]
    assert len(told) == len(case.wanted), told
    for words, (line, wanted) in zip(told, case.wanted, strict=True):
        assert words.startswith(f"{line}: ") and wanted in words, told
    for problem in problems:
        place = "" if problem.line is None else f":{problem.line}"
        assert str(problem).startswith(f"{tmp_path}/c.toml{place}: ")
        assert len(str(problem).splitlines()) == 1


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) >= 60
    assert len({case.name for case in BROKEN}) == len({case.text for case in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.name)
def test_what_cannot_be_used_is_not_used(case: Any, write: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """Whatever a check tells of keeps a run from starting, too."""
    from burstmail.cli.refusals import refusals

    monkeypatch.chdir(tmp_path)
    try:
        options = given_by(["-c", write(case.text)])
    except Invalid:
        return
    assert refusals(options)


def test_of_the_command_line_there_is_no_line(tmp_path: Path) -> None:
    problems = found('to = "root"\nfrom = "a b"\ngpa = 1\n', tmp_path / "c", "--from", "x y", "--tls-key", "k").problems
    assert [str(problem) for problem in problems] == [
        "--tls-key belongs to a certificate: add --tls-cert FILE",
        "--from: address 'x y': the part before @ is not valid; write it as user or user@host.example",
        f"{tmp_path}/c:3: gpa: there is no such key: did you mean gap?",
    ]


def test_options_alone_are_examined_too(tmp_path: Path) -> None:
    good = examine(parse(["--to", "root", "--print", "--file", f"{tmp_path}/none"]))
    assert (good.problems, [str(warning) for warning in good.warnings]) == (
        (),
        [f"file: '{tmp_path}/none' is no file yet: it is waited for"],
    )
    bad = examine(parse(["--to", "x y", "--tls-key", "k", "--mask", "a", "--no-patterns"]) | {"print": True})
    assert [(problem.line, problem.path) for problem in bad.problems] == [(None, "")] * 3


def test_a_file_without_any_quotes_is_told_of_in_part(write: Any) -> None:
    found = refused(write("".join(f"key{number} = text\n" for number in range(50))))
    assert found == [(number + 1, f'text stands in quotes: key{number} = "text"') for number in range(20)]


def test_what_may_be_misspelt_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("x")
    (tmp_path / "pw").chmod(0o600)
    text = 'to = "root"\nsmpt = "smtp://x"\npassword-file = "pw"\n'
    assert [problem.line for problem in found(text, tmp_path / "c").problems] == [2]
    assert [problem.line for problem in found(text.replace("smpt", "subject"), tmp_path / "c").problems] == [3]


def test_an_invalid_one_says_the_first_three_in_a_line(write: Any) -> None:
    path = write("".join(f"gap{number} = 1\n" for number in range(5)))
    with pytest.raises(Misuse) as caught:
        read(path)
    assert str(caught.value).count("there is no such key") == 3
    assert str(caught.value).endswith("; and 2 more")


def test_words_are_one_visible_line_of_some_length(write: Any) -> None:
    with pytest.raises(Invalid) as caught:
        read(write('to = "' + "a," * 5000 + '"\n"a\\nb\\u001b[31m" = 1\n'))
    for problem in caught.value.problems:
        assert str(problem).isprintable()
        assert len(str(problem)) < 1000


# What is doubtful.


def warned(text: str, path: Path) -> list[tuple[int | None, str]]:
    result = found(text, path)
    assert result.problems == ()
    return [(problem.line, problem.words) for problem in result.warnings]


def test_a_route_that_never_gets_a_line_is_told_of(tmp_path: Path) -> None:
    routes = [f'[[route]]\nname = "{name}"\n' for name in "abc"]
    some, other = (f'match = {{ program = "{name}" }}\n' for name in "xy")
    path = tmp_path / "c"
    begin = 'to = "root"\nprint = true\n'
    assert [line for line, _ in warned(begin + "".join(routes), path)] == [5, 7]
    assert warned(begin + 'routes = "every"\n' + "".join(routes), path) == []
    assert [line for line, _ in warned(begin + routes[0] + some + routes[1] + routes[2] + other, path)] == [8]
    ((line, words),) = warned(begin + routes[0] + some + routes[1] + some + routes[2], path)
    assert (line, words) == (6, "route 'b' never gets a line: 'a' above takes them all; put this one first")


def test_files_that_are_not_there_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("")
    text = 'to = "root"\nprint = true\nfile = [\n  "*.log",\n  "b.log",\n]\n'
    assert warned(text, tmp_path / "c") == [(5, f"file: '{tmp_path}/b.log' is no file yet: it is waited for")]
    assert [line for line, _ in warned('to = "x"\nprint = true\nfile = "b.log"', tmp_path / "c")] == [3]


def test_files_that_cannot_be_read_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "a.log").write_text("")
    text = 'to = "root"\nprint = true\nfile = ["logs", "*.log"]\n'
    place = f"{tmp_path}/logs"
    words = f"file: '{place}' is a directory, and not read: name the files in it, as with '{place}/*.log'"
    assert warned(text, tmp_path / "c") == [(3, words)]
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert warned(text, tmp_path / "c")[1][1].startswith(f"file: '{tmp_path}/*.log' may not be read by this user: ")


def test_a_priority_that_files_do_not_tell_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("")
    path = tmp_path / "c"
    begin = 'to = "root"\nprint = true\nfile = "a.log"\n'
    route = '[[route]]\nname = "x"\n[route.match]\nprogram = "y"\nfacility = "kern"\nat-least = "err"\n'
    asked = warned(begin + 'at-least = "err"\n' + route, path)
    assert [(line, words.partition(":")[0]) for line, words in asked] == [
        (4, "at-least"),
        (9, "match.facility"),
        (10, "match.at-least"),
    ]
    assert "most log files tell none (no <38> in front of a line)" in asked[0][1]
    assert warned(begin + "stdin = true\n" + route, path) == []
    assert warned('to = "root"\nprint = true\n' + route, path) == []
    assert warned(begin + route.replace("facility", "host").replace("at-least", "contains"), path) == []


def test_a_file_that_everybody_can_write_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_text("")
    path.chmod(0o666)
    ((line, words),) = warned('to = "root"\nprint = true\n', path)
    assert line is None and "chmod o-w" in words
    path.chmod(0o644)
    assert warned('to = "root"\nprint = true\n', path) == []


# What is no TOML, or nothing at all.


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b'to = "root"\n\xff', 2, "byte 0xff is not UTF-8"),
        (b"to = 1\0", 1, "no TOML"),
        (b"#" * (1 << 20) + b"\n", None, "larger than 1,048,576 bytes"),
        (b"\n\nx = " + b"[" * 5000, 3, "nests too deep"),
        (b"\nx = " + b"[" * 90 + b"]" * 90, 2, "there is no such key"),
        (b"\n" + b"a." * 500_000 + b"b = 1", 2, "nests too deep"),
        (b"x = " + b"{a=" * 5000, 1, "nests too deep"),
        (b"max-lines = " + b"9" * 5000, 1, "a number is too long"),
        (b"max-lines = 0x" + b"f" * 9000, 1, "a number so long"),
        (b"to = 0x" + b"f" * 9000, 1, "a number so long"),
        (b"[[route]]\nname = 'x'\nmatch = { host = 0x" + b"f" * 9000 + b" }", 3, "match.host"),
        (b"max-lines = -0.0", 1, "is no count"),
        (b"from = 1979-05-27T07:32:00Z", 1, "is no text"),
        (b'include = "' + b"(" * 5000 + b'"', 1, "include"),
        (b"include = '" + b"(" * 5000 + b")" * 5000 + b"'", 1, "include"),
        (b"mask = '" + b"(" * 5000 + b")" * 5000 + b"'", 1, "nests too deep"),
        (b"urgent = '" + b"a{1,2}" * 5000 + b"{0,99999999999}'", 1, "urgent"),
        (b"[[route]]\nname='x'\nmatch.contains = '" + b"(" * 5000 + b")" * 5000 + b"'", 3, "match.contains"),
        (b"[[route]]\nname='x'\nmatch = " + b"{not=" * 40 + b"{}" + b"}" * 40, 3, "nests deeper than 32"),
        (b"a = 1\n" * 20_000, 2, "is there twice"),
    ],
)
def test_no_file_is_too_strange(content: bytes, line: int | None, words: str, write: Any) -> None:
    ((told, said), *_) = refused(write(content))
    assert told == line
    assert words in said


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing.toml", "missing.toml: cannot be read: No such file or directory"),
        (".", ".: cannot be read: Is a directory"),
        ("/dev/zero", "/dev/zero: is larger than 1,048,576 bytes"),
        ("a\0b", r"a\x00b: cannot be read: embedded null byte"),
        ("x" * 5000, "cannot be read: File name too long"),
    ],
)
def test_what_cannot_be_read_is_named(path: str, words: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Invalid) as caught:
        read(path)
    assert words in str(caught.value)
    assert examine({"config": path}).problems == caught.value.problems


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'to = "root"\n')
    os.close(writing)
    try:
        assert read(f"/dev/fd/{reading}") == {"to": ["root"]}
    finally:
        os.close(reading)


def judged(path: Path, content: bytes) -> None:
    """Either it is good, or all that is wrong can be told."""
    path.write_bytes(content)
    result = examine({"config": str(path), "print": True})
    for problem in (*result.problems, *result.warnings):
        assert str(problem).isprintable()
        assert problem.line is None or 1 <= problem.line <= content.count(b"\n") + 1
    if not result.problems:
        tomllib.loads(content.decode("utf-8-sig"))
        assert stages_of(result.options)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "c.toml"


PIECES = st.sampled_from(
    [
        b'"',
        b"'",
        b'"""',
        b"[",
        b"]",
        b"[[",
        b"{",
        b"}",
        b"=",
        b".",
        b"\n",
        b"#",
        b"\\",
        b",",
        b"\0",
        b"\xff",
        b"0x",
        b"route",
    ]
    + [f"{setting.name} = ".encode() for setting in SETTINGS]
    + [
        b"match = ",
        b'name = "a"',
        b"[[route]]\n",
        b"nan",
        b"-inf",
        b"07:32:00",
        b"99999999999999999999",
        b"not",
        b"any",
    ]
)


@given(st.lists(st.one_of(st.binary(max_size=8), PIECES), max_size=40))
def test_random_bytes_give_no_traceback(place: Path, pieces: list[bytes]) -> None:
    judged(place, b"".join(pieces))


@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), PIECES), min_size=1, max_size=6))
def test_a_good_file_with_mistakes_gives_no_traceback(place: Path, edits: list[tuple[int, int, bytes]]) -> None:
    content = GOOD.encode()
    for at, cut, put in edits:
        content = content[:at] + put + content[at + cut :]
    judged(place, content)


TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["root", "5s", "3/min", "1m..2m", "200+200", "off", "none", "(", "a*", "host", "smtp://x", "/", "~", "~x"]
    ),
)
SCALARS = st.one_of(
    TEXTS, st.booleans(), st.integers(), st.floats(), st.dates(), st.times(), st.datetimes(), st.integers(0, 1 << 200)
)
WORDS = st.sampled_from([
    *(setting.name for setting in SETTINGS), "route", "routes", "name", "match", "any", "all", "not", "host",
    "severity", "data", "contains", "ignore-case", "at-least", "max_age", "x.y",
])  # fmt: skip
VALUES: Any = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(char):08x}" for char in value) + '"'
    if isinstance(value, list):
        return "[" + ",\n".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


@given(st.dictionaries(WORDS, VALUES, max_size=6), st.lists(st.dictionaries(WORDS, VALUES, max_size=5), max_size=3))
def test_values_of_any_kind_give_no_traceback(place: Path, top: dict[str, Any], routes: list[dict[str, Any]]) -> None:
    text = "".join(f"{toml(key)} = {toml(value)}\n" for key, value in top.items())
    for route in routes if "route" not in top else ():
        text += "[[route]]\n" + "".join(f"{toml(key)} = {toml(value)}\n" for key, value in route.items())
    judged(place, text.encode("utf-8", "surrogatepass"))


def test_a_large_file_is_checked_in_little_time(write: Any) -> None:
    routes = [f'[[route]]\nname = "r{number}"\nmatch = {{ program = "p{number}" }}\n' for number in range(300)]
    assert len(given_by(["-c", write('to = "root"\n' + "".join(routes))])["routes"]) == 300
    lines = [f'k{number} = "{random.Random(number).random()}"\n' for number in range(5000)]
    assert len(refused(write("".join(lines)))) == 5000


def test_a_configuration_is_a_mapping_of_options(write: Any) -> None:
    options = read(write('to = "root"'))
    assert isinstance(options, Configuration) and isinstance(options, dict)


PIPED = b'to = "root@example.org"\nmaildir = "%s"\n'


def test_a_configuration_may_come_through_a_pipe(tmp_path: Path) -> None:
    # As the shell makes it of -c <(COMMAND): a descriptor that the command has from its parent.
    told, tell = os.pipe()
    with os.fdopen(tell, "wb") as file:
        file.write(PIPED % os.fsencode(tmp_path / "mail"))
    done = run("-c", f"/dev/fd/{told}", lines=b"a line\n", pass_fds=[told])
    os.close(told)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(mails(tmp_path / "mail")) == 1


def test_what_is_wrong_with_a_piped_configuration_is_told(tmp_path: Path) -> None:
    told, tell = os.pipe()
    os.write(tell, b'too = "root"\n')
    os.close(tell)
    done = run("-c", f"/dev/fd/{told}", "--log", "stderr", lines=b"a line\n", pass_fds=[told])
    os.close(told)
    assert done.returncode == 78
    assert b":1: too: there is no such key: did you mean to?" in done.stderr


def test_a_pipe_that_is_written_slowly_is_read_to_its_end(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def write() -> None:
        with fifo.open("wb", buffering=0) as file:
            for byte in b'to = "root@example.org"\n':
                file.write(bytes([byte]))
                time.sleep(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    assert read(str(fifo)) == {"to": ["root@example.org"]}
    writer.join()


def test_a_pipe_into_which_nobody_writes_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # The package has a function of that name.
    monkeypatch.setattr(import_module("burstmail.cli.configuration.document"), "SILENCE", 0.05)
    with pytest.raises(Invalid, match=r"fifo: cannot be read: nothing has come from it for 0.05 s: name a file"):
        read(str(fifo))
    # And one that somebody only opens.
    held = os.open(fifo, os.O_RDWR)
    with pytest.raises(Invalid, match="nothing has come from it"):
        read(str(fifo))
    os.close(held)


def test_what_came_through_a_pipe_holds_until_more_comes(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    for name in ("ops", "root"):
        with fifo.open("wb") as file:
            file.write(f'to = "{name}@example.org"\n'.encode())
        for _ in range(2):
            assert read(str(fifo)) == {"to": [f"{name}@example.org"]}
    os.close(held)
