"""What the options are called, and that each one reaches the part it is for."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

import burstmail
from burstmail import (
    Admit,
    Aggregator,
    Backoff,
    Caps,
    Composer,
    CoolDown,
    FileStore,
    IterableSource,
    Join,
    Keep,
    Limit,
    Pipeline,
    SMTPSink,
    Threshold,
    Window,
)
from burstmail.cli import destination, options, parts
from burstmail.core.mail.template import BLOCKS
from tests.cli.process import mails, run, shown

EVERY = [
    "--config", "--only-if-failed", "--tee",
    "--to", "--from", "--from-name", "--subject", "--text-template", "--html-template", "--text-only", "--redact",
    "--attach", "--mask", "--no-patterns", "--no-threads", "--gap", "--max-age", "--max-lines", "--max-bytes", "--key",
    "--cap", "--cool-down", "--keep", "--sendmail", "--smtp", "--password-file", "--smtp-ca", "--maildir", "--print",
    "--file", "--listen", "--journal", "--stdin", "--from-beginning", "--tls-cert", "--tls-key", "--tls-client-ca",
    "--allow", "--journal-match", "--journal-directory", "--include", "--exclude", "--program", "--at-least", "--join",
    "--threshold", "--urgent", "--backoff", "--give-up", "--grace", "--state", "--name", "--sync",
    "--log", "--confirm", "--version", "--help",
]  # fmt: skip


def test_the_wrapper_can_do_nothing_a_script_cannot() -> None:
    """It imports the standard library, its own files, and public names."""
    folder = Path(options.__file__).parent
    for path in [*folder.rglob("*.py"), folder.parent / "__main__.py"]:
        deep = max(1, len(path.relative_to(folder.parent).parts) - 1)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level <= deep, f"{path.name} imports from above {folder.name}/"
            elif isinstance(node, ast.ImportFrom) and node.module == "burstmail":
                assert all(hasattr(burstmail, alias.name) for alias in node.names)
            else:
                names = [node.module] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                for name in names:
                    assert name == "burstmail.cli" or name.split(".")[0] in sys.stdlib_module_names, (path.name, name)


def test_help_names_every_option_and_shows_how_to_use_it() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    for name in EVERY:
        assert re.search(rf"^  (-[a-z]( [A-Z]+)?, )?{name}\b", text, re.M), name
    assert set(re.findall(r"^  (?:-[a-z](?: [A-Z]+)?, )?(--[a-z-]+)", text, re.M)) == set(EVERY)
    assert 'program("exec /usr/local/bin/burstmail --to root' in text
    assert r"${MESSAGE}\n" in text
    assert max(map(len, text.splitlines())) <= 120


def test_help_tells_the_defaults_the_library_has() -> None:
    text = " ".join(options._mailing().format_help().split())
    window, keep, subject = Window(), Keep(), inspect.signature(Composer).parameters["subject"].default
    assert f"so much quiet (default: {window.gap:g}s)" in text
    assert f"quiet or not (default: {window.max_age:g}s)" in text
    assert f"all are counted (default: {keep.head}+{keep.tail})" in text
    assert f"(default: {subject};" in text
    mail = inspect.signature(Composer).parameters
    assert f"or none (default: {mail['attach'].default:,})" in text
    assert f"{' (passwords in them), '.join(mail['redact'].default[:2])}, {mail['redact'].default[2]}; or none" in text
    assert (mail["html"].default, mail["threads"].default, mail["name"].default) == (True, True, "")
    first, longest = CoolDown().first / 60, CoolDown().longest / 60
    assert f"(default: {first:g}m..{longest:g}m)" in text
    backoff, pipeline = Backoff(), inspect.signature(Pipeline).parameters
    assert f"(default: {backoff.first:g}s..{backoff.longest / 60:g}m)" in text
    assert f"(default: {pipeline['give_up'].default / 86400:g}d)" in text
    assert f"(default: {pipeline['grace'].default:g}s)" in text
    assert f"(default: {pipeline['sync'].default})" in text
    documented = re.search(r"fields: (.*?) \(default", text)
    assert documented
    for field in re.findall(r"{(\w+)}", documented[1]):
        Composer("root", subject=f"{{{field}}}")
    with pytest.raises(ValueError, match=r"\{none\} is no field") as caught:
        Composer("root", subject="{none}")
    assert set(re.findall(r"{(\w+)}", str(caught.value))) - {"none"} == set(re.findall(r"{(\w+)}", documented[1]))
    blocks = re.search(r"with \$fields: those of --subject, and ([$a-z_ ()]+)", text)
    assert blocks
    assert set(re.findall(r"\$(\w+)", blocks[1])) == set(BLOCKS)
    Composer("root", text=blocks[1], html=blocks[1])


def test_help_names_fields_there_are() -> None:
    text = " ".join(options._mailing().format_help().split())
    fields = re.search(r"each value of these, joined by commas: (.*?) \(default", text)
    assert fields
    Aggregator(key=fields[1])
    with pytest.raises(ValueError, match=re.escape(fields[1])):
        Aggregator(key="colour")


def test_version_is_the_librarys() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"burstmail {burstmail.__version__}\n")


def test_what_is_not_given_is_absent() -> None:
    assert options.parse(["--to", "root"]) == {"to": ["root"]}


def test_names_are_not_abbreviated() -> None:
    # An abbreviation in a logger's configuration would break with the next option.
    with pytest.raises(options.Misuse, match="--maild"):
        options.parse(["--to", "root", "--maild", "x"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("--smpt", "there is no option '--smpt': did you mean --smtp?"),
        ("--max_age=5", "there is no option '--max_age': did you mean --max-age?"),
        ("--xyzzy", "there is no option '--xyzzy' (see"),
        ("-" * 100_000, "there is no option"),
    ],
)
def test_what_is_misspelt_gets_a_suggestion(given: str, words: str) -> None:
    with pytest.raises(options.Misuse, match=re.escape(words)):
        options.parse([given, "x"])


class Recorded:
    """Stands for the parts: remembers what each was made with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        for part in (Admit, Aggregator, Caps, Composer, Join, Pipeline, Threshold):
            monkeypatch.setattr(parts, part.__name__, self._maker(part))

    def _maker(self, part: Any) -> Any:
        def make(*given: Any, **named: Any) -> Any:
            self.made[part.__name__] = given, named
            return part(*given, **named)

        return make


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    return Recorded(monkeypatch).made


