"""Configurations with something wrong, and what a check says: the line of each mistake, and words that name it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A configuration, and all that is wrong with it."""

    name: str
    text: str
    wanted: tuple[tuple[int | None, str], ...]


BROKEN = [
    Case(
        name="to-root",
        text="to = root\n",
        wanted=((1, 'text stands in quotes: to = "root"'),),
    ),
    Case(
        name="to-root-2",
        text='to = "root\n',
        wanted=((1, "a quote in this line does not end"),),
    ),
    Case(
        name="to-root-3",
        text='to = ["root"\n',
        wanted=((1, "to: what begins here does not end: unclosed array"),),
    ),
    Case(
        name="to-root-4",
        text="to: root\n",
        wanted=((1, 'a line is KEY = "VALUE", [[route]] or a comment'),),
    ),
    Case(
        name="to",
        text="to\n",
        wanted=((1, 'a line is KEY = "VALUE", [[route]] or a comment'),),
    ),
    Case(
        name="to-root-5",
        text='TO = "root"\n',
        wanted=((1, "TO: there is no such key: it is written to"),),
    ),
    Case(
        name="to-ops",
        text='to = "root"\nto = "ops"\n',
        wanted=((2, "to is there twice: the first time in line 1"),),
    ),
    Case(
        name="gap-5s",
        text='to = "root"\ngap = 5s\ncap = 3/min\n',
        wanted=((2, 'text stands in quotes: gap = "5s"'), (3, 'text stands in quotes: cap = "3/min"')),
    ),
    Case(
        name="x-1979-13-01",
        text='to = "root"\nx = 1979-13-01\n',
        wanted=((2, 'text stands in quotes: x = "1979-13-01"'), (2, "x: there is no such key")),
    ),
    Case(
        name="gap-5",
        text='to = "root"\ngap = -5\n',
        wanted=((2, "gap: '-5' is no duration: write it like 5s, 10m or 1h30m"),),
    ),
    Case(
        name="gap-1e400",
        text='to = "root"\ngap = 1e400\n',
        wanted=((2, "gap: 'inf' is no duration: write it like 5s, 10m or 1h30m"),),
    ),
    Case(
        name="gap-nan",
        text='to = "root"\ngap = nan\n',
        wanted=((2, "gap: 'nan' is no duration: write it like 5s, 10m or 1h30m"),),
    ),
    Case(
        name="gap-1979-05-27",
        text='to = "root"\ngap = 1979-05-27\n',
        wanted=((2, 'gap: 1979-05-27 is no text: write gap = "DURATION", in quotes'),),
    ),
    Case(
        name="max-lines-2-5",
        text='to = "root"\nmax-lines = 2.5\n',
        wanted=((2, "max-lines: '2.5' is no count: write a whole number from 1"),),
    ),
    Case(
        name="max-age-60s",
        text='to = "root"\nmax_age = "60s"\n',
        wanted=((2, "max_age: there is no such key: it is written max-age"),),
    ),
    Case(
        name="maxage-60s",
        text='to = "root"\nmaxage = "60s"\n',
        wanted=((2, "maxage: there is no such key: did you mean max-age?"),),
    ),
    Case(
        name="recipients-root",
        text='recipients = "root"\n',
        wanted=((1, "recipients: there is no such key: it is written to"),),
    ),
    Case(
        name="to-root-6",
        text='--to = "root"\n',
        wanted=((1, "--to: there is no such key: it is written to"),),
    ),
    Case(
        name="to-2",
        text="to = []\n",
        wanted=((1, "to: the list is empty: name something, or leave it out"),),
    ),
    Case(
        name="to-root-5-2",
        text='to = ["root", 5]\n',
        wanted=((1, 'to: 5 is no text: write to = "ADDRESS", in quotes'),),
    ),
    Case(
        name="to-5",
        text="to = 5\n",
        wanted=((1, 'to: 5 is no text: write to = "ADDRESS", in quotes'),),
    ),
    Case(
        name="to-root-ops",
        text='to = ["root", ["ops"]]\n',
        wanted=((1, "to: no lists in a list"),),
    ),
    Case(
        name="to-a-1",
        text="to = { a = 1 }\n",
        wanted=((1, "to: takes a value, not a table"),),
    ),
    Case(
        name="to-root-ops-2",
        text='to = "root, ops"\n',
        wanted=((1, "to: 'root, ops' is more than one address: say each by itself"),),
    ),
    Case(
        name="to-a-b",
        text='to = "a b"\n',
        wanted=((1, "to: address 'a b': the part before @ is not valid; write it as user or"),),
    ),
    Case(
        name="a-b",
        text='to = [\n  "root",\n  "a b",\n]\n',
        wanted=((3, "to: address 'a b': the part before @ is not valid; write it as user or"),),
    ),
    Case(
        name="journal-yes",
        text='to = "root"\njournal = "yes"\n',
        wanted=((2, "journal: 'yes' is neither true nor false: write one of them"),),
    ),
    Case(
        name="journal-yes-2",
        text='to = "root"\njournal = yes\n',
        wanted=((2, "journal: 'yes' is neither true nor false: write one of them"),),
    ),
    Case(
        name="gap-5s-6s",
        text='to = "root"\ngap = ["5s", "6s"]\n',
        wanted=((2, "gap: takes one value, not a list"),),
    ),
    Case(
        name="sync-always",
        text='to = "root"\nsync = "always"\n',
        wanted=((2, "sync: 'always' is none of batch, burst, off"),),
    ),
    Case(
        name="subject-hots",
        text='to = "root"\nsubject = "{hots}"\n',
        wanted=((2, "subject: '{hots}': {hots} is no field; there are {what} {host} {program}"),),
    ),
    Case(
        name="include-fine",
        text='to = "root"\ninclude = ["fine", "("]\n',
        wanted=((2, "include: contains '(': missing ), unterminated subpattern at character 1"),),
    ),
    Case(
        name="include",
        text='to = "root"\ninclude = ""\n',
        wanted=((2, "include: '' is found in every line: it must match at least one character"),),
    ),
    Case(
        name="at-least-error",
        text='to = "root"\nat-least = "error!"\n',
        wanted=((2, "at-least: 'error!': use emerg, alert, crit, err, warning, notice, info,"),),
    ),
    Case(
        name="smtp-http-x",
        text='to = "root"\nsmtp = "http://x"\n',
        wanted=((2, "smtp URL 'http://x': write it as smtp://host:25 or smtps://host:465"),),
    ),
    Case(
        name="maildir-y",
        text='to = "root"\nsmtp = "smtp://x"\nmaildir = "y"\n',
        wanted=((3, "maildir: excludes smtp (line 2): say one of them"),),
    ),
    Case(
        name="html-template-x",
        text='to = "root"\ntext-only = true\nhtml-template = "x"\n',
        wanted=((3, "html-template: excludes text-only (line 2): say one of them"),),
    ),
    Case(
        name="password-file-none",
        text='to = "root"\npassword-file = "none"\n',
        wanted=((2, "password-file:"),),
    ),
    Case(
        name="file",
        text='to = "root"\nfile = ""\n',
        wanted=((2, "file: '' is no path: name one, or say none"),),
    ),
    Case(
        name="file-a-u0000b",
        text='to = "root"\nfile = "a\\u0000b"\n',
        wanted=((2, "file:"),),
    ),
    Case(
        name="text-template-missing",
        text='to = "root"\ntext-template = "missing"\n',
        wanted=((2, "text-template:"),),
    ),
    Case(
        name="listen-tls-0-0-0-0",
        text='to = "root"\nlisten = "tls://0.0.0.0"\n',
        wanted=((2, "listen tls://0.0.0.0 needs tls-cert FILE"),),
    ),
    Case(
        name="listen-http-0-0-0-0",
        text='to = "root"\nlisten = "http://0.0.0.0"\n',
        wanted=((2, "listen: 'http://0.0.0.0': begin it with udp://, tcp://, tls:// or unix://"),),
    ),
    Case(
        name="listen-udp-0-0-0-0-99999",
        text='to = "root"\nlisten = "udp://0.0.0.0:99999"\n',
        wanted=((2, "listen: 'udp://0.0.0.0:99999': Port out of range 0-65535"),),
    ),
    Case(
        name="from-beginning-true",
        text='to = "root"\nprint = true\nfrom-beginning = true\n',
        wanted=((3, "from-beginning says where file and journal begin: add one of them"),),
    ),
    Case(
        name="match-program-x",
        text='to = "root"\nmatch = { program = "x" }\n',
        wanted=((2, "match: belongs to a [[route]]; at the top, say include, exclude, program"),),
    ),
    Case(
        name="config-other-toml",
        text='to = "root"\nconfig = "other.toml"\n',
        wanted=((2, "config: is said on the command line only, as --config"),),
    ),
    Case(
        name="only-if-failed-true",
        text='to = "root"\nonly-if-failed = true\n',
        wanted=((2, "only-if-failed: is said on the command line only, as --only-if-failed"),),
    ),
    Case(
        name="route",
        text='to = "root"\n[route]\nname = "x"\n',
        wanted=((2, "route: each route is a table of its own: write [[route]], with two brackets"),),
    ),
    Case(
        name="routes",
        text='to = "root"\n[[routes]]\nname = "x"\n',
        wanted=((2, "routes: each route is a table called [[route]]; routes itself is first or"),),
    ),
    Case(
        name="route-2",
        text='to = "root"\n[[Route]]\nname = "x"\n',
        wanted=((2, "Route: there is no such key: it is written [[route]]"),),
    ),
    Case(
        name="routes-all",
        text='to = "root"\nroutes = "all"\n[[route]]\nname = "x"\n',
        wanted=((2, 'routes: write "first" (a line takes the first route that it fits) or'),),
    ),
    Case(
        name="routes-every",
        text='to = "root"\nroutes = "every"\n',
        wanted=((2, "routes: says how lines are dealt out among [[route]] tables, and there is"),),
    ),
    Case(
        name="route-3",
        text='to = "root"\n[[route]]\ngap = 5\n',
        wanted=((2, 'route: has no name: add name = "..."; what waits is found again by it'),),
    ),
    Case(
        name="route-4",
        text='[[route]]\nname = "x"\n[[route]]\nname = "y"\nto = "root"\n',
        wanted=((1, "route 'x': nobody gets its mail: add to = \"root\", or another address, here"),),
    ),
    Case(
        name="name-x",
        text='to = "root"\n[[route]]\nname = "x"\n[[route]]\nname = "y"\n[[route]]\nname = "x"\n',
        wanted=((7, "name: 'x' is that of another route (line 3)"),),
    ),
    Case(
        name="name",
        text='to = "root"\n[[route]]\nname = ""\n',
        wanted=((3, "name: takes text of 1 to 64 visible characters"),),
    ),
    Case(
        name="state-var-lib-x",
        text='to = "root"\n[[route]]\nname = "x"\nstate = "/var/lib/x"\n',
        wanted=((4, "state: is for all routes together: write it at the top, above the first"),),
    ),
    Case(
        name="include-x",
        text='to = "root"\n[[route]]\nname = "x"\ninclude = "x"\n',
        wanted=((4, 'include: a route says this as match = { contains = "..." }; at the top it'),),
    ),
    Case(
        name="match-sshd",
        text='to = "root"\n[[route]]\nname = "x"\nmatch = "sshd"\n',
        wanted=((4, 'match: takes a table of criteria, such as { program = "sshd" }'),),
    ),
    Case(
        name="progam-sshd",
        text='to = "root"\n[[route]]\nname = "x"\n[route.match]\nprogam = "sshd"\n',
        wanted=((5, "match.progam: there is no such key: did you mean program?"),),
    ),
    Case(
        name="at-least-err",
        text='to = "root"\n[[route]]\nname = "x"\n[route.match]\nat_least = "err"\n',
        wanted=((5, "match.at_least: there is no such key: it is written at-least"),),
    ),
    Case(
        name="at-least-bad",
        text='to = "root"\n[[route]]\nname = "x"\n[route.match]\nat-least = "bad"\n',
        wanted=((5, "match.at-least: 'bad': use emerg, alert, crit, err, warning, notice, info,"),),
    ),
    Case(
        name="match-ignore-case-true",
        text='to = "root"\n[[route]]\nname = "x"\nmatch = { ignore-case = true }\n',
        wanted=((4, "match.ignore-case: goes with contains, which is missing"),),
    ),
    Case(
        name="ignore-case-yes",
        text='to = "root"\n[[route]]\nname = "x"\n[route.match]\ncontains = "x"\nignore-case = "yes"\n',
        wanted=((6, "match.ignore-case: write true or false"),),
    ),
    Case(
        name="program-b-contains-fine",
        text=(
            'to = "root"\n[[route]]\nname = "x"\nmatch.any = [\n  { program = "a" },\n'
            '  { program = "b",  contains = ["fine", "("] },\n  {},\n  { not = { sevrity = "err" } },\n]\n'
        ),
        wanted=(
            (6, "match.any[1].contains: '(': missing ), unterminated subpattern at"),
            (8, "match.any[3].not.sevrity: there is no such key: did you mean severity?"),
        ),
    ),
    Case(
        name="match-any",
        text='to = "root"\n[[route]]\nname = "x"\nmatch.any = []\n',
        wanted=((4, "match.any: takes tables of criteria: any = [{ ... }, { ... }]"),),
    ),
    Case(
        name="route-math",
        text='to = "root"\n[[route]]\nname = "x"\n[route.math]\nprogram = "x"\n',
        wanted=((4, "math: there is no such key: did you mean match?"),),
    ),
    Case(
        name="match-data-a-b-1",
        text='to = "root"\n[[route]]\nname = "x"\nmatch = { data = { "a.b" = 1 } }\n',
        wanted=((4, "match.data: 1 is no string and no list of strings"),),
    ),
    Case(
        name="cap-1-min",
        text='to = "root"\n[[route]]\nname = "x"\nurgent = "x"\ncap = "1/min"\n',
        wanted=((5, "cap: urgent keeps one mail of each cap for urgent lines: let each cap"),),
    ),
    Case(
        name="mask-x",
        text='to = "root"\n[[route]]\nname = "x"\nmask = "x"\nno-patterns = true\n',
        wanted=((4, "mask belongs to patterns, and no-patterns says not to count them"),),
    ),
    Case(
        name="smtp",
        text='to = "root"\n[smtp]\nhost = "x"\n',
        wanted=((2, "smtp: takes a value, not a table"),),
    ),
    Case(
        name="gap-seconds-5",
        text='to = "root"\ngap.seconds = 5\n',
        wanted=((2, "gap: takes a value, not a table"),),
    ),
    Case(
        name="max-lines-0x1fffffffffffffffffff",
        text='to = "root"\nmax-lines = 0x1fffffffffffffffffff\n',
        wanted=((2, "max-lines: '151115727451828646838271' is no count: write a whole number"),),
    ),
    Case(
        name="allow-10-0-0-0-99",
        text='to = "root"\nallow = "10.0.0.0/99"\nlisten = "udp://0.0.0.0"\n',
        wanted=((2, "allow: '10.0.0.0/99': no network, '10.0.0.0/99' does not appear to be an"),),
    ),
    Case(
        name="key-hots",
        text='to = "root"\nkey = "hots"\n',
        wanted=((2, "key 'hots': use one or more of host, program, pid, facility, severity"),),
    ),
    Case(
        name="smtp-ca-x",
        text='to = "root"\nsmtp_ca = "x"\nprint = true\n',
        wanted=((2, "smtp_ca: there is no such key: it is written smtp-ca"),),
    ),
    Case(
        name="smpt-smtp-x",
        text='to = "root"\nsmpt = "smtp://x"\n',
        wanted=((2, "smpt: there is no such key: did you mean smtp?"),),
    ),
    Case(
        name="cap-3-min-x",
        text='to = "root"\ncap = ["3/min", "x"]\ncool-down = "1h..1m"\n',
        wanted=(
            (2, "cap: 'x' is no cap: write it like 3/min, 5/15min or 20/h"),
            (3, "cool-down: '1h..1m' is no cool-down: write it like 1m..15m, or off: the"),
        ),
    ),
    Case(
        name="keep-200",
        text='to = "root"\nkeep = 200\n',
        wanted=((2, 'keep: 200 is no text: write keep = "HEAD+TAIL", in quotes'),),
    ),
    Case(
        name="threshold-1-5m",
        text='to = "root"\nthreshold = "1/5m"\n',
        wanted=((2, "threshold: '1/5m' lets every line pass: ask for 2 or more"),),
    ),
    Case(
        name="redact-emails",
        text='to = "root"\nredact = "emails"\n',
        wanted=((2, "redact: there is no 'emails'; known by name are urls, passwords, tokens"),),
    ),
    Case(
        name="tls-cert-nowhere-pem",
        text='to = "root"\ntls-cert = "/nowhere.pem"\nlisten = "udp://127.0.0.1"\n',
        wanted=(
            (2, "tls-cert is for listen tls://ADDRESS:PORT, which is missing"),
            (2, "tls-cert: TLS certificate /nowhere.pem: No such file or directory"),
        ),
    ),
    Case(
        name="confirm-true",
        text='to = "root"\nconfirm = true\nfile = "x"\n',
        wanted=((2, "confirm answers whoever writes to standard input: it goes with no other"),),
    ),
    Case(
        name="name-x-2",
        text='to = "root"\nname = "../x"\n',
        wanted=((2, "name: '../x' is no name: use 1 to 64 of A-Z a-z 0-9 . _ - and no dot in"),),
    ),
    Case(
        name="to-a-b-2",
        text='to = "root"\n[[route]]\nname = "x"\nto = "a b"\n[[route]]\nname = "y"\nfrom = "a b"\n',
        wanted=(
            (4, "to: address 'a b': the part before @ is not valid; write it as user or"),
            (7, "from: address 'a b': the part before @ is not valid; write it as user or"),
        ),
    ),
    Case(
        name="give-up-0",
        text='to = "root"\ngive-up = 0\nmax-age = 0\n',
        wanted=(
            (2, "give-up: 0.0: must be more than 0 seconds"),
            (3, "max-age: 0.0: must be 0.001 seconds or more, and finite"),
        ),
    ),
    Case(
        name="nobody-gap-5",
        text="gap = 5\n",
        wanted=((None, 'nobody gets a mail: add to = "root", or another address'),),
    ),
    Case(
        name="match-program-x-2",
        text='to = "root"\nmatch.program = "x"\n[[route]]\n',
        wanted=(
            (2, "match: belongs to a [[route]]; at the top, say include, exclude, program"),
            (3, 'route: has no name: add name = "..."; what waits is found again by it'),
        ),
    ),
    Case(
        name="match-severity-bad",
        text='to = "root"\n[[route]]\nname = "x"\nmatch.severity = "bad"\n',
        wanted=((4, "match.severity: 'bad': use emerg, alert, crit, err, warning, notice, info,"),),
    ),
    Case(
        name="include-d",
        text='to = "root"\ninclude = "\\d+"\n',
        wanted=((2, "write expressions and paths in single quotes: '...'"),),
    ),
    Case(
        name="key-host",
        text='to = "root"\nkey = "host\'\n',
        wanted=((2, "a quote in this line does not end"),),
    ),
    Case(
        name="route-5",
        text='to = "root"\n[[route]\nname = "x"\n',
        wanted=((2, "no TOML"),),
    ),
    Case(
        name="gap-5-seconds",
        text='to = "root"\ngap = 5 seconds\n',
        wanted=(
            (2, 'text stands in quotes: gap = "5 seconds"'),
            (2, "gap: '5 seconds' is no duration: write it like 5s, 10m or 1h30m"),
        ),
    ),
    Case(
        name="at-least-err-2",
        text='to = "root"\nat_least = "err"\nprograms = "sshd"\n',
        wanted=(
            (2, "at_least: there is no such key: it is written at-least"),
            (3, "programs: there is no such key: it is written program"),
        ),
    ),
    Case(
        name="sender-x",
        text='to = "root"\nsender = "x"\ntext = "y"\n',
        wanted=(
            (2, "sender: there is no such key: it is written from"),
            (3, "text: there is no such key: it is written text-template"),
        ),
    ),
    Case(
        name="route-6",
        text='to = "root"\nroute = []\n',
        wanted=((2, "route: each route is a table of its own: write [[route]], with two brackets"),),
    ),
    Case(
        name="route-a",
        text='to = "root"\nroute = ["a"]\n',
        wanted=((2, "route: is no table: write [[route]] above its keys"),),
    ),
    Case(
        name="name-5",
        text='to = "root"\n[[route]]\nname = 5\n',
        wanted=((3, "name: takes text of 1 to 64 visible characters"),),
    ),
    Case(
        name="a-key-behind-match",
        text='[[route]]\nname = "x"\n[route.match]\nhost = "h"\nto = "root"\nstate = "/s"\n',
        wanted=((5, "match.to: is no criterion but a key of the route"), (6, "match.state: there is no such key")),
    ),
    Case(
        name="blanks-around-what-has-no-quotes",
        text='to = "root"\nmax-age\t=  \t2m  # minutes\n',
        wanted=((2, 'text stands in quotes: max-age = "2m"'),),
    ),
    Case(
        name="a-misspelt-name-is-not-missing",
        text='to = "root"\n[[route]]\nnam = "x"\n',
        wanted=((3, "nam: there is no such key: did you mean name?"),),
    ),
    Case(
        name="a-class-of-grep",
        text="to = 'root'\ninclude = [\n  'fine',\n  '[[:digit:]]+',\n]\n",
        wanted=((4, "possible nested set at position 1: write"),),
    ),
    Case(
        name="a-class-of-grep-in-match",
        text="to = 'root'\n[[route]]\nname = 'x'\nmatch.contains = [\n  '[[:alpha:]]',\n  'fine',\n  ')',\n]\n",
        wanted=((5, "possible nested set at position 1: write"), (7, "match.contains: ')': unbalanced parenthesis")),
    ),
    Case(
        name="a-mask-with-a-class-of-grep",
        text="to = 'root'\nmask = '[[:space:]]'\n",
        wanted=((2, "possible nested set at position 1: write"),),
    ),
    Case(
        name="a-program-with-an-empty-name",
        text="to = 'root'\n[[route]]\nname = 'x'\n[route.match]\nprogram = [\n'',\n'a']\nhost = [5]\npid = []\n",
        wanted=((8, "match.host: [5] is no string"), (9, "match.pid")),
    ),
    Case(
        name="no-password-file",
        text='to = "root@example.org"\nsmtp = "smtp://me@mail.example.org"\npassword-file = "/nonexistent/password"\n',
        wanted=((3, "password-file: '/nonexistent/password': No such file or directory"),),
    ),
    Case(
        name="no-password",
        text='to = "root@example.org"\nsmtp = "smtp://me@mail.example.org"\n',
        wanted=(
            (2, "smtp 'smtp://me@mail.example.org' names a user: say where the password is, with password-file FILE"),
        ),
    ),
]
