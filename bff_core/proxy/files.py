"""Static files of a route: a folder, and the index of a single-page app."""

from dataclasses import dataclass, field
from pathlib import Path

from bff_core.keywords import checks_keywords
from bff_core.upstream.client import Upstream


@checks_keywords
@dataclass(frozen=True, slots=True)
class Files:
    """A folder whose files a route serves.

    `fallback` is the file that answers paths without one: the index of a single-page app. It is
    read from `fallback_from`, an upstream such as a CDN, or else from the folder. `immutable` are
    patterns of paths that never change, such as "/assets/*": clients store them for a year.
    """

    directory: str | Path
    fallback: str = field(default="", kw_only=True)
    fallback_from: type[Upstream] | str | None = field(default=None, kw_only=True)
    immutable: str | tuple[str, ...] = field(default=(), kw_only=True)
