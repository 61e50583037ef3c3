"""A cache entry: an answer, how long it may be used, and the tags that purge it."""

from dataclasses import dataclass, field
from typing import Final

from bff_core.call import Headers

ITSELF: Final = 400
"""Bytes of an entry without a body, as CPython lays it out: itself, its numbers, its body."""

FIELD: Final = 140
"""Bytes of a header field beside its text: a pair, two values and a place among the others."""

TAG: Final = 60
"""Bytes of a tag beside its text, and of its place among the others."""

DECODED: Final = 5
"""How many times the bytes of its JSON a typed value takes: 3 to 5 with slots, 5 to 6 without."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A stored answer, of a service or composed; immutable, but for `decoded`.

    `generated_at` is the instant of this process's monotonic clock at which the answer had age 0.
    An entry from another process gets it from its age, so no wall clock is trusted. The entry is
    fresh for `fresh_for` seconds from then on. After that it may be served for `stale_for` seconds
    while it is refreshed, and for `error_for` seconds while the upstream fails. `has_validator`
    says whether it has an ETag or a Last-Modified to revalidate it with. `varies` are the request's
    values of the headers that the answer named in `Vary`. `decoded` holds typed values by their
    decoder; it never leaves this process.
    """

    status: int
    headers: Headers
    body: bytes
    generated_at: float
    fresh_for: float
    stale_for: float = 0.0
    error_for: float = 0.0
    has_validator: bool = False
    varies: tuple[tuple[bytes, bytes | None], ...] = ()
    tags: tuple[str, ...] = ()
    decoded: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def age(self, now: float) -> float:
        """Return its age in seconds."""
        return max(0.0, now - self.generated_at)

    @property
    def fresh_until(self) -> float:
        """The instant at which it stops being fresh."""
        return self.generated_at + self.fresh_for

    @property
    def size(self) -> int:
        """Return about how many bytes it takes in memory, with what was decoded of it."""
        size = ITSELF + len(self.body) * (1 + DECODED * len(self.decoded))
        for name, value in self.headers:
            size += len(name) + len(value) + FIELD
        for tag in self.tags:
            size += len(tag) + TAG
        for name, sent in self.varies:
            size += len(name) + len(sent or b"") + FIELD
        return size
