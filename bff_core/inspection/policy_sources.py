"""Where the options of a policy come from: the code, the policy file, or the defaults."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal

from bff_core.policy.upstream.policy import Policy

Source = Literal["default", "code", "file"]


@dataclass(frozen=True, slots=True)
class EffectiveOption:
    """One option of a policy in effect: its path, its value, and where it comes from."""

    path: str
    value: object
    source: Source

    @property
    def text(self) -> str:
        """The value as documentation shows it."""
        return shown(self.value)


def options_in_effect(declared: Policy, effective: Policy) -> list[EffectiveOption]:
    """Return the options of a policy; `declared` is that of the code, before the policy file.

    An option of a layer that is off by default is compared with the layer's own default.
    """
    in_code, defaults = dict(_flat(declared)), dict(_flat(Policy()))
    defaults = {**dict(_of_layers(effective)), **defaults}
    found = []
    for path, value in _flat(effective):
        source: Source = "default"
        is_in_code = path in in_code and in_code[path] == value
        if path not in defaults or defaults[path] != value or not is_in_code:
            source = "code" if is_in_code else "file"
        found.append(EffectiveOption(path, value, source))
    return found


def _of_layers(policy: Policy) -> Iterator[tuple[str, object]]:
    """Yield the defaults of the layers of a policy that are off by default."""
    for one in fields(policy):
        layer = getattr(policy, one.name)
        if getattr(Policy(), one.name) is None and layer is not None and one.name != "credentials":
            yield from _flat(type(layer)(), f"{one.name}.")


def shown(value: object) -> str:
    """Return a value of an option in words."""
    if value is None or value is False:
        return "off"
    if value is True:
        return "on"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | frozenset):
        return ", ".join(map(str, sorted(value))) or "none"
    if isinstance(value, type):
        return value.__name__
    return str(value)


def _flat(policy: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the options of a policy and of its layers, with their paths; a layer is on or off."""
    for one in fields(policy):  # type: ignore[arg-type]  # policies are dataclasses
        value, path = getattr(policy, one.name), f"{prefix}{one.name}"
        if one.name == "credentials" and value is not None:
            yield path, type(value).__name__  # nothing of a secret is shown
        elif is_dataclass(value) and not isinstance(value, type):
            if not prefix:
                yield path, True
            yield from _flat(value, f"{path}.")
        else:
            yield path, value
