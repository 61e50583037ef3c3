"""An answer of the gateway, and the states of the parts that it was made of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

COMPLETE: Final = frozenset({"ok", "stale"})

_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[^"]', re.DOTALL)
_NAME: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_AGE: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class PartState:
    """How a part of the screen ended.

    `status` is ok, stale, partial, fallback, missing or forbidden. `reason` says why a part is not
    complete, such as `timeout`. `age` is that of a stored value, in seconds.
    """

    status: str
    reason: str = ""
    age: int = 0

    @property
    def is_degraded(self) -> bool:
        """Whether the part is not complete."""
        return self.status not in COMPLETE


@dataclass(frozen=True, slots=True)
class GatewayAnswer(Generic[T]):
    """A value that the gateway answered with.

    `parts` are the states of the parts of the screen, by name in lower case. `headers` have lower
    case names. `is_unchanged` if the gateway confirmed a stored answer (304).
    """

    value: T
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, PartState] = field(default_factory=dict)
    is_unchanged: bool = False

    @property
    def is_degraded(self) -> bool:
        """Whether some part is not complete; `parts` says which, and why."""
        return any(part.is_degraded for part in self.parts.values())

    @property
    def request_id(self) -> str:
        """The id under which the gateway logged the request."""
        return self.headers.get("x-request-id", "")

    @property
    def is_replayed(self) -> bool:
        """Whether this is the answer of an earlier request with the same idempotency key."""
        return self.headers.get("idempotency-replayed") == "true"


@dataclass(frozen=True, slots=True)
class ProgressLine(Generic[T]):
    """A line of a progressive answer: a part that has ended, or at the end the whole answer.

    `value` is what the gateway shows of the part early, as JSON; None if it shows nothing.
    """

    part: str = ""
    state: PartState | None = None
    value: Any = None
    answer: GatewayAnswer[T] | None = None


@dataclass(frozen=True, slots=True)
class StreamEvent(Generic[T]):
    """A server-sent event: its decoded data, its type and its id."""

    data: T
    type: str = "message"
    id: str = ""


def parts_of_header(text: str) -> dict[str, PartState]:
    """Return the states of the header `Part-Status`, a dictionary of RFC 9651.

    Members that are none are left out.
    """
    found = {}
    for member in _split(text, ","):
        (name, status), *parameters = map(_assigned, _split(member, ";"))
        if not _NAME.fullmatch(name) or not status:
            continue
        known = dict(parameters)
        age = known.get("age", "")
        seconds = int(age) if _AGE.fullmatch(age) else 0
        found[name] = PartState(status, known.get("reason", ""), seconds)
    return found


def _split(text: str, separator: str) -> list[str]:
    """Split a field at a separator that is in no quoted text."""
    pieces = [""]
    for piece in _TEXT.findall(text):
        if piece == separator:
            pieces.append("")
        else:
            pieces[-1] += piece
    return [one.strip() for one in pieces]


def _assigned(text: str) -> tuple[str, str]:
    """Return the name and the value of a member or a parameter; a text without its quotes."""
    name, _, value = text.partition("=")
    value = value.strip()
    if value.startswith('"'):
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return name.strip(), value


def parts_of_members(members: object) -> dict[str, PartState]:
    """Return the states that a line of a progressive answer has in `parts`."""
    listed = members.items() if isinstance(members, dict) else ()
    return {str(name): part_of_members(one) for name, one in listed}


def part_of_members(members: Any) -> PartState:
    """Return the state of a part from its members `status`, `reason` and `age`."""
    known = members if isinstance(members, dict) else {}
    age = known.get("age", 0)
    return PartState(
        str(known.get("status", "")),
        str(known.get("reason", "")),
        age if isinstance(age, int) else 0,
    )
