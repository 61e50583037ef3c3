"""Discovery by a file: `file:///path` names a list of endpoints in JSON or TOML."""

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.upstream.threads import ThreadPerJob

READ_EVERY_SECONDS: Final = 1.0
"""How often the file is read: reading a few kilobytes costs less than to be sure it is the same."""

MAX_FILE_BYTES: Final = 1024 * 1024
"""The largest file of endpoints; a larger file is probably another one."""

_threads: Final = ThreadPerJob("endpoints file")


class FileDiscovery:
    """The endpoints in a file: `.toml` is TOML, any other file JSON.

    The list is the whole JSON document, or its member `endpoints`; in TOML it is `endpoints`. Its
    items are addresses, or tables with the options of `EndpointOptions`. Replace the file by
    renaming another one: a file that is read while it is written is reported as wrong, and then
    read again.
    """

    def __init__(self, path: str | Path, *, every: float = READ_EVERY_SECONDS) -> None:
        self._path = Path(path)
        self._every = every

    def __repr__(self) -> str:
        return f"file://{self._path}"

    async def watch(self) -> AsyncIterator[Sequence[EndpointOptions]]:
        """Yield the list when the file has changed; raise `ConfigurationError` for a wrong one."""
        loop, last = asyncio.get_running_loop(), None
        while True:
            content = await loop.run_in_executor(_threads, self._content)
            if content != last:
                yield endpoints_in(content, is_toml=self._path.suffix == ".toml")
                last = content
            await asyncio.sleep(self._every)

    def _content(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise ConfigurationError(f"it can't be read: {error.strerror}") from None
        if len(content) > MAX_FILE_BYTES:
            raise ConfigurationError(f"it is larger than {MAX_FILE_BYTES:,} bytes")
        return content


def endpoints_in(content: bytes, *, is_toml: bool) -> list[EndpointOptions]:
    """Return the endpoints that a file lists; raise `ConfigurationError` for the first mistake."""
    try:
        text = content.decode()
        found = tomllib.loads(text) if is_toml else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"it is not {'TOML' if is_toml else 'JSON'}: {error}") from None
    items = found.get("endpoints") if isinstance(found, Mapping) else found
    if not isinstance(items, list):
        raise ConfigurationError("it must hold a list of endpoints, or a table with `endpoints`")
    return [_endpoint(item, f"endpoints[{index}]") for index, item in enumerate(items)]


def _endpoint(item: object, place: str) -> EndpointOptions:
    values = {"url": item} if isinstance(item, str) else item
    if not isinstance(values, Mapping) or "url" not in values:
        raise ConfigurationError(f"{place} must be an address or a table with url, not {item!r}")
    known = [one.name for one in fields(EndpointOptions)]
    unknown = next((name for name in values if name not in known), None)
    if unknown is not None:
        raise ConfigurationError(f"{place} has no {unknown}; there are {', '.join(known)}")
    try:
        return EndpointOptions(**values)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}: {error}") from None
