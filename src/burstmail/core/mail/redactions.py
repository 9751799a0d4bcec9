"""str -> str. What is secret by its form, in a log line, becomes `[redacted]`.

Known by name, as `REDACTIONS` has them: passwords in URLs; values of passwords and of tokens that are named in front of
them (`password=x`, `"api_key": "x"`, `--token x`, `Authorization: Bearer x`). Where it is not clear how far a secret
goes, rather more is hidden than less. No text makes this raise, and none takes more than a scan.
Limits: what nothing names is not found; a name that ends in `password`, `secret`, `token` and the like is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ..fields import header

if TYPE_CHECKING:
    import re

REDACTIONS = ("urls", "passwords", "tokens")
REDACTED = "[redacted]"

# The end of a name in quotes, as in JSON, and in JSON within JSON.
_QUOTE = r"""\\{0,7}+["']?+"""
_EQUALS = r"""(?: {1,3}+(?>=>|:=|=) {0,3}+|(?>=>|:=|=)(?: {0,3}+(?=\\{0,7}+["']))?+)"""
# `Password::reset` is a name.
_COLON = r" {0,3}+:(?!:) {0,3}+"
# A value in quotes goes to the same quotes, or to the end of a line that was cut.
_QUOTED = (
    r"""(?:"(?:[^"\\]++|\\.)*+"?|'(?:[^'\\]++|\\.)*+'?"""
    r"""|(?P<open>\\{1,7}+["'])(?:(?!(?<!\\)(?P=open)).)*+(?:(?P=open))?)"""
)
# One that is not goes to the next space, or to the next name: `password=x&user=bob`, `Password=x;Server=db`.
_PLAIN = rf"""(?:[^\s,;&]++|[,;&](?! ?{_QUOTE}[A-Za-z_][\w.-]{{0,63}}+{_QUOTE}[=:]))++"""
_VALUE = f"(?:{_QUOTED}|{_PLAIN})"
# "(using password: YES)" says that there was one; PAM has a service of that name: "pam_unix(passwd:chauthtok)".
_SAID = (
    r"(?!(?:yes|no|true|false|none|null)[).,;\]]?(?:\s|\Z)"
    r"|(?:auth|account|session|chauthtok|setcred)\)|\[redacted])"
)
# Long, or with a digit: in prose the words behind a colon are no token.
_LIKELY = r"(?=\\{0,7}+[\"']|[^\s]{16}|[^\s0-9]{0,15}[0-9])"
# The working directory, in each line of sudo.
_DIRECTORY = r"(?!(?-i:(?:(?<!\w)|(?<=OLD))PWD=[/~]))"

Rule = tuple["re.Pattern[str]", str, str]


def _named(name: str, rest: str = "", *, before: str = "", likely: str = "") -> tuple[str, str, str]:
    """A value behind a name that begins with these letters: what to look for first, the form, what it becomes."""
    hint = rf"{name}{rest}{_QUOTE} {{0,3}}+[=:]"
    form = rf"{before}(?P<name>{name}{rest}{_QUOTE}(?:{_EQUALS}|{_COLON}{likely})){_SAID}{_VALUE}"
    return hint, form, rf"\g<name>{REDACTED}"


def _option(names: str) -> tuple[str, str, str]:
    """A value behind an option of a command: `--password x`."""
    form = rf"(?P<name>--(?:[a-z]{{1,20}}-){{0,3}}(?:{names}) {{1,3}}+)(?!-){_VALUE}"
    return "--[a-z]", form, rf"\g<name>{REDACTED}"


def _argument(program: str, before: str) -> tuple[str, str, str]:
    """What stands behind an option of this program: the value alone."""
    return program, rf"(?P<name>(?<!\w){program}{before})(?:{_QUOTED}|[^\s\"']++)", rf"\g<name>{REDACTED}"


_FORMS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "urls": (
        (
            # The user, then what cannot be a port. A password may hold `@` and, wrongly, `/`; or be cut at the end.
            "://",
            r"""(?P<name>://[^\s/?#:"'<>\[\]]*+:)(?![0-9]{0,5}+(?:[/?#\s"'<>),;\]]|\Z))"""
            r"""(?:[^\s/?#"'<>]*(?=@)|[^\s@"'<>]{0,64}+(?=@)|[^\s/@"'<>]++(?=\Z| \[\.\.\. [0-9]{1,19} bytes cut\]))""",
            rf"\g<name>{REDACTED}",
        ),
    ),
    "passwords": (
        _named("pass", "(?:word|wd|phrase|code)"),
        _named("pass", before="(?<![a-z])", likely=_LIKELY),
        _named("pwd", before=_DIRECTORY),
        _named("secret", "(?:[_-]?access)?(?:[_-]?key)?"),
        _option("password|passwd|passphrase|passcode|pass|secret"),
        ("identified by ", rf"(?P<name>identified by (?:password )?){_QUOTED}", rf"\g<name>{REDACTED}"),
        # Programs that take one as an argument: mysql -px, sshpass -p x, curl -u user:x.
        _argument("mysql", r"[a-z_]{0,12}\b[^|;]{0,100}? (?-i:-p)"),
        _argument("mariadb", r"[a-z_-]{0,12}\b[^|;]{0,100}? (?-i:-p)"),
        _argument("sshpass", r" (?-i:-p) ?"),
        _argument("curl", r"\b[^|;]{0,100}? (?:-u|--user)[ =]?[^\s:]{1,64}:"),
    ),
    "tokens": (
        _named("token", likely=_LIKELY),
        *(_named(name, "[_-]?key") for name in ("x-api", "api", "access", "private", "signing", "encryption")),
        _named("api", " key", likely=_LIKELY),
        _option("token|api-key|access-key|private-key"),
        (
            "authorization",
            rf"(?P<name>authorization{_QUOTE}(?:{_EQUALS}|{_COLON})\\{{0,7}}+[\"']?+)"
            r"(?:(?P<scheme>(?:basic|bearer|token|apikey|negotiate|ntlm) {1,3}+)[^\s\"'\\,;]++"
            rf"|(?P<long>(?:digest|aws4-hmac-sha256) {{1,3}}+).++|{_LIKELY}[^\s\"'\\,;]++)",
            rf"\g<name>\g<scheme>\g<long>{REDACTED}",
        ),
        ("cookie: ", r"(?P<name>cookie: )(?=[^\s=\"']{1,128}=)[^\"']++", rf"\g<name>{REDACTED}"),
        *(_named(name) for name in ("phpsessid", "jsessionid", "sessionid", "session_id")),
        ("bearer ", r"(?P<name>\bbearer {1,3}+)(?=[^\s0-9]*+[0-9])[\w.~+/=-]{8,}+", rf"\g<name>{REDACTED}"),
        # RFC 7519: a token in three parts, known by how its header begins.
        ("eyj", r"(?<![\w-])(?-i:eyJ)[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?+", REDACTED),
        # What services mark their own with: GitHub, GitLab, Amazon, Slack, Stripe.
        ("gh", r"(?<!\w)(?-i:gh[pousr]_|github_pat_)\w{20,}+", REDACTED),
        ("glpat-", r"(?<!\w)glpat-[\w-]{16,}+", REDACTED),
        ("akia", r"(?<!\w)(?-i:AKIA[A-Z0-9]{16})(?!\w)", REDACTED),
        ("asia", r"(?<!\w)(?-i:ASIA[A-Z0-9]{16})(?!\w)", REDACTED),
        ("xox", r"(?<!\w)xox[abeprs]-[\w-]{8,}+", REDACTED),
        ("k_live_", r"(?<!\w)[prs]k_live_\w{8,}+", REDACTED),
    ),
}


