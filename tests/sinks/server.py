"""An SMTP server that fails as it is told: one fault for each stage. Threads on loopback.

A fault is the bytes of a reply, or a word: "close" (the connection), "reset" (the same, rudely), "hang" (say nothing
until the client leaves), "drip" (a reply that comes byte by byte and never ends), "endless" (one that comes as fast as
it can), "half" (a reply without its end, then close), "accepted" (a yes, then close; at the dot the yes is not heard).
With "then": "close" among the faults, a reply is the last one.
Stages: connect, banner, EHLO, HELO, STARTTLS, handshake, "EHLO again" (through TLS), AUTH, MAIL, RCPT,
"RCPT <address>", DATA, body, dot, after (the dot's reply is sent), QUIT.
"""

from __future__ import annotations

import base64
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

EXTENSIONS = ("PIPELINING", "SIZE 10240000", "8BITMIME")


class Gone(Exception):
    """The connection is over."""


@dataclass
class Mail:
    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    data: bytes = b""
    # As they came, dots doubled, with the one that ends them.
    raw: bytes = b""


class Server:
    def __init__(
        self,
        faults: Mapping[str, str | bytes] | None = None,
        *,
        context: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        mechanisms: str = "PLAIN",
        extensions: tuple[str, ...] = EXTENSIONS,
        once: bool = False,
    ) -> None:
        """`once`: the faults are for the first connection only."""
        self.faults = dict(faults or {})
        self.once = once
        # The stages at which a fault was played.
        self.played: list[str] = []
        self.context = context
        self.implicit = implicit
        self.login = login
        self.mechanisms = mechanisms
        self.extensions = extensions
        self.mails: list[Mail] = []
        # (command, whether it came through TLS)
        self.commands: list[tuple[str, bool]] = []
        self.connections = 0
        self._stopped = threading.Event()
        self._talks: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="scripted-smtp", daemon=True)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @contextmanager
    def absent(self) -> Iterator[None]:
        """Before the start: nobody listens on the port."""
        self._listener.close()
        yield
        self._listener = socket.create_server(("127.0.0.1", self.port))

    @contextmanager
    def crowded(self) -> Iterator[None]:
        """Before the start: so many wait to be accepted that the kernel drops whoever comes."""
        self._listener.listen(0)
        with ExitStack() as stack:
            for _ in range(4):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", self.port))
            yield

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        # Wakes accept(), whatever the state.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        self._listener.close()
        for thread in self._talks:
            thread.join(10)
        assert not any(thread.is_alive() for thread in (self._thread, *self._talks))

    @property
    def verbs(self) -> list[str]:
        return [command.split(" ")[0] for command, _ in self.commands]

    def _serve(self) -> None:
        while not self._stopped.is_set():
            connection, _ = self._listener.accept()
            if self._stopped.is_set():
                connection.close()
                return
            self.connections += 1
            faults = self.faults if self.connections == 1 or not self.once else {}
            # One for each: a client that has left must not keep the next one waiting.
            thread = threading.Thread(target=self._talk, args=(Session(self, connection, faults),), daemon=True)
            self._talks.append(thread)
            thread.start()

    def _talk(self, session: Session) -> None:
        try:
            session.talk()
        except (Gone, OSError):
            pass
        finally:
            session.close()


