"""The errors a caller can act on, named by what to do next.

Misuse is ValueError, TypeError or RuntimeError. Anything else that escapes a sink is a bug and surfaces.
"""

from __future__ import annotations


class BurstmailError(Exception):
    """Base of every error of this library's own."""


class StateMismatch(BurstmailError):
    """A dumped state does not fit this stage: another stage's, or another version's."""


class DeliveryError(BurstmailError):
    """A message was not delivered. Sinks raise one of the two subclasses, never this one."""


class TemporaryDeliveryError(DeliveryError):
    """Trying again later may help: the destination rests, the message waits."""


class PermanentDeliveryError(DeliveryError):
    """Trying again cannot help: this message (or this recipient) goes to the dead letters."""


class StoreError(BurstmailError):
    """A store cannot read or write: the driver goes on in memory, and tries again."""
