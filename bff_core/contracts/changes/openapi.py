"""Finds the differences of two OpenAPI documents that matter to clients."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bff_core.contracts.change import Change
from bff_core.contracts.changes.addresses import address, base_paths, parameter_names
from bff_core.contracts.changes.bodies import request_differences, response_differences
from bff_core.contracts.changes.differences import OperationDifference, reported
from bff_core.contracts.changes.parameters import parameter_differences
from bff_core.contracts.changes.reached import DifferencePlaces
from bff_core.contracts.changes.schemas import SchemaComparison
from bff_core.contracts.changes.security import security_differences
from bff_core.contracts.changes.words import plain
from bff_core.contracts.document import Document, HttpOperation, HttpParameter

_Operations = Mapping[tuple[str, str], HttpOperation]


def openapi_changes(before: Document, after: Document) -> list[Change]:
    """Return what changed for clients, in the order of the operations.

    Paths are the same if they differ in the names of their parameters only. A difference of a
    shared schema is reported at each operation that it reaches, and at each field. Operations and
    parameters of paths have the names that they had before.
    """
    comparison = _DocumentComparison(before, after, SchemaComparison(before.types, after.types))
    found = list(comparison.differences())
    places = DifferencePlaces(comparison.schemas.pairs)
    changes = (change for operation, one in found for change in reported(one, operation, places))
    return list(dict.fromkeys(changes))  # bodies of several media types often share a type


def _pairs(
    before: Document, after: Document
) -> Iterator[tuple[HttpOperation | None, HttpOperation | None]]:
    """Yield operations and their successors; those of one document have none."""
    old, new = _by_address(before, ""), _by_address(after, "")
    old_base, new_base = base_paths(before)[0], base_paths(after)[0]
    full_new = _by_address(after, new_base) if old_base != new_base else {}
    met: set[str] = set()
    for (method, path), one in old.items():
        counterpart = new.get((method, path)) or full_new.get((method, address(old_base + path)))
        if counterpart is not None:
            met.add(counterpart.name)
        yield one, counterpart
    for other in new.values():
        if other.name not in met:
            yield None, other


def _by_address(document: Document, base: str) -> _Operations:
    return {(one.method, address(base + one.path)): one for one in document.operations}


def _server_differences(before: Document, after: Document) -> Iterator[OperationDifference]:
    for server in before.servers:
        if server not in after.servers:
            yield OperationDifference("server-removed", f"the server {plain(server)} was removed")
    for server in after.servers:
        if server not in before.servers:
            yield OperationDifference("server-added", f"the server {plain(server)} was added")


@dataclass(frozen=True, slots=True)
class _DocumentComparison:
    before: Document
    after: Document
    schemas: SchemaComparison

    def differences(self) -> Iterator[tuple[HttpOperation | None, OperationDifference]]:
        """Yield all differences, each with the operation that it is of."""
        for difference in _server_differences(self.before, self.after):
            yield None, difference
        for old, new in _pairs(self.before, self.after):
            if old is None:
                yield new, OperationDifference("operation-added", "the operation was added")
            elif new is None:
                yield old, OperationDifference("operation-removed", "the operation was removed")
            else:
                for difference in self._compare(old, new):
                    yield old, difference

    def _compare(self, old: HttpOperation, new: HttpOperation) -> Iterator[OperationDifference]:
        yield from _description_differences(old, new)
        parameters = _with_names_of(old, new)
        yield from parameter_differences(old.parameters, parameters, self.schemas)
        yield from request_differences(old.body, new.body, self.schemas)
        yield from response_differences(old.responses, new.responses, self.schemas)
        yield from security_differences(
            (old.security, self.before.security_schemes),
            (new.security, self.after.security_schemes),
        )


def _with_names_of(old: HttpOperation, new: HttpOperation) -> list[HttpParameter]:
    """Return the new parameters; those of the path have the names that they had before."""
    names = dict(zip(parameter_names(new.path), parameter_names(old.path), strict=False))
    return [
        replace(one, name=names.get(one.name, one.name)) if one.place == "path" else one
        for one in new.parameters
    ]


def _description_differences(
    old: HttpOperation, new: HttpOperation
) -> Iterator[OperationDifference]:
    for was, now in zip(parameter_names(old.path), parameter_names(new.path), strict=False):
        if was != now:
            text = f"the path parameter {plain(was)} is called {plain(now)} now"
            yield OperationDifference("path-parameter-renamed", text)
    if new.is_deprecated and not old.is_deprecated:
        yield OperationDifference("operation-deprecated", "the operation is deprecated")
    elif old.is_deprecated and not new.is_deprecated:
        yield OperationDifference("operation-reactivated", "it is no longer deprecated")
    if old.id and new.id != old.id:
        text = f"the operationId changed from {plain(old.id)} to {plain(new.id) or 'none'}"
        yield OperationDifference("operation-id-changed", text)