class Session:
    def __init__(self, server: Server, connection: socket.socket, faults: Mapping[str, str | bytes]) -> None:
        self.server = server
        self.faults = faults
        self.socket: Any = connection
        self.socket.settimeout(10)
        self.file = connection.makefile("rb")
        self.secure = False
        self.mail = Mail()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def talk(self) -> None:
        if "connect" in self.faults:
            self.act("connect")
        if self.server.implicit:
            self.encrypt()
        self.answer("banner", b"220 scripted.example ESMTP")
        while True:
            line = self.file.readline()
            if not line:
                raise Gone
            command = line.decode("ascii", "replace").rstrip("\r\n")
            verb = command[:4].upper() if command[4:5] == " " else command.upper()
            command = verb + command[len(verb) :]
            self.server.commands.append((command, self.secure))
            getattr(self, f"do_{verb}", self.unknown)(command)

    def encrypt(self) -> None:
        if self.faults.get("handshake", "accepted") != "accepted":
            self.act("handshake")
        assert self.server.context is not None
        self.file.close()
        self.socket = self.server.context.wrap_socket(self.socket, server_side=True)
        self.file = self.socket.makefile("rb")
        self.secure = True
        if "handshake" in self.faults:
            self.act("handshake")

    def answer(self, stage: str, reply: bytes) -> bool:
        """Whether the reply is the good one."""
        fault = self.faults.get(stage)
        if fault is None or fault == "accepted":
            self.socket.sendall(reply + b"\r\n")
        if fault is not None:
            self.act(stage)
        return fault is None

    def act(self, stage: str) -> None:
        fault = self.faults[stage]
        self.server.played.append(stage)
        if isinstance(fault, bytes):
            self.socket.sendall(fault + b"\r\n")
            if fault.startswith(b"421") or self.faults.get("then") == "close":
                raise Gone
        else:
            getattr(self, f"play_{fault}")(stage)

    def play_close(self, stage: str) -> None:
        raise Gone

    play_accepted = play_close

    def play_reset(self, stage: str) -> None:
        # The time a close takes: none, so that the system sends RST instead of FIN.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def play_hang(self, stage: str) -> None:
        if stage == "body":
            # Not reading is what makes the client's send() wait.
            self.server._stopped.wait(10)
            raise Gone
        while self.socket.recv(65536):
            pass
        raise Gone

    def play_drip(self, stage: str) -> None:
        # In a handshake, a record of 16 KiB that is never whole.
        self.socket.sendall(b"\x16\x03\x03\x40\x00" if stage == "handshake" else b"2")
        while not self.server._stopped.wait(0.01):
            self.socket.sendall(b"2")
        raise Gone

    def play_endless(self, stage: str) -> None:
        # In a handshake, records that mean nothing and are allowed.
        piece = b"\x14\x03\x03\x00\x01\x01" if stage == "handshake" else b"250-and so on\r\n"
        while True:
            self.socket.sendall(piece * 1000)

    def play_half(self, stage: str) -> None:
        self.socket.sendall(b"250 o")
        raise Gone

    def do_EHLO(self, command: str) -> None:
        lines = ["scripted.example", *self.server.extensions]
        if self.server.context and not self.secure:
            lines.append("STARTTLS")
        if self.server.login:
            lines.append(f"AUTH {self.server.mechanisms}")
        told = [f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]
        again = self.secure and not self.server.implicit and "EHLO again" in self.faults
        self.answer("EHLO again" if again else "EHLO", "\r\n".join(told).encode())

    def do_HELO(self, command: str) -> None:
        self.answer("HELO", b"250 scripted.example")

    def do_STARTTLS(self, command: str) -> None:
        fault = self.faults.get("STARTTLS")
        if self.answer("STARTTLS", b"220 go ahead") or (isinstance(fault, bytes) and fault.startswith(b"220")):
            self.encrypt()

    def do_AUTH(self, command: str) -> None:
        fault = self.faults.get("AUTH")
        if fault == b"echo":
            self.socket.sendall(f"502 what is {command}?\r\n".encode())
            return
        if fault is not None:
            self.answer("AUTH", b"235 welcome")
            return
        assert self.server.login
        if command.startswith("AUTH LOGIN"):
            given = (base64.b64decode(command.split()[2]).decode(), self.asked(b"UGFzc3dvcmQ6"))
        else:
            _, user, password = base64.b64decode(command.split()[2]).decode().split("\0")
            given = (user, password)
        ok = given == self.server.login
        self.socket.sendall(b"235 welcome\r\n" if ok else b"535 5.7.8 wrong\r\n")

    def asked(self, challenge: bytes) -> str:
        self.socket.sendall(b"334 " + challenge + b"\r\n")
        return base64.b64decode(self.file.readline()).decode()

    def do_MAIL(self, command: str) -> None:
        if self.answer("MAIL", b"250 ok"):
            self.mail = Mail(sender=command[command.index("<") + 1 : command.index(">")])

    def do_RCPT(self, command: str) -> None:
        address = command[command.index("<") + 1 : command.index(">")]
        special = f"RCPT {address}"
        if self.answer(special if special in self.faults else "RCPT", b"250 ok"):
            self.mail.recipients.append(address)

    def do_DATA(self, command: str) -> None:
        if self.answer("DATA", b"354 go on"):
            self.mail.data = self.body()
            if self.faults.get("dot", "accepted") == "accepted":
                self.server.mails.append(self.mail)
            if self.faults.get("dot") == "accepted":
                self.act("dot")
            self.answer("dot", b"250 stored")
            if "after" in self.faults:
                self.act("after")

    def body(self) -> bytes:
        fault = self.faults.get("body")
        if fault == "accepted":
            self.socket.sendall(b"250 stored\r\n")
        if fault is not None:
            self.file.readline()
            self.act("body")
        data = self.lines()
        if fault is not None:
            raise Gone
        return data

    def lines(self) -> bytes:
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise Gone
            lines.append(line)
        self.mail.raw = b"".join([*lines, line])
        return b"".join(line.removeprefix(b".") for line in lines)

    def do_RSET(self, command: str) -> None:
        self.socket.sendall(b"250 ok\r\n")

    def do_QUIT(self, command: str) -> None:
        self.answer("QUIT", b"221 bye")
        raise Gone

    def unknown(self, command: str) -> None:
        self.socket.sendall(b"500 unknown\r\n")
