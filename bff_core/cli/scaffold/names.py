"""Checks the names of projects, gateways and screens, and suggests names that are valid."""

import keyword
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires

from bff_core.cli.errors import CannotRun

DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^\]]*)\])?")
EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
MAX_LENGTH = 64

TOOLS = {"bff-core", "hatchling", "mypy", "pip", "pytest", "ruff", "setuptools", "uv", "wheel"}
RESERVED = {"bffs", "compositions", "mocks", "scopes", "services", "tests"}
"""Names of folders that a project has beside its gateways."""


def check_project_name(name: str) -> str:
    """Return a name that a distribution may have; raise `CannotRun` otherwise."""
    if not DISTRIBUTION.fullmatch(name) or len(name) > MAX_LENGTH:
        parts = re.split(r"[/\\]", name.rstrip("/\\"))
        valid = re.sub(r"[^a-z0-9._]+", "-", parts[-1].lower()).strip("-._")[:MAX_LENGTH]
        hint = f": bff init {valid}" if valid else ""
        where = f" --directory {name}" if valid and len(parts) > 1 else ""
        allowed = f"use letters, digits and -{_limit(name)}"
        raise CannotRun(f"{name!r} can't be the name of a project: {allowed}{hint}{where}")
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
        if kind == "gateway" and name.split("_", maxsplit=1)[0] == "bff":
            raise CannotRun(
                f"{name!r} can't be the name of a gateway: variables that begin with BFF_ are "
                "settings of the framework; choose another name"
            )
        return name
    hint = identifier(name)
    suggestion = f", such as {hint}" if hint and hint not in RESERVED else ""
    article = "an" if kind[0] in "aeiou" else "a"
    raise CannotRun(
        f"{name!r} can't be the name of {article} {kind}: "
        f"use lower-case letters, digits and _{_limit(name)}{suggestion}"
    )


def _limit(name: str) -> str:
    """Return how long a name may be, for the error about one that is too long."""
    return f", at most {MAX_LENGTH} characters" if len(name) > MAX_LENGTH else ""


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
    """Return the packages that the framework needs, with each of its extras, and what they need."""
    found, waiting = set[str](), [("bff-core", extra) for extra in _extras("bff-core")]
    known = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        found.add(name)
        new = {*_required(name, extra)} - known
        known |= new
        waiting += new
    return found


def _extras(name: str) -> set[str]:
    """Return the extras of an installed package, and none, which is ""."""
    try:
        return {"", *(metadata(name).get_all("Provides-Extra") or [])}
    except PackageNotFoundError:
        return {""}


def _required(name: str, extra: str) -> Iterator[tuple[str, str]]:
    """Yield what an installed package needs with an extra: packages, each with an extra or none."""
    try:
        texts = requires(name) or []
    except PackageNotFoundError:
        return
    for text in texts:
        found, marker = REQUIREMENT.match(text), EXTRA.search(text)
        if found and (marker is None or normalized(marker[1]) == normalized(extra)):
            package = normalized(found["name"])
            yield package, ""
            for one in (found["extras"] or "").split(","):
                yield package, one.strip()
