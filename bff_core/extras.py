"""The extras of the distribution: libraries that only some gateways need.

A module that imports such a library is imported within `needs(...)`, so that a missing one is an
error that names its extra.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

from bff_core.errors import MissingExtra

EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "auth": ("joserfc", "cryptography"),
    "compression": ("brotli", "zstandard"),
    "graphql": ("strawberry", "graphql"),
    "openapi": ("jsonschema_rs", "yaml"),
    "redis": ("redis",),
    "scaffold": ("jinja2", "tomlkit", "watchfiles"),
    "uploads": ("python_multipart",),
    "websockets": ("websockets",),
}
"""The top-level modules of each extra."""


@contextmanager
def needs(extra: str, purpose: str) -> Iterator[None]:
    """Run a block that imports libraries of an extra.

    Raises `MissingExtra` if one is not installed; `purpose` is the subject of its sentence.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRAS[extra]:
            raise
        raise missing(extra, purpose) from None


def missing(extra: str, purpose: str) -> MissingExtra:
    """Return the error for a feature whose extra is not installed."""
    return MissingExtra(
        f"{purpose} needs an extra that is not installed: pip install 'bff-core[{extra}]'"
    )


def has_extra(extra: str) -> bool:
    """Whether all libraries of an extra are installed."""
    return all(find_spec(module) is not None for module in EXTRAS[extra])
