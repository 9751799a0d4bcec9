"""What is secret by its form is hidden, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.mail.redactions import REDACTED, REDACTIONS, hiding, hidings

HIDING = [hiding(name) for name in REDACTIONS]
SECRET = "hunter2"


def hidden(line: str) -> str:
    for hide in HIDING:
        line = hide(line)
    return line


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("cannot reach postgres://bob:X@db:5432/shop", "cannot reach postgres://bob:*@db:5432/shop"),
        ("redis://:X@cache/0", "redis://:*@cache/0"),
        ("https://bob@example.org:X@host/", "https://bob@example.org:*@host/"),
        ("https://bob:X/with@host/path", "https://bob:*@host/path"),
        ("amqp://u:a@X@[::1]:5672/", "amqp://u:*@[::1]:5672/"),
        ("http://bob:1234@host http://a:X@b", "http://bob:*@host http://a:*@b"),
        ("get https://bob:X", "get https://bob:*"),
        ("get https://bob:X [... 123 bytes cut]", "get https://bob:* [... 123 bytes cut]"),
    ],
)
def test_passwords_in_urls(line: str, shown: str) -> None:
    line, shown = line.replace("X", SECRET), shown.replace("*", REDACTED)
    assert hiding("urls")(line) == hidden(line) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("login password=X ok", "login password=* ok"),
        ("PASSWD=X", "PASSWD=*"),
        ("DB_PASSWORD=X MYSQL_PWD=/X", "DB_PASSWORD=* MYSQL_PWD=*"),
        ("userPassword:X", "userPassword:*"),
        ("password: X", "password: *"),
        ("passphrase : X y", "passphrase : * y"),
        ("secret = X", "secret = *"),
        ("'secret' => X", "'secret' => *"),
        ("client_secret=X", "client_secret=*"),
        ("aws_secret_access_key = X", "aws_secret_access_key = *"),
        ("pass=X", "pass=*"),
        ('login password="a X \\" X" ok', "login password=* ok"),
        ("login password='X X' ok", "login password=* ok"),
        ('password="X without end', "password=*"),
        ('{"password":"X","user":"bob"}', '{"password":*,"user":"bob"}'),
        ('{"password" : 12345678, "user":"bob"}', '{"password" : *, "user":"bob"}'),
        (r'{"msg":"{\"password\":\"X\",\"user\":\"bob\"}"}', r'{"msg":"{\"password\":*,\"user\":\"bob\"}"}'),
        ('"password"=>"X", "user"=>"bob"', '"password"=>*, "user"=>"bob"'),
        ("GET /login?user=bob&password=X&x=y HTTP/1.1", "GET /login?user=bob&password=*&x=y HTTP/1.1"),
        ("Server=db;Password=X;c,X;User=bob", "Server=db;Password=*;User=bob"),
        ("COMMAND=/usr/bin/mysql -u root -pX shop", "COMMAND=/usr/bin/mysql -u root -p* shop"),
        ("mysqldump -p'X X' shop | gzip", "mysqldump -p* shop | gzip"),
        ("sshpass -p X ssh web1", "sshpass -p * ssh web1"),
        ("curl -s -u bob:X https://example.org", "curl -s -u bob:* https://example.org"),
        ("COMMAND=/usr/bin/mysql --password X -u bob", "COMMAND=/usr/bin/mysql --password * -u bob"),
        ("ALTER USER bob IDENTIFIED BY 'X X'", "ALTER USER bob IDENTIFIED BY *"),
        ('<165>1 - web1 app - ID [a@1 password="X" b="y"] x', '<165>1 - web1 app - ID [a@1 password=* b="y"] x'),
        ("<38>Nov 23 10:00:00 web1 passwd: password=X", "<38>Nov 23 10:00:00 web1 passwd: password=*"),
    ],
)
def test_passwords_by_their_name(line: str, shown: str) -> None:
    line, shown = line.replace("X", SECRET), shown.replace("*", REDACTED)
    assert hiding("passwords")(line) == shown
    assert SECRET not in hidden(line)
    assert hidden(shown) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("token=X", "token=*"),
        ("access_token=X&scope=all", "access_token=*&scope=all"),
        ("accessToken: 'X'", "accessToken: *"),
        ("api_key=X apikey=X", "api_key=* apikey=*"),
        ("x-api-key: secretive", "x-api-key: *"),
        ("GET / HTTP/1.1 Cookie: session=X; theme=dark", "GET / HTTP/1.1 Cookie: *"),
        ('curl -H "Cookie: sid=X" https://example.org', 'curl -H "Cookie: *" https://example.org'),
        ("Set-Cookie: sid=X; Path=/; HttpOnly", "Set-Cookie: *"),
        ("/shop;jsessionid=X?a=b", "/shop;jsessionid=*"),
        ("?PHPSESSID=X&a=b", "?PHPSESSID=*&a=b"),
        ("remote: ghp_0123456789abcdefghijABCDEFGHIJ012345 is bad", "remote: * is bad"),
        ("token glpat-AbCdEf_0123456789-x", "token *"),
        ("with AKIAIOSFODNN7EAMPLE1.", "with *."),
        ("xoxb-123456789012-abcdef", "*"),
        ("sk_live_0123456789abcdef", "*"),
        ("deploy --api-key X --verbose", "deploy --api-key * --verbose"),
        ("Authorization: Bearer X", "Authorization: Bearer *"),
        ('"Authorization": "Basic X"', '"Authorization": "Basic *"'),
        ("Proxy-Authorization: Basic X==", "Proxy-Authorization: Basic *"),
        ('Authorization: Digest username="bob", response="X"', "Authorization: Digest *"),
        ("authorization: X0123", "authorization: *"),
        ("with bearer eyJX.abc-_~+/= now", "with bearer * now"),
        ("got eyJhbGciOiJX.eyJzdWIX0.c2ln_-X now", "got * now"),
    ],
)
def test_tokens(line: str, shown: str) -> None:
    line, shown = line.replace("X", SECRET), shown.replace("*", REDACTED)
    assert hiding("tokens")(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "<38>Nov 23 10:00:00 web1 sshd[812]: Failed password for root from 192.0.2.1 port 22 ssh2",
        "<38>Nov 23 10:00:00 web1 sshd[812]: pam_unix(sshd:auth): password check failed for user (root)",
        "Nov 23 10:00:00 web1 passwd: pam_unix(passwd:chauthtok): password changed for bob",
        "sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/ls",
        "PWD=/root OLDPWD=~/x",
        "Access denied for user 'root'@'localhost' (using password: YES)",
        "Password::reset() failed",
        "Enter password:",
        "password= user=bob",
        "spf=pass dkim=pass header.d=example.org bypass=1 compass: north",
        "Unexpected token: } in JSON",
        "token: expired",
        "tokens: 5, token_count=7, token 12345678",
        "bearer token invalid, bearer authentication",
        "authorization: denied for user",
        "secretary=bob",
        "mysqld: ready for connections, mysql -P 3306 -p shop; pgrep -p 1",
        "COMMAND=/usr/bin/curl -s -u bob https://example.org:443/",
        "cookie: disabled, cookies: 5, API key: missing",
        "ghost_writer, high, xoxo-12345678",
        "see https://example.org:8080/x?y=a@b and ssh://git@github.com:bob/shop.git, http://[::1]:80/",
        "ssh://git@github.com:bob/shop.git by bob@example.org",
        "",
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    assert hidden(line) == line


WORDS = st.sampled_from(
    [
        *("password", "PWD", "pass", "secret", "token", "api_key", "authorization", "bearer ", "basic "),
        "identified by ",
        *("eyJ", "://", "--", "=", ":", "=>", " ", '"', "'", "\\", "@", "/", "&", ",", ";", ".", "[redacted]", "\n"),
        *("abcdefgh", "0123456789abcdef", "\u212a", "\u0130", "\u65e5", "\ud800", " [... 5 bytes cut]"),
    ]
)


@given(st.lists(WORDS | st.text(max_size=3), max_size=30).map("".join))
def test_no_text_makes_it_raise_and_once_is_enough(line: str) -> None:
    once = hidden(line)
    assert hidden(once) == once
    if not hidings(REDACTIONS, line):
        assert once == line


LINES = st.lists(st.lists(WORDS, max_size=20).map("".join).map(lambda text: text.replace("\n", "")), max_size=4)


@given(LINES)
def test_what_is_looked_for_in_many_lines_finds_what_all_would(lines: list[str]) -> None:
    found = hidings(REDACTIONS, "\n".join(lines))
    for line in lines:
        told = line
        for hide in found:
            told = hide(told)
        assert told == hidden(line)


def test_what_is_nowhere_in_many_lines_is_not_looked_for_in_each() -> None:
    assert hidings(REDACTIONS, "Failed password for root\nsession opened") == []
    (only,) = hidings(REDACTIONS, "password=x\na line")
    assert only("password=x token=0123456789abcdef") == f"password={REDACTED} token=0123456789abcdef"


# How many forms are compiled to hide what is in one line; hints have no flags.
COMPILED = """
import re, sys
from burstmail.core.mail.redactions import REDACTIONS, hiding

