"""What varies by its form, and what does not."""

from __future__ import annotations

from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burstmail.core.patterns.masks import OWN, SEEN, Masker, bare, before_address, shown

SHAPES = """
Failed password for root from 203.0.113.7 port 51022 ssh2 | Failed password for root from <ip> port <n> ssh<n>
client 2001:db8::1 and ::1 and fe80::1%eth0 and 1:2:3:4:5:6:7:8 | client <ip> and <ip> and <ip> and <ip>
net 192.0.2.0/24 via 192.0.2.1:443 | net <ip>/<n> via <ip>:<n>
version 1.2.3.4.5 of 10.0.0.1.example.org | version <n> of <host>
mac 00:0d:60:ea:e0:8d or 00-0D-60-EA-E0-8D | mac <mac> or <mac>
order 7f9c24e8-3b12-4c5f-9a77-0d2c5b1a9e01 paid | order <uuid> paid
at 2026-11-23T10:00:38.123+01:00 or 2026-11-23 10:00:38 | at <time> or <time>
at Mon Nov 23 10:00:38 2026 or 10:00:38 or 2026-11-23 or 11/23/2026 | at <time> or <time> or <time> or <time>
at [23/Nov/2026:10:15:01 +0000] and Nov  3 10:15:01 | at [<time>] and <time>
mask 0x05 id deadbeef1 queue 4F3A9C2B1D ticket 4bXk12zQ | mask <hex> id <id> queue <id> ticket <id>
took 12 ms of 1.5 s, 93.0 B and 5.2 KB or 17.7GB, 80% used | took <n> ms of <n> s, <n> B and <n> KB or <n>GB, <n>% used
moved -7 and +0.5 to node-7 and blk_-1234 | moved <n> and <n> to node-<n> and blk_<n>
tg3 0000:00:1f.6 or 03:00.1 but 12:00:01.5 | tg<n> <dev> or <dev> but <time>
{"note":"he said \\"hi there\\" to me","n":7} | {"note":"<quoted>","n":<n>}
disks sda, sdb1, vdc and xvdd but sdcard | disks <dev>, <dev><n>, <dev> and <dev> but sdcard
see https://example.org/a?b=1#c, please | see <url>, please
to=<alice+x@example.com>, ok | to=<<mail>>, ok
unit nginx.service and getty@tty1.service | unit <unit> and <unit>
open "/etc/my file" and 'it' | open "<quoted>" and '<quoted>'
can't find Peter's "down" and 'connection refused' | can't find Peter's "down" and 'connection refused'
from mail.example.org[192.0.2.7] and host-1/10.1.1.1:80 | from <*>[<ip>] and <*>/<ip>:<n>
from 192.0.2.7 () | from <ip> (<*>)
key SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE | key SHA<n>:<id>
[ 5048.512] usb 1-2: new [7.5] | usb <n>-<n>: new [<n>]
port ge-0/0/41, 45/3/12 and 1/1/1 but 2026-13-01 | port ge-<n>/<n>/<n>, <n>/<n>/<n> and <n>/<n>/<n> but <n>-<n>-<n>
lifetime <1 sec of 5 min | lifetime <n> sec of <n> min
two  spaces	and a tab | two spaces and a tab
dead beef, added face, a bad cafe | dead beef, added face, a bad cafe
""".strip().splitlines()


@pytest.mark.parametrize("row", SHAPES)
def test_what_varies_by_its_form_is_masked(row: str) -> None:
    line, shape = row.split(" | ")
    assert shown(Masker().shape(line)) == shape


def test_a_header_leaves_nothing_but_the_program() -> None:
    lines = ("<13>Nov 23 10:00:00 web07 sshd[7]: bye 5", "2026-11-23T10:00:00Z db1 sshd[99]: bye 71")
    assert {shown(Masker().shape(line)) for line in lines} == {"sshd\nbye <n>"}


def test_the_ring_buffer_is_the_kernel_s_with_and_without_a_header() -> None:
    lines = ("[ 5048.512301] usb 1-2: new [7.5]", "Nov 23 10:00:00 web07 kernel: [ 5048.512301] usb 1-2: new [7.5]")
    assert {shown(Masker().shape(line)) for line in lines} == {"kernel\nusb <n>-<n>: new [<n>]"}


