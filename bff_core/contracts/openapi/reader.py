"""Reads a whole OpenAPI document: checks it, then turns it into a `Document`."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from bff_core.contracts.document import Document, SecurityScheme
from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi.alias_loops import break_alias_loops
from bff_core.contracts.openapi.checks import StructureCheck, found
from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.operations import OperationReader
from bff_core.contracts.openapi.pointers import Node
from bff_core.contracts.openapi.references import References
from bff_core.contracts.openapi.schemas import SchemaReader
from bff_core.contracts.openapi.servers import servers_of

_VERSIONS: Final = ("3.0", "3.1", "3.2")


def parse(content: Mapping[str, object], source: str = "") -> Document:
    """Return what an OpenAPI document says.

    `source` is the file or URL that it comes from: relative servers are resolved against it.
    References to other documents are errors; `load` follows them. Raises ContractError with all
    faults of the document.
    """
    try:
        return read(_plain(content, source), source)
    except ContractError as error:
        raise ContractError(source, error.faults) from None
    except RecursionError:
        raise ContractError(source, ["it is nested too deeply, or contains itself"]) from None


def read(content: object, source: str) -> Document:
    """Return what a document of plain dicts and lists says; they must not change later."""
    content = openapi_object(content, source)
    checks = StructureCheck(content)
    if faults := checks.run():
        raise ContractError(source, faults)
    notes = Notes()
    schemas = SchemaReader(content, checks.references, notes)
    schemas.read_components()
    operations = OperationReader(content, checks.references, schemas, notes)
    found_operations = tuple(operations.read(content.get("paths") or {}))
    schemas.read_pending()
    break_alias_loops(schemas.types, notes)
    if content.get("webhooks"):
        notes.add("#/webhooks", "webhooks are not represented")
    info = content.get("info") or {}
    return Document(
        title=str(info.get("title") or ""),
        version=str(info.get("version") or ""),
        openapi=str(content["openapi"]),
        description=str(info.get("description") or ""),
        servers=tuple(dict.fromkeys(servers_of(content, source, notes))),
        operations=found_operations,
        types=schemas.types,
        security_schemes=dict(_security_schemes(content, checks.references)),
        source=source,
        notes=tuple(notes),
    )


def _plain(content: object, source: str) -> object:
    """Return a copy in dicts and lists, with texts for keys."""
    try:
        return msgspec.to_builtins(content, str_keys=True)
    except TypeError as error:
        raise ContractError(source, [f"it is no JSON: {error}"]) from None


def openapi_object(content: object, source: str) -> Node:
    """Return a document; raise ContractError if it is none of OpenAPI 3."""
    if not isinstance(content, dict):
        raise ContractError(source, [f"found {found(content)}, expected an OpenAPI document"])
    if content.get("swagger") is not None:
        command = f"npx swagger2openapi {source or 'FILE'} --outfile openapi.json"
        text = f"it is Swagger {content['swagger']}; convert it to OpenAPI 3 first: {command}"
        raise ContractError(source, [text])
    version = content.get("openapi")
    if version is None:
        more = "; asyncapi describes messages" if "asyncapi" in content else ""
        raise ContractError(source, [f"it has no `openapi`, so it is no OpenAPI document{more}"])
    if not str(version).startswith(_VERSIONS):
        text = f"#/openapi: found {found(version)}, expected one of {', '.join(_VERSIONS)}"
        raise ContractError(source, [text])
    return content


def _security_schemes(
    content: Node, references: References
) -> Iterator[tuple[str, SecurityScheme]]:
    schemes = (content.get("components") or {}).get("securitySchemes") or {}
    for name, scheme in schemes.items():
        node, _ = references.end(scheme or {}, "")
        flow = (node.get("flows") or {}).get("clientCredentials") or {}
        yield (
            name,
            SecurityScheme(
                name=name,
                kind=str(node.get("type") or ""),
                scheme=str(node.get("scheme") or ""),
                place=str(node.get("in") or ""),
                parameter=str(node.get("name") or ""),
                token_url=str(flow.get("tokenUrl") or ""),
                description=str(node.get("description") or ""),
            ),
        )
