"""Checks the names of projects, gateways and screens, and suggests names that are valid."""

import keyword
import re
from importlib.metadata import PackageNotFoundError, requires

from bff_core.cli.errors import CannotRun

DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
MAX_LENGTH = 64

TOOLS = {"bff-core", "hatchling", "mypy", "pytest", "ruff"}
RESERVED = {"bffs", "compositions", "mocks", "scopes", "services", "tests"}
"""Names of folders that a project has beside its gateways."""


def check_project_name(name: str) -> str:
    """Return a name that a distribution may have; raise `CannotRun` otherwise."""
    if not DISTRIBUTION.fullmatch(name) or len(name) > MAX_LENGTH:
        parts = re.split(r"[/\\]", name.rstrip("/\\"))
        valid = re.sub(r"[^a-z0-9._]+", "-", parts[-1].lower()).strip("-._")[:MAX_LENGTH]
        hint = f": bff init {valid}" if valid else ""
        where = f" --directory {name}" if valid and len(parts) > 1 else ""
        raise CannotRun(
            f"{name!r} can't be the name of a project: use letters, digits and -{hint}{where}"
        )
    if normalized(name) in TOOLS | _dependencies():
        raise CannotRun(
            f"{name!r} is a package that the project installs: "
            f"choose another name, such as {name}-bff"
        )
    return name


def check_identifier(name: str, kind: str) -> str:
    """Return a name that a module and its class may have; raise `CannotRun` otherwise."""
    if IDENTIFIER.fullmatch(name) and len(name) <= MAX_LENGTH and not keyword.iskeyword(name):
        if name in RESERVED:
            raise CannotRun(f"{name!r} is a folder of the project: choose another name")
        return name
    hint = identifier(name)
    suggestion = f", such as {hint}" if hint and hint not in RESERVED else ""
    raise CannotRun(
        f"{name!r} can't be the name of a {kind}: use lower-case letters, digits and _{suggestion}"
    )


def identifier(name: str) -> str:
    """Return the identifier that is closest to a name: `ProductPage` becomes `product_page`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    found = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_").lstrip("0123456789_")
    return f"{found}_" if keyword.iskeyword(found) else found[:MAX_LENGTH]


def class_name(name: str) -> str:
    """Return the name of the class of a module: `product_page` becomes `ProductPage`."""
    return "".join(part.capitalize() for part in name.split("_"))


def normalized(name: str) -> str:
    """Return the name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _dependencies() -> set[str]:
    try:
        found = requires("bff-core") or []
    except PackageNotFoundError:
        return set()
    return {normalized(re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0]) for one in found}
