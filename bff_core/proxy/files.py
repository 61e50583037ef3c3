"""Static files of a route: a folder, and the index of a single-page app."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option
from bff_core.proxy.option_faults import OptionFault, refuse
from bff_core.proxy.option_types import type_faults
from bff_core.proxy.value_checks import relative_path_complaint, upstream_complaint
from bff_core.upstream.client import Upstream


@checks_keywords
@dataclass(frozen=True, slots=True)
class Files:
    """A folder whose files a route serves.

    `fallback` is the file that answers paths without one: the index of a single-page app. It is
    read from `fallback_from`, an upstream such as a CDN, or else from the folder. `immutable` are
    patterns of paths that never change, such as "/assets/*": clients store them for a year.
    """

    directory: Annotated[
        str | Path, Option("The folder; in a file of routes it is relative to that file")
    ]
    fallback: Annotated[
        str, Option("The file that answers paths without one: the index of a single-page app")
    ] = field(default="", kw_only=True)
    fallback_from: Annotated[
        type[Upstream] | str | None,
        Option("The upstream that has the fallback; without one, it is in the folder"),
    ] = field(default=None, kw_only=True)
    immutable: Annotated[
        str | tuple[str, ...], Option("Patterns of paths that never change, such as /assets/*")
    ] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, self._faults())

    def _faults(self) -> Iterator[OptionFault]:
        if not str(self.directory):
            yield OptionFault(("directory",), "is empty: write the folder, such as 'dist'")
        if complaint := relative_path_complaint(self.fallback):
            yield OptionFault(("fallback",), complaint)
        if self.fallback_from is not None and not self.fallback:
            yield OptionFault(("fallback",), "is empty: write which file `fallback_from` has")
        name = self.fallback_from
        if isinstance(name, str) and (complaint := upstream_complaint(name)):
            yield OptionFault(("fallback_from",), complaint)
        if isinstance(self.immutable, str):
            if self.immutable and not self.immutable.startswith("/"):
                yield OptionFault(("immutable",), _PATTERN)
            return
        for place, pattern in enumerate(self.immutable):
            if not pattern.startswith("/"):
                yield OptionFault(("immutable", place), _PATTERN)


_PATTERN = "must be a pattern of paths that begins with /, such as '/assets/*'"
