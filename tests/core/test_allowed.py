"""Who is let in, by address; and what counts as one sender."""

from __future__ import annotations

import pytest

from burstmail.core.allowed import Allowed, group


def test_without_networks_everybody_is_allowed() -> None:
    allowed = Allowed()
    assert not allowed
    assert allowed("192.0.2.7")
    assert allowed("2001:db8::7")


def test_only_senders_in_the_networks_are_allowed() -> None:
    allowed = Allowed(("10.0.0.0/8", "2001:db8::/32", "192.0.2.7"))
    assert allowed
    good = ["10.255.0.1", "2001:db8:1::7", "192.0.2.7", "::ffff:10.0.0.1", "2001:db8::7%eth0"]
    assert [address for address in good if not allowed(address)] == []
    bad = ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::ffff:11.0.0.1", "::1"]
    assert [address for address in bad if allowed(address)] == []


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "localhost", "", "10.0.0.0/8,192.0.2.7"])
def test_what_is_no_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"^allow='.*': .*; write 192\.0\.2\.0/24"):
        Allowed((text,))


def test_a_string_is_no_sequence_of_networks() -> None:
    with pytest.raises(ValueError, match=r"give a sequence of networks, such as \('10\.0\.0\.0/8',\)"):
        Allowed("10.0.0.0/8")


def test_one_sender_is_an_address_or_half_of_an_ipv6_one() -> None:
    assert group("192.0.2.7") == "192.0.2.7" == group("::ffff:192.0.2.7")
    assert group("2001:db8:1:2:3::4") == "2001:db8:1:2::/64" == group("2001:db8:1:2:ffff::1%eth0")
    assert group("::1") == "::/64"