def build(*arguments: str) -> Pipeline:
    return parts.pipeline_of(options.parse(arguments), IterableSource([]))


def test_parts_keep_their_own_defaults(made: Any) -> None:
    build("--to", "root", "--print")
    assert made["Aggregator"] == ((), {})
    assert made["Caps"] == ((), {})
    assert made["Composer"] == ((), {"to": ["root"]})
    assert set(made["Pipeline"][1]) == {"sink", "store"}
    assert made["Pipeline"][1]["store"] is None


def test_every_option_reaches_its_part(made: Any) -> None:
    window = ("--gap", "2s", "--max-age", "1m30s", "--max-lines", "7", "--max-bytes", "2k", "--key", "host,program")
    amount = ("--keep", "3+4", "--cap", "1/min", "--cap", "20/h", "--cool-down", "2m..1h")
    mail = ("--to", "root", "--to", "ops@example.org", "--from", "log@example.org", "--subject", "{count} of {key}")
    build(*window, *amount, *mail, "--print")
    assert made["Aggregator"][1] == {
        "gap": 2.0, "max_age": 90.0, "max_lines": 7, "max_bytes": 2048, "key": "host,program",
        "keep": Keep(head=3, tail=4),
    }  # fmt: skip
    assert made["Caps"] == ((Limit(1, 60), Limit(20, 3600)), {"per_key": CoolDown(first=120, longest=3600)})
    assert made["Composer"][1] == {
        "to": ["root", "ops@example.org"], "sender": "log@example.org", "subject": "{count} of {key}",
    }  # fmt: skip


