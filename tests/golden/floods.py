"""Bursts of many lines, made by rule. The numbers are drawn with a seed; `random()` gives the same on every Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

from tests.golden.scene import Line

T = TypeVar("T")

USERS = ("root", "root", "root", "root", "admin", "ubuntu", "postgres", "git", "backup")
INVALID = ("oracle", "test", "user", "pi", "ftpuser", "minecraft", "hadoop", "deploy", "steam", "guest", "nagios")


class Draw:
    """Choices that are the same in every run."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random

    def below(self, bound: int) -> int:
        return int(self._random() * bound)

    def one(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def address(self, many: int) -> str:
        number = self.below(many)
        return f"{('203.0.113', '198.51.100', '192.0.2')[number % 3]}.{number // 3 % 254 + 1}"


def ssh() -> Iterable[Line]:
    """Three guesses of a password per connection, for a minute."""
    draw = Draw(1)
    for number in range(4000):
        second = number // 40 * 0.55
        address, port, pid = draw.address(203), 32768 + draw.below(28000), 20000 + number
        said = f"<38>{{t}} web1 sshd[{pid}]:"
        tail = f"from {address} port {port}"
        if draw.chance(0.7):
            user = draw.one(USERS)
            yield second, f"{said} Failed password for {user} {tail} ssh2"
            if draw.chance(0.3):
                yield second, f"{said} Connection closed by authenticating user {user} {address} port {port} [preauth]"
        else:
            user = draw.one(INVALID)
            yield second, f"{said} Invalid user {user} {tail}"
            yield second, f"{said} Failed password for invalid user {user} {tail} ssh2"
        if number % 500 == 499:
            yield second, (
                f"<35>{{t}} web1 sshd[{pid}]: error: maximum authentication attempts exceeded for root {tail} ssh2"
            )
    yield 55.0, "<38>{t} web1 sshd[24100]: Accepted password for git from 203.0.113.77 port 50110 ssh2"


def firewall() -> Iterable[Line]:
    """A hundred thousand blocked packets in a minute."""
    draw = Draw(2)
    ports = (23, 23, 23, 22, 445, 445, 3389, 8080, 5555, 2323)
    for number in range(100_000):
        second = number // 500 * 0.29
        protocol = "UDP" if draw.chance(0.08) else "TCP"
        rest = "LEN=42" if protocol == "UDP" else "WINDOW=1024 RES=0x00 SYN URGP=0"
        yield second, (
            f"<4>{{t}} gw1 kernel: [{72000 + second:.6f}] [UFW BLOCK] IN=eth0 OUT= "
            f"MAC=52:54:00:12:34:56:00:1a:2b:3c:4d:5e:08:00 SRC={draw.address(700)} DST=192.0.2.10 LEN=40 "
            f"TOS=0x00 PREC=0x00 TTL={draw.below(14) + 230} ID={draw.below(65536)} "
            f"PROTO={protocol} SPT={draw.below(60000) + 1024} DPT={draw.one(ports)} {rest}"
        )


def cron() -> Iterable[Line]:
    """The same job fails on 30 hosts; the mirror they fetch from is gone."""
    draw = Draw(3)
    for number in range(30):
        host, second = f"node{number + 1:02d}", number // 6 * 2.0
        for attempt in range(1 + draw.below(3)):
            pid = 4000 + draw.below(20000)
            yield second, f"<78>{{t}} {host} CRON[{pid}]: (root) CMD (/usr/local/sbin/fetch-blocklist --quiet)"
            yield second + attempt * 20, (
                f"<77>{{t}} {host} fetch-blocklist[{pid + 1}]: mirror.example.net: "
                "Connection timed out after 10001 milliseconds"
            )
            yield second + attempt * 20, f"<75>{{t}} {host} CRON[{pid}]: (root) FAILED (exit status 28)"


def usb() -> Iterable[Line]:
    """A bad cable."""
    stamp = 5012.0
    for number in range(24):
        second, device = number * 1.5, 12 + number
        said = f"<6>{{t}} desk7 kernel: [{stamp + second:.6f}] usb 1-4:"
        yield second, f"{said} new high-speed USB device number {device} using xhci_hcd"
        if number % 3:
            yield second, f"<3>{{t}} desk7 kernel: [{stamp + second:.6f}] usb 1-4: device descriptor read/64, error -71"
        else:
            yield second, f"{said} New USB device found, idVendor=0951, idProduct=1666, bcdDevice= 1.10"
            yield second, f"{said} Product: DataTraveler 3.0"
        yield second + 0.5, f"{said} USB disconnect, device number {device}"
    yield 36.5, f"<3>{{t}} desk7 kernel: [{stamp + 36.5:.6f}] usb usb1-port4: unable to enumerate USB device"


def mailqueue() -> Iterable[Line]:
    """A relay that does not answer."""
    draw = Draw(4)
    for number in range(340):
        second = number // 8 * 0.9
        queue = f"{draw.below(1 << 40):010X}"
        person, domain = draw.one(("anna", "ben", "chen", "dora", "emil")), draw.one(("example.com", "partner.example"))
        if number % 17 == 0:
            yield second, (
                f"<20>{{t}} mx1 postfix/smtp[{3000 + number % 20}]: connect to relay.example.net[198.51.100.25]:25: "
                "Connection timed out"
            )
        yield second, (
            f"<22>{{t}} mx1 postfix/smtp[{3000 + number % 20}]: {queue}: to=<{person}@{domain}>, relay=none, "
            f"delay={draw.below(9000)}, delays={draw.below(8000)}/0.0{draw.below(9)}/30/0, dsn=4.4.1, status=deferred "
            "(connect to relay.example.net[198.51.100.25]:25: Connection timed out)"
        )
    yield 38.0, "<18>{t} mx1 postfix/master[1201]: fatal: the queue file system is 96% full"


def web() -> Iterable[Line]:
    """The backend restarts; the web server says so to everybody."""
    draw = Draw(5)
    for number in range(900):
        second = number // 30 * 0.7
        address = draw.address(300)
        path = draw.one(("/", "/cart", f"/products/{draw.below(9000)}", "/api/v1/session", "/checkout?step=2"))
        status = draw.one((502, 502, 502, 504))
        yield second, (
            f'<190>{{t}} www2 nginx: {address} - - "GET {path} HTTP/1.1" {status} 157 "-" '
            '"Mozilla/5.0 (X11; Linux x86_64)"'
        )
        if number % 9 == 0:
            yield second, (
                f"<187>{{t}} www2 nginx: [error] 912#912: *{40000 + number} connect() failed (111: Connection refused) "
                f'while connecting to upstream, client: {address}, server: shop.example.org, '
                f'request: "GET {path} HTTP/1.1", upstream: "http://127.0.0.1:8080{path}", host: "shop.example.org"'
            )


def deadlocks() -> Iterable[Line]:
    """Two jobs that lock the same rows in different order."""
    draw = Draw(6)
    for number in range(14):
        second, pid = number * 2.25, 18000 + number
        one, two = 400000 + draw.below(9000), 400000 + draw.below(9000)
        said = f"<131>{{t}} db1 postgres[{pid}]:"
        yield second, f"{said} [{number + 7}-1] app@shop ERROR:  deadlock detected"
        yield second, (
            f"{said} [{number + 7}-2] app@shop DETAIL:  Process {pid} waits for ShareLock on transaction {one}; "
            f"blocked by process {pid - 3}."
        )
        yield second, (
            f"{said} [{number + 7}-3] Process {pid - 3} waits for ShareLock on transaction {two}; "
            f"blocked by process {pid}."
        )
        yield second, f"{said} [{number + 7}-4] app@shop HINT:  See server log for query details."
        yield second, (
            f"{said} [{number + 7}-5] app@shop STATEMENT:  UPDATE stock SET reserved = reserved + 1 "
            f"WHERE sku = 'AB-{draw.below(9999):04d}'"
        )


def json_lines() -> Iterable[Line]:
    """What containers write: no header, all in the line."""
    draw = Draw(7)
    for number in range(60):
        second = number // 4 * 0.8
        request = f"{draw.below(1 << 48):012x}"
        if number % 5:
            yield second, (
                '{"ts":"{iso}","level":"error","msg":"upstream timeout","service":"payments",'
                f'"request_id":"{request}","duration_ms":{5000 + draw.below(40)},'
                f'"upstream":"http://acquirer.example:9000/v3/charge","retry":{number % 3}}}'
            )
        else:
            yield second, (
                '{"ts":"{iso}","level":"warn","msg":"circuit breaker open","service":"payments",'
                f'"request_id":"{request}","failures":{20 + draw.below(9)},'
                '"note":"caf\\u00e9 \\"quoted\\" <b>bold</b>"}'
            )


def held() -> Iterable[Line]:
    """A network card that loses its link, again and again, for a quarter of an hour."""
    for number in range(60):
        second = number * 14.0
        said = f"<6>{{t}} gw2 kernel: [{40000 + second:.6f}] e1000e 0000:00:1f.6 eno1: NIC Link is"
        yield second, f"{said} Down"
        yield second + 3, f"{said} Up 1000 Mbps Full Duplex, Flow Control: Rx/Tx"
        if number % 20 == 7:
            yield second + 3, "<29>{t} gw2 keepalived[811]: (VI_1) Entering MASTER STATE"


def outage() -> Iterable[Line]:
    """A power cut: first of all the mail server goes away."""
    said = "<28>{t} ups1 upsmon[590]: UPS rack2@localhost"
    yield 0.0, f"{said} on battery"
    for number in range(12):
        second = 240.0 * (number + 1)
        yield second, f"{said} battery charge {91 - 7 * number}%, {38 - 3 * number} min left"
        if number > 7:
            yield second + 1, "<25>{t} ups1 upsmon[590]: UPS rack2@localhost battery is low"
    yield 3100.0, "<29>{t} ups1 upsmon[590]: UPS rack2@localhost on line power"
