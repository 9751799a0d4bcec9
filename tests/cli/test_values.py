"""What a person writes after an option."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import CoolDown, Keep, Limit
from burstmail.cli import values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("5", 5), ("0.5", 0.5), ("500ms", 0.5), ("10m", 600), ("1h30m", 5400), ("2d", 172800), ("1.5min", 90)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert values.duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "s", "-5s", "+5", "5x", "5 s", "1h30", "inf", "nan", "1e9", "٥s", "5s\n", " 5s", "0x5", "1_000", "9" * 400],
)
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration") as caught:
        values.duration(text)
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    for function in (values.duration, values.cap, values.cool_down, values.keep, values.size, values.count):
        try:
            function(text)
        except ValueError as error:
            assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "limit"),
    [("3/min", Limit(3, 60)), ("5/15min", Limit(5, 900)), ("20/h", Limit(20, 3600)), ("1/1h30m", Limit(1, 5400))],
)
def test_caps(text: str, limit: Limit) -> None:
    assert values.cap(text) == limit


@pytest.mark.parametrize("text", ["", "3", "/min", "3/", "-3/min", "3/week", "0/min", "1/0s", "1.5/min"])
def test_what_is_no_cap_is_named(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        values.cap(text)
    assert str(caught.value).startswith(repr(text))


def test_a_cap_of_nothing_says_what_it_would_do() -> None:
    with pytest.raises(ValueError, match="'0/min' would never let a mail leave: allow at least 1"):
        values.cap("0/min")


def test_cool_downs() -> None:
    assert values.cool_down("1m..15m") == CoolDown(first=60, longest=900)
    assert values.cool_down("off") is None


@pytest.mark.parametrize("text", ["", "1m", "1m..", "..15m", "15m..1m", "1m...15m", "on", "0s..1m"])
def test_what_is_no_cool_down_is_named(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        values.cool_down(text)
    assert str(caught.value).startswith(repr(text))


@pytest.mark.parametrize("text", ["15m..1m", "0s..1m", "1m", "x..1m"])
def test_ranges_are_explained_without_python(text: str) -> None:
    for function in (values.cool_down, values.backoff):
        with pytest.raises(ValueError) as caught:
            function(text)
        assert not any(word in str(caught.value) for word in ("CoolDown", "Backoff", "="))


def test_keep() -> None:
    assert values.keep("200+200") == Keep(head=200, tail=200)
    assert values.keep("5+0") == Keep(head=5, tail=0)


@pytest.mark.parametrize("text", ["", "200", "0+0", "-1+5", "1+2+3", "a+b"])
def test_what_is_no_keep_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        values.keep(text)


def test_sizes_and_counts() -> None:
    assert [values.size(text) for text in ("1", "64k", "64KiB", "1M", "2g")] == [1, 65536, 65536, 1 << 20, 2 << 30]
    assert values.count("12") == 12


@pytest.mark.parametrize("text", ["", "0", "-1", "64kB", "k", "1.5M", "٣"])
def test_what_is_no_size_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        values.size(text)
    with pytest.raises(ValueError, match="is no count"):
        values.count(text)


def secret(folder: Path, content: bytes, mode: int = 0o600) -> str:
    path = folder / "password"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("content", [b"hunter2", b"hunter2\n", b"hunter2\r\nsecond line\n"])
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_is_the_first_line_of_the_owners_file(tmp_path: Path, content: bytes, mode: int) -> None:
    assert values.secret(secret(tmp_path, content, mode)) == "hunter2"


def test_blanks_belong_to_a_secret(tmp_path: Path) -> None:
    assert values.secret(secret(tmp_path, b" hunter 2 \n")) == " hunter 2 "


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602])
def test_a_secret_that_others_can_read_is_refused_and_not_shown(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ValueError, match="chmod 600") as caught:
        values.secret(secret(tmp_path, b"hunter2", mode))
    assert "hunter2" not in str(caught.value)


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_bare_name_is_first_one_of_systemds_credentials(credentials: Path, tmp_path: Path) -> None:
    secret(tmp_path, b"from here")
    assert values.secret("password") == "from here"
    secret(credentials, b"from systemd")
    assert values.secret("password") == "from systemd"
    assert values.secret("./password") == "from here"


# systemd opens a credential to the service's user by an access list, whose mask then stands where the group's bits do.
@pytest.mark.parametrize("mode", [0o440, 0o400, 0o640])
def test_a_credential_may_be_read_by_its_group(credentials: Path, mode: int) -> None:
    path = secret(credentials, b"hunter2", mode)
    assert values.secret("password") == values.secret(path) == "hunter2"


@pytest.mark.parametrize("mode", [0o444, 0o404, 0o460, 0o402, 0o450])
def test_a_credential_that_more_can_do_with_is_refused(credentials: Path, mode: int) -> None:
    secret(credentials, b"hunter2", mode)
    with pytest.raises(ValueError, match="chmod 600") as caught:
        values.secret("password")
    assert "hunter2" not in str(caught.value)


def test_what_lies_elsewhere_is_no_credential(credentials: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, credentials / "deeper"):
        folder.mkdir(exist_ok=True)
        path = secret(folder, b"hunter2", 0o440)
        for name in (path, f"{credentials}/../password" if folder == tmp_path else path):
            with pytest.raises(ValueError, match="chmod 600"):
                values.secret(name)


def test_templates(tmp_path: Path) -> None:
    path = tmp_path / "template"
    path.write_bytes("\ufeff$what äö\r\n".encode())
    assert values.text_template(str(path)) == values.html_template(str(path)) == "$what äö\r\n"
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match="is not UTF-8"):
        values.text_template(str(path))
    path.write_bytes(b"x" * 65536)
    assert len(values.text_template(str(path))) == 65536
    path.write_bytes(b"x" * 65537)
    with pytest.raises(ValueError, match="is too large for a template: at most 65536 bytes"):
        values.text_template(str(path))
    with pytest.raises(IsADirectoryError):
        values.text_template(str(tmp_path))


def test_lists_that_may_be_none() -> None:
    assert values.redact("urls,tokens") == ("urls", "tokens")
    assert values.redact("none") == ()
    assert (values.attach("none"), values.attach("1M")) == (0, 1 << 20)


def test_no_secret(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no password in its first line"):
        values.secret(secret(tmp_path, b"\nhunter2"))
    with pytest.raises(ValueError, match="not UTF-8") as caught:
        values.secret(secret(tmp_path, b"\xff\xfe"))
    assert "\\xff" not in str(caught.value)
    with pytest.raises(ValueError, match="is a directory"):
        values.secret(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        values.secret(str(tmp_path / "missing"))


def test_reading_a_secret_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    values.secret(secret(tmp_path, b"x"))
    with pytest.raises(ValueError):
        values.secret(secret(tmp_path, b""))
    assert len(os.listdir("/proc/self/fd")) == before


def test_certificates_are_looked_at_before_the_first_mail(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("not a certificate")
    with pytest.raises(ValueError, match="holds no certificates"):
        values.certificates(str(path))
    with pytest.raises(FileNotFoundError):
        values.certificates(str(tmp_path / "missing.pem"))


@pytest.mark.parametrize("text", ["192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "::1"])
def test_networks(text: str) -> None:
    assert values.network(text) == text


@pytest.mark.parametrize("text", ["", "everybody", "192.0.2.0/33", "192.0.2.1/24", "example.org"])
def test_what_is_no_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="no network") as caught:
        values.network(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    "text", ["systemd", "udp://0.0.0.0", "tcp://[::]:5514", "tls://localhost:0", "unix:///run/x?mode=0660"]
)
def test_where_to_listen(text: str) -> None:
    assert values.listening(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no path"),
        ("0.0.0.0:514", "begin it with udp://"),
        ("http://0.0.0.0", "begin it with udp://"),
        ("udp://", "name an address"),
        ("udp://:514", "name an address"),
        ("udp://x:y", "Port could not be cast"),
        ("udp://x:70000", "Port out of range"),
        ("udp://[::", "Invalid IPv6 URL"),
    ],
)
def test_where_nobody_can_listen_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        values.listening(text)
    assert "\n" not in str(caught.value)


def test_one_recipient_at_a_time() -> None:
    assert values.recipient("root") == "root"
    with pytest.raises(ValueError, match="'a,b' is more than one address"):
        values.recipient("a,b")


@pytest.mark.parametrize("text", ["[[:digit:]]+", "[a&&b]", "x[[]"])
def test_what_other_programs_read_in_another_way_is_no_expression(text: str, recwarn: pytest.WarningsRecorder) -> None:
    for function in (values.expression, values.mask):
        with pytest.raises(ValueError, match="possible (nested set|set intersection) at position"):
            function(text)
    assert not recwarn.list