def test_every_option_of_the_content_reaches_its_part(made: Any, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("$count\n$lines\n")
    (tmp_path / "page").write_text("<p>$count</p>\n")
    views = ("--text-template", str(tmp_path / "text"), "--html-template", str(tmp_path / "page"))
    more = ("--redact", "urls,tokens", "--attach", "64k", "--no-threads", "--from-name", "Web 1", "--mask", "a+")
    build("--to", "root", "--print", *views, *more, "--mask", "b|c")
    assert made["Composer"][1] == {
        "to": ["root"], "text": "$count\n$lines\n", "html": "<p>$count</p>\n", "redact": ("urls", "tokens"),
        "attach": 65536, "threads": False, "name": "Web 1",
    }  # fmt: skip
    assert made["Aggregator"][1] == {"masks": ["a+", "b|c"]}


def test_what_is_in_a_mail_can_be_left_out(made: Any) -> None:
    build("--to", "root", "--print", "--text-only", "--redact", "none", "--attach", "none", "--no-patterns")
    assert made["Composer"][1] == {"to": ["root"], "html": False, "redact": (), "attach": 0}
    assert made["Aggregator"][1] == {"patterns": False}


def test_which_lines_count_reaches_its_parts(made: Any) -> None:
    sieve = ("--join", "--program", "sshd", "--program", "post*", "--at-least", "err", "--threshold", "10/5m")
    words = ("--include", "Failed", "--include", "lost", "--exclude", "probe", "--urgent", "panic", "--urgent", "oops")
    build("--to", "root", "--print", *sieve, *words, "--key", "host", "--cap", "2/min", "--cool-down", "off")
    assert made["Join"] == ((), {})
    count, given = made["Threshold"]
    assert (count, given["per"], given["key"]) == ((10,), 300.0, "host")
    (wanted,), _ = made["Admit"]
    header, inside = "<{}>Nov 23 10:00:00 web1 {}: ", ("sshd", "postfix/smtpd")
    assert all(wanted(header.format(3, program) + "Failed or lost") for program in inside)
    for priority, program, message in (
        (3, "cron", "lost"),
        (4, "sshd", "lost"),
        (3, "sshd", "x"),
        (3, "sshd", "lost probe"),
    ):
        assert not wanted(header.format(priority, program) + message), message
    urgent = made["Aggregator"][1]["urgent"]
    assert [urgent(line) for line in ("kernel panic", "oops", "lost")] == [True, True, False]
    assert made["Caps"] == ((Limit(2, 60),), {"per_key": None, "reserve": 1})


def test_records_are_made_before_lines_are_chosen_and_counted(made: Any) -> None:
    build("--to", "root", "--print", "--join", "--threshold", "2/h", "--include", "x")
    stages = [type(stage).__name__ for stage in made["Pipeline"][0]]
    assert stages == ["Join", "Admit", "Threshold", "Aggregator", "Caps", "Composer"]


def test_what_is_urgent_waits_for_no_threshold(made: Any) -> None:
    build("--to", "root", "--print", "--threshold", "3/5m", "--urgent", "panic")
    urgent = made["Threshold"][1]["urgent"]
    assert [urgent(line) for line in ("kernel panic", "lost")] == [True, False]
    build("--to", "root", "--print", "--threshold", "3/5m")
    assert made["Threshold"][1] == {"per": 300}


def test_lines_that_all_count_pass_no_filter(made: Any) -> None:
    build("--to", "root", "--print")
    assert not {"Join", "Admit", "Threshold"} & set(made)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--include", "("), "argument --include: contains '(': missing ), unterminated subpattern at character 1"),
        (("--exclude", "a*"), "argument --exclude: 'a*' is found in every line: it must match at least one character"),
        (("--urgent", ""), "argument --urgent: '' is found in every line"),
        (("--program", ""), "argument --program: '' is no program: name one, such as sshd"),
        (("--at-least", "bad"), "argument --at-least: at_least 'bad': use emerg, alert, crit, err"),
        (("--threshold", "10"), "argument --threshold: '10' is no threshold: write it like 10/5m"),
        (("--threshold", "1/5m"), "argument --threshold: '1/5m' lets every line pass: ask for 2 or more"),
        (("--threshold", "20000/5m"), "argument --threshold: Threshold(count=20000): must be 1 to 10,000 lines"),
        (("--threshold", "5/soon"), "argument --threshold: 'soon' is no duration"),
        (("--urgent", "x", "--cap", "1/h"), "--urgent keeps one mail of each --cap for urgent lines: let each --cap"),
    ],
)
def test_what_is_wrong_with_which_lines_count_is_said_in_one_line(given: tuple[str, ...], words: str) -> None:
    with pytest.raises(options.Misuse, match=re.escape(words)) as caught:
        build("--to", "root", "--print", *given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--redact", "urls,emails"), "argument --redact: redact: there is no 'emails'; known by name are urls"),
        (("--redact", "none,urls"), "argument --redact: 'none,urls': none stands alone"),
        (("--redact", ""), "argument --redact: redact: there is no ''; known by name are"),
        (("--mask", "("), "argument --mask: mask '(': missing ), unterminated subpattern at position 0"),
        (("--mask", "a*"), "argument --mask: mask 'a*' matches where nothing is: it must match at least one"),
        (("--subject", "{hots}"), "argument --subject: subject '{hots}': {hots} is no field; there are {what}"),
        (("--mask", "a", "--no-patterns"), "--mask belongs to patterns, and --no-patterns says not to count them"),
        (("--text-only", "--html-template", "GOOD"), "argument --html-template: not allowed with argument --text-only"),
        (("--attach", "0"), "argument --attach: '0' is no size: write bytes like 65536, 64k or 1M, or none"),
        (("--text-template", "FILE"), r"argument --text-template: text template: $hots is no field; there are"),
        (("--html-template", "FILE"), r"argument --html-template: HTML template: $hots is no field; there are"),
        (("--text-template", "missing"), "argument --text-template: 'missing': No such file or directory"),
    ],
)
def test_what_is_wrong_with_them_is_said_in_one_line(given: tuple[str, ...], words: str, tmp_path: Path) -> None:
    (tmp_path / "FILE").write_text("$hots")
    (tmp_path / "GOOD").write_text("$host")
    named = [str(tmp_path / word) if word in ("FILE", "GOOD") else word for word in given]
    with pytest.raises(options.Misuse, match=re.escape(words)) as caught:
        build("--to", "root", "--print", *named)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("(see burstmail --help)") or "no-patterns" in given[-1]


