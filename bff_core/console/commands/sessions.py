"""What a process reports about sessions, callers near a limit, and sagas: hashes only."""

import time
from collections.abc import Mapping
from typing import Final

import msgspec

from bff_core.auth.authenticator import HasSessions, each_of
from bff_core.auth.session.interface import SessionStore, StoredSession
from bff_core.clock import Clock
from bff_core.console.model import LimitRow, SessionRow
from bff_core.console.sessions.pseudonyms import Pseudonym, pseudonyms
from bff_core.console.sessions.report import LOCAL_SESSIONS, SHARED_SESSIONS, SessionsReport
from bff_core.console.sessions.sagas import saga_row
from bff_core.edge.viewer_hash import ViewerHash
from bff_core.errors import StoreUnavailable
from bff_core.gateway.app import Gateway
from bff_core.limits.interface import CallerLeft
from bff_core.observe.process_socket import Command

MAX_SESSIONS: Final = 100
"""Sessions that a page lists."""

MAX_CALLERS: Final = 50
"""Callers near a limit that a page lists."""

NEARLY_EMPTY: Final = 0.2
"""From this share of a limit on, a caller is listed."""


def commands(gateway: Gateway) -> Mapping[str, Command]:
    """Return the commands of this area."""
    reader = _Reader(gateway)

    async def shared(_: bytes) -> bytes:
        return msgspec.json.encode(await reader.read(is_shared=True))

    async def local(_: bytes) -> bytes:
        return msgspec.json.encode(await reader.read(is_shared=False))

    return {SHARED_SESSIONS: shared, LOCAL_SESSIONS: local}


class _Reader:
    """Reads the stores of a gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._name = gateway.title
        self._pseudonym = pseudonyms(gateway.settings, gateway.title)
        self._viewer_hash = ViewerHash(gateway.settings.viewer_hash_keys)
        self._wall: Clock = time.time

    async def read(self, *, is_shared: bool) -> SessionsReport:
        """Return what is in shared stores, or what is in the memory of this process."""
        report = SessionsReport()
        readers = [self._sessions, self._limits, *([self._sagas] if is_shared else [])]
        for read in readers:
            try:
                await read(report, is_shared)
            except StoreUnavailable as error:
                name = read.__name__.removeprefix("_")
                report.notes.append(f"{self._name}: the {name} can't be listed: {error}")
        return report

    async def _sessions(self, report: SessionsReport, is_shared: bool) -> None:
        for store in _session_stores(self._gateway):
            if store.is_shared is not is_shared:
                continue
            live = await store.live(MAX_SESSIONS)
            now = self._wall()
            report.sessions += (self._row(one, now) for one in live.sessions)
            is_counted = live.count is not None and report.count is not None
            report.count = (report.count or 0) + (live.count or 0) if is_counted else None
            if live.count is None:
                report.notes.append(
                    f"{self._name}: its Redis holds too many keys: not all sessions are listed and "
                    "counted."
                )
            elif live.count > len(live.sessions):
                report.notes.append(
                    f"{self._name}: {len(live.sessions)} of {live.count:,} sessions are listed."
                )

    def _row(self, stored: StoredSession, now: float) -> SessionRow:
        """Return a session; its viewer has the hash by which requests name it."""
        session = stored.session
        return SessionRow(
            id=self._pseudonym(session.handle),
            viewer=self._viewer_hash(session.viewer.audience),
            began=session.signed_in_at or None,
            expires=now + min(stored.left, stored.idle_left),
            gateway=self._name,
        )

    async def _limits(self, report: SessionsReport, is_shared: bool) -> None:
        gateway = self._gateway
        limits, is_in_redis = gateway.config.limits, bool(gateway.settings.limits_url)
        store = gateway.running.shared.limits if is_in_redis else gateway.local_limits
        if limits and store.is_shared is is_shared:
            found = await store.nearly_empty(limits, NEARLY_EMPTY, MAX_CALLERS)
            now = self._wall()
            report.limits += (_limit(self._name, one, self._pseudonym, now) for one in found)

    async def _sagas(self, report: SessionsReport, is_shared: bool) -> None:
        del is_shared
        sagas = self._gateway.running.sagas
        if sagas is not None:
            now = self._wall()
            report.sagas += [saga_row(self._name, one, now) for one in await sagas.open_sagas()]


def _session_stores(gateway: Gateway) -> list[SessionStore]:
    found = []
    for one in each_of(gateway.config.authenticator):
        if isinstance(one, HasSessions):
            store: SessionStore = one.session_store()  # type: ignore[assignment] # its interface
            found.append(store)
    return found


def _limit(gateway: str, left: CallerLeft, pseudonym: Pseudonym, now: float) -> LimitRow:
    kind, _, caller = left.caller.partition(":")
    return LimitRow(
        gateway=gateway,
        limit=left.limit.name,
        key=f"{kind} {pseudonym(caller)}",
        left=left.share,
        resets=now + left.status.reset,
    )
