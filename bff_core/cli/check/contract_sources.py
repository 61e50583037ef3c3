"""Where contracts are: pinned files of the project, and what services publish now."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bff_core.cli.environment import address_of
from bff_core.cli.errors import CannotRun
from bff_core.cli.project import Project, ServiceEntry
from bff_core.contracts.document import Document
from bff_core.contracts.errors import ContractError
from bff_core.contracts.selection import OperationSelection, selected
from bff_core.errors import ConfigurationError

GRAPHQL_SUFFIXES: Final = frozenset({".graphql", ".graphqls", ".gql"})


def is_url(source: str) -> bool:
    """Whether a source is a URL, not the path of a file."""
    return source.lower().startswith(("http://", "https://"))


def document_of(source: str, entry: ServiceEntry | None = None) -> Document:
    """Return the OpenAPI document of a file or a URL: of `entry`, the operations that it selects.

    Raises `ContractError`.
    """
    # Imported here because projects without contracts need no library of it.
    from bff_core.contracts.openapi import parse, read_content  # noqa: PLC0415 # see above

    content = read_content(source)
    if entry is not None:
        content = selected(content, OperationSelection(entry.tags, entry.paths))
    return parse(content, source)


def is_graphql(path: str) -> bool:
    """Whether a contract is a GraphQL schema, by the name of its file."""
    return Path(path).suffix.lower() in GRAPHQL_SUFFIXES


def live_source(project: Project, entry: ServiceEntry, given: str = "") -> str:
    """Return the file or the URL of what a service publishes now; empty if none is known.

    A path is one at the service, unless a file of the project has it.
    """
    source = given or entry.contract_url
    if not source or is_url(source):
        return source
    file = project.root / source if not given else Path(source)
    if given or not source.startswith("/") or file.is_file():
        return str(file)
    return f"{address_of(entry).rstrip('/')}{source}"


def shown_source(source: str) -> str:
    """Return a source without user information and query, which may hold secrets."""
    if not is_url(source):
        return source
    parts = urlsplit(source)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def schema_of(source: str) -> str:
    """Return the GraphQL schema of a file or a service, which is introspected; as SDL.

    Raises `ContractError`.
    """
    # Imported here because projects without GraphQL need no library of it.
    from bff_core.contracts.graphql import load  # noqa: PLC0415 # see above

    try:
        return load(source)
    except ConfigurationError as error:
        raise ContractError(shown_source(source), [str(error)]) from None


def project_file(project: Project, name: str) -> Path:
    """Return the path of a file of the project; raise `CannotRun` if it is outside."""
    path = (project.root / name).resolve()
    if not path.is_relative_to(project.root.resolve()):
        raise CannotRun(f"{name!r} is not in the project: give a path below {project.root}")
    return path
