"""Reads the addresses of an API."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.pointers import Node


def servers_of(content: Node, source: str, notes: Notes) -> Iterator[str]:
    """Yield the URLs of the servers: variables have their defaults, and no slash is at the end.

    A relative one is resolved if the document comes from a URL; without one, that is the server.
    """
    from_url = source.startswith(("http://", "https://"))
    servers = content.get("servers") or ([{"url": "/"}] if from_url else [])
    for index, server in enumerate(servers):
        url = _filled(server, f"#/servers/{index}", notes)
        yield (urljoin(source, url) if from_url else url).rstrip("/")


def _filled(server: Node, pointer: str, notes: Notes) -> str:
    variables = server.get("variables") or {}

    def default(match: re.Match[str]) -> str:
        variable = variables.get(match[1]) or {}
        values = [variable.get("default"), *(variable.get("enum") or ())]
        found = next((value for value in values if value is not None), None)
        if found is None:
            notes.add(pointer, f"the variable {match[1]!r} has no default")
            return match[0]
        return str(found)

    return re.sub(r"\{([^{}]+)\}", default, str(server["url"]))
