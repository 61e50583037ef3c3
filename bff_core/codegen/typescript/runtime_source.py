"""The code that is the same in each TypeScript client, and the types that it declares."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from bff_core.codegen.typescript.operations import ClientOperation
from bff_core.contracts.document import Document
from bff_core.contracts.types import ObjectType
from bff_core.http_statuses import OF_PROBLEMS

RUNTIME: Final = (
    *("results", "platform", "options", "headers", "requests", "exchange", "etags", "calls"),
    *("lines", "values", "stream", "events", "progressive"),
)
"""The sources of what clients run on, in this order; those of the second line only if needed."""

OWN_TYPES: Final = {
    "Problem": {
        *("type", "title", "status", "code", "detail", "request_id", "trace_id", "part"),
        *("retry_after", "errors"),
    },
    "ProblemError": {"in", "pointer", "detail", "type", "line", "column"},
    "PartStatus": {"status", "reason", "age"},
}
"""Schemas of the framework that the runtime declares, with the names of their fields."""

KNOWN_STATUSES: Final = frozenset(map(str, OF_PROBLEMS))
"""The statuses of `ProblemCodes` in the runtime."""


def runtime_source(operations: Sequence[ClientOperation] | None = None) -> str:
    """Return the code that is the same in each client: all of it, or what operations need."""
    folder = files(__package__) / "runtime"
    used = RUNTIME if operations is None else [one for one in RUNTIME if _is_used(one, operations)]
    return "\n".join((folder / f"{one}.ts").read_text(encoding="utf-8") for one in used)


def _is_used(source: str, operations: Sequence[ClientOperation]) -> bool:
    """Whether operations need a source: projects may forbid functions that nothing calls."""
    has_lines = any(one.reads == "lines" for one in operations)
    has_events = any(one.reads == "events" for one in operations)
    has_parts = any(one.is_progressive for one in operations)
    needed = {
        "lines": has_lines or has_events or has_parts,
        "values": has_lines or has_parts,
        "stream": has_lines or has_events,
        "events": has_events,
        "progressive": has_parts,
    }
    return needed.get(source, True)


def own_types(document: Document) -> dict[str, str]:
    """Return the schemas of the framework by name, with the types of the runtime that they are.

    The framework's schema is called `BffProblem` if a model of the gateway is called `Problem`.
    """
    found = {}
    for own, fields in OWN_TYPES.items():
        for name in (f"Bff{own}", own):
            one = document.types.get(name)
            if one is None or not isinstance(one.type, ObjectType):
                continue
            if {field.name for field in one.type.fields} == fields:
                found[name] = own
                break
    return found
