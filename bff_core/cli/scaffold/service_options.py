"""The options of `bff add service`: where the contract is, and what of it is selected."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import FILE, Project, ServiceEntry
from bff_core.cli.scaffold.service_contract import (
    ADDRESS,
    FILES,
    ContractSource,
    Kind,
    checked_place,
    is_address,
)
from bff_core.contracts.selection import OperationSelection

SERVICES: Final = "bffs/services"
HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewService:
    """The name of a service, and the options that were given.

    `headers` are sent to fetch the contract, each "NAME:VALUE", and not stored. Without `tags` and
    `paths` a further run uses those of the last one; `is_whole` forgets them.
    """

    name: str
    openapi: str | None = None
    graphql: str | None = None
    tags: Sequence[str] = ()
    paths: Sequence[str] = ()
    is_whole: bool = False
    headers: Sequence[str] = ()
    url: str | None = None
    port: int | None = None
    is_forced: bool = False
    is_dry_run: bool = False


def given_source(wanted: NewService) -> ContractSource | None:
    """Return the source that options name; None if they name none."""
    if wanted.openapi is not None and wanted.graphql is not None:
        raise CannotRun("give --openapi or --graphql, not both: a service has one contract")
    if wanted.graphql is not None and (wanted.tags or wanted.paths):
        raise CannotRun("--tag and --path select operations of OpenAPI: GraphQL has none")
    if wanted.url is not None and not ADDRESS.fullmatch(wanted.url):
        raise CannotRun(f"--url {wanted.url!r}: write an address, as in https://ratings.example")
    headers = dict(_header(one) for one in wanted.headers)
    if wanted.openapi is not None:
        return ContractSource("openapi", checked_place(wanted.openapi), headers)
    if wanted.graphql is not None:
        return ContractSource("graphql", checked_place(wanted.graphql), headers)
    return None


def stored_source(
    project: Project, name: str, entry: ServiceEntry, kind: Kind, wanted: NewService
) -> ContractSource:
    """Return the source of the last run, which pyproject.toml has."""
    place = entry.contract_url
    if not place:
        raise CannotRun(
            f"[tool.bff.services.{name}] of {FILE} has no contract_url: say where the contract is "
            f"with --{kind} FILE or URL"
        )
    headers = dict(_header(one) for one in wanted.headers)
    if is_address(place):
        return ContractSource(kind, place, headers)
    if place.startswith("/"):
        if not entry.url:
            raise CannotRun(
                f"contract_url = {place!r} of the service {name} is a path, and the service has no "
                f"url in {FILE}: add it, or use --{kind} URL"
            )
        return ContractSource(kind, f"{entry.url.rstrip('/')}{place}", headers)
    return ContractSource(kind, os.path.relpath(project.root / place), headers)


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    if not HEADER.fullmatch(name) or not value.strip() or not value.isprintable():
        raise CannotRun("--header: write NAME:VALUE, as in 'Authorization: Bearer …'")
    return name, value.strip()


def selection_of(wanted: NewService, entry: ServiceEntry) -> OperationSelection:
    """Return what is selected: the options, else what was selected last."""
    if wanted.is_whole and (wanted.tags or wanted.paths):
        raise CannotRun("--all selects every operation: leave out --tag and --path")
    if wanted.is_whole or wanted.tags or wanted.paths:
        return OperationSelection(tuple(wanted.tags), tuple(wanted.paths))
    return OperationSelection(tuple(entry.tags), tuple(entry.paths))


def entry_keys(
    name: str, source: ContractSource, root: Path, selection: OperationSelection
) -> dict[str, object]:
    """Return what `[tool.bff.services.NAME]` has of the contract."""
    return {
        "contract": f"{SERVICES}/{name}/{FILES[source.kind]}",
        "contract_url": source.stored(root),
        "tags": [*selection.tags],
        "paths": [*selection.paths],
    }