made, honest = [], re.compile
re.compile = lambda text, *flags: made.extend(flags) or honest(text, *flags)
for name in REDACTIONS:
    hiding(name)(sys.argv[1])
print(len(made))
"""


# All of them take an eighth of what a run of one line computes.
@pytest.mark.parametrize(("line", "forms"), [("disk failed", 0), ("password=x", 1), ("ftp://a:b@c token=abc0", 2)])
def test_a_form_that_is_nowhere_is_not_compiled(line: str, forms: int) -> None:
    done = subprocess.run([sys.executable, "-c", COMPILED, line], capture_output=True, text=True, check=True)
    assert int(done.stdout) == forms


def test_names_are_those_and_no_others() -> None:
    with pytest.raises(KeyError):
        hiding("everything")


# 1 MiB of ordinary lines takes 13 ms of this thread's time; how busy the machine is otherwise does not matter.
def test_ordinary_lines_cost_next_to_nothing() -> None:
    line = "<38>Nov 23 10:00:00 web1 sshd[812]: Failed password for root from 192.0.2.1 port 22 ssh2\n"
    text = line * (2**20 // len(line))

    def look() -> float:
        started = time.thread_time()
        assert not hidings(REDACTIONS, text)
        return time.thread_time() - started

    assert min(look() for _ in range(5)) < 0.1
