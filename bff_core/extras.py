"""The extras of the distribution: libraries that only some gateways need.

A module that imports such a library is imported within `needs(...)`, so that a missing one is an
error that names its extra.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

from bff_core.errors import MissingExtra

EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "auth": ("joserfc", "cryptography"),
    "compression": ("brotli", "zstandard"),
    "dns": ("dns",),
    "graphql": ("strawberry", "graphql"),
    "openapi": ("jsonschema_rs", "yaml"),
    "otel": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
    "proxy": ("re2",),
    "redis": ("redis",),
    "scaffold": ("jinja2", "tomlkit", "watchfiles"),
    "uploads": ("python_multipart",),
    "websockets": ("websockets",),
}
"""The modules of each extra."""

FILE: Final = "pyproject.toml"
REQUIREMENT: Final = re.compile(r"""["']bff[-_]core\s*(?:\[(?P<extras>[^\]]*)\])?\s*@[^"']*\.whl""")
"""The requirement of a project of `bff init`."""


@contextmanager
def needs(extra: str, purpose: str) -> Iterator[None]:
    """Run a block that imports libraries of an extra.

    Raises `MissingExtra` if one is not installed; `purpose` is the subject of its sentence.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {_top(one) for one in EXTRAS[extra]}:
            raise
        raise missing(extra, purpose) from None


def _top(module: str) -> str:
    return module.partition(".")[0]


def missing(extra: str, purpose: str) -> MissingExtra:
    """Return the error for a feature whose extra is not installed, with what to do about it."""
    return MissingExtra(f"{purpose} needs an extra that is not installed: {advice(extra)}")


def advice(extra: str) -> str:
    """Return how to install an extra: by pyproject.toml in a project, otherwise from the wheel.

    No package index has bff-core yet, so that its bare name could be anybody's package.
    """
    from importlib.metadata import version  # noqa: PLC0415 # slow to import, and for errors only

    found = _requirement()
    if found is not None:
        place, given = found
        names = ",".join(sorted({one.strip() for one in given.split(",")} - {""} | {extra}))
        return f"write bff-core[{names}] in {place}, then run: make test"
    return f"pip install 'wheels/bff_core-{version('bff-core')}-py3-none-any.whl[{extra}]'"


def _requirement() -> tuple[str, str] | None:
    """Return the line of a project that requires the wheel of bff-core, and the extras in it.

    The project is that of the nearest pyproject.toml, as in a project of `bff init`.
    """
    from pathlib import Path  # noqa: PLC0415 # the same

    here = Path.cwd()
    file = next((one for one in (here, *here.parents) if (one / FILE).is_file()), here) / FILE
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    for number, line in enumerate(lines, 1):
        found = REQUIREMENT.search(line)
        if found:
            return f"line {number} of {FILE}", found["extras"] or ""
    return None


def has_extra(extra: str) -> bool:
    """Whether all libraries of an extra are installed."""
    try:
        return all(find_spec(module) is not None for module in EXTRAS[extra])
    except ModuleNotFoundError:  # of a package around it
        return False
