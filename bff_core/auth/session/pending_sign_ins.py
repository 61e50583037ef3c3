"""Pending sign-ins: the cookie that the browser holds of each, and the payload of its `state`.

A browser may restore many tabs, each of which begins a sign-in of its own. So each sign-in has its
own cookie, of a fixed and small size. The return address, which may be long, travels sealed in the
`state`, which the provider sends back.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from bff_core.auth import base64url
from bff_core.auth.session.cookie import PREFIX, Cookie
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import key_of, new_secret
from bff_core.call import Headers

SIGN_IN_SECONDS: Final = 600.0
"""Seconds that a user may take to sign in."""

MAX_PENDING: Final = 20
"""Pending sign-ins of one browser; the oldest are dropped."""

MAX_COOKIES_BYTES: Final = 3_900
"""Bytes of all their cookies, with those of other gateways of the host: servers limit headers."""

MAX_VALUE_BYTES: Final = 159
"""Bytes of the value of such a cookie."""

# Browsers send the cookies of all gateways below paths of one host to each of them.
_find_all: Final = re.compile(
    rf"(?:^|[; ])(({PREFIX}[A-Za-z0-9_-]+-sign-in-[A-Za-z0-9_-]{{8}})=([0-9a-f]{{8}})\.[^; ]*)"
).findall


class StatePayload(msgspec.Struct, frozen=True, array_like=True):
    """The sealed payload of the `state`: the return URL, and the sign-in strength requested."""

    return_url: str
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class PreviousSession:
    """The session that a browser had when a sign-in began: its owner's list and its handle."""

    owner: str
    handle: str


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A pending sign-in of this browser; `began` is a Unix time, `previous` its session then."""

    nonce: str
    verifier: str
    began: float
    previous: PreviousSession | None


class PendingCookies:
    """Writes and reads the cookies of pending sign-ins, whose names begin with `name`."""

    def __init__(self, sealing: Sealing, name: str) -> None:
        self._sealing = sealing
        self._name = f"{name}-sign-in-"
        self._size = len(f"{self._name}12345678=; ") + MAX_VALUE_BYTES

    def state_for(self, payload: StatePayload) -> str:
        """Return a new `state`: a secret followed by the sealed payload."""
        secret = new_secret()
        return secret + self._sealing.seal_text(msgspec.json.encode(payload), f"trip {secret}")

    def payload_of(self, state: str) -> StatePayload | None:
        """Return the payload of a `state`; None if this gateway did not seal it."""
        size = len(new_secret())
        plain = self._sealing.open_text(state[size:], f"trip {state[:size]}")
        try:
            return None if plain is None else msgspec.json.decode(plain, type=StatePayload)
        except msgspec.DecodeError:  # sealed by another version
            return None

    def begin(
        self, state: str, wall: float, previous: PreviousSession | None
    ) -> tuple[PendingSignIn, Headers]:
        """Return a new pending sign-in and its cookie."""
        seed, until = new_secret(), f"{int(wall + SIGN_IN_SECONDS):08x}"
        octets = base64url.decode(seed)
        if previous is not None:
            octets += base64url.decode(previous.owner) + previous.handle.encode()
        value = f"{until}.{self._sealing.seal_text(octets, f'sign-in {until} {state}')}"
        cookie = self._cookie(self._name_of(state))
        return _pending_sign_in(octets, until), (cookie.set_header(value, seconds=SIGN_IN_SECONDS),)

    def find(self, headers: Headers, state: str, wall: float) -> PendingSignIn | None:
        """Return the pending sign-in of a `state`; None without one, or if it has expired."""
        value = self._cookie(self._name_of(state)).read(headers) or ""
        until, _, sealed = value.partition(".")
        octets = self._sealing.open_text(sealed, f"sign-in {until} {state}") if sealed else None
        if octets is None or int(until, 16) <= wall:
            return None
        return _pending_sign_in(octets, until)

    def removal_of(self, state: str) -> Headers:
        """Return the header that removes the cookie of one sign-in."""
        return (self._cookie(self._name_of(state)).removal_header(),)

    def removals(self, headers: Headers, wall: float, room: int = 0) -> Headers:
        """Return the headers that remove the cookies of expired sign-ins, and the oldest.

        The cookies that are left have room for `room` more, however long their names are.
        """
        text = b"; ".join(value for name, value in headers if name == b"cookie").decode("latin-1")
        found = sorted(
            (int(until, 16), name, len(pair) + 2) for pair, name, until in _find_all(text)
        )
        most, size = MAX_COOKIES_BYTES - room * self._size, sum(size for _, _, size in found)
        removed = 0
        for until, _, freed in found:
            if until > wall and size <= most and len(found) - removed + room <= MAX_PENDING:
                break
            removed, size = removed + 1, size - freed
        return tuple(self._cookie(name).removal_header() for _, name, _ in found[:removed])

    def _name_of(self, state: str) -> str:
        return self._name + key_of(state)[:8]

    def _cookie(self, name: str) -> Cookie:
        """Return a cookie that browsers send on navigation from another site (Lax)."""
        return Cookie(name, same_site="Lax")


def _pending_sign_in(octets: bytes, until: str) -> PendingSignIn:
    seed, owner, handle = octets[:32], octets[32:64], octets[64:]
    return PendingSignIn(
        base64url.encode(sha256(b"nonce" + seed).digest()),
        base64url.encode(sha256(b"verifier" + seed).digest()),
        int(until, 16) - SIGN_IN_SECONDS,
        PreviousSession(base64url.encode(owner), handle.decode()) if owner else None,
    )
