"""Several sinks, one after the other: each is asked only about those whom the ones before it did not serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail import (
    Burst,
    CallbackSink,
    DeliveryError,
    FallbackSink,
    Item,
    MaildirSink,
    Message,
    Outbox,
    PermanentDeliveryError,
    TemporaryDeliveryError,
)

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.org"
KINDS = {"temporary": TemporaryDeliveryError, "permanent": PermanentDeliveryError}


class Relay:
    """Answers as it is told: a word for all, or one for each recipient; "ok" accepts. Keeps what it was asked."""

    def __init__(self, name: str, answer: str | Mapping[str, str] = "ok", *, by_name: bool = False) -> None:
        self.name = name
        self.answer = answer
        self.by_name = by_name
        self.asked: list[Item] = []
        self.served: list[str] = []

    def __repr__(self) -> str:
        return f"Relay({self.name!r})"

    def error(self, word: str) -> DeliveryError:
        return KINDS[word](f"{self.name} says {word}")

    def send(self, item: Item) -> Mapping[str, DeliveryError]:
        self.asked.append(item)
        names = item.recipients if isinstance(item, Message) else ("",)
        if isinstance(self.answer, str) and self.answer != "ok" and not self.by_name:
            raise self.error(self.answer)
        words = {name: self.answer if isinstance(self.answer, str) else self.answer.get(name, "ok") for name in names}
        self.served += [name for name, word in words.items() if word == "ok"]
        return {name: self.error(word) for name, word in words.items() if word != "ok"}


def failure(sink: FallbackSink, item: Item) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sink.send(item)
    return caught.value


def test_a_sink_that_returns_nothing_has_served_all(message):
    """Others are not asked, and nobody gets two mails."""

    class Silent:
        def send(self, item: Item) -> None:
            return None

    other = Relay("other")
    assert FallbackSink(Silent(), other).send(message) == {}
    assert other.asked == []


def test_the_first_that_accepts_is_the_last_that_is_asked(message):
    first, second, third = Relay("a", "temporary"), Relay("b"), Relay("c")
    assert FallbackSink(first, second, third).send(message) == {}
    assert first.asked == second.asked == [message] and third.asked == []


@pytest.mark.parametrize("word", KINDS)
def test_after_either_kind_of_failure_the_next_is_asked(message, word):
    second = Relay("b")
    assert FallbackSink(Relay("a", word), second).send(message) == {}
    assert second.served == [ALICE, BOB]


def test_the_next_gets_the_same_mail_for_the_others_only(message):
    first, second = Relay("a", {BOB: "permanent"}), Relay("b")
    assert FallbackSink(first, second).send(message) == {}
    assert (first.served, second.served) == ([ALICE], [BOB])
    assert second.asked == [replace(message, recipients=(BOB,))]


@pytest.mark.parametrize("words", list(product(KINDS, repeat=3)), ids="-".join)
@pytest.mark.parametrize("by_name", [False, True])
def test_it_is_permanent_only_when_all_said_so(message, words, by_name):
    relays = [Relay(name, word, by_name=by_name) for name, word in zip("abc", words, strict=True)]
    error = failure(FallbackSink(*relays), message)
    assert type(error) is (PermanentDeliveryError if set(words) == {"permanent"} else TemporaryDeliveryError)
    assert str(error) == "; then ".join(f"{name} says {word}" for name, word in zip("abc", words, strict=True))


def test_each_recipient_has_its_own_verdict(message):
    three = replace(message, recipients=(ALICE, BOB, CAROL))
    first = Relay("a", {ALICE: "permanent", BOB: "permanent"})
    second = Relay("b", {ALICE: "permanent", BOB: "temporary"})
    failed = FallbackSink(first, second).send(three)
    assert {name: type(error) for name, error in failed.items()} == {
        ALICE: PermanentDeliveryError,
        BOB: TemporaryDeliveryError,
    }
    assert first.served == [CAROL] and CAROL not in second.asked[0].recipients


def test_different_errors_for_all_come_back_one_by_one(message):
    failed = FallbackSink(Relay("a", {ALICE: "permanent", BOB: "temporary"})).send(message)
    assert {name: type(error) for name, error in failed.items()} == {
        ALICE: PermanentDeliveryError,
        BOB: TemporaryDeliveryError,
    }


def test_nothing_is_remembered(message):
    first, second = Relay("a", "temporary"), Relay("b")
    sink = FallbackSink(first, second)
    sink.send(message)
    first.answer = "ok"
    sink.send(message)
    assert len(first.asked) == 2 and len(second.asked) == 1


def test_a_bug_surfaces_and_nobody_else_is_asked(message):
    second = Relay("b")
    with pytest.raises(ZeroDivisionError):
        FallbackSink(CallbackSink(lambda item: 1 / 0), second).send(message)
    assert second.asked == []


def test_names_nobody_asked_about_are_not_passed_on(message):
    class Confused:
        def send(self, item: Item) -> Mapping[str, DeliveryError]:
            return {CAROL: PermanentDeliveryError("who?")}

    assert FallbackSink(Confused()).send(message) == {}


def test_a_recipient_named_twice_is_served_once(message):
    second = Relay("b")
    assert FallbackSink(Relay("a", "temporary"), second).send(replace(message, recipients=(ALICE, ALICE))) == {}
    assert second.served == [ALICE]


def test_a_burst_falls_back_as_a_mail_does(burst):
    second = Relay("b")
    assert FallbackSink(Relay("a", "temporary"), second).send(burst) == {}
    assert second.asked == [burst]


@pytest.mark.parametrize("by_name", [False, True])
def test_a_burst_that_nobody_takes_is_an_error_for_the_whole(burst, by_name):
    sink = FallbackSink(Relay("a", "permanent", by_name=by_name), Relay("b", "temporary", by_name=by_name))
    assert type(failure(sink, burst)) is TemporaryDeliveryError


def test_the_null_sender_passes_through(message):
    second = Relay("b")
    FallbackSink(Relay("a", "temporary"), second).send(replace(message, sender=""))
    (item,) = second.asked
    assert isinstance(item, Message) and item.sender == ""


def test_one_fallback_inside_another_is_one_list(message):
    last = Relay("c")
    inner = FallbackSink(Relay("b", "permanent"), last)
    assert FallbackSink(Relay("a", {BOB: "temporary"}), inner).send(message) == {}
    assert last.served == [BOB]


def test_real_sinks_fall_back_too(message, tmp_path):
    (tmp_path / "file").write_text("not a Maildir")
    sink = FallbackSink(MaildirSink(tmp_path / "file"), MaildirSink(tmp_path / "box"))
    assert sink.send(message) == {}
    assert len(list((tmp_path / "box" / "new").iterdir())) == 1


def test_the_representation_names_all():
    assert repr(FallbackSink(Relay("a"), Relay("b"))) == "FallbackSink(Relay('a'), Relay('b'))"


def test_without_a_sink_there_is_nothing_to_fall_back_to():
    with pytest.raises(ValueError, match="at least one sink"):
        FallbackSink()


@pytest.mark.parametrize("wrong", [[Relay("a")], None, "smtp://localhost", print])
def test_what_is_no_sink_is_refused_at_once(wrong):
    with pytest.raises(TypeError, match="no sink"):
        FallbackSink(Relay("a"), wrong)


WORDS = st.sampled_from(["ok", *KINDS])


@given(st.lists(st.fixed_dictionaries({ALICE: WORDS, BOB: WORDS, CAROL: WORDS}), min_size=1, max_size=4))
def test_whatever_they_answer_each_recipient_is_served_once_or_named(answers):
    relays = [Relay(str(number), answer) for number, answer in enumerate(answers)]
    mail = _mail((ALICE, BOB, CAROL))
    try:
        failed: Mapping[str, DeliveryError] = FallbackSink(*relays).send(mail)
    except DeliveryError as error:
        failed = dict.fromkeys(mail.recipients, error)
    for name in mail.recipients:
        words = [answer[name] for answer in answers]
        served = sum(relay.served.count(name) for relay in relays)
        assert served == ("ok" in words) == (name not in failed)
        if name in failed:
            assert isinstance(failed[name], KINDS["permanent" if set(words) == {"permanent"} else "temporary"])


def test_an_outbox_takes_its_answer(message):
    box = Outbox()
    (attempt,) = box.feed(message, 0)
    sink = FallbackSink(Relay("a", {ALICE: "permanent", BOB: "permanent"}), Relay("b", {BOB: "permanent"}))
    _, dead = box.settle(sink.send(attempt.item), 1)
    assert [letter.item.recipients for letter in dead if isinstance(letter.item, Message)] == [(BOB,)]
    assert box.waiting == 0


def _mail(recipients: tuple[str, ...]) -> Message:
    from burstmail import Batch, CloseReason, Excerpt, Keep

    batch = Batch.of("x")
    excerpt = Excerpt.of(batch.lines, keep=Keep(head=1, tail=1))
    burst = Burst(
        key="", excerpt=excerpt, first=0, last=0, closed=0, time=0, reason=CloseReason.GAP, epoch="e", seq=1, gone=0
    )
    return Message(id="<x@y>", sender="a@b", recipients=recipients, data=b"Subject: x\r\n\r\nx\r\n", burst=burst)
