"""What goes on from the line before it, as the usual languages and databases write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import Batch, Join
from burstmail.core.traces import LOOK, Rule, begun, goes_on, gone_on, plain, words_in

# Each is one record between two lines that are none of it.
TRACES = {
    "python": """\
ERROR order 7 lost
Traceback (most recent call last):
  File "/srv/app.py", line 3, in run
    order(7)
KeyError: 7

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app.py", line 5, in run
    lost()
shop.errors.Lost: order 7
""",
    "python exits": """\
Traceback (most recent call last):
  File "<string>", line 1, in <module>
KeyboardInterrupt
""",
    "python groups": """\
  + Exception Group Traceback (most recent call last):
  |   File "x.py", line 1, in <module>
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: 1
    +------------------------------------
""",
    "java": """\
2026-11-23 12:00:00.123 [main] ERROR o.e.Orders - order 7 lost
java.lang.IllegalStateException: no stock
\tat org.example.Orders.run(Orders.java:41)
\tSuppressed: java.io.IOException: closed
\t\tat org.example.Pool.close(Pool.java:7)
\t... 12 more
Caused by: java.net.ConnectException: refused
\tat java.base/sun.nio.ch.Net.connect(Net.java:579)
""",
    "java alone": """\
Exception in thread "main" java.lang.NullPointerException
\tat org.example.Main.main(Main.java:3)
""",
    "go": """\
panic: runtime error: index out of range [5] with length 3
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48]

goroutine 1 [running]:
main.(*Server).serve(0xc000, {0x4b, 0x1})
\t/src/main.go:8 +0x1d
main.main()
\t/src/main.go:4 +0x25
created by net/http.(*Server).Serve in goroutine 1
\t/usr/lib/go/server.go:3285 +0x4b4
""",
    "postgresql to a file": """\
2026-11-23 12:00:00.123 UTC [812] ERROR:  duplicate key value violates unique constraint "a"
2026-11-23 12:00:00.123 UTC [812] DETAIL:  Key (id)=(7) already exists.
2026-11-23 12:00:00.123 UTC [812] STATEMENT:  insert into a
\tvalues (7)
""",
    "postgresql in short": """\
ERROR:  column "x" does not exist
HINT:  Perhaps you meant "y".
""",
    "rust": """\
thread 'main' panicked at src/main.rs:2:5:
index out of bounds: the len is 3 but the index is 5
stack backtrace:
   0: rust_begin_unwind
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
""",
    "ruby": """\
app.rb:3:in `lose': no stock (RuntimeError)
\tfrom app.rb:7:in `run'
""",
    "php": """\
PHP Fatal error:  Uncaught Exception: no stock in /srv/a.php:3
Stack trace:
#0 /srv/a.php(9): lose()
#1 {main}
  thrown in /srv/a.php on line 3
""",
    "dotnet": """\
Unhandled exception. System.InvalidOperationException: no stock
 ---> System.IO.IOException: closed
   at Shop.Pool.Close() in /src/Pool.cs:line 7
--- End of inner exception stack trace ---
   at Shop.Program.Main() in /src/Program.cs:line 3
""",
    "node": """\
Error: no stock
    at run (/srv/app.js:3:9)
