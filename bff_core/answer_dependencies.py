"""What an answer is made of, and so whether it may be used again, until when and for whom."""

from dataclasses import dataclass, field
from math import inf
from typing import Final, Literal

from bff_core.call import SAFE, Call, Reply

Sharing = Literal[0, 1, 2]
"""Who may be given the same answer: the narrower, the greater."""

PUBLIC: Final = 0
PER_TENANT: Final = 1
PER_VIEWER: Final = 2

CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Request headers whose readers make something of one request alone."""

_OF_TENANT: Final = "tenant:"


@dataclass(slots=True, eq=False)
class AnswerDependencies:
    """What was read while one answer was made; attached to a `Scope` by a face that wants to know.

    `sharing` is the narrowest audience of all that was read, `fresh_until` (an instant of the
    monotonic clock) the first at which one of the replies is no longer fresh, `age` that of the
    oldest (seconds), `tags` those of all. `headers` are the request headers that facts were made
    of, `has_query` is whether one was made of the query. `reason` is why the answer can't be used
    again, empty as long as it can. `before` is how many calls the request had made when this was
    attached.
    """

    before: int = 0
    sharing: Sharing = PUBLIC
    fresh_until: float = inf
    age: float = 0.0
    replies: int = 0
    headers: list[str] = field(default_factory=list)
    has_query: bool = False
    tags: dict[str, None] = field(default_factory=dict)
    reason: str = ""

    def add_reply(self, call: Call, reply: Reply) -> None:
        """Note a reply that the answer may be made of."""
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
            self.narrow(PER_TENANT if audience.startswith(_OF_TENANT) else PER_VIEWER)

    def narrow(self, sharing: Sharing) -> None:
        """Note that the answer is for no wider an audience."""
        self.sharing = max(self.sharing, sharing)

    def add_header(self, name: str) -> None:
        """Note that the answer depends on a request header."""
        name = name.lower()
        if name in CREDENTIALS:
            self.forbid(name)
        elif name not in self.headers:
            self.headers.append(name)

    def forbid(self, reason: str) -> None:
        """Note why the answer can't be used again; the first reason stays."""
        self.reason = self.reason or reason

    def uncacheable_reason(self, calls: int, now: float) -> str:
        """Return why the answer can't be used again, empty if it can.

        `calls` is how many the request has made: one without a reply here failed, was streamed, or
        is still under way, and what came of it, or did not, may be part of the answer.
        """
        if self.reason:
            return self.reason
        if not self.replies:
            return "no_parts"
        if self.replies != calls - self.before:
            return "unfinished"
        return "" if now < self.fresh_until else "stale"
