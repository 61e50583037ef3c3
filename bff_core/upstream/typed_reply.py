"""`TypedReply`: a typed value with the status and the headers of its reply."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from bff_core.call import Headers

T = TypeVar("T")


class ReplyHeaders(Mapping[str, str]):
    """The header fields of a reply as a mapping; names are found in any case.

    Iteration yields names in lower case. Lines with the same name are joined by ", " (RFC 9110,
    section 5.3).
    """

    __slots__ = ("_fields",)

    def __init__(self, headers: Headers) -> None:
        fields: dict[str, str] = {}
        for key, line in headers:
            name, value = key.decode("latin-1"), line.decode("latin-1")
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(self._fields)


@dataclass(frozen=True, slots=True)
class TypedReply(Generic[T]):
    """A typed value with the status and the headers of its reply.

        page = await self.get("/orders", TypedReply[list[Order]])
        page.value, page.status, page.headers["X-Total-Count"]

    The headers are those that the service sent, or that were stored with a cached reply. `location`
    is the gateway's path for the reply's `Location`, by `Upstream.locations`, or None.
    """

    value: T
    status: int
    headers: Mapping[str, str]
    location: str | None = None
