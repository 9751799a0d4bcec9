"""How well patterns group lines that people have labelled, and what they must never join."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.core.grouping import accuracy, labelled, patterns_of, wrong

OWN = Path(__file__).parent / "data" / "labelled.csv"

# A folder of more labelled sets (*.csv with the columns content and event); they are not part of the project.
FOLDER = os.environ.get("BURSTMAIL_LABELLED", "")
SETS = sorted(Path(FOLDER).glob("*.csv")) if FOLDER else []


def test_grouping_accuracy_is_the_share_of_lines_in_exact_groups() -> None:
    assert accuracy("aabbc", "xxyyz") == 1
    assert accuracy("aabbc", "xxyzz") == pytest.approx(0.4)
    assert wrong("aab", "xyz") == [[0], [1]]


def test_our_own_lines_are_grouped() -> None:
    lines, labels = labelled(OWN)
    assert len(lines) >= 80
    assert accuracy(labels, patterns_of(lines)) >= 0.95


@pytest.mark.skipif(not SETS, reason="BURSTMAIL_LABELLED names no folder with labelled sets")
def test_other_peoples_lines_are_grouped() -> None:
    scores = {path.stem: accuracy(labels, patterns_of(lines)) for path in SETS for lines, labels in [labelled(path)]}
    assert sum(scores.values()) / len(scores) >= 0.92, scores


PAIRS = """
eth0: link up | eth0: link down
Accepted password for root from 1.2.3.4 port 22 | Failed password for root from 1.2.3.4 port 22
session opened for user root | session closed for user root
connection from 1.2.3.4 accepted | connection from 1.2.3.4 rejected
user alice connected from 1.2.3.4 | user alice disconnected from 1.2.3.4
mount of /dev/sda1 on /mnt succeeded | mount of /dev/sda1 on /mnt failed
RAID array md0 is clean | RAID array md0 is degraded
disk sda is online | disk sda is offline
certificate for example.org is valid | certificate for example.org is invalid
service nginx started | service nginx stopped
service nginx enabled | service nginx disabled
power supply 1: ok | power supply 1: faulty
backup of host db1 complete | backup of host db1 incomplete
fan 3 speed too high | fan 3 speed too low
rule allows packet from 1.2.3.4 | rule denies packet from 1.2.3.4
LINK_UP on port 3 of switch | LINK_DOWN on port 3 of switch
state of node 4 changed to "up" | state of node 4 changed to "down"
state of node 4: "read-only" | state of node 4: "read-write"
lock acquired by process 7 | lock released by process 7
login of user bob on host web1 succeeded | login of user bob on host web1 failed
query for example.org allowed | query for example.org denied
job 7 of queue mail is running | job 7 of queue mail is suspended
write to /var/spool/x failed: No space left | write to /var/spool/x failed: Permission denied
status=sent for message 7 | status=deferred for message 7
java.net.ConnectException in thread 7 of pool | java.net.SocketTimeoutException in thread 7 of pool
neighbor 10.0.0.1 is reachable now | neighbor 10.0.0.1 is unreachable now
interface eth0 entered promiscuous mode | interface eth0 left promiscuous mode
battery is charging at 7 | battery is discharging at 7
user root added to group wheel | user root removed from group wheel
door 3 of rack is open | door 3 of rack is closed
replication to host db1 resumed | replication to host db1 paused
""".strip().splitlines()


# What stands for names in the pairs, and what else they could be called.
NAMES = ("root", "alice", "bob", "nginx", "example.org", "eth0", "db1", "sda", "mail", "wheel")
OTHERS = ("anna", "bernd", "chris", "dora", "emil", "fritz", "gustav", "heinz")


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("head", ["", "Nov 23 10:00:00 web07 prog[77]: "])
def test_messages_that_mean_different_things_are_never_one(pair: str, head: str) -> None:
    one, two = (
        [head + line, *(head + line.replace(old, new) for old in NAMES if old in line for new in OTHERS)]
        for line in pair.split(" | ")
    )
    alone = patterns_of([one[0], two[0]])
    assert alone[0] != alone[1]
    # In a crowd that shows which places hold names.
    found = patterns_of(one + two)
    assert not set(found[: len(one)]) & set(found[len(one) :])