""",
}


def parts(trace: str) -> list[int]:
    """How many lines each record has, the longest first, when a line stands before the trace, and one behind it."""
    count = len(trace.splitlines())
    # Of what an indented line or a traceback begins, the line before says what it is about.
    return [1 + count, 1] if trace.startswith((" ", "Traceback")) else [count, 1, 1]


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_a_trace_is_one_record(trace: str) -> None:
    lines = ["ready", *trace.splitlines(), "again"]
    stage = Join()
    made = [*stage.feed(Batch.of(lines), 0.0), *stage.drain(0.0)]
    records = [record for batch in made for record in _records(batch.text)]
    assert sorted(map(len, records), reverse=True) == parts(trace)
    # Nothing of it is changed but for the tabs, and for headers that say the same again.
    told = [line.removeprefix("\t") for line in max(records, key=len)]
    assert all(any(line.endswith(one) for line in lines) for one in told)
    assert told[0] in lines


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_a_trace_is_one_record_to_syslog_too(trace: str) -> None:
    """Each line comes with a header, behind which it keeps its own indentation."""
    lines = [f"<11>Nov 23 12:00:00 web1 app[7]: {line}" for line in ["ready", *trace.splitlines(), "again", "end"]]
    (made,) = Join().feed(Batch.of(lines), 0.0)
    records = _records(made.text)
    assert sorted(map(len, records), reverse=True) == parts(trace)
    assert all(line[0] in " \t" and "web1" not in line for record in records for line in record[1:])


def test_postgresql_numbers_its_lines_to_syslog() -> None:
    texts = ["[5-1] ERROR:  no", "[5-2] DETAIL:  Key", "[5-10] more", "[6-1] LOG:  ready", "x"]
    (made,) = Join().feed(Batch.of([f"<131>Nov 23 12:00:00 db1 postgres[9]: {text}" for text in texts]), 0.0)
    assert [len(record) for record in _records(made.text)] == [3, 1]


def _records(text: str) -> list[list[str]]:
    records: list[list[str]] = []
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and records:
            records[-1].append(line)
        else:
            records.append([line])
    return records


@pytest.mark.parametrize(
    "line",
    [
        "ValueError: 7",
        "main.main()",
        "HINT: one space is not PostgreSQL's",
        "#hashtag",
        "[5-1] first",
        "[17-02-2026] a date",
        "created by",
        "signal",
        "Detail:  x",
        "goroutines are cheap [1]",
    ],
)
def test_what_looks_a_little_like_a_trace_begins_a_record(line: str) -> None:
    assert not goes_on(line, begun("ready"))


def test_an_exception_explains_a_line_but_not_another_exception() -> None:
    thrown = "java.io.IOException: closed"
    assert goes_on(thrown, begun("lost"))
    assert not goes_on(thrown, begun(thrown))
    assert not goes_on(thrown, gone_on("\tat x", begun("lost")))
    assert goes_on("java.lang.OutOfMemoryError", begun("lost"))
    assert not goes_on("java.lang.OutOfMemoryErrors", begun("lost"))


def test_after_a_traceback_one_line_at_the_margin_goes_on_and_no_second() -> None:
    before = begun("Traceback (most recent call last):")
    before = gone_on("  File", before)
    assert goes_on("anything", before)
    assert not goes_on("anything", gone_on("anything", before))


def test_words_within_a_line_begin_no_trace() -> None:
    assert not goes_on("x", begun("he said: Traceback (most recent call last):"))
    assert not goes_on("x", begun("nobody panicked at the disco"))
    assert not goes_on("f()", begun("goroutine 1 is running"))


def test_calls_go_on_in_a_trace_only_if_they_look_like_calls() -> None:
    before = begun("goroutine 1 [running]:")
    assert goes_on("main.main()", before)
    assert not goes_on("served GET /(x)", before)
    assert not goes_on("main.main() ready", before)


def test_more_says_what_goes_on_besides_the_usual() -> None:
    rule = Rule(None, "^->")
    assert rule("-> x", begun("a"))
    assert rule("\tx", begun("a"))
    assert not rule("x ->", begun("a"))


def test_begin_alone_decides_what_is_no_beginning() -> None:
    rule = Rule(r"^\d{4}-", "^->")
    assert rule("anything", begun("a"))
    assert not rule("2026-11-23 x", begun("a"))


def test_expressions_see_no_more_than_the_first_4096_characters() -> None:
    assert LOOK == 4096
    assert Rule(None, "x$")("a" * 4095 + "x" + "b", begun("a"))
    assert not Rule(None, "x")("a" * 4096 + "x", begun("a"))
    assert Rule("x", None)("a" * 4096 + "x", begun("a"))


@pytest.mark.parametrize("name", ["begin", "more"])
def test_a_bad_expression_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=rf"Join\({name}='\(a'\): no regular expression: .* at position 0"):
        Join(**{name: "(a"})  # type: ignore[arg-type]


@given(text=st.text(max_size=80), before=st.sampled_from(["cause", "one", "calls", ""]))
def test_no_text_fails(text: str, before: str) -> None:
    assert goes_on(text, before) in (True, False)
    assert gone_on(text, before) in ("cause", "one", "calls", "")
    assert goes_on("\t" + text, begun(text))


HEADERS = st.sampled_from([
    *("", "<13>", "<13> ", "<11>Nov 23 12:00:00 web1 app[7]: ", "Nov  3 12:00:00 web1 app: ", "[    1.5] "),
    *("<11>1 2026-11-23T12:00:00Z web1 app 7 - - ", '<11>1 2026-11-23T12:00:00Z web1 app - - [a b="c"] '),
    *("2026-11-23 12:00:00.123 UTC [812] ", "2026-11-23 12:00:00,123 "),
])  # fmt: skip
TEXTS = st.sampled_from(sorted({line for trace in TRACES.values() for line in trace.splitlines()})) | st.sampled_from(
    ["", " ", "ready", "[5-1] LOG:  a", "[5-2] more", "#", "x", "main.main()", "Throwable", "-", " x: ", "1.5] x"]
)


@given(lines=st.lists(st.builds("".join, st.tuples(HEADERS, TEXTS)), max_size=25))
def test_lines_that_are_spared_a_look_would_not_have_gone_on(lines: list[str]) -> None:
    """An expression of the user's that nothing matches has every line looked at."""
    found, wanted = ([*stage.feed(Batch.of(lines), 0.0), *stage.drain(1.0)] for stage in (Join(), Join(more="(?!)")))
    assert found == wanted


@pytest.mark.parametrize("line", ["<11>Nov 23 12:00:00 web1 sshd[7]: Failed password for x", "GET /a?b=c 200 1.5 ms"])
def test_most_lines_are_spared_a_look(line: str) -> None:
    assert plain(line, words_in(line))