def test_what_survives_reaches_the_pipeline(made: Any, tmp_path: Path) -> None:
    given = options.parse(
        ["--to", "root", "--print", "--sync", "batch", "--backoff", "1s..5m", "--give-up", "1h", "--grace", "2s"]
    )
    with parts.pipeline_of(given, IterableSource([]), str(tmp_path / "state")):
        more = made["Pipeline"][1]
        assert isinstance(more.pop("store"), FileStore)
        assert (tmp_path / "state" / "store.db").is_file()
    del more["sink"]
    assert more == {"sync": "batch", "backoff": Backoff(first=1, longest=300), "give_up": 3600.0, "grace": 2.0}


def test_a_cool_down_can_be_off(made: Any) -> None:
    build("--to", "root", "--print", "--cool-down", "off")
    assert made["Caps"][1] == {"per_key": None}


def test_one_destination(tmp_path: Path) -> None:
    script = tmp_path / "sendmail"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    for name, value in (("maildir", str(tmp_path)), ("sendmail", str(script)), ("smtp", "smtp://localhost")):
        sink = destination.sink_of({name: value}, IterableSource([]))
        assert type(sink).__name__.lower().startswith(name), name


def test_a_mail_server_gets_its_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Any] = []

    def from_url(url: str, **more: Any) -> SMTPSink:
        seen.append((url, more))
        return SMTPSink()

    monkeypatch.setattr(destination.SMTPSink, "from_url", from_url)
    password = tmp_path / "password"
    password.write_text("hunter2\n")
    password.chmod(0o600)
    build("--to", "root", "--smtp", "smtp://me@example.org", "--password-file", str(password))
    assert seen == [("smtp://me@example.org", {"password": "hunter2"})]


