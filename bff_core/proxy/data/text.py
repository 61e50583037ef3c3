"""Reads the text of a file of routes into plain values, with their places and within limits."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bff_core.contracts.errors import ContractError
from bff_core.proxy.data.places import Place, Places, UnreadableFile
from bff_core.proxy.data.toml_places import MAX_VALUES, places_in

MAX_BYTES: Final = 4 * 1024 * 1024
"""The largest file of routes."""

_AT: Final = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
_LINE: Final = re.compile(r"(?:.*: )?line (?P<line>\d+): (?P<what>.*)", re.DOTALL)

Values = Mapping[str, object]


def read_values(path: Path) -> tuple[Values, Places]:
    """Return the tables of a file with the place of each value; raise `UnreadableFile`."""
    text = _text_of(path)
    if path.suffix == ".toml":
        return _toml(text)
    if path.suffix in {".yaml", ".yml"}:
        return _yaml(text)
    raise UnreadableFile("is no file of routes: its name must end in .toml, .yaml or .yml")


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(f"can't be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise UnreadableFile(f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        raise UnreadableFile("is no text in UTF-8: save it as UTF-8", Place(line, column)) from None


def _toml(text: str) -> tuple[Values, Places]:
    places = places_in(text)
    try:
        return tomllib.loads(text), places
    except tomllib.TOMLDecodeError as error:
        raise _unreadable_toml(text, str(error)) from None
    except (RecursionError, ValueError) as error:
        raise UnreadableFile(f"is no TOML: {error}") from None


def _unreadable_toml(text: str, message: str) -> UnreadableFile:
    found = _AT.fullmatch(message)
    if found is None:
        return UnreadableFile(f"is no TOML: {message}")
    if found["line"]:
        return UnreadableFile(
            f"is no TOML: {found['what']}", Place(int(found["line"]), int(found["column"]))
        )
    lines = text.split("\n")
    return UnreadableFile(f"is no TOML: {found['what']}", Place(len(lines), len(lines[-1]) + 1))


def _yaml(text: str) -> tuple[Values, Places]:
    # It needs an extra, which files of TOML do not.
    from bff_core.contracts.openapi.yaml_text import (  # noqa: PLC0415
        decode_yaml,
        yaml_places,
    )

    data = text.encode()
    try:
        values = decode_yaml(data, "", max_values=MAX_VALUES)
    except ContractError as error:
        found = _LINE.fullmatch(error.faults[0])
        line = int(found["line"]) if found else 1
        what = found["what"] if found else error.faults[0]
        raise UnreadableFile(f"is no YAML: {what}", Place(line, 1)) from None
    if values is None:
        return {}, Places()
    if not isinstance(values, dict):
        raise UnreadableFile("must have tables at its top: upstreams and routes")
    keys, places = yaml_places(data)
    return values, Places(
        {path: Place(*place) for path, place in keys.items()},
        {path: Place(*place) for path, place in places.items()},
    )
