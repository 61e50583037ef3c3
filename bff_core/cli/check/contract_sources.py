"""Where contracts are: pinned files of the project, and what services publish now."""

import json
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bff_core.cli.environment import address_of
from bff_core.cli.errors import CannotRun
from bff_core.cli.project import Project, ServiceEntry
from bff_core.contracts.document import Document
from bff_core.contracts.errors import ContractError
from bff_core.extras import needs

GRAPHQL_SUFFIXES: Final = frozenset({".graphql", ".graphqls", ".gql"})


def is_url(source: str) -> bool:
    """Whether a source is a URL, not the path of a file."""
    return source.lower().startswith(("http://", "https://"))


def document_of(source: str) -> Document:
    """Return the OpenAPI document of a file or a URL; raises `ContractError`."""
    # Imported here because projects without contracts need no library of it.
    from bff_core.contracts.openapi import load  # noqa: PLC0415 # see above

    return load(source)


def _fetched(source: str) -> str:
    # Imported here for the same reason.
    from bff_core.contracts.openapi.fetching import fetch  # noqa: PLC0415 # see above

    return _text(fetch(source), source)


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
    with needs("graphql", "to read GraphQL schemas"):
        from graphql import build_client_schema, print_schema  # noqa: PLC0415 # an extra

    if not is_url(source):
        text = _fetched(source)
        if not text.lstrip().startswith("{"):
            return text
    else:
        text = _introspected(source)
    try:
        content = json.loads(text)
        return print_schema(build_client_schema(content.get("data") or content))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ContractError(shown_source(source), [f"it is no GraphQL schema: {error}"]) from None


def _text(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ContractError(source, ["it is not UTF-8"]) from None


def _introspected(url: str) -> str:
    """Return what a service answers to the introspection query, sent by GET."""
    from urllib.parse import urlencode  # noqa: PLC0415 # for services of GraphQL only

    from graphql import get_introspection_query  # noqa: PLC0415 # an extra

    query = urlencode({"query": get_introspection_query(descriptions=False)})
    return _fetched(f"{url}{'&' if '?' in url else '?'}{query}")


def project_file(project: Project, name: str) -> Path:
    """Return the path of a file of the project; raise `CannotRun` if it is outside."""
    path = (project.root / name).resolve()
    if not path.is_relative_to(project.root.resolve()):
        raise CannotRun(f"{name!r} is not in the project: give a path below {project.root}")
    return path
