"""How well patterns group lines that people have labelled, and what they must never join."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from burstmail.core.patterns.masks import Masker
from burstmail.core.patterns.merge import merged
from tests.core.grouping import accuracy, labelled, patterns_of, wrong

OWN = Path(__file__).parent / "data" / "labelled.csv"

# Phones, desktops, clouds, Windows, Java, proxies, networks ...: few lines of each kind, so that words are scarce.
SYSTEMS = sorted((OWN.parent / "systems").glob("*.csv"))

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


@cache
def grouped(path: Path) -> tuple[list[str], list[str]]:
    """Labels and patterns of a file's lines."""
    lines, labels = labelled(path)
    return labels, patterns_of(lines)


@pytest.mark.parametrize("path", SYSTEMS, ids=[path.stem for path in SYSTEMS])
def test_no_pattern_joins_two_labels(path: Path) -> None:
    labels, found = grouped(path)
    joined = {group: {label for label, other in zip(labels, found, strict=True) if other == group} for group in found}
    assert [labels for labels in joined.values() if len(labels) > 1] == []


def test_lines_of_all_kinds_of_systems_are_grouped() -> None:
    scores = {path.stem: accuracy(*grouped(path)) for path in SYSTEMS}
    assert len(scores) >= 19
    assert sum(scores.values()) / len(scores) >= 0.85, scores
    assert min(scores.values()) >= 0.6, scores


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
The Print Spooler service entered the running state. | The Print Spooler service entered the stopped state.
The Netlogon service entered the running state. | The Netlogon service entered the paused state.
The mail service changed from demand start to auto start. | The mail service changed from auto start to demand start.
task 7 Transitioned from NEW to RUNNING | task 7 Transitioned from RUNNING to SUCCEEDED
Processing event CONTAINER_REMOTE_LAUNCH for container 7 | Processing event CONTAINER_REMOTE_CLEANUP for container 7
TaskStarted for job mail of user bob | TaskFinished for job mail of user bob
onConnectionLost called by service nginx | onConnectionRestored called by service nginx
%LINK-3-UPDOWN: Interface eth0, changed state to up | %LINK-3-UPDOWN: Interface eth0, changed state to down
neighbor 10.0.0.1 went from Idle to Active | neighbor 10.0.0.1 went from Active to Idle
{"level":"info","msg":"user logged in","user":"bob"} | {"level":"info","msg":"user logged out","user":"bob"}
{"level":"info","msg":"cache hit","user":"bob"} | {"level":"info","msg":"cache miss","user":"bob"}
{"level":"warn","msg":"slow query","user":"bob"} | {"level":"warn","msg":"big answer","user":"bob"}
level=info msg="slow query" user=bob | level=info msg="big answer" user=bob
level=info msg="check done" healthy=true | level=info msg="check done" healthy=false
level=error msg="check done" user=bob | level=info msg="check done" user=bob
event=login user=bob from=1.2.3.4 | event=logout user=bob from=1.2.3.4
action=allow src=1.2.3.4 user=bob | action=deny src=1.2.3.4 user=bob
type=USER_LOGIN res=success user=bob | type=USER_LOGIN res=failed user=bob
"Started container" pod="default/web" | "Killing container" pod="default/web"
Readiness probe failed for pod default/web | Liveness probe failed for pod default/web
Successfully pulled image "web" for pod mail | Failed to pull image "web" for pod mail
GET /index.html HTTP/1.1 by user bob | POST /index.html HTTP/1.1 by user bob
DELETE /items/7 HTTP/1.1 by user bob | PUT /items/7 HTTP/1.1 by user bob
1.2.3.4 TCP_HIT/200 GET http://example.org/ bob | 1.2.3.4 TCP_MISS/200 GET http://example.org/ bob
1.2.3.4 TCP_DENIED/403 CONNECT example.org:443 bob | 1.2.3.4 TCP_TUNNEL/200 CONNECT example.org:443 bob
Permission denied for user bob on host db1 | Permission granted for user bob on host db1
share scans mounted by user bob | share scans unmounted by user bob
usb device attached to host db1 | usb device detached from host db1
module bridge loaded by process 7 | module bridge unloaded by process 7
package nginx installed by root | package nginx removed by root
package nginx upgraded by root | package nginx downgraded by root
database mail created by root | database mail dropped by root
transaction 7 of user bob committed | transaction 7 of user bob aborted
queue mail is full on host db1 | queue mail is empty on host db1
disk sda is healthy on host db1 | disk sda is failing on host db1
temperature of cpu 7 is high on host db1 | temperature of cpu 7 is normal on host db1
cpu 7 temperature above threshold on host db1 | cpu 7 temperature below threshold on host db1
sent 7 packets to host db1 | received 7 packets from host db1
eth0: rx error on queue 7 | eth0: tx error on queue 7
read error on disk sda sector 7 | write error on disk sda sector 7
input queue of eth0 overflowed 7 times | output queue of eth0 overflowed 7 times
inbound connection from 1.2.3.4 on eth0 | outbound connection from 1.2.3.4 on eth0
key for example.org is trusted now | key for example.org is untrusted now
certificate for example.org renewed for 90 days | certificate for example.org expired for 90 days
node db1 joined cluster mail with 7 members | node db1 left cluster mail with 7 members
primary db1 promoted for cluster mail | primary db1 demoted for cluster mail
circuit breaker for mail is now OPEN | circuit breaker for mail is now CLOSED
firewall enabled for zone mail by root | firewall disabled for zone mail by root
port 7 entered forwarding state on eth0 | port 7 entered blocking state on eth0
port 7 is now tagged on eth0 | port 7 is now untagged on eth0
session of user bob locked on host db1 | session of user bob unlocked on host db1
door opened by user bob at rack 7 | door closed by user bob at rack 7
UPS mail on battery power for 7 s | UPS mail on line power for 7 s
payment of order 7 by bob accepted | payment of order 7 by bob declined
message 7 for bob delivered to mail | message 7 for bob bounced from mail
message 7 queued for bob at example.org | message 7 expired for bob at example.org
dns lookup of example.org failed: NXDOMAIN | dns lookup of example.org failed: SERVFAIL
connect to example.org: Connection refused | connect to example.org: Connection timed out
open of /var/spool/x failed: EACCES for root | open of /var/spool/x failed: ENOENT for root
process 7 of root exited normally on db1 | process 7 of root exited abnormally on db1
process 7 (mail) got SIGTERM on db1 | process 7 (mail) got SIGKILL on db1
checkpoint starting: time for database mail | checkpoint starting: wal for database mail
index of mail is consistent on db1 | index of mail is inconsistent on db1
backup of mail is recent on host db1 | backup of mail is outdated on host db1
Background saving terminated with success | Background saving terminated with failure
replica db1 is in sync with mail | replica db1 is out of sync with mail
clock of db1 is ahead by 7 s | clock of db1 is behind by 7 s
access to mail is public for root | access to mail is private for root
swap on db1 turned on by root | swap on db1 turned off by root
screen of root turned on after 7 s | screen of root turned off after 7 s
job 7 of mail retried on db1 | job 7 of mail skipped on db1
alarm 7 raised for db1 by root | alarm 7 cleared for db1 by root
cmd=backup user=anna db=shop took=7 | cmd=restore user=bert db=blog took=7
job backup of host db1 queued | job restore of host db1 queued
sync of pool tank with peer db1 scheduled | scrub of pool tank with peer db1 scheduled
GET of x by anna answered | HEAD of x by anna answered
phase=prepare user=anna node=db1 | phase=commit user=bert node=db2
user anna promoted to admin by root | user anna demoted to guest by root
quota of user anna is 7 soft | quota of user anna is 7 hard
alert HighCpu firing on node db1 | alert HighCpu resolved on node db1
zone example.org signed by root | zone example.org unsigned by root
lease of 1.2.3.4 granted to eth0 | lease of 1.2.3.4 revoked from eth0
tunnel to db1 came up after 7 s | tunnel to db1 went down after 7 s
message from anna marked as spam | message from anna marked as ham
vote of node db1 is yes in term 7 | vote of node db1 is no in term 7
replica db1 is leader in term 7 | replica db1 is follower in term 7
mode=fast user=anna disk=sda | mode=slow user=bert disk=sdb
""".strip().splitlines()


# What stands for names in the pairs, and what else they could be called.
NAMES = ("root", "alice", "bob", "nginx", "example.org", "eth0", "db1", "sda", "mail", "wheel")
OTHERS = ("anna", "bernd", "chris", "dora", "emil", "fritz", "gustav", "heinz")


def crowd(line: str, head: str = "") -> list[str]:
    """The line, and the same of others: it shows which places hold names."""
    return [head + line, *(head + line.replace(old, new) for old in NAMES if old in line for new in OTHERS)]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("head", ["", "Nov 23 10:00:00 web07 prog[77]: "])
def test_messages_that_mean_different_things_are_never_one(pair: str, head: str) -> None:
    one, two = (crowd(line, head) for line in pair.split(" | "))
    alone = patterns_of([one[0], two[0]])
    assert alone[0] != alone[1]
    found = patterns_of(one + two)
    assert not set(found[: len(one)]) & set(found[len(one) :])


def test_nor_are_they_in_the_company_of_all_the_others() -> None:
    masker = Masker()
    pairs = [[[masker.shape(line) for line in crowd(line)] for line in pair.split(" | ")] for pair in PAIRS]
    found = merged(shape for pair in pairs for shapes in pair for shape in shapes)
    joined = [
        pair
        for pair, (one, two) in zip(PAIRS, pairs, strict=True)
        if {found[shape][0] for shape in one} & {found[shape][0] for shape in two}
    ]
    assert len(PAIRS) > 110
    assert joined == []
