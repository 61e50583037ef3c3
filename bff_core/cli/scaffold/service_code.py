"""Reads the contract of a service, and generates the code for it: from OpenAPI or GraphQL."""

from collections.abc import Mapping
from difflib import get_close_matches

import msgspec

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.names import class_name
from bff_core.cli.scaffold.service_contract import (
    ADDRESS,
    FILES,
    ContractSource,
    Kind,
    ServiceCode,
)
from bff_core.contracts.document import Document
from bff_core.contracts.errors import ContractError
from bff_core.contracts.selection import OperationSelection, selected, tags_of
from bff_core.errors import ConfigurationError


def code_of(
    name: str,
    source: ContractSource,
    selection: OperationSelection,
    documents: Mapping[str, str],
    pinned: str = "",
) -> ServiceCode:
    """Read the contract of a source, and generate the code of a service.

    `documents` are the user's for GraphQL, by path in the package. `pinned` is the contract that
    the present code was generated from: methods of its operations do not change their names.
    """
    if source.kind == "graphql":
        from bff_core.cli.scaffold.graphql_code import graphql_code  # noqa: PLC0415 # an extra

        return graphql_code(name, source, documents)
    from bff_core.contracts.openapi import read_content  # noqa: PLC0415 # needs an extra

    try:
        content = read_content(source.place, headers=source.headers)
        _check_selection(content, selection)
        return openapi_code(name, selected(content, selection), source.place, _read(pinned))
    except ContractError as error:
        raise CannotRun(str(error)) from None


def openapi_code(
    name: str, content: Mapping[str, object], place: str, previous: Document | None = None
) -> ServiceCode:
    """Generate the code of a service from the JSON of an OpenAPI document."""
    from bff_core.codegen.upstream import Options, generate  # noqa: PLC0415 # needs an extra
    from bff_core.contracts.openapi import normalised, parse  # noqa: PLC0415 # the same

    document = parse(content, place)
    if not document.operations:
        raise CannotRun(f"{place} has no operation: there is nothing to call")
    package = f"bffs.services.{name}"
    options = Options(service=name, class_name=class_name(name), package=package, previous=previous)
    made = generate(document, options)
    servers = (one for one in document.servers if ADDRESS.fullmatch(one))
    return ServiceCode(
        "openapi",
        document.title,
        {**made.files, FILES["openapi"]: normalised(content).decode()},
        policy=made.policy,
        imports=made.imports,
        notes=(*document.notes, *made.notes),
        server=next(servers, ""),
        document=document,
    )


def pinned_code(
    name: str, kind: Kind, pinned: str, documents: Mapping[str, str]
) -> ServiceCode | None:
    """Generate the code again from the pinned contract; None if it can't be read any more."""
    try:
        if kind == "graphql":
            from bff_core.cli.scaffold.graphql_code import code_for  # noqa: PLC0415 # as above

            return code_for(name, pinned, documents, FILES[kind])
        return openapi_code(name, msgspec.json.decode(pinned), FILES[kind])
    except (ContractError, ConfigurationError, CannotRun, msgspec.DecodeError):
        return None


def _read(pinned: str) -> Document | None:
    """Return a pinned contract; None if there is none, or if it can't be read any more."""
    from bff_core.contracts.openapi import parse  # noqa: PLC0415 # needs an extra

    try:
        return parse(msgspec.json.decode(pinned), FILES["openapi"]) if pinned else None
    except (ContractError, msgspec.DecodeError):
        return None


def _check_selection(content: Mapping[str, object], selection: OperationSelection) -> None:
    """Raise `CannotRun` for a tag or a path that no operation has."""
    tags = tags_of(content)
    for one in selection.tags:
        if one not in tags:
            close = get_close_matches(one, tags, 1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            known = ", ".join(map(repr, tags)) or "none"
            raise CannotRun(f"no operation has the tag {one!r}{hint}: the tags are {known}")
    for one in selection.paths:
        if not selected(content, OperationSelection(paths=[one]))["paths"]:
            raise CannotRun(f"no path is {one!r} or below it: use --path /pets for /pets/{{id}}")
