"""What has become of the lines and mails so far, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStatistics:
    """A snapshot of one route's counts."""

    name: str
    lines_in: int
    """Lines that came by it, since the start."""
    lines_held: int
    """Lines in its open windows, or held by its caps."""
    bursts: int
    """Bursts that have left its stages; each is one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """A snapshot of a flow's counts.

    Lines: `lines_in == lines_held + lines_out + lines_own + lines_refused + lines_below`. With several destinations,
    held and out count a line once for each, and so do the mails; with routes that share lines, once for each route.
    """

    lines_in: int
    """Lines taken in."""
    lines_held: int
    """Lines in open windows, held by caps, or in messages that wait."""
    lines_waiting: int
    """Of these, lines in messages that wait."""
    lines_out: int
    """Lines of messages delivered or dead."""
    lines_own: int
    """Lines about burstmail's own mail: the next mail says how many they are."""
    lines_refused: int
    """Lines that passed no filter, or came by no route."""
    lines_below: int
    """Lines that did not reach a threshold: the next mail of their route says how many they are."""
    lines_left_out: int
    """Lines that bursts count but do not show."""
    bursts: int
    """Bursts that have left the stages; each is one message."""
    sent: int
    """Messages accepted."""
    deferred: int
    """Attempts that failed for now."""
    dead: int
    """Messages refused for good, or given up, for at least one recipient."""
    waiting: int
    """Messages not delivered yet."""
    routes: tuple[RouteStatistics, ...] = ()
    """The same by route, where there are routes."""
