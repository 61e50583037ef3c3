"""Which changes of a service's contract touch what gateways use of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bff_core.contracts.change import Change
from bff_core.contracts.changes.addresses import address, find_operations
from bff_core.contracts.changes.bodies import is_success
from bff_core.contracts.changes.reached import ANY_STEPS
from bff_core.contracts.document import Document, HttpOperation
from bff_core.contracts.usage import OperationUse

_Path = tuple[str, ...]
_Paths = frozenset[_Path] | None

_UNNOTICED = frozenset(
    {
        "operation-added",
        "parameter-added-optional",
        "request-body-added-optional",
        "request-property-added-optional",
        "response-property-added",
        "response-header-added",
        "response-error-status-added",
        "response-error-status-removed",
        "graphql-type-added",
        "graphql-field-added",
        "graphql-optional-argument-added",
        "graphql-optional-input-field-added",
        "graphql-directive-added",
    }
)
"""Rules of changes that no client touches that was written before them."""

_FOR_ALL_CALLERS = frozenset(
    {
        "parameter-added-required",
        "parameter-became-required",
        "parameter-default-changed",
        "response-status-removed",
        "response-status-added",
    }
)
_FOR_SENDERS_OF_THE_PARENT = frozenset(
    {
        "request-property-added-required",
        "request-property-became-required",
        "request-property-default-changed",
    }
)


@dataclass(frozen=True, slots=True)
class Affected:
    """A change and the uses that it touches."""

    change: Change
    uses: tuple[OperationUse, ...]

    @property
    def views(self) -> tuple[str, ...]:
        """The views, sorted: "mobile: GET /v1/home"."""
        return tuple(sorted({view for use in self.uses for view in use.views}))

    @property
    def gateways(self) -> tuple[str, ...]:
        """The names of the gateways, sorted."""
        return tuple(sorted({view.partition(":")[0] for view in self.views}))


def affected(
    changes: Iterable[Change], uses: Iterable[OperationUse], contract: Document | None = None
) -> list[Affected]:
    """Return the changes of one service's contract that touch uses of that service.

    `contract` is the document before the changes: with it, the paths of calls are matched with all
    operations and the paths of servers are known. What a use has not decided counts as used.

    For a GraphQL service, `reads` has coordinates of the schema: fields, ("Product", "price"), and
    the names of enums, scalars and unions that are returned, ("Currency",). `sends` has arguments,
    ("Query", "product", "id"), fields of inputs, ("Draft", "name"), and names of enums.
    """
    changes = list(changes)
    operations = _Operations(contract or _document(changes))
    using = list(uses)
    found = []
    for change in changes:
        touched = tuple(use for use in using if _touches(change, use, operations))
        if touched:
            found.append(Affected(change, touched))
    return found


class _Operations:
    """The operations that each use calls."""

    def __init__(self, contract: Document) -> None:
        self._contract = contract
        self._called: dict[tuple[str, str], frozenset[str]] = {}

    def called(self, use: OperationUse) -> frozenset[str]:
        """Return the names of the operations that a use may call."""
        key = (use.method, address(use.path))
        if key not in self._called:
            found = find_operations(self._contract, use.method, use.path)
            self._called[key] = frozenset(one.name for one in found)
        return self._called[key]


def _document(changes: Iterable[Change]) -> Document:
    """Return a document of the operations that changed."""
    names = dict.fromkeys(one.operation for one in changes if one.place != "type" and one.operation)
    split = (name.split(" ", 1) for name in names)
    operations = tuple(HttpOperation(method, path) for method, path in split)
    return Document("", "", "", operations=operations)


def _touches(change: Change, use: OperationUse, operations: _Operations) -> bool:
    if change.rule in _UNNOTICED:
        return False
    if change.place == "type":
        return _touches_type(change, use)
    if change.operation and change.operation not in operations.called(use):
        return False
    if change.place in {"operation", "security"} or change.rule in _FOR_ALL_CALLERS:
        return True
    if change.place == "response":
        return _touches_response(change, use)
    return _touches_request(change, use)


def _touches_response(change: Change, use: OperationUse) -> bool:
    """Whether a use reads the field; whether it reads headers and errors is undecided."""
    if change.rule == "response-media-type-removed" and not _is_json(change.pointer):
        return use.reads is None
    if change.rule.startswith(("response-header-", "response-optional-header-")):
        return True
    return not is_success(change.status) or _is_used(change, change.field, use.reads)


def _is_json(pointer: str) -> bool:
    """Whether a pointer ends with a media type that fields are read from, or with none."""
    media_type = pointer.rpartition("/")[2].replace("~1", "/").lower()
    return "/" not in media_type or "json" in media_type or "*" in media_type


def _touches_request(change: Change, use: OperationUse) -> bool:
    if change.place == "parameter":
        name = change.field[0]
        return f"{{{name}}}" in change.operation or _is_sent(change, use.sends)
    if not change.field:
        return True
    if change.rule in _FOR_SENDERS_OF_THE_PARENT:
        parent = change.field[:-1]
        return not parent or _is_used(change, parent, use.sends)
    return _is_used(change, change.field, use.sends)


def _is_sent(change: Change, sends: _Paths) -> bool:
    """Whether a parameter is sent; headers have the same name in upper and lower case."""
    if sends is None:
        return True
    name = change.field[0].lower()
    return any(sent and sent[0].lower() == name for sent in sends)


def _touches_type(change: Change, use: OperationUse) -> bool:
    coordinate = (change.operation, *change.field) if change.operation else ()
    if change.rule == "graphql-required-input-field-added":
        return _is_used(change, coordinate[:1], use.sends)
    if change.rule == "graphql-argument-removed":
        return _is_used(change, coordinate, use.sends)
    return _is_used(change, coordinate, use.reads) or _is_used(change, coordinate, use.sends)


def _is_used(change: Change, path: _Path, used: _Paths) -> bool:
    """Whether a used field is the changed one, or above it, or below it."""
    if used is None:
        return True
    return any(_are_related(path, one, change.loops) for one in used)


def _are_related(changed: _Path, used: _Path, loops: Sequence[tuple[int, _Path]]) -> bool:
    """Whether one path is the beginning of the other, if loops are passed any number of times."""

    def related(position: int, step: int) -> bool:
        if position == len(changed) or step == len(used):
            return True
        for at, steps in loops:
            if at == position and passes(position, step, steps):
                return True
        return _may_be_same(changed[position], used[step]) and related(position + 1, step + 1)

    def passes(position: int, step: int, loop: _Path) -> bool:
        """Whether the used path goes through a loop, and the rest of it is related."""
        steps = loop[:-1] if loop[-1] == ANY_STEPS else loop
        if not all(map(_may_be_same, steps, used[step:])):
            return False
        end = step + len(steps)
        return end >= len(used) or steps != loop or related(position, end)

    return related(0, 0)


def _may_be_same(one: str, other: str) -> bool:
    """Whether two steps may be one; a value of a map may be the property of any name."""
    return one == other or ("{}" in {one, other} and "[]" not in {one, other})
