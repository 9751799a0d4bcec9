"""burstmail: log lines in, one mail per burst out.

Sources read, the core decides, drivers wait, sinks act. The whole path in ten lines is in the README; what each part
promises stands in its docstring, and why in docs/design.md. Fakes for tests are in `burstmail.testing`.
"""

from __future__ import annotations

from .clock import Clock as Clock
from .clock import Clocked as Clocked
from .clock import SystemClock as SystemClock
from .core.accept import Framer as Framer
from .core.aggregate import Aggregator as Aggregator
from .core.backoff import Backoff as Backoff
from .core.cap import Caps as Caps
from .core.chain import chain as chain
from .core.compose import Composer as Composer
from .core.deliver import DeadLetter as DeadLetter
from .core.deliver import Outbox as Outbox
from .core.excerpt import Excerpt as Excerpt
from .core.excerpt import Keep as Keep
from .core.fields import Fields as Fields
from .core.fields import by as by
from .core.fields import each as each
from .core.flow import Flow as Flow
from .core.flow import Statistics as Statistics
from .core.keyed import Keyed as Keyed
from .core.keyed import keyed as keyed
from .core.limits import CoolDown as CoolDown
from .core.limits import Limit as Limit
from .core.model import Attempt as Attempt
from .core.model import Batch as Batch
from .core.model import Burst as Burst
from .core.model import CloseReason as CloseReason
from .core.model import Item as Item
from .core.model import Message as Message
from .core.session import Session as Session
from .core.session import Window as Window
from .core.stage import Instant as Instant
from .core.stage import Stage as Stage
from .core.stage import State as State
from .drivers.thread import Pipeline as Pipeline
from .errors import BurstmailError as BurstmailError
from .errors import DeliveryError as DeliveryError
from .errors import PermanentDeliveryError as PermanentDeliveryError
from .errors import StateMismatch as StateMismatch
from .errors import TemporaryDeliveryError as TemporaryDeliveryError
from .host import default_sender as default_sender
from .host import hostname as hostname
from .sinks import Sink as Sink
from .sinks.callback import CallbackSink as CallbackSink
from .sinks.maildir import MaildirSink as MaildirSink
from .sinks.sendmail import SendmailSink as SendmailSink
from .sinks.smtp import SMTPSink as SMTPSink
from .sources import Source as Source
from .sources.iterable import IterableSource as IterableSource
from .sources.stream import StreamSource as StreamSource

__version__ = "0.1.0"
