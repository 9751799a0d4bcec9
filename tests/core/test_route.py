"""Routes: each line to where it belongs, and to nobody else; nothing lost, and nothing hidden."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import laws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import (
    Admit,
    Aggregator,
    Batch,
    Burst,
    Caps,
    Composer,
    Flow,
    Instant,
    Join,
    Keep,
    Limit,
    Message,
    PermanentDeliveryError,
    Route,
    Routes,
    Stage,
    StateMismatch,
    TemporaryDeliveryError,
    Threshold,
    contains,
    each,
    match,
)
from burstmail.core.admit import Filter
from burstmail.core.model import Attempt

KEEP = Keep(head=500, tail=500)


class Has(Filter):
    """Lines with one of these letters in them."""

    def __init__(self, letters: str) -> None:
        self.letters = letters

    def __call__(self, line: str) -> bool:
        if "!" in line:
            raise KeyError(line)
        return bool(set(self.letters) & set(line))


def path(to: str = "", **more: Any) -> list[Stage[Any, Any]]:
    stages: list[Stage[Any, Any]] = [Aggregator(gap=2, max_age=5, keep=KEEP), Caps(Limit(2, per=30), per_key=None)]
    return [*stages, Composer(to=f"{to}@example.org", sender="me@example.org", host="h", **more)] if to else stages


def routes(every: bool = False, to: bool = True) -> Routes:
    named = {"a": "a", "b": "ab", "c": "c"}
    return Routes(*(Route(Has(has), *path(name if to else ""), name=name) for name, has in named.items()), every=every)


def flow(every: bool = False, **more: Any) -> Flow:
    return Flow(routes(every), epoch="e", **more)


def fed(flow: Flow, lines: Sequence[str], now: float) -> Sequence[Attempt]:
    return flow.feed(flow.stamp(Batch.of(lines), 1e9 + now), now)


def delivered(flow: Flow, out: Sequence[Attempt], now: float) -> list[Message]:
    """All that leaves until nothing waits any more, every attempt accepted."""
    messages: list[Message] = []
    todo = list(out)
    while todo:
        attempt = todo.pop(0)
        assert isinstance(attempt.item, Message)
        messages.append(attempt.item)
        todo += flow.settle({}, now, destination=attempt.destination)[0]
    return messages


def lines_of(message: Message) -> list[str]:
    return [*message.burst.head, *message.burst.tail]


# Which lines.


def test_a_line_goes_to_the_first_route_that_takes_it() -> None:
    parts = routes().split(Batch.of(["a1", "b1", "x", "c1", "a2"]))
    assert [(name, part.lines) for name, part in parts] == [("a", ["a1", "a2"]), ("b", ["b1"]), ("c", ["c1"])]


def test_or_to_every_one() -> None:
    parts = routes(every=True).split(Batch.of(["a1", "b1", "x"]))
    assert [(name, part.lines) for name, part in parts] == [("a", ["a1"]), ("b", ["a1", "b1"])]


@pytest.mark.parametrize("every", [False, True])
def test_what_comes_by_no_route_is_counted(every: bool) -> None:
    stage = routes(every)
    stage.split(Batch.of(["a", "x", "y", "ab"]))
    stage.split(Batch.of(["z"]))
    stage.split(Batch.of(["c"]))
    assert stage.refused == 3


def test_a_batch_that_goes_one_way_is_not_made_anew() -> None:
    batch = Batch.of(["a", "a"])
    ((_, part),) = routes().split(batch)
    assert part is batch


def test_lines_below_a_threshold_are_told_of_once() -> None:
    batch = Batch(text="a\nb\nc\n", count=3, below=7)
    assert [part.below for _, part in routes().split(batch)] == [7, 0, 0]


def test_or_by_the_next_that_come_when_none_of_these_has_a_route() -> None:
    stage = routes()
    assert stage.split(Batch(text="x\n", count=1, below=7)) == []
    assert [part.below for _, part in stage.split(Batch(text="a\nb\n", count=2, below=1))] == [8, 0]
    assert [part.below for _, part in stage.split(Batch.of("a"))] == [0]


def test_a_record_goes_one_way_as_a_whole() -> None:
    batch = Batch(text="a\n\tb\n c\nc\n\ta\n", count=5, joined=True)
    parts = routes().split(batch)
    assert [(name, part.lines) for name, part in parts] == [("a", ["a", "\tb", " c", "c", "\ta"])]
    batch = Batch(text="c\n\tx\nb\n\tc\n", count=4, joined=True)
    assert [(name, part.lines) for name, part in routes().split(batch)] == [("b", ["b", "\tc"]), ("c", ["c", "\tx"])]


def test_when_a_filter_raises_nothing_has_changed() -> None:
    stage = routes(to=False)
    before = stage.dump()
    with pytest.raises(KeyError):
        stage.feed(Batch.of(["a", "x", "b!"]), 1.0)
    assert (stage.dump(), stage.refused, stage.held) == (before, 0, 0)


# What is wrong is said when it is made.


def test_a_route_needs_a_name_of_its_own() -> None:
    with pytest.raises(ValueError, match="a Route needs a name"):
        Route(Has("a"), name="")
    with pytest.raises(ValueError, match="two have the name 'a'"):
        Routes(Route(Has("a"), name="a"), Route(Has("b"), name="a"))
    with pytest.raises(ValueError, match="at least one Route"):
        Routes()
    with pytest.raises(ValueError, match="route 'a': routes do not stand in a route"):
        Route(Has("a"), routes(), name="a")
    with pytest.raises(ValueError, match="Caps after Routes: put it into each Route"):
        Flow(routes(to=False), Caps())


# As a stage by itself it keeps the laws.

WORDS = st.lists(st.sampled_from(["a", "b", "ab", "c", "ac", "x"]), min_size=1, max_size=4).map(Batch.of)
SCRIPTS = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 2.0, 7.0]), st.one_of(WORDS, st.just(laws.FLUSH))), max_size=8)
MAKES = {
    "first, bursts": lambda: routes(to=False),
    "every, bursts": lambda: routes(every=True, to=False),
    "first, mails": lambda: routes(),
    "windows only": lambda: Routes(Route(Has("a"), Aggregator(gap=2, keep=KEEP), name="a"), Route(Has("b"), name="b")),
}


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@given(script=SCRIPTS)
def test_it_keeps_the_laws_of_polls_progress_and_dumps(make: laws.Make, script: laws.Script) -> None:
    for law in (laws.poll_law, laws.progress, laws.dump_law):
        law(make, script)


@given(script=SCRIPTS)
def test_lines_in_are_lines_out_held_and_refused_by_route(script: laws.Script) -> None:
    stage, now, came, left = routes(to=False), 0.0, dict.fromkeys("abc", 0), dict.fromkeys("abc", 0)
    lines = 0
    for gap, item in [*script, (100.0, "drain")]:
        now += gap
        if isinstance(item, Batch):
            lines += item.count
            for name, part in routes(to=False).split(item):
                came[name] += part.count
        for burst in laws.give(stage, item, now):
            left[burst.route] += burst.count
        held = {name: part.held for name, part in stage._chains.items()}
        assert {name: left[name] + held[name] for name in came} == came
        assert sum(came.values()) + stage.refused == lines
    assert stage.held == 0


def test_a_state_of_other_routes_is_none_of_it() -> None:
    stage = routes(to=False)
    stage.feed(Batch.of("a"), 0.0)
    before = stage.dump()
    other = Routes(Route(Has("a"), *path(), name="a"))
    with pytest.raises(StateMismatch, match="other routes"):
        stage.load(other.dump())
    broken = json.loads(json.dumps(before))
    broken[2][2][1] = ["no", "state"]
    with pytest.raises(StateMismatch):
        stage.load(broken)
    assert stage.dump() == before


# In a flow: recipients never see what is not theirs.

LETTERS = st.text("abcx", min_size=1, max_size=3)
FEEDS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 3.0, 40.0]), st.lists(LETTERS, min_size=1, max_size=4)), max_size=8
)


@given(FEEDS, st.booleans())
def test_no_line_of_one_route_is_in_the_mail_of_another(feeds: list[tuple[float, list[str]]], every: bool) -> None:
    engine, now, number = flow(every), 0.0, 0
    messages: list[Message] = []
    wanted: dict[str, list[str]] = {name: [] for name in "abc"}
    for gap, texts in feeds:
        now += gap
        lines = [f"{text} {number + place}" for place, text in enumerate(texts)]
        number += len(lines)
        for line in lines:
            taken = [name for name, has in (("a", "a"), ("b", "ab"), ("c", "c")) if Has(has)(line)]
            for name in taken if every else taken[:1]:
                wanted[name].append(line)
        messages += delivered(engine, fed(engine, lines, now), now)
    messages += delivered(engine, engine.poll(now + 1000), now + 1000)
    messages += delivered(engine, engine.drain(now + 2000), now + 2000)
    found: dict[str, list[str]] = {name: [] for name in "abc"}
    for message in messages:
        assert message.recipients == (f"{message.burst.route}@example.org",)
        found[message.burst.route] += lines_of(message)
        text = message.readable()
        others = {line for name in wanted for line in wanted[name]} - set(wanted[message.burst.route])
        assert not {line for line in text.splitlines() if line.strip() in others}
    assert found == wanted
    assert len({message.id for message in messages}) == len(messages)
    counts = engine.statistics()
    total = sum(map(len, wanted.values()))
    assert (counts.lines_out, counts.lines_held) == (total, 0)
    assert counts.lines_refused == number - len({line for lines in wanted.values() for line in lines})
    assert {route.name: route.lines_in for route in counts.routes} == {name: len(own) for name, own in wanted.items()}


def test_one_line_by_two_routes_is_two_mails() -> None:
    engine = flow(every=True)
    messages = delivered(engine, fed(engine, ["a"], 0.0), 0.0) + delivered(engine, engine.poll(10.0), 10.0)
    assert [message.recipients for message in messages] == [("a@example.org",), ("b@example.org",)]
    assert messages[0].id != messages[1].id


def test_a_flood_in_one_route_does_not_delay_another() -> None:
    engine = flow()
    messages: list[Message] = []
    for second in range(0, 30, 3):
        messages += delivered(engine, fed(engine, ["a"], second), second)
    messages += delivered(engine, fed(engine, ["c"], 31.0), 31.0)
    messages += delivered(engine, engine.poll(33.0), 33.0)
    assert [message.burst.route for message in messages].count("a") <= 3
    (urgent,) = [message for message in messages if message.burst.route == "c"]
    assert urgent.burst.waited == 0.0


def test_all_routes_pause_while_their_destination_is_down_and_fold() -> None:
    engine = flow()
    down = TemporaryDeliveryError("no route to host")
    now = 0.0
    for step in range(20):
        now = step * 40.0
        for attempt in [*fed(engine, ["a", "c"], now), *engine.poll(now + 3)]:
            assert attempt
            engine.settle(down, now + 3)
    counts = engine.statistics()
    # Three mails make it full; what each route held at that moment is all that can come on top.
    assert counts.waiting <= 4
    assert counts.lines_held == 40


# What a mail says about burstmail itself.


def test_what_was_left_out_of_one_log_is_not_shown_to_another_reader() -> None:
    engine = flow()
    fed(engine, ["<13>Nov 23 12:00:00 h burstmail[1]: a secret of somebody"], 0.0)
    messages = delivered(engine, fed(engine, ["a", "c"], 0.0), 0.0) + delivered(engine, engine.poll(9.0), 9.0)
    assert len(messages) == 2
    for message in messages:
        text = " ".join(message.readable().split())
        assert "1 line about burstmail itself was left out. " in text and "secret" not in text


def test_a_dead_letter_is_told_to_nobody_of_another_route() -> None:
    engine = flow()
    notices: list[Message] = []
    for attempt in [*fed(engine, ["a", "c"], 0.0), *engine.poll(9.0)]:
        todo = [attempt]
        while todo:
            item = todo.pop().item
            assert isinstance(item, Message)
            if item.sender:
                todo += engine.settle(PermanentDeliveryError("no such user"), 9.0)[0]
            else:
                notices.append(item)
                todo += engine.settle({}, 9.0)[0]
    assert [notice.burst.route for notice in notices] == ["a", "c"]
    for notice in notices:
        other = {"a": "c@example.org", "c": "a@example.org"}[notice.burst.route]
        assert other not in notice.readable()


# What survives, and a configuration that changes.


def busy() -> Flow:
    """Of each route a window is open, and mails are held by its caps."""
    engine = flow()
    for second in (0, 3, 6, 9):
        delivered(engine, fed(engine, [f"{name} {second}" for name in "abc"], second), second)
    return engine


def test_all_routes_come_back() -> None:
    engine, twin = busy(), flow()
    assert twin.recall(json.loads(json.dumps(engine.state())), 9.0) == []
    assert twin.held == engine.held > 0
    after = [delivered(one, one.poll(1e4), 1e4) for one in (engine, twin)]
    assert [message.data for message in after[0]] == [message.data for message in after[1]]


def test_what_waits_of_a_route_that_is_gone_goes_to_its_own_recipients() -> None:
    twin = Flow(Routes(Route(Has("c"), *path("c"), name="c")), epoch="e")
    strays = twin.recall(json.loads(json.dumps(busy().state())), 9.0)
    assert {stray.burst.route for stray in strays} == {"a", "b"}
    messages = delivered(twin, twin.take(strays, 9.0, "These lines were kept."), 9.0)
    messages += delivered(twin, twin.poll(1e4), 1e4)
    for message in messages:
        assert message.recipients == (f"{message.burst.route}@example.org",)
        assert {line[0] for line in lines_of(message)} == {message.burst.route}
    assert {message.burst.route for message in messages} == {"a", "b", "c"}
    assert "These lines were kept." in messages[0].readable()


def test_a_route_with_another_name_keeps_its_redactions() -> None:
    def named(name: str) -> Flow:
        hidden = path("c", redact=[lambda text: text.replace("hunter2", "...")])
        return Flow(Routes(Route(Has("a"), *path("a", redact=[]), name="a"), Route(Has("c"), *hidden, name=name)))

    engine, twin = named("c"), named("other")
    fed(engine, ["c hunter2"], 0.0)
    strays = twin.recall(json.loads(json.dumps(engine.state())), 9.0)
    (message,) = delivered(twin, twin.take(strays, 9.0, "Kept."), 9.0)
    assert message.recipients == ("c@example.org",) and "hunter2" not in message.readable()


def test_without_routes_any_more_it_is_the_same() -> None:
    twin = Flow(*path("all"), epoch="e")
    messages = delivered(twin, twin.take(twin.recall(busy().state(), 9.0), 9.0, "Kept."), 9.0)
    assert {message.recipients for message in messages} == {(f"{name}@example.org",) for name in "abc"}


def test_a_state_that_is_not_to_be_trusted_parts_them_as_well() -> None:
    engine = busy()
    strays = engine.salvage([1, 9.0, 1e9, engine.state()], 9.0)
    assert {stray.burst.route: {line[0] for line in stray.burst.head} for stray in strays} == {
        name: {name} for name in "abc"
    }
    assert [stray.recipients for stray in strays] == [(f"{name}@example.org",) for name in "abc"]


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("broken", [False, True])
def test_what_waited_in_front_of_the_routes_comes_by_them_when_that_stage_is_gone(joined: bool, broken: bool) -> None:
    front: Stage[Any, Any] = Join() if joined else Threshold(9, per=60)
    engine, twin = Flow(front, routes(), epoch="e"), flow()
    fed(engine, ["c 1", "x 2", "\tab", "b 3"], 0.0)
    state = json.loads(json.dumps(engine.state()))
    strays = twin.salvage([1, 9.0, 1e9, state], 9.0) if broken else twin.recall(state, 9.0)
    messages = delivered(twin, twin.take(strays, 9.0, "Kept."), 9.0)
    messages += delivered(twin, twin.poll(1e4), 1e4)
    # A record is one thing, and goes as a whole, or not at all.
    wanted = {"a": ["x 2", "\tab"] if joined else ["\tab"], "b": ["b 3"], "c": ["c 1"]}
    assert {message.recipients[0][0]: lines_of(message) for message in messages} == wanted


@pytest.mark.parametrize("end", ["poll", "flush", "drain", "feed"])
def test_a_filter_that_raises_at_what_a_stage_lets_go_loses_nothing(end: str) -> None:
    engine = Flow(Join(key=each(lambda line: line)), routes(), epoch="e")
    out = fed(engine, ["b 1", "c! 2", "x 3", "c 4"], 0.0)
    out += {
        "poll": lambda: engine.poll(1.0),
        "flush": lambda: engine.flush(0.5),
        "drain": lambda: engine.drain(0.5),
        "feed": lambda: fed(engine, ["x 5"], 5.0),
    }[end]()
    messages = delivered(engine, [*out, *engine.poll(20.0)], 20.0)
    assert {message.burst.route: lines_of(message) for message in messages} == {
        "a": ["c! 2"],
        "b": ["b 1"],
        "c": ["c 4"],
    }
    assert all("A filter raised KeyError: the line came by the route" in message.readable() for message in messages)
    counts = engine.statistics()
    assert counts.lines_in == counts.lines_out + counts.lines_held + counts.lines_refused


def test_lines_below_a_threshold_are_told_of_where_a_filter_raises() -> None:
    stage = routes(to=False)
    told = [stage.coped(Batch(text=text, count=text.count("\n"), below=3)) for text in ("x\n", "a\nc\n")]
    assert [[part.below for _, part in parts] for parts in told] == [[], [6, 0]]
    assert stage.refused == 1


def test_a_record_whose_filter_raises_stays_together() -> None:
    batch = Batch(text="c 1\n\tb! 2\n", count=2, joined=True)
    (stray,) = flow().raw(batch, 0.0)
    assert (stray.burst.route, stray.burst.head) == ("a", ("c 1", "\tb! 2"))


def test_where_no_route_is_known_the_first_one_gets_what_is_left() -> None:
    engine = Flow(*path("all"), epoch="e")
    fed(engine, ["c 1"], 0.0)
    state = json.loads(json.dumps(engine.state()))
    # As before routes: nobody wrote down for whom the lines were.
    state[4][4][0][2] = []
    twin = flow()
    messages = delivered(twin, twin.take(twin.recall(state, 9.0), 9.0, "Kept."), 9.0)
    assert [message.recipients for message in messages] == [("a@example.org",)]


def test_lines_that_make_a_filter_raise_go_where_that_filter_stands() -> None:
    strays = flow().raw(Batch.of(["c 1", "x 2", "b! 3", "b 4"]), 0.0)
    assert {stray.burst.route: stray.burst.head for stray in strays} == {
        "a": ("b! 3",),
        "b": ("b 4",),
        "c": ("c 1",),
    }


def test_bursts_without_mails_are_forwarded_as_they_are() -> None:
    named = Flow(Routes(Route(Has("a"), *path(), name="a"), Route(Has("c"), *path(), name="c")), epoch="e")
    fed(named, ["a 1"], 0.0)
    state = json.loads(json.dumps(named.state()))
    state[4][4][0][2] = ["a@example.org"]
    twin = Flow(Routes(Route(Has("c"), *path(), name="c")), epoch="e")
    (attempt,) = twin.take(twin.recall(state, 9.0), 9.0, "Kept.")
    assert isinstance(attempt.item, Burst)
    assert (attempt.item.route, attempt.item.notes) == ("a", ("Kept.",))


def test_several_destinations_each_have_all_routes() -> None:
    engine = flow(destinations=["one", "two"])
    out = [*fed(engine, ["a", "c"], 0.0), *engine.poll(9.0)]
    ids = [(attempt.destination, attempt.item.id) for attempt in out if isinstance(attempt.item, Message)]
    assert {name for name, _ in ids} == {"one", "two"}
    assert len({id for _, id in ids}) == len(ids)
    assert engine.statistics().lines_held == 4


# What stands in front of the routes.


def fronted() -> Flow:
    return Flow(Join(wait=5), routes(), epoch="e")


@pytest.mark.parametrize("end", ["flush", "end", "drain"])
def test_what_is_open_in_front_of_the_routes_comes_by_them_at_the_end(end: str) -> None:
    engine = fronted()
    fed(engine, ["a", " 1", "c"], 0.0)
    assert engine.held == 3
    messages = delivered(engine, getattr(engine, end)(1.0), 1.0)
    assert [(message.burst.route, lines_of(message)) for message in messages] == [("a", ["a", " 1"]), ("c", ["c"])]


def test_filters_of_both_kinds_decide_a_batch_as_they_decide_a_line() -> None:
    either = match(program="app") & (contains("one") | contains("two"))
    lines = [f"Nov 23 12:00:00 h {program}[1]: {word}" for program in ("app", "db") for word in ("one", "three", "two")]
    (batch,) = Admit(either).feed(Batch.of(lines), 0.0)
    assert batch.lines == [line for line in lines if either(line)] == [lines[0], lines[2]]
    assert Admit(either).feed(Batch.of(lines[1:2] * 9), 0.0) == []


def test_a_filter_that_raises_at_what_is_fed_surfaces_and_nothing_has_changed() -> None:
    engine = flow()
    with pytest.raises(KeyError):
        fed(engine, ["a", "b!"], 0.0)
    assert (engine.held, engine.statistics().lines_in) == (0, 0)


class Stuck(Instant[Any, Any]):
    """Due at once, and again and again."""

    deadline = 1.0  # type: ignore[assignment]  # a moment that does not move


def test_a_stage_that_is_due_for_ever_is_found_out() -> None:
    stage = Routes(Route(Has("a"), Stuck(), name="a"))
    with pytest.raises(RuntimeError, match="a stage is due at 1.0 after poll"):
        stage.poll(2.0)
