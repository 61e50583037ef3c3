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
from bff_core.view_cache.headers import entry_of, excess, tell
from bff_core.view_cache.key import Form, NoIdentity, canonical

VIEWS: Final = "views"
"""What the cache calls composed answers, in its figures and events."""

PATIENCE: Final = 8
"""After how many answers in a row that could not be kept a view is watched no more."""

REST: Final = 1.0
"""For how many seconds; then one more answer is tried."""

MOST_FORMS: Final = 8


class Keeper:
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

    def open(self, wiring: Wiring, scope: Scope) -> "Keeping | None":
        """Return what looks after one request; None where there is nothing to expect of it."""
        cache = wiring.cache
        if cache is None or not self._keeps:
            return None
        is_resting = self._refusals >= PATIENCE and wiring.clock() < self._resting_until
        if is_resting and not self.forms:
            return None
        return Keeping(self, cache, scope, wiring.clock, is_resting=is_resting)

    def pass_by(self, wiring: Wiring, headers: Fields) -> None:
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
        """Return what stands for the view and its parameters; raises `NoIdentity`."""
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
class Draft:
    """An answer that is to be kept when it has been sent."""

    key: str
    form: Form
    entry: CacheEntry


class Keeping:
    """One request to a view that may be kept."""

    __slots__ = (
        "_cache",
        "_clock",
        "_dependencies",
        "_identity",
        "_is_resting",
        "_keeper",
        "_keys",
        "_mark",
        "_scope",
        "_values",
    )  # fmt: skip

    def __init__(
        self,
        keeper: Keeper,
        cache: ResponseCache,
        scope: Scope,
        clock: Clock,
        *,
        is_resting: bool,
    ) -> None:
        self._keeper = keeper
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
        forms = self._keeper.forms
        if not forms:
            return None
        try:
            self._identity = self._keeper.identity(values)
            keys = self._keys = [form.key(self._identity, self._scope) for form in forms]
        except NoIdentity:
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
        self._cache.note(VIEWS, self._keeper.operation, "miss")
        return None

    def watch(self) -> None:
        """Have noted from now on what the answer is made of."""
        if not self._is_resting:
            self._mark = self._cache.store.mark()
            self._scope.dependencies = self._dependencies = AnswerDependencies(self._scope.calls)

    def _hit(self, entry: CacheEntry, now: float) -> tuple[Fields, bytes]:
        keeper, age = self._keeper, now - entry.born
        keeper.succeed()
        self._cache.note(VIEWS, keeper.operation, "hit", age=age)
        status = keeper.hit_status(entry.fresh_until - now)
        return [*entry.headers, (b"age", b"%d" % max(0.0, age)), status], entry.body

    def settle(self, headers: Fields, body: bytes, *, is_open: bool) -> Draft | None:
        """Complete the headers of an answer of 200; return what is to be kept, if it can be.

        Until when it may be used is told to the client as well, if by then it was composed whole.
        One that is not open to all (`is_open`) is private: shared caches check no access rule.
        """
        dependencies, now = self._dependencies, self._clock()
        if dependencies is None:
            headers.append(self._keeper.missed(self._keeper.reason))
            return None
        reason = dependencies.uncacheable_reason(self._scope.calls, now)
        if COMPLETE not in headers:
            reason = "degraded"
        if not reason:
            tell(headers, dependencies, now, is_open=is_open)
            reason = excess(dependencies, body)
        drafted = reason or self._drafted(dependencies, headers, body, now)
        if isinstance(drafted, str):
            self._keeper.refuse(drafted, self._cache, now)
            headers.append(self._keeper.missed(drafted))
            return None
        headers.append(self._keeper.stored)
        return drafted

    def _drafted(
        self, dependencies: AnswerDependencies, headers: Fields, body: bytes, now: float
    ) -> Draft | str:
        """Return what is to be kept, or the reason why nothing is."""
        form = Form(
            dependencies.sharing, tuple(sorted(dependencies.headers)), dependencies.has_query
        )
        if self._keeper.knows_too_many(form):
            return "forms"
        try:
            key = form.key(self._identity or self._keeper.identity(self._values), self._scope)
        except NoIdentity:
            return "parameter"
        return Draft(key, form, entry_of(dependencies, headers, body, now))

    async def keep(self, draft: Draft) -> None:
        """Keep an answer that has been sent, unless what it is made of was purged meanwhile."""
        left = draft.entry.fresh_until - self._clock()
        if left <= 0:
            return
        cache, operation = self._cache, self._keeper.operation
        if await cache.store.set(draft.key, draft.entry, keep=left, mark=self._mark):
            self._keeper.learn(draft.form)
            self._keeper.succeed()
            cache.of(VIEWS).size += len(draft.entry.body)
            cache.note(VIEWS, operation, "store")
        else:
            self._keeper.refuse("purged", cache, self._clock())
