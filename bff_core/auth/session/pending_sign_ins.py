"""Sign-ins that are under way: what the browser holds of each, and what travels in its `state`.

A browser may restore many tabs that all begin to sign in, none knowing of the others. So each has
a cookie of its own, of a fixed and small size. What may be long, the return address, travels sealed
in the `state`, which the provider hands back.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from bff_core.auth.session.cookie import PREFIX, Cookie
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import key_of, new_secret
from bff_core.call import Headers

SIGN_IN_SECONDS: Final = 600.0
"""Seconds that a user may take to sign in."""

MAX_PENDING: Final = 20
"""Sign-ins of one browser that may be under way; the oldest go."""

MAX_BYTES: Final = 3_900
"""Bytes of their cookies, those of other gateways of the host included; servers bound a head."""

MAX_VALUE: Final = 159
"""Bytes of the value of such a cookie."""

# Gateways below paths of one host are sent each other's cookies.
_find_all: Final = re.compile(
    rf"(?:^|[; ])(({PREFIX}[A-Za-z0-9_-]+-sign-in-[A-Za-z0-9_-]{{8}})=([0-9a-f]{{8}})\.[^; ]*)"
).findall


class Trip(msgspec.Struct, frozen=True, array_like=True):
    """What travels in the `state`: where the browser comes back to, and the strength of proof."""

    return_url: str
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class Former:
    """The session that a browser had when a sign-in began, by its owner's index and its handle."""

    owner: str
    handle: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in of this browser; `began` is a Unix time, `former` the session it had then."""

    nonce: str
    verifier: str
    began: float
    former: Former | None


class PendingCookies:
    """Writes and reads the cookies of sign-ins that are under way, below a name."""

    def __init__(self, sealing: Sealing, name: str) -> None:
        self._sealing = sealing
        self._name = f"{name}-sign-in-"
        self._size = len(f"{self._name}12345678=; ") + MAX_VALUE

    def state_for(self, trip: Trip) -> str:
        """Return a new `state`: a secret, then what travels with it."""
        secret = new_secret()
        return secret + self._sealing.seal_text(msgspec.json.encode(trip), f"trip {secret}")

    def trip_of(self, state: str) -> Trip | None:
        """Return what travelled in a `state`; None for one that is not ours."""
        size = len(new_secret())
        plain = self._sealing.open_text(state[size:], f"trip {state[:size]}")
        try:
            return None if plain is None else msgspec.json.decode(plain, type=Trip)
        except msgspec.DecodeError:  # of a version that sealed something else
            return None

    def begin(self, state: str, wall: float, former: Former | None) -> tuple[Pending, Headers]:
        """Return a new sign-in and the cookie of it."""
        seed, until = new_secret(), f"{int(wall + SIGN_IN_SECONDS):08x}"
        octets = _octets(seed)
        if former is not None:
            octets += _octets(former.owner) + former.handle.encode()
        value = f"{until}.{self._sealing.seal_text(octets, f'sign-in {until} {state}')}"
        cookie = self._cookie(self._name_of(state))
        return _pending(octets, until), (cookie.written(value, seconds=SIGN_IN_SECONDS),)

    def find(self, headers: Headers, state: str, wall: float) -> Pending | None:
        """Return the sign-in that this browser began with a `state`; None for none, or too late."""
        value = self._cookie(self._name_of(state)).read(headers) or ""
        until, _, sealed = value.partition(".")
        octets = self._sealing.open_text(sealed, f"sign-in {until} {state}") if sealed else None
        if octets is None or int(until, 16) <= wall:
            return None
        return _pending(octets, until)

    def removal_of(self, state: str) -> Headers:
        """Return what takes the cookie of one sign-in back."""
        return (self._cookie(self._name_of(state)).cleared(),)

    def surplus(self, headers: Headers, wall: float, room: int = 0) -> Headers:
        """Return what takes cookies back: those of sign-ins that are over, and the oldest.

        What is left has room for that many more, however long the names of the cookies are.
        """
        text = b"; ".join(value for name, value in headers if name == b"cookie").decode("latin-1")
        found = sorted(
            (int(until, 16), name, len(pair) + 2) for pair, name, until in _find_all(text)
        )
        most, size = MAX_BYTES - room * self._size, sum(size for _, _, size in found)
        gone = 0
        for until, _, freed in found:
            if until > wall and size <= most and len(found) - gone + room <= MAX_PENDING:
                break
            gone, size = gone + 1, size - freed
        return tuple(self._cookie(name).cleared() for _, name, _ in found[:gone])

    def _name_of(self, state: str) -> str:
        return self._name + key_of(state)[:8]

    def _cookie(self, name: str) -> Cookie:
        """Return a cookie that is sent when the browser comes back from another site (Lax)."""
        return Cookie(name, same_site="Lax")


def _pending(octets: bytes, until: str) -> Pending:
    seed, owner, handle = octets[:32], octets[32:64], octets[64:]
    return Pending(
        _text(sha256(b"nonce" + seed).digest()),
        _text(sha256(b"verifier" + seed).digest()),
        int(until, 16) - SIGN_IN_SECONDS,
        Former(_text(owner), handle.decode()) if owner else None,
    )


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
