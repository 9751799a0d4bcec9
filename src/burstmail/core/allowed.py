"""Address -> whether its sender is let in.

A list of networks is no proof of who it is: the sender of a datagram writes what he likes as his address.
Limits: 4,096 addresses are remembered, so that a flood costs a look-up a datagram.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from .kinds import several


class Allowed:
    """The networks, such as `10.0.0.0/8`, `2001:db8::/32` or single addresses; without any, everybody is allowed.

    Raises ValueError for what is no network.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        if isinstance(networks, str):
            raise ValueError(f"allow={networks!r}: give a sequence of networks, such as ({networks!r},)")
        found = [_network(text) for text in several("allow", networks)]
        self._networks = found
        self._of = lru_cache(maxsize=4096)(lambda text: any(_plain(text) in network for network in found))

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __call__(self, address: str) -> bool:
        """Whether this address is in one of them."""
        return not self._networks or self._of(address)


def group(address: str) -> str:
    """What one sender may have many of: an IPv6 network of 64 bits; of IPv4, the address itself."""
    plain = _plain(address)
    return str(plain) if plain.version == 4 else str(IPv6Network((int(plain) >> 64 << 64, 64)))


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(
            f"allow={text!r}: no network, {error}; write 192.0.2.0/24, 2001:db8::/32 or an address"
        ) from None


def _plain(text: str) -> IPv4Address | IPv6Address:
    """An IPv4 address is one in IPv6's clothes too, as a socket for both shows it (RFC 4291 section 2.5.5.2)."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
