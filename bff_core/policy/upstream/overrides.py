"""Policy overrides: parses and checks an operator's TOML file, and merges it over policies."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from types import NoneType
from typing import Any, Self, TypeVar, get_type_hints

from bff_core.errors import ConfigurationError
from bff_core.policy.options import DescribedOption, described, members_of
from bff_core.policy.upstream.policy import Policy

Part = TypeVar("Part")

CODE_ONLY = {
    "public": "whether replies are the same for everybody",
    "per_tenant": "whether replies are the same for all viewers of a tenant",
    "keyed": "whether the service supports Idempotency-Keys",
}
"""Options that a file may turn off, but not on: only the code's author knows the service."""


class Overrides:
    """The tables of an override file, each named after an upstream.

        [users]
        timeout = 0.5
        bulkhead = false

        [users.retry]
        attempts = 1

    `false` removes a layer, or sets an option to None; `true` adds a layer with its defaults; a
    table changes the options that it names. Every mistake is a `ConfigurationError` that names the
    file, the key, the accepted values and the closest known name.
    """

    def __init__(self, tables: Mapping[str, object], source: str) -> None:
        self._tables = tables
        self._source = source

    @classmethod
    def parse(cls, text: str, source: str) -> Self:
        """Parse TOML; `source` is its name in errors."""
        try:
            return cls(tomllib.loads(text), source)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{source}: {error}") from None

    def check_names(self, upstreams: Collection[str]) -> None:
        """Raise `ConfigurationError` for a table whose name is no upstream."""
        for name in self._tables:
            if name not in upstreams:
                hint = _nearest(name, upstreams)
                raise self._wrong(f"[{name}]", f"is no upstream of this gateway{hint}")

    def over(self, upstream: str, policy: Policy) -> Policy:
        """Return an upstream's policy with the overrides of the file."""
        table = self._tables.get(upstream, {})
        if not isinstance(table, Mapping):
            raise self._wrong(upstream, f"must be a table, [{upstream}]")
        merged = self._merged(policy, table, upstream)
        for option, meaning in CODE_ONLY.items():
            if getattr(merged, option) and not getattr(policy, option):
                reason = f"can't be turned on here: only the code can declare {meaning}"
                raise self._wrong(f"{upstream}.{option}", reason)
        return merged

    def _merged(self, part: Part, table: Mapping[str, object], path: str) -> Part:
        changes = {
            key: self._value(part, key, value, f"{path}.{key}") for key, value in table.items()
        }
        try:
            return replace(part, **changes)  # type: ignore[type-var] # parts are dataclasses
        except (ConfigurationError, TypeError) as error:
            raise self._wrong(f"[{path}]", str(error)) from None

    def _value(self, part: object, key: str, value: object, path: str) -> object:
        known = options_of(type(part))
        if isinstance(part, Policy) and key == "credentials":
            reason = "can't be set here: only the code can declare the credentials of calls"
            raise self._wrong(path, reason)
        if key not in known:
            raise self._wrong(path, f"is no option{_nearest(key, known)}")
        slot = known[key]
        if slot.part is not None:
            return self._part(slot, getattr(part, key), value, path)
        if slot.described is None:
            return self._statuses(value, path)
        value = tuple(value) if isinstance(value, list) else value
        value = None if value is False and NoneType in slot.described.types else value
        if complaint := slot.described.complaint(value):
            raise self._wrong(path, complaint.replace(" or None", " or false"))
        return value

    def _part(self, slot: "Slot", current: object, value: object, path: str) -> object:
        kind = slot.part
        assert kind is not None, path  # noqa: S101 # checked by the caller
        if isinstance(value, Mapping):
            return self._merged(kind() if current is None else current, value, path)
        if value is True:
            return kind() if current is None else current
        if value is False and slot.is_optional:
            return None
        choice = ", true or false" if slot.is_optional else ""
        raise self._wrong(path, f"must be a table, [{path}]{choice}, not {value!r}")

    def _statuses(self, value: object, path: str) -> frozenset[int]:
        if not isinstance(value, list) or not all(type(one) is int for one in value):
            raise self._wrong(path, f"must be a list of statuses, not {value!r}")
        return frozenset(value)

    def _wrong(self, path: str, complaint: str) -> ConfigurationError:
        return ConfigurationError(f"{self._source}: {path} {complaint}")


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of a policy: an option with a range, a nested policy, or a set of statuses."""

    described: DescribedOption | None
    part: type | None
    is_optional: bool


def options_of(policy: Any) -> Mapping[str, Slot]:
    """Return the fields of a policy class by name."""
    hints = get_type_hints(policy)
    options = {option.name: option for option in described(policy)}
    return {one.name: _slot(hints[one.name], options.get(one.name)) for one in fields(policy)}


def _slot(hint: Any, option: DescribedOption | None) -> Slot:
    kinds = members_of(hint)
    part = next((kind for kind in kinds if is_dataclass(kind)), None)
    return Slot(option, part if isinstance(part, type) else None, NoneType in kinds)


def _nearest(name: str, known: Collection[str]) -> str:
    """Return a suggestion: the closest known name, or all names."""
    near = get_close_matches(name, known, n=1)
    return f": did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"


def differences(old: object, new: object, path: str) -> Iterator[str]:
    """Yield the changes between two policies, such as "users.retry.attempts: 3 -> 1"."""
    if old == new:
        return
    if type(old) is not type(new) or not is_dataclass(old):
        yield f"{path}: {_shown(old)} -> {_shown(new)}"
        return
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        yield from differences(before, after, f"{path}.{field.name}")


def _shown(value: object) -> str:
    if value is None or value is False:
        return "off"
    if value is True or is_dataclass(value):
        return "on"
    return str(sorted(value) if isinstance(value, frozenset) else value)
