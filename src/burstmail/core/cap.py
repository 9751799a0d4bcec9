"""Burst -> Burst. Caps delay and merge; they never drop.

A burst leaves at once if every gate is open: the limits of the whole path and the rules of its key, all decided here,
at one departure. Else it is held, folds with what comes of its key, and leaves by itself when a slot comes free.
While paused nothing leaves, and everything folds: mails that wait already are not made more. With a reserve, an urgent
burst has slots that others do not get, waits for no cool-down, and goes first; the limits hold for all together.
Limits: over `separate` keys held, one digest takes their place; over `keys` keys known, newcomers share one memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import inf

from .fold import SOURCES, sources
from .hold import Held, Hold
from .kinds import counts, listed, numbers, of_kind
from .limits import CoolDown as CoolDown
from .limits import Gate, Gates, Rule, Rules
from .limits import Limit as Limit
from .model import Burst
from .stage import State, opened

# Three at once for what begins, then five a quarter of an hour: a person reads no more than 20 mails an hour, and is
# never without news for more than 15 minutes.
LIMITS = (Limit(3, 60.0), Limit(5, 900.0))
PER_KEY = CoolDown()


class Caps:
    """Limits over all keys, and rules for each key (`per_key`: a Limit, a CoolDown, several, or None).

    Without limits, `Limit(3, 60)` and `Limit(5, 900)` hold. What is held leaves oldest first. When more than `separate`
    keys are held, one digest takes their place, with the rules of `per_key` for itself; until it leaves it takes in
    whatever comes. `reserve` slots of each limit over all keys are for urgent bursts only (Aggregator's `urgent`):
    these do not wait for a cool-down, take along what their key holds, and leave before all others. Raises ValueError
    for `separate` or `keys` below 1, for more than one CoolDown, and for a reserve that leaves a limit nothing.

    >>> from burstmail import Aggregator, Batch, Caps, Limit, chain
    >>> stage = chain(Aggregator(gap=5), Caps(Limit(1, per=60)))
    >>> for second in (0, 10, 20):
    ...     for burst in stage.feed(Batch.of("disk failed"), second):
    ...         print(f"{burst.count} line left at {second} s")
    1 line left at 10 s
    >>> [(burst.count, burst.bursts) for burst in stage.poll(65.0)]
    [(2, 2)]
    """

    def __init__(
        self,
        *limits: Limit,
        per_key: Rule | Iterable[Rule] | None = PER_KEY,
        separate: int = 3,
        keys: int = 1000,
        reserve: int = 0,
    ) -> None:
        counts("Caps", separate=separate, keys=keys)
        numbers("Caps", reserve=reserve)
        of_kind(Limit, limits, "Caps({!r}): must be a Limit, as Limit(20, per=3600)")
        self._all_rules, self._key_rules = Rules(limits or LIMITS), Rules(() if per_key is None else listed(per_key))
        smallest = min(self._all_rules.limits, key=lambda limit: limit.count)
        if not 0 <= reserve < smallest.count:
            raise ValueError(
                f"Caps(reserve={reserve!r}): must be 0 or more, and leave {smallest} a slot for the others"
            )
        self._separate, self._keys, self._reserve = separate, keys, reserve
        self._all = Gate(self._all_rules)
        self._gates = Gates(self._key_rules, keys)
        # Digests are a series of their own: a flood of ever new keys would else give one for every newcomer.
        self._digests = Gate(self._key_rules)
        self._hold = Hold()
        # Since when nothing leaves; and when that last ended: nothing leaves as of a time before it.
        self._pause: float | None = None
        self._resumed = -inf

    @property
    def paused(self) -> bool:
        """Whether nothing leaves until `resume`."""
        return self._pause is not None

    @property
    def deadline(self) -> float:
        """When the next of what is held may leave; `inf` while nothing is held, and while paused."""
        if self.paused:
            return inf
        return min((moment for moment, _ in self._moments()), default=inf)

    def _moments(self) -> Iterator[tuple[float, str | None]]:
        """When each that is held may leave, in the order in which they do; None is the digest."""
        for urgent in (True, False):
            some = [(key, held) for key, held in self._hold if self._urgent(held.burst) == urgent]
            opens = max(self._resumed, self._all.opening(0 if urgent else self._reserve)) if some else inf
            for key, held in some:
                yield max(opens, self._ready(key, held)), key

    def _ready(self, key: str | None, held: Held) -> float:
        """When it may leave, as far as its own key lets it."""
        gate = self._digests if key is None else self._gates.of(key)
        return max(gate.opening(cool=not self._urgent(held.burst)), held.ready)

    def _urgent(self, burst: Burst) -> bool:
        """Without a reserve there is nothing that an urgent burst has before others."""
        return burst.urgent and self._reserve > 0

    @property
    def held(self) -> int:
        """Lines held."""
        return sum(held.burst.count for _, held in self._hold)

    def feed(self, item: Burst, now: float) -> Sequence[Burst]:
        """`poll(now)`, then the burst; it leaves at once if every gate is open."""
        out = self.poll(now)
        hold = self._hold
        # Lines of a key must not leave before older ones of theirs.
        beside = item.key in hold.held or (self._urgent(item) and not hold.may_hold(item.key))
        if hold.digest and not beside:
            self._digests.touch(now)
            hold.digest = self._plus(hold.digest, item, now, self._gates.glance(item.key, now))
        else:
            self._gates.admit(item.key, now, hold.held)
            before = hold.held.get(item.key)
            hold.held[item.key] = self._plus(before, item, now, now) if before else Held(item, now, now, now)
        out += self.poll(now)
        if len(hold.held) > self._separate:
            ready = min(held.ready if key is None else self._ready(key, held) for key, held in hold)
            self._digests.touch(now)
            digest = hold.together()
            hold.become(replace(digest, ready=max(ready, now) if self._urgent(digest.burst) else ready))
            # With an urgent one among them it need perhaps not wait for what the others wait for.
            out += self.poll(now)
        return out

    def _plus(self, held: Held, item: Burst, now: float, ready: float) -> Held:
        """With one burst more, which could leave by itself at `ready`; as of now if it hastens the rest."""
        hastens = self._urgent(item) and not held.burst.urgent
        return held.plus(item, now, now if hastens else min(held.ready, ready))

    def poll(self, now: float) -> list[Burst]:
        """What has a slot leaves, as of the moment at which the slot came free."""
        out: list[Burst] = []
        while (due := self.deadline) <= now:
            out.append(self._depart(due))
        return out

    flush = poll

    def pause(self, now: float) -> Sequence[Burst]:
        """`poll(now)`, then nothing leaves any more but by `drain`; it all folds, within the same bounds."""
        out = self.poll(now)
        self._pause = self._pause if self.paused else now
        return out

    def resume(self, now: float) -> Sequence[Burst]:
        """The end of a pause: what has a slot leaves, as of now and not of a time within the pause."""
        if self.paused:
            self._charge(now)
            self._pause, self._resumed = None, now
        return self.poll(now)

    def wake(self, now: float) -> None:
        """Nobody has looked for a while: what had a slot meanwhile leaves as of `now`, not of a time in the past."""
        self._resumed = max(self._resumed, now)

    def _charge(self, now: float) -> None:
        """What is held has waited for the pause, up to now."""
        if (start := self._pause) is not None:
            self._hold.through(start, now)

    def drain(self, now: float) -> list[Burst]:
        """`poll(now)`, then all that is held as one burst, the only one over the limits; paused or not."""
        out = self.poll(now)
        self._charge(now)
        if any(self._hold):
            held = self._hold.together()
            self._hold.become(None)
            # The end: nothing is held back any more that one could be told about.
            burst = self._leave(held, _keys(held), now)
            out.append(replace(burst, resume=None, sooner=False))
        return out

    def _depart(self, now: float) -> Burst:
        key = next(key for moment, key in self._moments() if moment <= now)
        held = dict(self._hold)[key]
        if key is None:
            self._digests.record(now)
        burst = self._leave(held, _keys(held) if key is None else [key], now)
        self._hold.drop(key)
        return burst

    def _leave(self, held: Held, keys: Sequence[str], now: float) -> Burst:
        # A digest is news of each of its keys, and starts or widens the cool-down of each.
        gates = list(dict.fromkeys(self._gates.admit(key, now, self._hold.held) for key in keys))
        for gate in (self._all, *gates):
            gate.record(now)
        # Of those a digest cannot name, any may be new and free to leave.
        opens = max(
            self._all.opening(self._reserve),
            -inf if len(held.burst.parts) > SOURCES else min(gate.opens for gate in gates),
        )
        time = held.burst.time + (now - held.latest)
        return replace(
            held.burst,
            time=time,
            waited=held.burst.waited + (now - held.since),
            resume=time + (opens - now) if opens > now else None,
            sooner=self._reserve > 0 and opens > now,
        )

    def dump(self) -> State:
        """The departures that matter, what is held, and whether it is paused."""
        pause = [self._pause, None if self._resumed == -inf else self._resumed]
        gates = self._all.dump(), self._gates.dump(), self._digests.dump()
        return ["caps", 1, *gates, *self._hold.dump(), pause]

    def load(self, state: State) -> None:
        """The dumped departures and bursts, under these caps' own rules."""
        whole, gates, digests, *held, (pause, resumed) = opened(state, "caps", 6)
        hold = Hold.restored(held)
        self._all = Gate(self._all_rules).load(whole)
        self._gates = Gates(self._key_rules, self._keys).load(gates)
        self._digests = Gate(self._key_rules).load(digests)
        self._hold = hold
        self._pause, self._resumed = pause, -inf if resumed is None else resumed


def _keys(held: Held) -> list[str]:
    return [key for key, _ in sources(held.burst)]
