"""The gateways that `bff new` can generate, and projects that have many of them."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from bff_core.cli.scaffold.clients import AUTHS, CLIENTS
from bff_core.cli.scaffold.render import render

FIRST_PORT = 8001


@dataclass(frozen=True, slots=True)
class Combination:
    """The options of a gateway; without `has_home` its project has no home screen to share."""

    client: str
    auth: str
    graphql: bool
    has_home: bool = True

    @property
    def name(self) -> str:
        """A name for a gateway with these options."""
        parts = (self.client, self.auth, "graphql" * self.graphql, "alone" * (not self.has_home))
        return "_".join(part for part in parts if part)

    def values(self, name: str = "", port: int = FIRST_PORT) -> Mapping[str, object]:
        """Return the values that the templates get."""
        return {
            "gateway": name or self.name,
            "client": self.client,
            "auth": self.auth,
            "graphql": self.graphql,
            "has_home": self.has_home,
            "project": "shop",
            "port": port,
        }


ALL = tuple(Combination(*one) for one in product(CLIENTS, AUTHS, (False, True)))
"""All options, in a project that `bff init` made."""

ALONE = tuple(Combination(*one, has_home=False) for one in product(CLIENTS, AUTHS, (False, True)))
"""The same for a project that has screens of its own, such as this repository."""


def pairwise() -> Iterator[Combination]:
    """Yield gateways in which each two options meet: each client has each authentication once."""
    for at, client in enumerate(CLIENTS):
        for beside, auth in enumerate(AUTHS):
            yield Combination(client, auth, (at + beside) % 2 == 0)


def some_alone() -> Iterator[Combination]:
    """Yield a gateway of each kind of client without a shared home screen."""
    for at, client in enumerate(CLIENTS):
        yield Combination(client, AUTHS[at % len(AUTHS)], at % 2 == 0, has_home=False)


def wanted() -> tuple[Combination, ...]:
    """Return the gateways to generate: all with ALL_TEMPLATES=1 (`make test-templates`)."""
    if os.environ.get("ALL_TEMPLATES"):
        return (*ALL, *ALONE)
    return (*pairwise(), *some_alone())


@cache
def rendered(combination: Combination, name: str = "") -> Mapping[str, str]:
    """Return the files of one gateway."""
    return render("gateway", combination.values(name))


@cache
def bare_project() -> Mapping[str, str]:
    """Return the files of a project without a gateway."""
    values = {"project": "shop", "compose_project": "shop", "gateway": "web"}
    return render("project", values | {"wheel": "bff_core.whl", "sha256": "0" * 64})


def project_of(combinations: Iterable[Combination]) -> Mapping[str, str]:
    """Return the files of a project with these gateways."""
    files = dict(bare_project())
    for one in combinations:
        files |= rendered(one)
    return files


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write files into a folder."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
