"""What a composed answer depends on: whether it is cacheable, until when, and who may share it."""

from dataclasses import dataclass, field
from math import inf
from typing import Final, Literal

from bff_core.call import SAFE, Call, Reply

Sharing = Literal[0, 1, 2]
"""Which viewers may share an answer: the fewer, the greater."""

PUBLIC: Final = 0
PER_TENANT: Final = 1
PER_VIEWER: Final = 2

CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Request headers that make an answer uncacheable once they are read."""

_TENANT_PREFIX: Final = "tenant:"


@dataclass(slots=True, eq=False)
class AnswerCacheability:
    """Records what was read while one answer was composed; stored in the request's `Scope`.

    `sharing` is the narrowest audience of everything that was read, and `narrowed_by` names what
    narrowed it last. `fresh_until` (an instant of the monotonic clock) is when the first of the
    replies stops being fresh, `age` the age of the oldest (seconds), `tags` are the tags of all.
    `headers` are the request headers that were read, `has_query` whether the query was. `reason` is
    why the answer can't be cached, empty if it can. `before` is how many calls the request had
    made when recording began.
    """

    before: int = 0
    sharing: Sharing = PUBLIC
    narrowed_by: str = ""
    fresh_until: float = inf
    age: float = 0.0
    replies: int = 0
    headers: list[str] = field(default_factory=list)
    has_query: bool = False
    tags: dict[str, None] = field(default_factory=dict)
    reason: str = ""

    def add_reply(self, call: Call, reply: Reply) -> None:
        """Record a reply that the answer may depend on."""
        self.replies += 1
        reuse = reply.reuse
        if call.method not in SAFE:
            self.forbid("write")
            return
        if reuse is None:
            self.forbid("part")
            return
        self.fresh_until = min(self.fresh_until, reuse.fresh_until)
        self.age = max(self.age, reply.age)
        self.tags.update(dict.fromkeys(reuse.tags))
        audience = call.audience
        if audience is not None:
            is_tenant = audience.startswith(_TENANT_PREFIX)
            self.narrow(PER_TENANT if is_tenant else PER_VIEWER, f"a reply of {call.upstream}")

    def narrow(self, sharing: Sharing, cause: str) -> None:
        """Record that only this audience, or a narrower one, may share the answer."""
        if sharing > self.sharing:
            self.sharing, self.narrowed_by = sharing, cause

    def add_header(self, name: str) -> None:
        """Record a request header that the answer depends on."""
        name = name.lower()
        if name in CREDENTIALS:
            self.forbid(name)
        elif name not in self.headers:
            self.headers.append(name)

    def forbid(self, reason: str) -> None:
        """Record why the answer can't be cached; the first reason stays."""
        self.reason = self.reason or reason

    def uncacheable_reason(self, calls: int, now: float) -> str:
        """Return why the answer can't be cached, empty if it can.

        `calls` is how many calls the request has made. A call without a recorded reply failed, was
        streamed or is still running; the answer may depend on it.
        """
        if self.reason:
            return self.reason
        if not self.replies:
            return "no_parts"
        if self.replies != calls - self.before:
            return "unfinished"
        return "" if now < self.fresh_until else "stale"
