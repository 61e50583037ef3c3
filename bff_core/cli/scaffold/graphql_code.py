"""Generates the code of a GraphQL service from its schema and the user's documents."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.examples import literal
from bff_core.cli.scaffold.names import class_name
from bff_core.cli.scaffold.service_contract import FILES, ContractSource, ServiceCode, is_address
from bff_core.codegen.graphql import GraphQLOptions, generate
from bff_core.contracts.graphql import load
from bff_core.errors import ConfigurationError

DEFAULT_PATH = "/graphql"


def graphql_code(name: str, source: ContractSource, documents: Mapping[str, str]) -> ServiceCode:
    """Read the schema of a source, and generate the code for documents, by path in the package."""
    try:
        sdl = load(source.place, headers=source.headers)
        return code_for(name, sdl, documents, source.place)
    except ConfigurationError as error:
        raise CannotRun(str(error)) from None


def code_for(name: str, sdl: str, documents: Mapping[str, str], place: str) -> ServiceCode:
    """Generate the code of a service from SDL."""
    made = generate(sdl, documents, GraphQLOptions(service=class_name(name)))
    parts = urlsplit(place) if is_address(place) else None
    has_path = parts is not None and parts.path not in {"", DEFAULT_PATH}
    policy = (f"path = {literal(parts.path, '')}",) if parts is not None and has_path else ()
    return ServiceCode(
        "graphql",
        class_name(name),
        {**made.files, FILES["graphql"]: sdl},
        starters=made.starters,
        policy=policy,
        notes=made.notes,
        server=f"{parts.scheme}://{parts.netloc}" if parts is not None else "",
    )
