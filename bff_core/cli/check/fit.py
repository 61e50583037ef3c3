"""Whether what a client sends and expects fits the contract of its service."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bff_core.contracts.changes import find_operations
from bff_core.contracts.document import Document, HttpOperation
from bff_core.contracts.types import (
    Anything,
    Array,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Tuple,
    Type,
    Union,
)
from bff_core.inspection.usage.operation_uses import ReplyUse

FieldPath = tuple[str, ...]

JSON_TYPES: Final = ("json", "*/*")


@dataclass(frozen=True, slots=True)
class ContractMisfit:
    """Something that a client does and its contract does not have; `rule` names its kind."""

    rule: str
    what: str
    advice: str
    operation: str
    is_certain: bool = True


def misfits(document: Document, use: ReplyUse) -> Iterator[ContractMisfit]:
    """Yield what of one call does not fit a contract."""
    call = use.use
    if not (call.method and call.path):
        return
    name = f"{call.method} {call.path}"
    found = find_operations(document, call.method, call.path)
    if not found:
        yield ContractMisfit(
            "unknown-operation",
            f"the contract has no {name}",
            "Correct the path or the method, or pin the contract that has it",
            name,
        )
        return
    if len(found) == 1:
        yield from _unsent(document, found[0], use)
        yield from _unreturned(document, found[0], use)


def _unsent(
    document: Document, operation: HttpOperation, use: ReplyUse
) -> Iterator[ContractMisfit]:
    """Yield what the contract requires and the call does not send."""
    sends = use.use.sends
    if sends is None:
        return
    names = {one[0] for one in sends}
    for one in operation.parameters:
        if (
            one.place == "query"
            and one.is_required
            and not one.has_default
            and one.name not in names
        ):
            yield ContractMisfit(
                "missing-parameter",
                f"{operation.name} requires the query parameter {one.name}",
                "Send it",
                operation.name,
            )
    body = operation.body
    fields = [] if body is None else [_object(document, one.type) for one in body.contents]
    known = {one.name for one in operation.parameters}
    sent = {one[0] for one in sends if len(one) == 1} | {one[0] for one in sends}
    if len(fields) != 1 or fields[0] is None or not (body and body.is_required):
        return
    for each in fields[0].fields:
        needed = each.is_required and not each.is_read_only and not each.has_default
        if needed and each.name not in sent and each.name not in known:
            yield ContractMisfit(
                "missing-body-field",
                f"{operation.name} requires the field {each.name} in its body",
                "Send it",
                operation.name,
            )


def _object(document: Document, of: Type) -> ObjectType | None:
    found = resolved(document, of)
    return found if isinstance(found, ObjectType) else None


def _unreturned(
    document: Document, operation: HttpOperation, use: ReplyUse
) -> Iterator[ContractMisfit]:
    """Yield the fields that the reply type needs and no reply has."""
    types = [
        content.type
        for response in operation.responses
        if response.status.startswith("2") or response.status.upper() == "DEFAULT"
        for content in response.contents
        if any(one in content.media_type for one in JSON_TYPES)
    ]
    if not types:
        return
    for path in sorted(use.required):
        if not any(_has(document, one, path) for one in types):
            shown = ".".join(path).replace(".[]", "[]").replace(".{}", "{}")
            yield ContractMisfit(
                "unknown-field",
                f"the replies of {operation.name} have no {shown}, which the reply type requires",
                "Correct the name, give the field a default, or remove it from the type",
                operation.name,
            )


def resolved(document: Document, of: Type) -> Type:
    """Return a type behind references and without null."""
    for _ in range(100):
        if isinstance(of, Ref):
            known = document.types.get(of.name)
            of = Anything() if known is None else known.type
        elif isinstance(of, Nullable):
            of = of.of
        else:
            return of
    return Anything()


def _has(  # noqa: PLR0911 # one branch for each kind of type
    document: Document, of: Type, path: FieldPath
) -> bool:
    """Whether values of a type may have a field."""
    of = resolved(document, of)
    if not path or isinstance(of, Anything):
        return True
    step, rest = path[0], path[1:]
    match of:
        case Union(options):
            return any(_has(document, one, path) for one in options)
        case Array(items) if step == "[]":
            return _has(document, items, rest)
        case Tuple(items) if step == "[]":
            return any(_has(document, one, rest) for one in items)
        case Map(values):
            return _has(document, values, rest)
        case ObjectType():
            return _object_has(document, of, step, rest)
    return False


def _object_has(document: Document, of: ObjectType, step: str, rest: FieldPath) -> bool:
    named = {one.name: one.type for one in of.fields}
    if step in named:
        return _has(document, named[step], rest)
    if step == "{}":
        inner = [*named.values(), *([] if of.others is None else [of.others])]
        return not inner or any(_has(document, one, rest) for one in inner)
    return of.others is not None or (not of.fields and not of.is_closed)


def grouped(
    found: Iterable[tuple[ContractMisfit, ReplyUse]],
) -> Mapping[ContractMisfit, Sequence[ReplyUse]]:
    """Return the calls of each misfit."""
    by_misfit: dict[ContractMisfit, list[ReplyUse]] = {}
    for misfit, use in found:
        by_misfit.setdefault(misfit, []).append(use)
    return by_misfit
