"""Faults in a file of routes, in the form in which compilers report them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bff_core.contracts.errors import printable
from bff_core.errors import ConfigurationError
from bff_core.proxy.data.places import TOP, Place
from bff_core.proxy.option_faults import MAX_SHOWN, FieldPath

MAX_LISTED: Final = 100
"""How many faults of a file an error lists."""

_CREDENTIALS: Final = re.compile(r"://.*@")

NO_VALUE: Final = object()
"""In place of the value of a fault that shows none."""


@dataclass(frozen=True, slots=True)
class FileFault:
    """One fault: where it is, by file, line and column, by path, and what to write instead."""

    file: str
    place: Place
    path: FieldPath
    complaint: str
    value: object = NO_VALUE

    @property
    def what(self) -> str:
        """The sentence without the place."""
        subject = shown_path(self.path)
        if self.value is not NO_VALUE and subject:
            subject += f" = {shown(self.value)}"
        return printable(f"{subject}: {self.complaint}" if subject else self.complaint)

    def __str__(self) -> str:
        return f"{self.file}:{self.place.line}:{self.place.column}  {self.what}"


class ProxyFileError(ConfigurationError):
    """A file of routes has faults; the message has a line for each."""

    has_place = True

    def __init__(self, faults: Sequence[FileFault]) -> None:
        self.faults = faults
        lines = [str(fault) for fault in faults[:MAX_LISTED]]
        if len(faults) > MAX_LISTED:
            lines.append(f"… and {len(faults) - MAX_LISTED} more")
        super().__init__("\n".join(lines))


def fault_of_file(file: str, complaint: str, place: Place = TOP) -> ProxyFileError:
    """Return the error of a file that can't be read."""
    return ProxyFileError([FileFault(file, place, (), complaint)])


def shown_path(path: FieldPath) -> str:
    """Return a path as it is in a file: `routes[0].transform.request_headers.set.X-A`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part and part.replace("-", "").replace("_", "").isalnum() and part.isascii():
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text if len(text) <= 4 * MAX_SHOWN else f"{text[: 4 * MAX_SHOWN]}…"


def shown(value: object) -> str:
    """Return a value as TOML has it, in one line of limited length."""
    text = _shown(value, 0)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _shown(value: object, depth: int) -> str:
    if isinstance(value, str):
        text = _CREDENTIALS.sub("://…@", value)
        return json.dumps(text[: MAX_SHOWN + 1], ensure_ascii=False)
    if isinstance(value, list | tuple):
        first = ", ".join(_shown(one, depth + 1) for one in value[:5]) if depth < 2 else "…"
        return f"[{first}, …]" if len(value) > 5 else f"[{first}]"
    if isinstance(value, Mapping):
        return "{…}" if value else "{}"
    return _shown_scalar(value)


def _shown_scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > MAX_SHOWN:
        return "a very large number"
    return "null" if value is None else str(value)
