"""A certificate authority and what it signs, made by the `openssl` command."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

GOOD = "DNS:localhost,IP:127.0.0.1"
KEYS = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"


class Authority:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.pem"
        self._key("ca")
        # Python 3.13 verifies strictly (RFC 5280): an authority must say what its key is for.
        usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=tests", "-out", "ca.pem", *usage, at=folder)

    def server(self, name: str, *, names: str = GOOD, days: int = 2, signed: bool = True) -> ssl.SSLContext:
        """A server's context with a fresh certificate for `names`; by itself unless `signed`, expired if days < 0."""
        self._key(name)
        openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr", at=self.folder)
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n{KEYS}")
        by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"] if signed else ["-signkey", f"{name}.key"]
        paper = ["-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.ext", "-days", str(days)]
        openssl("x509", "-req", *paper, *by, at=self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context

    def _key(self, name: str) -> None:
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key", at=self.folder)


def openssl(*arguments: str, at: Path) -> None:
    subprocess.run(["openssl", *arguments], cwd=at, check=True, capture_output=True)
