"""A step that failed -> what to do about it, in one line. Pure: words, codes and what came before decide.

What a server says is shown beside it: this is what its words mean for whoever configures burstmail. Reply codes are
those of RFC 5321 section 4.2.3 and RFC 4954 section 6, the three numbers behind them those of RFC 3463.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from burstmail import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What the options say of the way to an SMTP server."""

    host: str = ""
    port: int = 0
    user: bool = False
    """Whether it logs in."""
    ca: bool = False
    """Whether --smtp-ca says what to trust."""


LATER = "nothing, if it passes: burstmail tries again by itself; else the mail server's log says why"
LOG = "the mail server's log says more (journalctl -u postfix, /var/log/mail.log)"
CLOCK = "look at this machine's clock (date); if it is right, the certificate's owner must renew it"
LOGIN = "say --smtp smtp://USER@HOST:587 and --password-file FILE"
PASSWORD = (
    "correct the user (in --smtp, USER@; often the whole address, with %40 for its @) or the first line of "
    "--password-file; providers that ask for a second factor want an app password"
)


def remedy(step: Step, before: Sequence[Step] = (), way: Way | None = None) -> str:
    """What to do about a step that failed; `before` is what had gone well."""
    way = way or Way()
    return BY_NAME[step.name](step, before, way) if step.name in BY_NAME else _else(step, way)


def _lookup(step: Step, before: Sequence[Step], way: Way) -> str:
    if step.reason == "unknown name":
        return f"correct the name in --smtp: `getent hosts {way.host}` finds nothing either"
    return f"the name server does not answer: see /etc/resolv.conf; try `getent hosts {way.host}`"


def _connect(step: Step, before: Sequence[Step], way: Way) -> str:
    ports = "25 is for mail servers among themselves, 587 for a login with STARTTLS, 465 (smtps://) for TLS at once"
    if step.reason == "refused":
        return f"start the mail server that should listen on port {way.port}, or correct host and port: {ports}"
    if step.reason == "timeout":
        return f"a firewall drops it, or the host is down; many networks close port 25 to the outside: {ports}"
    if step.reason == "unreachable":
        return f"there is no way to this address: `ip route get {step.about}` shows what the system would do"
    if step.reason == "forbidden":
        return (
            "a firewall of this machine or a sandbox forbids it (systemd: IPAddressDeny=, RestrictAddressFamilies=); "
            "allow it"
        )
    return _else(step, way)


def _handshake(step: Step, before: Sequence[Step], way: Way) -> str:
    at_once = not any(one.name == "greeting" for one in before)
    look = f"`openssl s_client -connect {way.host}:{way.port}{'' if at_once else ' -starttls smtp'}` shows it"
    if step.reason in ("expired", "not yet valid"):
        return CLOCK
    if step.reason == "other name":
        return f"say --smtp with a name that is in the certificate, not {way.host}: {look}"
    if step.reason == "unknown authority":
        if way.ca:
            return f"--smtp-ca holds other authorities than the one that signed this certificate: {look}"
        return f"if the server is your own, give its authority's certificate as --smtp-ca FILE: {look}"
    if step.reason == "no TLS" and at_once:
        return f"port {way.port} does not begin with TLS: say smtp:// for STARTTLS, or the port for TLS (465)"
    if step.reason in ("no TLS", "certificate", "TLS"):
        return f"the server's TLS is broken or too old (this side wants 1.2 or newer), and only its owner helps: {look}"
    return _else(step, way)


def _greeting(step: Step, before: Sequence[Step], way: Way) -> str:
    encrypted = any(one.name == "TLS handshake" for one in before)
    if step.reason in ("timeout", "lost", "no SMTP") and not encrypted:
        return f"if port {way.port} begins with TLS, as 465 does, say smtps:// in --smtp; else no mail server is there"
    if step.code >= 500:
        return "the server wants no mail from this machine's address; its words say why, or its owner knows"
    return _else(step, way)


def _starttls(step: Step, before: Sequence[Step], way: Way) -> str:
    if step.reason == "not offered":
        return (
            f"use smtps://{way.host}:465 if it has that; on a network you trust, and without a login, ?tls=off behind "
            "the URL does without"
        )
    return "the server's TLS does not work: " + LOG


def _login(step: Step, before: Sequence[Step], way: Way) -> str:
    encrypted = any(one.name == "TLS handshake" for one in before)
    if step.code == 534 or "5.7.9" in step.words:
        return "the provider wants an app password, made in its settings, in --password-file"
    if not encrypted and (step.code == 538 or step.reason == "not offered" or "5.7.11" in step.words):
        return "it takes no login without TLS: leave ?tls=off out of --smtp"
    if step.reason == "not offered" or step.code in (500, 502, 503, 504):
        return "it offers no login that burstmail knows: try port 587 or 465, or leave USER@ out if it needs none"
    if step.code in (535, 530, 538) or (step.reason == "reply" and step.code >= 500):
        return PASSWORD
    return _else(step, way)


def _sender(step: Step, before: Sequence[Step], way: Way) -> str:
    if wanted := _wants_more(step, way):
        return wanted
    if step.reason == "address":
        return "say --from with an address of ASCII letters: nothing else can be sent"
    if step.code == 552 or ".2.2" in step.words or ".3.4" in step.words:
        return "the mail is too large for it, or the mailbox full: say a smaller --attach"
    if step.code >= 500:
        return f"say --from with a sender it accepts{' from this user' if way.user else ''}, of a domain that exists"
    return _else(step, way)


