"""Renamed environment variables: their old names work for one more version."""

from collections.abc import Mapping
from typing import Final

from bff_core.errors import ConfigurationError

RENAMED: Final[Mapping[str, str]] = {"BFF_TRUSTED_HOPS": "BFF_TRUSTED_PROXIES"}
"""New names by old ones."""


def with_new_names(environ: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return an environment with new names only, and the old names that it had.

    Raises `ConfigurationError` if both names of a variable are set.
    """
    renamed = dict(environ)
    old_names = tuple(name for name in RENAMED if renamed.get(name, "").strip())
    for old in RENAMED:
        value, new = renamed.pop(old, ""), RENAMED[old]
        if not value.strip():
            continue
        if renamed.get(new, "").strip():
            raise ConfigurationError(
                f"{old} and {new} are both set: {new} is the new name, remove {old}."
            )
        renamed[new] = value
    return renamed, old_names


def warnings_of(old_names: tuple[str, ...]) -> dict[str, str]:
    """Return warnings for the log about old names."""
    return {
        old: f"it is now {RENAMED[old]}: rename it, the next version no longer reads the old name"
        for old in old_names
    }
