"""What a handler of the user gets of a request, and what it may return."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MockCall:
    """A valid request to a mock, and the answer that the mock has for it.

    `parameters` has those of path, query, headers and cookies by name, as the contract types them.
    `body` is the decoded JSON or form, and None for other content.
    """

    method: str
    path: str
    parameters: Mapping[str, object]
    headers: Mapping[str, str]
    body: object
    answer: object


@dataclass(frozen=True, slots=True)
class MockReply:
    """An answer with a status and headers of its own."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


MockHandler = Callable[[MockCall], Awaitable[object] | object]
"""A handler of the user: it returns a JSON value, or a `MockReply`."""
