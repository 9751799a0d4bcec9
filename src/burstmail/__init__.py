"""burstmail: log lines in, one mail per burst out.

Sources read, the core decides, drivers wait, sinks act. The whole path in ten lines is in the README; what each part
promises stands in its docstring, and why in docs/design.md. Fakes for tests are in `burstmail.testing`.

A name is loaded when it is first used, so that whoever imports the package for one part does not pay for all.
"""

from __future__ import annotations

# Not from typing, which would cost more than all of this.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from .clock import Clock as Clock
    from .clock import Clocked as Clocked
    from .clock import SystemClock as SystemClock
    from .core.accept import Framer as Framer
    from .core.admit import ANYTHING as ANYTHING
    from .core.admit import Admit as Admit
    from .core.admit import Filter as Filter
    from .core.admit import where as where
    from .core.aggregate import Aggregator as Aggregator
    from .core.backoff import Backoff as Backoff
    from .core.cap import Caps as Caps
    from .core.chain import chain as chain
    from .core.compose import Composer as Composer
    from .core.contains import contains as contains
    from .core.criteria import criteria as criteria
    from .core.deliver import Outbox as Outbox
    from .core.excerpt import Excerpt as Excerpt
    from .core.fields import Fields as Fields
    from .core.flow import Flow as Flow
    from .core.guests import SyslogLimits as SyslogLimits
    from .core.join import Join as Join
    from .core.keep import Keep as Keep
    from .core.keyed import Keyed as Keyed
    from .core.keyed import keyed as keyed
    from .core.limits import CoolDown as CoolDown
    from .core.limits import Limit as Limit
    from .core.mail.report import Report as Report
    from .core.match import at_least as at_least
    from .core.match import match as match
    from .core.model import Attempt as Attempt
    from .core.model import Batch as Batch
    from .core.model import Burst as Burst
    from .core.model import CloseReason as CloseReason
    from .core.model import DeadLetter as DeadLetter
    from .core.model import Item as Item
    from .core.model import Message as Message
    from .core.model import Outage as Outage
    from .core.patterns.tally import Pattern as Pattern
    from .core.patterns.tally import Tally as Tally
    from .core.route import Route as Route
    from .core.route import Routes as Routes
    from .core.session import Session as Session
    from .core.split import by as by
    from .core.split import each as each
    from .core.stage import Instant as Instant
    from .core.stage import Stage as Stage
    from .core.stage import State as State
    from .core.statistics import RouteStatistics as RouteStatistics
    from .core.statistics import Statistics as Statistics
    from .core.threshold import Threshold as Threshold
    from .core.timeline import Timeline as Timeline
    from .core.whole import Whole as Whole
    from .core.window import Window as Window
    from .drivers.aio.pipeline import AsyncPipeline as AsyncPipeline
    from .drivers.collect import Collection as Collection
    from .drivers.collect import collect as collect
    from .drivers.thread import Pipeline as Pipeline
    from .errors import BurstmailError as BurstmailError
    from .errors import DeliveryError as DeliveryError
    from .errors import PermanentDeliveryError as PermanentDeliveryError
    from .errors import StateMismatch as StateMismatch
    from .errors import StoreError as StoreError
    from .errors import TemporaryDeliveryError as TemporaryDeliveryError
    from .host import default_sender as default_sender
    from .host import hostname as hostname
    from .logging import BurstHandler as BurstHandler
    from .sinks import Sink as Sink
    from .sinks.callback import CallbackSink as CallbackSink
    from .sinks.fallback import FallbackSink as FallbackSink
    from .sinks.maildir import MaildirSink as MaildirSink
    from .sinks.sendmail import SendmailSink as SendmailSink
    from .sinks.smtp import SMTPSink as SMTPSink
    from .sinks.steps import Step as Step
    from .sources import Resumable as Resumable
    from .sources import Source as Source
    from .sources.activation import Passed as Passed
    from .sources.activation import activated as activated
    from .sources.activation import standard_input as standard_input
    from .sources.file import FileSource as FileSource
    from .sources.iterable import IterableSource as IterableSource
    from .sources.journal import JournalSource as JournalSource
    from .sources.stream import StreamSource as StreamSource
    from .sources.syslog import SyslogSource as SyslogSource
    from .sources.tls import TLS as TLS
    from .stores import Change as Change
    from .stores import Entry as Entry
    from .stores import MemoryStore as MemoryStore
    from .stores import Saved as Saved
    from .stores import Store as Store
    from .stores.sqlite import FileStore as FileStore

__version__ = "0.1.0"

# The same names as above, by module: what a type checker reads and what runs must agree, and a test sees to it.
_NAMES = {
    "clock": "Clock Clocked SystemClock",
    "core.accept": "Framer",
    "core.admit": "ANYTHING Admit Filter where",
    "core.aggregate": "Aggregator",
    "core.backoff": "Backoff",
    "core.cap": "Caps",
    "core.chain": "chain",
    "core.compose": "Composer",
    "core.contains": "contains",
    "core.criteria": "criteria",
    "core.deliver": "Outbox",
    "core.excerpt": "Excerpt",
    "core.fields": "Fields",
    "core.flow": "Flow",
    "core.join": "Join",
    "core.guests": "SyslogLimits",
    "core.keep": "Keep",
    "core.keyed": "Keyed keyed",
    "core.limits": "CoolDown Limit",
    "core.match": "at_least match",
    "core.model": "Attempt Batch Burst CloseReason DeadLetter Item Message Outage",
    "core.patterns.tally": "Pattern Tally",
    "core.mail.report": "Report",
    "core.route": "Route Routes",
    "core.session": "Session",
    "core.split": "by each",
    "core.stage": "Instant Stage State",
    "core.statistics": "RouteStatistics Statistics",
    "core.whole": "Whole",
    "core.window": "Window",
    "core.threshold": "Threshold",
    "core.timeline": "Timeline",
    "drivers.aio.pipeline": "AsyncPipeline",
    "drivers.collect": "Collection collect",
    "drivers.thread": "Pipeline",
    "errors": "BurstmailError DeliveryError PermanentDeliveryError StateMismatch StoreError TemporaryDeliveryError",
    "host": "default_sender hostname",
    "logging": "BurstHandler",
    "sinks": "Sink",
    "sinks.callback": "CallbackSink",
    "sinks.fallback": "FallbackSink",
    "sinks.maildir": "MaildirSink",
    "sinks.sendmail": "SendmailSink",
    "sinks.smtp": "SMTPSink",
    "sinks.steps": "Step",
    "sources": "Resumable Source",
    "sources.activation": "Passed activated standard_input",
    "sources.file": "FileSource",
    "sources.iterable": "IterableSource",
    "sources.journal": "JournalSource",
    "sources.stream": "StreamSource",
    "sources.syslog": "SyslogSource",
    "sources.tls": "TLS",
    "stores": "Change Entry MemoryStore Saved Store",
    "stores.sqlite": "FileStore",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
if not TYPE_CHECKING:
    # A type checker does not count it together: it takes all that stands above.
    __all__ = [*_HOMES]
del TYPE_CHECKING


def __getattr__(name: str) -> object:
    if (module := _HOMES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
