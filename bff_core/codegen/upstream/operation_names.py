"""Names the methods of operations: from operationId, or from method and path."""

import re
from collections.abc import Iterable, Sequence

from bff_core.codegen.names import UniqueNames, snake
from bff_core.contracts.document import HttpOperation
from bff_core.upstream.client import Upstream

ANNOTATIONS = frozenset(
    {"bool", "bytes", "dict", "dt", "errors", "float", "int", "models", "msgspec", "str", "tuple"}
)
"""Names that signatures use; a method of such a name would hide it."""


def taken_names() -> set[str]:
    """Return the names that no method may have: those of `Upstream`, and of annotations."""
    return {*(one for one in dir(Upstream) if not one.startswith("__")), *ANNOTATIONS}


def operation_names(
    operations: Sequence[HttpOperation],
    names: UniqueNames,
    known_first: Iterable[tuple[str, str]] = (),
) -> dict[tuple[str, str], str]:
    """Return the names of methods by (method, path), taken from `names`.

    Of operations with equal names the first gets it; the others are named with method and path.
    Those of `known_first`, the operations of an earlier contract, come before all others, so that a
    new operation takes no name from them.
    """
    order = {key: place for place, key in enumerate(known_first)}
    last = len(order)
    ordered = sorted(operations, key=lambda one: order.get((one.method, one.path), last))
    return {(one.method, one.path): names.take(*_candidates(one)) for one in ordered}


def _candidates(operation: HttpOperation) -> list[str]:
    by_path = _by_path(operation)
    whole = snake(operation.id, "") if operation.id else ""
    if not whole:
        return [by_path, f"{by_path}_"]
    short = _without_suffix(whole, operation)
    return [short, *([whole] if whole != short else []), by_path, f"{short}_{by_path}"]


def _without_suffix(name: str, operation: HttpOperation) -> str:
    """Return an id without what FastAPI and NestJS add: the path and method, "controller"."""
    suffix = snake(f"{operation.path} {operation.method}", "")
    if suffix and name.endswith(f"_{suffix}"):
        return snake(name.removesuffix(suffix).rstrip("_"))
    return re.sub(r"^(\w+?)_controller_(?=\w)", r"\1_", name)


def _by_path(operation: HttpOperation) -> str:
    """Return `get_pets_by_id` for GET /pets/{id}."""
    steps = re.sub(r"\{([^}]*)\}", r" by \1 ", operation.path)
    return snake(f"{operation.method.lower()} {steps}")