def test_a_users_masks_come_first() -> None:
    masker = Masker([r"order \w+", "x*"])
    assert shown(masker.shape("paid order 7 twice, from 1.2.3.4")) == "paid <masked> twice, from <ip>"


def test_a_mask_that_is_no_expression_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mask '\('"):
        Masker(["("])


def test_masks_see_4_kib_of_a_line_and_a_users_the_first_1000_characters() -> None:
    assert Masker().shape("ab" * SEEN) == "ab" * (SEEN // 2)
    assert shown(Masker(["[xy]"]).shape(f"x {'a' * OWN} y")) == f"<masked> {'a' * OWN} y"


@given(st.text(st.characters()) | st.text(st.characters(categories=["Cs"])))
def test_any_text_has_a_shape(line: str) -> None:
    shape = Masker().shape(line)
    assert shown(shape).isprintable() or not line.isprintable()
    assert before_address(line, shape) in line.encode("utf-8", "surrogatepass")


@given(st.from_regex(r"[a-z0-9:./ \[\]()\"'=@-]{0,60}", fullmatch=True))
def test_digits_alone_make_no_other_bare_line(line: str) -> None:
    assert bare(line.encode()) == bare(bare(line.encode())) or any(char.isdigit() for char in line)


@pytest.mark.parametrize(
    ("line", "before"),
    [
        ("Nov 23 10:00:00 10.9.9.9 sshd[7]: Failed for root from 1.2.3.4 port 5", b"d for root from "),
        ("reached 7 times by 1.2.3.4", b" times by "),
        ("x=1.2.3.4", b"x="),
        ("conn:7fab,1.2.3.4 closed", b","),
        ("conn,7fab 1.2.3.4 closed", b" "),
        ("conn 7fab 1.2.3.4 closed", b""),
        ("1.2.3.4 is bad", b""),
        ("1 2 1.2.3.4 is bad", b""),
        ("no address", b""),
        ("what looks like one, \ue004", b""),
        ("at 1.2.3.4 " + "x" * SEEN, b"at "),
    ],
)
def test_an_address_is_found_behind_what_stands_before_it(line: str, before: bytes) -> None:
    assert before_address(line, Masker().shape(line)) == before


HOSTILE = ["a", "1", ":", "a1", "1.", "'", '"', " a", "a@", "a.", "a://", "ab-", "[", "1:1:", "/a", "a=1 ", "-", "_1"]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * SEEN)[:SEEN]

    def cost(line: str) -> float:
        began = process_time()
        for _ in range(5):
            Masker().shape(line)
        return process_time() - began

    cost("warm")
    # Twice the text takes about twice the time; squared it would take four times. The best of five: others run too.
    assert any(cost(text) < 3 * cost(text[: SEEN // 2]) + 0.01 for _ in range(5))


def _binary(seed: int) -> str:
    made = Random(seed).randbytes(500).replace(b"\n", b"")[:250]
    return made.decode("utf-8", "backslashreplace")


def test_what_is_no_text_has_one_shape() -> None:
    masker = Masker()
    assert {shown(masker.shape(_binary(seed))) for seed in range(50)} == {"binary <*>"}
    assert shown(masker.shape(f"Nov 23 10:00:00 web1 job: {_binary(1)}")) == "job\nbinary <*>"


def test_text_in_another_encoding_is_text() -> None:
    for text in ("Ошибка: диск полон, запись остановлена совсем", "Сеть снова доступна, всё в порядке, работаем"):
        line = text.encode("koi8_r").decode("utf-8", "backslashreplace")
        assert "binary" not in Masker().shape(line)
    assert shown(Masker().shape("\x1b[31mfailed\x1b[0m to read \x07 the disk of the machine")) != "binary <*>"
    assert "binary" not in Masker().shape("\\xff\x01")


def test_what_is_no_text_costs_less_than_text() -> None:
    words = ["alpha", "beta", "gamma", "delta", "link", "down", "failed", "at", "node"]
    text = [" ".join(Random(seed).choices(words, k=50))[:250] for seed in range(200)]
    binary = [_binary(seed) for seed in range(200)]

    def took(lines: list[str]) -> float:
        begun = process_time()
        for line in lines:
            Masker().shape(line)
        return process_time() - begun

    assert min(took(binary) for _ in range(5)) < min(took(text) for _ in range(5))
