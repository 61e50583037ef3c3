"""A cache entry: a stored answer, how long it may be reused, and the tags that purge it."""

from dataclasses import dataclass, field
from typing import Final

from bff_core.call import Headers

ENTRY_BYTES: Final = 400
"""Memory of an entry without its contents, in CPython (bytes)."""

HEADER_BYTES: Final = 140
"""Memory of a header field without its text, in CPython (bytes)."""

TAG_BYTES: Final = 60
"""Memory of a tag without its text, in CPython (bytes)."""

DECODED_FACTOR: Final = 5
"""Memory of a typed value, in multiples of its JSON: 3 to 5 with slots, 5 to 6 without."""


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A stored answer, of a service or composed; immutable except for `decoded`.

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
        """Return about how many bytes of memory it takes, with its decoded values."""
        size = ENTRY_BYTES + len(self.body) * (1 + DECODED_FACTOR * len(self.decoded))
        for name, value in self.headers:
            size += len(name) + len(value) + HEADER_BYTES
        for tag in self.tags:
            size += len(tag) + TAG_BYTES
        for name, requested in self.varies:
            size += len(name) + len(requested or b"") + HEADER_BYTES
        return size
