"""What a typed service client is generated from, and what the generator returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bff_core.contracts.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamOptions:
    """How a client is named.

    `service` is the name in snake case (`ratings`), `class_name` that of the user's class
    (`Ratings`); the generated class is `RatingsOperations`. `package` is the import path
    (`bffs.services.ratings`).
    """

    service: str
    class_name: str
    package: str
    previous: Document | None = None
    """The contract that the client was generated from before: its operations get their names first,
    so that a new one takes no name from them."""
    contract: str = "openapi.json"
    """The file of the contract, which the first line of each generated file names."""


@dataclass(frozen=True, slots=True)
class Generated:
    """The code of a client.

    `files` are the generated modules by their path in the package. `notes` are what the code does
    not represent as the contract says it, besides the document's own notes. `policy` are the lines
    for the body of the user's class: the proposed policy, with comments; `imports` are the names of
    `bff_core` that they use.
    `exports` are public names by module (`errors`, `models`), for the package's `__init__.py`.
    """

    files: Mapping[str, str]
    notes: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    exports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