def _recipient(step: Step, before: Sequence[Step], way: Way) -> str:
    if wanted := _wants_more(step, way):
        return wanted
    said = step.words.lower()
    if step.reason == "address":
        return "correct --to: an address of ASCII letters is all that can be sent"
    if ".2.2" in step.words or (step.code in (452, 552) and "full" in said):
        return "the mailbox is full: its owner must make room"
    if "relay" in said or "5.7.1" in step.words:
        return (
            f"it delivers elsewhere only for those it knows: {'correct --to' if way.user else LOGIN}, or have it relay "
            "for this machine (Postfix: mynetworks)"
        )
    if "greylist" in said or "graylist" in said or step.code in (450, 451):
        return (
            "many servers send a stranger away the first time: burstmail tries again by itself; run this again in 5 min"
        )
    if step.code >= 500:
        return "correct --to: it has no such mailbox, or does not accept mail for it"
    return _else(step, way)


def _content(step: Step, before: Sequence[Step], way: Way) -> str:
    if step.code == 552 or ".3.4" in step.words:
        return "the mail is too large for it: say a smaller --attach"
    if step.reason == "reply" and step.code >= 500:
        return f"it does not like what is in the mail (a filter against spam?): {LOG}"
    if step.reason in ("lost", "timeout"):
        return f"whether it has the mail is not known; burstmail would send it again, as the same mail: {LOG}"
    return _else(step, way)


def _wants_more(step: Step, way: Way) -> str:
    """Of a server that wants TLS or a login before it hears of a mail; empty if it does not."""
    if step.code not in (530, 535, 538, 550, 553, 554):
        return ""
    said = step.words.lower()
    if "starttls" in said:
        return "it wants TLS first: leave ?tls=off out of --smtp, and say the server's name instead of localhost"
    if step.code == 530 or "authenticat" in said or "log in" in said:
        return PASSWORD if way.user else f"it wants a login: {LOGIN}"
    return ""


# sysexits.h, as mail servers' own sendmail and its small replacements (msmtp, ssmtp) use it.
STATUS = {
    64: "this sendmail does not understand its options: name another with --sendmail PATH, or use --smtp",
    67: "correct --to: there is no such user",
    68: "correct --to: there is no such host",
    75: "the mail server does not run, or may not write its queue (under systemd, NoNewPrivileges= stops Postfix's "
    "setgid postdrop); " + LOG,
    77: "the mail server refuses this user, or its own login failed; " + LOG,
    78: "the mail server's own configuration is wrong: mend it (Postfix: `postfix check`)",
    127: "a program that it needs is not there; run it by hand to see",
}


def _sendmail(step: Step, before: Sequence[Step], way: Way) -> str:
    if step.reason == "exit":
        return STATUS.get(step.code, f"its own words say why, or {LOG}")
    if step.reason == "timeout":
        return "the command hangs: run it by hand (`sendmail -i ADDRESS`, a line, Ctrl-D) to see where"
    if step.reason == "killed":
        return "something ended it: the kernel for want of memory, or a sandbox (systemd: SystemCallFilter=); see dmesg"
    if step.reason == "address":
        return "correct --to and --from: this cannot be an argument of a command"
    if step.code == errno.ENOEXEC:
        return "it is no program: name the right one with --sendmail PATH"
    if step.code in (errno.EACCES, errno.EPERM):
        return "this user may not run it: run burstmail as another, or name another with --sendmail PATH"
    return "mend what the words name, then run this again"


def _maildir(step: Step, before: Sequence[Step], way: Way) -> str:
    if step.code in (errno.EACCES, errno.EPERM):
        return "run burstmail as the user whose directory it is, or let this user write there"
    if step.code in (errno.ENOSPC, errno.EDQUOT):
        return "make room on the disk"
    if step.code == errno.EROFS:
        return "it cannot be written here: name another --maildir, or allow it (systemd: ReadWritePaths=)"
    if step.code in (errno.ENOTDIR, errno.EEXIST, errno.ELOOP):
        return "something on that path is no directory: name another --maildir"
    return "mend what the words name, or name another --maildir"


def _else(step: Step, way: Way) -> str:
    """What a failure means wherever it comes."""
    if step.reason == "reply" and step.code < 500:
        return LATER
    if step.reason == "timeout":
        return f"the server, or something on the way to it, is too slow or hangs: try again; {LOG}"
    if step.reason == "lost":
        return f"the connection broke off: try again; if it goes on, {LOG}"
    if step.reason == "no SMTP":
        return f"what answers on port {way.port} is no mail server: correct host and port in --smtp"
    if step.reason == "system":
        return "mend what the words name: this machine is short of something"
    return f"its own words say why; {LOG}"


BY_NAME: dict[str, Callable[[Step, Sequence[Step], Way], str]] = {
    "lookup": _lookup,
    "connect": _connect,
    "TLS handshake": _handshake,
    "greeting": _greeting,
    "STARTTLS": _starttls,
    "AUTH": _login,
    "MAIL FROM": _sender,
    "RCPT TO": _recipient,
    "DATA": _content,
    "sendmail": _sendmail,
    "Maildir": _maildir,
}