@cache
def _rules(name: str) -> tuple[Rule, ...]:
    import re

    # The hints are for a text in small letters: with a literal in front they are searched at memchr's speed.
    return tuple((re.compile(hint), form, new) for hint, form, new in _FORMS[name])


@cache
def _pattern(form: str) -> re.Pattern[str]:
    import re

    # Only where its hint is found, and most texts have none: all of them are an eighth of what a short run computes.
    return re.compile(form, re.IGNORECASE | re.ASCII)


@cache
def _program() -> re.Pattern[str]:
    import re

    # In `Nov 23 10:00:00 web1 passwd: ...` that is who wrote the line.
    return re.compile(header((), "old") + r"(?<=passwd:)")


def hiding(name: str) -> Callable[[str], str]:
    """The function of this name, which takes a line and gives it without its secrets; KeyError for another name."""
    return _hiding(_rules(name))


def hidings(names: Iterable[str], text: str) -> list[Callable[[str], str]]:
    """These functions for lines of the text alone: none of those that find nothing in it."""
    small = text.lower()
    # What one form leaves has no beginning of another that was not there before: none has a bracket in it.
    found = ([rule for rule in _rules(name) if rule[0].search(small)] for name in names)
    return [_hiding(rules) for rules in found if rules]


def _hiding(rules: Sequence[Rule]) -> Callable[[str], str]:
    def hide(line: str) -> str:
        small = line.lower()
        for hint, form, new in rules:
            if hint.search(small):
                written = _program().match(line)
                start = written.end() if written else 0
                line = line[:start] + _pattern(form).sub(new, line[start:])
        return line

    return hide