@pytest.mark.parametrize("where", [("--smtp", "smtp://localhost"), ("--print",)])
def test_only_a_mail_server_gets_bare_users_with_a_domain(
    made: Any, monkeypatch: pytest.MonkeyPatch, where: tuple[str, ...]
) -> None:
    monkeypatch.setattr(destination, "hostname", lambda: "web1.example.org")
    build("--to", "root", "--to", "ops@example.com", "--from", "log", *where)
    domain = "@web1.example.org" if "--smtp" in where else ""
    assert made["Composer"][1] == {"to": [f"root{domain}", "ops@example.com"], "sender": f"log{domain}"}


def test_an_unwritable_maildir_is_an_error_of_delivery_not_of_options(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("--to", "root", "--maildir", str(tmp_path / "file"), "--state", "none", lines=b"one\n")
    assert done.returncode == 75
    assert b"Not a directory" in done.stderr


def test_a_mail_by_templates_in_a_real_run(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("$count from $host:\n$lines\n")
    (tmp_path / "page").write_text("<p>$count from $host</p>\n")
    box = tmp_path / "mail"
    done = run(
        *("--to", "root", "--maildir", str(box), "--from-name", "Wächter"),
        *("--subject", "{mark} {severity} {what}: {top}"),
        *("--text-template", str(tmp_path / "text"), "--html-template", str(tmp_path / "page")),
        lines=b"<34>Nov 23 10:00:00 web1 <b>[1]: password=hunter2\n",
    )
    assert (done.returncode, done.stderr) == (0, b"")
    (path,) = (box / "new").iterdir()
    assert b"hunter2" not in path.read_bytes()
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert mail["From"].addresses[0].display_name == "Wächter"
    assert mail["Subject"] == "crit crit web1 <b>: password=[redacted]"
    assert mail["References"] == mail["In-Reply-To"] != mail["Message-ID"]
    text, page = (part.get_content() for part in mail.iter_parts())
    assert text == "1 from web1:\n  crit    Nov 23 10:00:00 web1 <b>[1]: password=[redacted]\n"
    assert page == "<p>1 from web1</p>\n"


def test_options_work_together_in_a_real_run(tmp_path: Path) -> None:
    lines = b"<38>Nov 23 10:00:00 web1 sshd[1]: no\n<38>Nov 23 10:00:01 web2 sshd[1]: no\n" * 5
    box = tmp_path / "mail"
    done = run(
        "--to", "root", "--maildir", str(box), "--key", "host", "--keep", "1+1", "--cool-down", "off", lines=lines
    )
    assert (done.returncode, done.stderr) == (0, b"")
    texts = mails(box)
    assert sorted(len(shown(text)) for text in texts) == [2, 2]
    assert all("5 lines" in text for text in texts)


@pytest.mark.servers
@pytest.mark.skipif(
    not os.access("/usr/sbin/syslog-ng", os.X_OK), reason="no syslog-ng here: its tests need one anyway"
)
def test_the_example_in_the_help_is_one_syslog_ng_accepts(tmp_path: Path) -> None:
    help_text = options._mailing().format_help()
    stanza = help_text[help_text.index("  filter f_auth") : help_text.index("`burstmail queue` shows")]
    config = tmp_path / "syslog-ng.conf"
    config.write_text(f'@version: 3.38\nsource s_src {{ file("{tmp_path}/log"); }};\n{stanza}')
    command = ["/usr/sbin/syslog-ng", "--syntax-only", "--no-caps", "-f", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
