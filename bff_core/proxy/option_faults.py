"""Faults in the options of routes: all of an object at once, each with the field that has it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bff_core.errors import ConfigurationError

FieldPath = tuple[str | int, ...]
"""The way from an object to one of its values: names of fields and keys, numbers in lists."""

MAX_SHOWN: Final = 80
"""Characters of a wrong value that an error shows."""


@dataclass(frozen=True, slots=True)
class OptionFault:
    """One wrong value: where it is in its object, and what is wrong with it.

    A complaint is the end of a sentence whose subject is the value: "is no method: write GET". With
    `is_key` the name at the end of the path is wrong, not its value.
    """

    path: FieldPath
    complaint: str
    is_key: bool = False


class InvalidOptions(ConfigurationError):
    """Options that are wrong, each with its field; the message has a line for each fault."""

    def __init__(self, options: object, faults: Sequence[OptionFault]) -> None:
        self.faults = faults
        name = getattr(options, "id", None)
        owner = type(options).__name__ + ("" if name is None else f"({name!r})")
        lines = [f"{owner}{_shown_value(options, fault)} {fault.complaint}" for fault in faults]
        super().__init__("\n".join(lines))


def refuse(options: object, faults: Iterable[OptionFault]) -> None:
    """Raise `InvalidOptions` if there is a fault."""
    found = list(faults)
    if found:
        raise InvalidOptions(options, found)


def shown_path(path: FieldPath) -> str:
    """Return a path as it is written in a program: `match.headers["X-A"]`, `split[0].to`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def shown(value: object) -> str:
    """Return a value in a line of limited length."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _shown_value(options: object, fault: OptionFault) -> str:
    if not fault.path or fault.is_key:
        return f"{_joined(fault.path)}:" if fault.path else ""
    value = options
    for part in fault.path:
        value = _member(value, part)
    path = _joined(fault.path)
    return f"{path} = {shown(value)}:" if value is not None else path


def _joined(path: FieldPath) -> str:
    text = shown_path(path)
    return text if text.startswith("[") else f".{text}"


def _member(value: object, part: str | int) -> object:
    """Return a field, an item or a value by key; None where there is none."""
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(part, int):
        is_there = isinstance(value, Sequence) and part < len(value)
        return value[part] if is_there else None  # type: ignore[index] # checked above
    return getattr(value, part, None)
