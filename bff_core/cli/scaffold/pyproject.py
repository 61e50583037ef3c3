"""Edits pyproject.toml in place: comments, order and layout of all other lines stay."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import tomlkit

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.text_files import with_newlines_of

FILE = "pyproject.toml"
HEADER = re.compile(r"\s*\[")
BFF = r"\s*\[\s*tool\s*\.\s*bff\s*"
"""The begin of the header of a table below `[tool.bff]`."""

FRAMEWORK = re.compile(r"bff[-_.]core(?:\[(?P<extras>[^\]]*)\])?(?P<rest>\s*(?:[@=<>!~;].*)?)")


def add_program(text: str, kind: str, name: str, entry: Mapping[str, object]) -> str:
    """Add `[tool.bff.KIND.NAME]` behind the last one of its kind, unless it is there.

    The kind is `gateways` or `services`.
    """
    if _has(text, kind, name):
        return text
    lines = text.splitlines(keepends=True)
    position = _end_of(kind, lines)
    block = _block(kind, name, entry)
    before = "".join(lines[:position])
    rest = "".join(lines[position:])
    gap = "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"
    end = "" if not rest or rest.startswith("\n") else "\n"
    edited = with_newlines_of(text, f"{gap}{block}{end}")
    inserted = before + edited + rest
    if _has(inserted, kind, name):
        return inserted
    return _added_by_tomlkit(text, kind, name, entry)


def check_programs(text: str, before: str = "") -> None:
    """Raise `CannotRun` if two programs have one name or one port, and had not `before`."""
    shared = _shared(tomllib.loads(text)) - _shared(tomllib.loads(before))
    for name in sorted(one for one in shared if isinstance(one, str)):
        raise CannotRun(
            f"{name!r} is a service of the project: choose another name for the gateway"
        )
    for port in sorted(one for one in shared if isinstance(one, int)):
        raise CannotRun(
            f"port {port} is used by another program of the project: choose another --port"
        )


def _shared(document: Mapping[str, object]) -> set[str | int]:
    """Return the names and the ports that two programs have."""
    gateways, services = (_programs(document, kind) for kind in ("gateways", "services"))
    entries = [one for one in [*gateways.values(), *services.values()] if isinstance(one, Mapping)]
    ports = [one["port"] for one in entries if one.get("port")]
    return {name for name in gateways if name in services} | {
        port for port in ports if ports.count(port) > 1
    }


def _table(document: object, *names: str) -> Mapping[str, object]:
    """Return a table below a document; an empty one if there is none."""
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}


def add_extras(text: str, extras: Iterable[str]) -> str:
    """Add extras of the framework to the dependencies of the project."""
    found = _framework(text)
    if found is None:
        return text
    names = ",".join(sorted(_names(found) | set(extras)))
    wanted = f"bff-core[{names}]{found['rest']}" if names else found[0]
    return text.replace(f'"{found[0]}"', f'"{wanted}"')


def with_extras_of(text: str, mine: str) -> str:
    """Add the extras that a user has added to the dependency on the framework, as they wrote them.

    The hash of the wheel is on the same line: otherwise each update of a project with an extra of
    the user would be a conflict.
    """
    found, given = _framework(text), _framework(mine)
    if found is None or given is None or not _names(found) <= _names(given):
        return text
    head = given[0].removesuffix(given["rest"])
    return text.replace(f'"{found[0]}"', f'"{head}{found["rest"]}"')


def _framework(text: str) -> re.Match[str] | None:
    """Return the requirement of the framework among the dependencies of a project."""
    try:
        requirements = _table(tomllib.loads(text), "project").get("dependencies")
    except tomllib.TOMLDecodeError:
        return None
    texts = requirements if isinstance(requirements, list) else []
    found = (FRAMEWORK.fullmatch(one) for one in texts if isinstance(one, str))
    return next((one for one in found if one), None)


def _names(found: re.Match[str]) -> set[str]:
    return {one.strip() for one in (found["extras"] or "").split(",")} - {""}


def add_import_layer(text: str, name: str) -> str:
    """Add a gateway to the layers of import-linter that list gateways by name, if there are any."""
    document = tomllib.loads(text)
    gateways = _programs(document, "gateways")
    contracts = _table(document, "tool", "importlinter").get("contracts")
    for contract in contracts if isinstance(contracts, list) else []:
        if "bffs" in _texts(contract, "containers"):
            for layer in _texts(contract, "layers"):
                names = [one.strip(" ()") for one in re.split(r"[|:]", layer)]
                if name not in names and gateways.keys() & set(names):
                    text = text.replace(f'"{layer}"', f'"{layer} | {name}"')
    return text


def _end_of(kind: str, lines: list[str]) -> int:
    """Return the number of the line behind the last program of a kind, or behind `[tool.bff]`."""
    headers = [number for number, line in enumerate(lines) if HEADER.match(line)]
    for pattern in (rf"{BFF}\.\s*{kind}\s*[.\]]", rf"{BFF}[.\]]"):
        own = [number for number in headers if re.match(pattern, lines[number])]
        if own:
            end = next((number for number in headers if number > own[-1]), len(lines))
            while lines[end - 1].lstrip().startswith("#") or not lines[end - 1].strip():
                end -= 1
            return end
    return len(lines)


def _block(kind: str, name: str, entry: Mapping[str, object]) -> str:
    """Return the table of a program; mappings in it become tables below it."""
    header = f"tool.bff.{kind}.{name}"
    plain = {key: value for key, value in entry.items() if not isinstance(value, Mapping)}
    block = f"[{header}]\n{tomlkit.dumps(plain)}"
    for key, value in entry.items():
        if isinstance(value, Mapping):
            block += f"\n[{header}.{key}]\n{tomlkit.dumps(value)}"
    return block


def _has(text: str, kind: str, name: str) -> bool:
    try:
        return name in _programs(tomllib.loads(text), kind)
    except tomllib.TOMLDecodeError:
        return False


def _programs(document: Mapping[str, object], kind: str) -> Mapping[str, object]:
    return _table(document, "tool", "bff", kind)


def _texts(document: object, name: str) -> list[str]:
    """Return the texts of a list in a table."""
    found = document.get(name) if isinstance(document, Mapping) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _added_by_tomlkit(text: str, kind: str, name: str, entry: Mapping[str, object]) -> str:
    """Add a gateway where tables are written in another form, such as inline."""
    document = tomlkit.parse(text)
    table: Mapping[str, object] = document
    for key in ("tool", "bff", kind):
        table = table.setdefault(key, tomlkit.table())  # type: ignore[attr-defined] # tomlkit's
    table[name] = dict(entry)  # type: ignore[index] # a table of tomlkit
    return tomlkit.dumps(document)


def set_program_keys(text: str, kind: str, name: str, keys: Mapping[str, object]) -> str:
    """Set keys of `[tool.bff.KIND.NAME]`, which is there; an empty value removes its key."""
    document = tomlkit.parse(text)
    table: Any = document
    for one in ("tool", "bff", kind, name):
        table = table[one]
    for key, value in keys.items():
        if value in ("", [], None):
            table.pop(key, None)
        elif table.get(key) != value:
            table[key] = value
    return tomlkit.dumps(document)
