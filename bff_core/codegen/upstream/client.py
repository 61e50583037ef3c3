"""Generates the modules of a service client: models, errors and operations."""

from collections.abc import Iterator, Sequence

from bff_core.codegen.names import UniqueNames
from bff_core.codegen.python_text import docstring, plain, sentence
from bff_core.codegen.upstream.batch_reads import batch_name, batch_read_of, batch_source
from bff_core.codegen.upstream.bodies import RequestBody
from bff_core.codegen.upstream.failures import FailurePlan, error_source, failure_plans
from bff_core.codegen.upstream.method_plans import MethodPlan
from bff_core.codegen.upstream.model_source import model_source
from bff_core.codegen.upstream.model_types import ModelTypes
from bff_core.codegen.upstream.operation_names import (
    ANNOTATIONS,
    operation_names,
    taken_names,
)
from bff_core.codegen.upstream.operation_source import HELPERS, method_source, operation_source
from bff_core.codegen.upstream.options import Generated, UpstreamOptions
from bff_core.codegen.upstream.pagination import pager_name, pager_of, pager_source
from bff_core.codegen.upstream.parameters import Parameters
from bff_core.codegen.upstream.policy_proposal import proposed_policy
from bff_core.codegen.upstream.reach import reach_of
from bff_core.codegen.upstream.replies import reply_plan
from bff_core.codegen.upstream.union_types import assign_tags
from bff_core.contracts.document import Document, HttpOperation

_RESERVED = frozenset({"self", *ANNOTATIONS, *HELPERS})


def generate(document: Document, options: UpstreamOptions) -> Generated:
    """Return the modules of a typed client for a service; the same for the same document."""
    operations = list(document.operations)
    types = ModelTypes(document, reach_of(document, operations))
    notes: list[str] = []
    unique = UniqueNames(taken_names())
    previous = options.previous.operations if options.previous else ()
    names = operation_names(operations, unique, [(one.method, one.path) for one in previous])
    has_if_match = any(
        one.name.lower() == "if-match" for each in operations for one in each.parameters
    )
    methods = []
    for operation in operations:
        name = names[operation.method, operation.path]
        methods.append(_method(operation, name, types, notes, has_if_match=has_if_match))
    failures = failure_plans(operations, types)
    by_key = {one.key: one.name for one in failures}
    for method in methods:
        method.errors = _errors_of(method.operation, by_key)
    assign_tags(types.unions)
    notes += types.notes
    reads_enums = any(one.is_read for one in types.enums)
    policy = proposed_policy(document, operations, options.service, reads_enums=reads_enums)
    return Generated(
        _files(document, options, types, list(_sources(methods, unique)), failures),
        tuple(notes),
        policy=tuple(policy.lines()),
        imports=tuple(sorted(policy.names)),
        exports={"errors": tuple(sorted(one.name for one in failures))},
    )


def _method(
    operation: HttpOperation,
    name: str,
    types: ModelTypes,
    notes: list[str],
    *,
    has_if_match: bool,
) -> MethodPlan:
    taken = UniqueNames(_RESERVED)
    hint = "".join(word[:1].upper() + word[1:] for word in name.split("_"))
    parameters = Parameters(operation, types, taken)
    body = RequestBody(types, taken, hint, is_patch=operation.method == "PATCH")
    if operation.body is not None:
        if operation.method in {"GET", "HEAD", "OPTIONS", "TRACE"}:
            notes.append(f"{operation.name}: a {operation.method} has no body; it is not sent")
        else:
            body.plan(operation.body)
    notes += [f"{operation.name}: {one}" for one in parameters.notes]
    reply = reply_plan(operation, types, hint, has_if_match=has_if_match)
    return MethodPlan(
        name,
        operation,
        parameters.path,
        [*parameters.arguments, *body.arguments],
        parameters.values,
        parameters.query,
        [*body.headers, *parameters.headers],
        body.sent,
        reply,
    )


def _errors_of(operation: HttpOperation, names: dict[str, str]) -> Sequence[str]:
    statuses = sorted(one.status for one in operation.responses)
    return [names[status] for status in statuses if status in names]


def _files(
    document: Document,
    options: UpstreamOptions,
    types: ModelTypes,
    methods: Sequence[list[str]],
    failures: Sequence[FailurePlan],
) -> dict[str, str]:
    about = f"{plain(document.title)} {plain(document.version)}".strip()
    files = {}
    files["models.py"] = model_source(
        types.classes, types.enums, types.unions, _top(options, f"Types of {about}.")
    )
    if failures:
        files["errors.py"] = error_source(
            failures, _top(options, f"Errors of {about}."), options.package
        )
    description = sentence(document.description)
    text = f"Operations of {about}." + (f"\n\n{description}" if description else "")
    files["operations.py"] = operation_source(
        f"{options.class_name}Operations",
        text,
        methods,
        failures,
        top=_top(options, f"Operations of {about}."),
        package=options.package,
    )
    return files


_EXCUSED = (
    "# ruff: noqa: A002, ANN401, D205, E501, E741, PLR0913, PYI030, RUF002, RUF100, S105, S107",
    "# ruff: noqa: D400, D401, D402, D403, D404, D405, D406, D407, D410, D411, D412, D413, D417",
)
"""Rules of ruff that names and texts of a contract may break."""


def _sources(methods: Sequence[MethodPlan], names: UniqueNames) -> Iterator[list[str]]:
    """Yield the lines of each method, and of the iterator and the batch read that it allows."""
    for one in methods:
        yield method_source(one)
        pager = pager_of(one)
        if pager is not None:
            yield pager_source(pager, pager_name(one, names))
        read = batch_read_of(one)
        if read is not None:
            yield batch_source(read, batch_name(read, names))


def _top(options: UpstreamOptions, text: str) -> list[str]:
    """Return the first lines of a file."""
    first = f"# Generated by bff add service from {options.contract}. Changes are lost"
    return [f"{first}: edit __init__.py.", *_EXCUSED, *docstring(text, 0)]
