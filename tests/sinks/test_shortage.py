"""A process that is short of descriptors when the first mail is due: that is temporary, and passes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own, where nothing is loaded but what the sinks load when they are made.
SCRIPT = """
import json, os, resource, sys
from burstmail import (
    Aggregator, Batch, Composer, DeliveryError, FallbackSink, MaildirSink, SendmailSink, SMTPSink,
    TemporaryDeliveryError,
)

folder, tls = sys.argv[1:]
sinks = {
    "maildir": MaildirSink(folder + "/box"),
    "sendmail": SendmailSink(folder + "/sendmail"),
    "smtp": SMTPSink("127.0.0.1", 1, tls=tls, timeout=5, local_hostname="web1"),
    "fallback": FallbackSink(SMTPSink("127.0.0.1", 1, local_hostname="web1"), MaildirSink(folder + "/other")),
}
window, composer = Aggregator(gap=1), Composer(to="ops@example.org", sender="me@example.org", host="web1")
window.feed(Batch.of("disk failed", time=1e9), 0)
(message,) = [mail for burst in window.drain(1) for mail in composer.feed(burst, 1)]

def came(sink):
    try:
        return "accepted" if sink.send(message) == {} else "refused in part"
    except DeliveryError as error:
        return [type(error) is TemporaryDeliveryError, str(error)]

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
lowest = os.open("/dev/null", os.O_RDONLY)
os.close(lowest)
resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
short = {name: came(sink) for name, sink in sinks.items()}
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(json.dumps([short, {name: came(sink) for name, sink in sinks.items()}]))
"""


@pytest.mark.parametrize("tls", ["off", "starttls"])
def test_without_a_descriptor_to_spare_every_sink_tries_again_later(tmp_path: Path, tls: str) -> None:
    (tmp_path / "sendmail").write_text("#!/bin/sh\nexec cat > /dev/null\n")
    (tmp_path / "sendmail").chmod(0o755)
    done = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path, tls], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    short, after = json.loads(done.stdout)
    assert {name: came[0] for name, came in short.items()} == dict.fromkeys(short, True), short
    assert all("Too many open files" in told for _, told in short.values()), short
    assert after.pop("smtp")[1].endswith("Connection refused")
    assert after == {"maildir": "accepted", "sendmail": "accepted", "fallback": "accepted"}
