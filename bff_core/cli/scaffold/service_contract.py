"""The contract of a service, where it comes from, and the code that is generated from it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from bff_core.cli.errors import CannotRun
from bff_core.contracts.document import Document

ADDRESS: Final = re.compile(r"https?://[^\s\"'\\\\{}$/?#]+(?:/[^\s\"'\\\\{}$?#]*)?")
"""An address that may be written into files of settings as it is."""

Kind = Literal["openapi", "graphql"]

FILES: Final[Mapping[Kind, str]] = {"openapi": "openapi.json", "graphql": "schema.graphql"}
"""The file of the pinned contract, in the package of the service."""


@dataclass(frozen=True, slots=True)
class ServiceCode:
    """A contract as it is pinned, and the modules that are generated from it.

    `files` are theirs by path in the package, the contract included. `starters` are files that the
    user edits. `policy` are lines for the user's class, and `imports` the names that they use.
    `server` is the address of the service, empty if the contract has none.
    """

    kind: Kind
    title: str
    files: Mapping[str, str]
    starters: Mapping[str, str] = field(default_factory=dict)
    policy: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    server: str = ""
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class ContractSource:
    """Where a contract comes from: a file or an address, and the headers that fetch it."""

    kind: Kind
    place: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def stored(self, root: Path) -> str:
        """Return the place as pyproject.toml has it: the path of a file begins at the project."""
        if is_address(self.place):
            return self.place
        return Path(os.path.relpath(Path(self.place).resolve(), root)).as_posix()


def is_address(place: str) -> bool:
    """Whether a contract comes from the network."""
    return place.lower().startswith(("http://", "https://"))


def checked_place(place: str) -> str:
    """Return the place of a contract; raise `CannotRun` for an address with a password."""
    parts = urlsplit(place) if is_address(place) else None
    if parts is not None and "@" in parts.netloc:
        raise CannotRun(
            "the address has a user name or a password, which would be stored in pyproject.toml: "
            "send them with --header 'Authorization: …'"
        )
    return place
