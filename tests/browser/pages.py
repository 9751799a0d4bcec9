"""The mails a browser is shown: every golden scene, and attacks in every place that comes from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from burstmail import Caps, Limit
from burstmail.core.stage import Stage
from tests.browser.attacks import ATTACKS
from tests.golden import scene as golden
from tests.golden.scene import Line, Scene
from tests.golden.scenes import SCENES


@dataclass(frozen=True, kw_only=True)
class Page:
    """A mail in its two views."""

    name: str
    text: str
    html: str


def _in_messages() -> Iterable[Line]:
    return ((0.0, f"<38>{{t}} web1 sshd[881]: {attack}") for attack in ATTACKS)


def _without_header() -> Iterable[Line]:
    return ((0.0, attack) for attack in ATTACKS)


def _as_patterns() -> Iterable[Line]:
    """Each in many lines that differ in a number: what is shown are patterns."""
    return (
        (second * 1.0, f"<{second % 8}>{{t}} web1 sshd[881]: try {number} {attack}")
        for attack in ATTACKS[:11]
        for second, number in enumerate(range(1000, 1040))
    )


def _as_names() -> Iterable[Line]:
    """As the host, the program, and so as the key; a name has no blank."""
    for attack in ATTACKS:
        name = attack.replace(" ", "/").replace(":", "").replace("[", "")[:120]
        yield 0.0, f"<38>{{t}} {name} {name}[881]: hello"


def _alone(attack: str) -> Iterable[Line]:
    return [(0.0, f"<38>{{t}} web1 sshd[881]: {attack}")]


def _as_name(attack: str) -> Iterable[Line]:
    return [(0.0, f"<38>{{t}} {attack.replace(' ', '/')} x: y")]


def _digest() -> list[Stage[Any, Any]]:
    return [Caps(Limit(1, per=60), per_key=None, separate=1)]


def _hostile(name: str, lines: Callable[[], Iterable[Line]], **more: Any) -> Scene:
    return Scene(name=name, lines=lines, **more)


ATTACKED = (
    _hostile("attacks in messages", _in_messages),
    _hostile("attacks as whole lines", _without_header),
    _hostile("attacks as patterns", _as_patterns),
    _hostile("attacks as names", _as_names),
    _hostile("attacks as keys", _as_names, window={"key": "host"}, stages=_digest, mail=1),
    # One that works could swallow what comes after it: each has a mail of its own, too.
    *(_hostile(f"an attack alone: {attack[:30]}", partial(_alone, attack)) for attack in ATTACKS),
    *(
        _hostile(f"a key of its own: {attack[:30]}", partial(_as_name, attack), window={"key": "host"})
        for attack in ATTACKS[:12]
    ),
)

PAGES = tuple(
    Page(name=scene.name, text=golden.text(scene), html=golden.page(scene)) for scene in (*SCENES, *ATTACKED)
)
