"""Finds the differences of two OpenAPI documents that matter to clients."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bff_core.contracts.change import Change
from bff_core.contracts.changes.addresses import address, base_paths, parameter_names
from bff_core.contracts.changes.bodies import request_findings, response_findings
from bff_core.contracts.changes.findings import Finding, reported
from bff_core.contracts.changes.parameters import parameter_findings
from bff_core.contracts.changes.reached import DifferencePlaces
from bff_core.contracts.changes.schemas import SchemaComparison
from bff_core.contracts.changes.security import security_findings
from bff_core.contracts.changes.words import plain
from bff_core.contracts.document import Document, HttpOperation

_Operations = Mapping[tuple[str, str], HttpOperation]


def openapi_changes(before: Document, after: Document) -> list[Change]:
    """Return what changed for clients, in the order of the operations.

    Paths are the same if they differ in the names of their parameters only. A difference of a
    shared schema is reported at each operation that it reaches, and at each field. An operation has
    the name that it had before.
    """
    schemas = SchemaComparison(before.types, after.types)
    findings: list[tuple[HttpOperation | None, list[Finding]]] = [
        (None, list(_server_findings(before, after)))
    ]
    for old, new in _pairs(before, after):
        if new is None and old is not None:
            findings.append((old, [Finding("operation-removed", "the operation was removed")]))
        elif old is None and new is not None:
            findings.append((new, [Finding("operation-added", "the operation was added")]))
        elif old is not None and new is not None:
            found = _OperationPair(before, after, old, new, schemas).findings()
            findings.append((old, list(found)))
    places = DifferencePlaces(schemas.pairs)
    return [
        change
        for operation, found in findings
        for finding in found
        for change in reported(finding, operation, places)
    ]


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


def _server_findings(before: Document, after: Document) -> Iterator[Finding]:
    for server in before.servers:
        if server not in after.servers:
            yield Finding("server-removed", f"the server {plain(server)} was removed")
    for server in after.servers:
        if server not in before.servers:
            yield Finding("server-added", f"the server {plain(server)} was added")


@dataclass(frozen=True, slots=True)
class _OperationPair:
    before: Document
    after: Document
    old: HttpOperation
    new: HttpOperation
    schemas: SchemaComparison

    def findings(self) -> Iterator[Finding]:
        yield from self._descriptions()
        parameters = [
            replace(one, name=self._names().get(one.name, one.name)) if one.place == "path" else one
            for one in self.old.parameters
        ]
        yield from parameter_findings(parameters, self.new.parameters, self.schemas)
        yield from request_findings(self.old.body, self.new.body, self.schemas)
        yield from response_findings(self.old.responses, self.new.responses, self.schemas)
        yield from security_findings(
            (self.old.security, self.before.security_schemes),
            (self.new.security, self.after.security_schemes),
        )

    def _names(self) -> dict[str, str]:
        """Return the new name of each parameter of the path."""
        old, new = parameter_names(self.old.path), parameter_names(self.new.path)
        return dict(zip(old, new, strict=False))

    def _descriptions(self) -> Iterator[Finding]:
        old, new = self.old, self.new
        for was, now in self._names().items():
            if was != now:
                text = f"the path parameter {plain(was)} is called {plain(now)} now"
                yield Finding("path-parameter-renamed", text)
        if new.is_deprecated and not old.is_deprecated:
            yield Finding("operation-deprecated", "the operation is deprecated")
        elif old.is_deprecated and not new.is_deprecated:
            yield Finding("operation-reactivated", "the operation is no longer deprecated")
        if old.id and new.id != old.id:
            text = f"the operationId changed from {plain(old.id)} to {plain(new.id) or 'none'}"
            yield Finding("operation-id-changed", text)
