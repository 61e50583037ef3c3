"""Composed answers that are kept as bytes: found before anything is composed, kept afterwards.

A request whose answer is found is answered from bytes after the edge: admission, limits and
authentication have passed it. An entry is served as long as it is fresh, which is until the first
of its parts is not; then it is composed anew, and the parts' own caches serve stale, refresh and
coalesce. So there is one rule for each, in one place.

What an answer depends on beyond the view and its bound parameters is known only after it was
composed (see `answer_dependencies`): its *form*, which is the narrowest audience of all that was
read, and the request headers. Forms that answers of a view had are remembered, and a request
looks for one key per form, the widest first. A view whose answers could never be kept has none, so
nothing is looked up, and after some tries nothing is noted either, but for one request a second.

Why a public entry may be served although this viewer's own answer might have become a private one:
an entry has a form only if its making read nothing of the request but what is in that form's key.
Had this viewer asked at that instant, each read would have returned the same, one after the other:
a parameter and a header because the keys are equal, a reply because it is everybody's. So the
course of the view would have been the same, what it read next included, and so the answer. Where
it takes another course now, that is because a reply (or time, chance, a global) has changed since;
to be served a fresh answer of a moment ago means just that.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bff_core.answer_dependencies import AnswerDependencies
from bff_core.cache.entry import CacheEntry
from bff_core.cache.response_cache import ResponseCache
from bff_core.cache.status import forwarded, hit
from bff_core.clock import Clock
from bff_core.composition.wiring import Wiring
from bff_core.edge.preconditions import Fields
from bff_core.exchange.part_headers import COMPLETE
from bff_core.scope import Scope
from bff_core.view_cache.headers import add_freshness, cache_entry, exceeded_limit
from bff_core.view_cache.key import Form, UnkeyableValue, canonical

VIEWS: Final = "views"
"""What the cache calls composed answers, in its figures and events."""

PATIENCE: Final = 8
"""After how many answers in a row that could not be kept a view is watched no more."""

REST: Final = 1.0
"""For how many seconds; then one more answer is tried."""

MOST_FORMS: Final = 8


class ViewCache:
    """What is known of the answers of one view: whether they can be kept, and in what forms.

    `operation` names the view in events, `shape` is what its answers look like, hashed: a release
    that renames a field must not find those of the last one. One that does not `keep` leaves the
    cache alone, and says so.
    """

    __slots__ = (
        "_gateway", "_hit", "_keeps", "_missed", "_prefix", "_refusals", "_resting_until",
        "_shape", "bypassed", "forms", "operation", "reason", "stored",
    )  # fmt: skip

    def __init__(
        self, gateway: str, operation: str, shape: Callable[[], str], *, keeps: bool = True
    ) -> None:
        self.operation = operation
        self.forms: list[Form] = []
        self.bypassed = (b"cache-status", forwarded(gateway, "bypass"))
        self.stored = (b"cache-status", forwarded(gateway, "miss", is_stored=True))
        self._missed: dict[str, tuple[bytes, bytes]] = {}
        self._keeps = keeps
        # A percent sign in the name is one.
        self._hit = hit(gateway, 0.0)[:-1].replace(b"%", b"%%") + b"%d"
        self._gateway = gateway
        self._shape = shape
        self._prefix = ""
        self._refusals = 0
        self.reason = ""
        self._resting_until = 0.0

    def begin(self, wiring: Wiring, scope: Scope) -> "CacheableRequest | None":
        """Return what looks after one request; None where there is nothing to expect of it."""
        cache = wiring.cache
        if cache is None or not self._keeps:
            return None
        is_resting = self._refusals >= PATIENCE and wiring.clock() < self._resting_until
        if is_resting and not self.forms:
            return None
        return CacheableRequest(self, cache, scope, wiring.clock, is_resting=is_resting)

    def add_status(self, wiring: Wiring, headers: Fields) -> None:
        """Complete the headers of an answer of which nothing was expected."""
        if wiring.cache is not None:
            headers.append(self.missed(self.reason) if self._keeps else self.bypassed)

    def missed(self, reason: str) -> tuple[bytes, bytes]:
        """Return the `Cache-Status` of an answer that is not kept; reasons are few."""
        told = self._missed.get(reason)
        if told is None:
            value = forwarded(self._gateway, "miss", detail=reason)
            told = self._missed[reason] = (b"cache-status", value)
        return told

    def identity(self, values: tuple[object, ...]) -> str:
        """Return what stands for the view and its parameters; raises `UnkeyableValue`."""
        if not self._prefix:
            self._prefix = canonical((self._gateway, self.operation, self._shape()))
        return self._prefix + canonical(values)

    def hit_status(self, left: float) -> tuple[bytes, bytes]:
        """Return the `Cache-Status` of an answer that stays fresh for so many seconds."""
        return (b"cache-status", self._hit % left)

    def learn(self, form: Form) -> None:
        """Remember a form that an answer had."""
        if form not in self.forms:
            insort(self.forms, form)

    def knows_too_many(self, form: Form) -> bool:
        """Whether a further form would make each request look in too many places."""
        return len(self.forms) >= MOST_FORMS and form not in self.forms

    def succeed(self) -> None:
        """Note that an answer was kept, or served from what was."""
        self._refusals = 0
        self.reason = ""

    def refuse(self, reason: str, cache: ResponseCache, now: float) -> None:
        """Note why an answer is not kept; the same reason is told once, not at each request."""
        self._refusals += 1
        self._resting_until = now + REST
        if reason != self.reason:
            self.reason = reason
            cache.note(VIEWS, self.operation, "refuse", reason)


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """An answer that is to be kept when it has been sent."""

    key: str
    form: Form
    entry: CacheEntry


class CacheableRequest:
    """One request to a view that may be kept."""

    __slots__ = (
        "_cache",
        "_clock",
        "_dependencies",
        "_identity",
        "_is_resting",
        "_keys",
        "_mark",
        "_scope",
        "_values",
        "_view_cache",
    )  # fmt: skip

    def __init__(
        self,
        view_cache: ViewCache,
        cache: ResponseCache,
        scope: Scope,
        clock: Clock,
        *,
        is_resting: bool,
    ) -> None:
        self._view_cache = view_cache
        self._cache = cache
        self._scope = scope
        self._clock = clock
        self._values: tuple[object, ...] = ()
        self._identity = ""
        self._keys: Sequence[str] = ()
        self._is_resting = is_resting
        self._dependencies: AnswerDependencies | None = None
        self._mark = 0

    def peek(self, values: tuple[object, ...]) -> tuple[Fields, bytes] | None:
        """Return headers and body of an answer that this process holds.

        `values` are all that the view is handed of the request, in the order of its parameters.
        """
        self._values = values
        forms = self._view_cache.forms
        if not forms:
            return None
        try:
            self._identity = self._view_cache.identity(values)
            keys = self._keys = [form.key(self._identity, self._scope) for form in forms]
        except UnkeyableValue:
            return None
        now, store = self._clock(), self._cache.store
        for key in keys:
            entry = store.peek(key)
            if entry is not None and now < entry.fresh_until:
                return self._hit(entry, now)
        return None

    async def fetch(self) -> tuple[Fields, bytes] | None:
        """Return headers and body of an answer that any process keeps; None to compose it."""
        if not self._keys:
            return None
        for key in self._keys:
            entry = await self._cache.store.get(key)
            now = self._clock()
            if entry is not None and now < entry.fresh_until:
                return self._hit(entry, now)
        self._cache.note(VIEWS, self._view_cache.operation, "miss")
        return None

    def record(self) -> None:
        """Have noted from now on what the answer is made of."""
        if not self._is_resting:
            self._mark = self._cache.store.mark()
            self._scope.dependencies = self._dependencies = AnswerDependencies(self._scope.calls)

    def _hit(self, entry: CacheEntry, now: float) -> tuple[Fields, bytes]:
        view_cache, age = self._view_cache, now - entry.born
        view_cache.succeed()
        self._cache.note(VIEWS, view_cache.operation, "hit", age=age)
        status = view_cache.hit_status(entry.fresh_until - now)
        return [*entry.headers, (b"age", b"%d" % max(0.0, age)), status], entry.body

    def prepare(self, headers: Fields, body: bytes, *, is_open: bool) -> PendingEntry | None:
        """Complete the headers of an answer of 200; return what is to be kept, if it can be.

        Until when it may be used is told to the client as well, if by then it was composed whole.
        One that is not open to all (`is_open`) is private: shared caches check no access rule.
        """
        dependencies, now = self._dependencies, self._clock()
        if dependencies is None:
            headers.append(self._view_cache.missed(self._view_cache.reason))
            return None
        reason = dependencies.uncacheable_reason(self._scope.calls, now)
        if COMPLETE not in headers:
            reason = "degraded"
        if not reason:
            add_freshness(headers, dependencies, now, is_open=is_open)
            reason = exceeded_limit(dependencies, body)
        pending = reason or self._pending(dependencies, headers, body, now)
        if isinstance(pending, str):
            self._view_cache.refuse(pending, self._cache, now)
            headers.append(self._view_cache.missed(pending))
            return None
        headers.append(self._view_cache.stored)
        return pending

    def _pending(
        self, dependencies: AnswerDependencies, headers: Fields, body: bytes, now: float
    ) -> PendingEntry | str:
        """Return what is to be kept, or the reason why nothing is."""
        form = Form(
            dependencies.sharing, tuple(sorted(dependencies.headers)), dependencies.has_query
        )
        if self._view_cache.knows_too_many(form):
            return "forms"
        try:
            key = form.key(self._identity or self._view_cache.identity(self._values), self._scope)
        except UnkeyableValue:
            return "parameter"
        return PendingEntry(key, form, cache_entry(dependencies, headers, body, now))

    async def store(self, pending: PendingEntry) -> None:
        """Keep an answer that has been sent, unless what it is made of was purged meanwhile."""
        left = pending.entry.fresh_until - self._clock()
        if left <= 0:
            return
        cache, operation = self._cache, self._view_cache.operation
        if await cache.store.set(pending.key, pending.entry, keep=left, mark=self._mark):
            self._view_cache.learn(pending.form)
            self._view_cache.succeed()
            cache.of(VIEWS).size += len(pending.entry.body)
            cache.note(VIEWS, operation, "store")
        else:
            self._view_cache.refuse("purged", cache, self._clock())
