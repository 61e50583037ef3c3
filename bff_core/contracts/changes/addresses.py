"""Which paths are the same address, whatever their parameters are called.

A contract lists paths relative to its servers; a client may have the path of the server in its
templates, or in the address that `BFF_UPSTREAM_<NAME>` sets.
"""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from bff_core.contracts.document import Document, HttpOperation

_PARAMETER = re.compile(r"\{([^{}]*)\}")


def address(path: str) -> str:
    """Return a path without the names of its parameters and without a slash at its end."""
    return _PARAMETER.sub("{}", path).rstrip("/") or "/"


def parameter_names(path: str) -> list[str]:
    """Return the names of the parameters of a path, in order."""
    return [name.removesuffix(":path") for name in _PARAMETER.findall(path)]


def base_paths(document: Document) -> tuple[str, ...]:
    """Return the paths of the servers of a document: `/v1` of https://api.example.com/v1."""
    paths = (urlsplit(server).path.rstrip("/") for server in document.servers)
    return tuple(dict.fromkeys(paths)) or ("",)


def find_operations(document: Document, method: str, path: str) -> list[HttpOperation]:
    """Return the operations that a call of a client may reach; mostly one, or none.

    An operation of the same address is preferred, be it with or without the path of a server. Else
    those count whose parameters accept the texts of the call, or the other way round. Last, the
    path may lack a beginning that the address of the service has. An empty method or path is chosen
    at run time: it may be any.
    """
    candidates = [
        one for one in document.operations if not method or one.method.upper() == method.upper()
    ]
    if not path:
        return candidates
    bases = base_paths(document)
    wanted = address(path)
    exact = [one for one in candidates if wanted in _addresses(one, bases)]
    if exact:
        return exact
    steps = _steps(path)
    for find in (_fits, _ends_with):
        found = [
            one
            for one in candidates
            if any(find(_steps(each), steps) for each in _addresses(one, bases))
        ]
        if found:
            return found
    return []


def _addresses(operation: HttpOperation, bases: Sequence[str]) -> list[str]:
    return [address(base + operation.path) for base in ("", *bases)]


def _steps(path: str) -> list[str]:
    """Return the segments of a path; `{}` is a parameter, `{}*` one of several segments."""
    text = re.sub(r"\{[^{}]*:path\}", "{}*", path.strip("/"))
    return [_PARAMETER.sub("{}", step) for step in text.split("/")]


def _fits(contract: Sequence[str], call: Sequence[str]) -> bool:
    """Whether two paths may be one, as a parameter of either can have the text of the other."""
    for index, step in enumerate(call):
        if step == "{}*":
            return len(contract) >= len(call) and _fits(
                contract[len(contract) - (len(call) - index - 1) :], call[index + 1 :]
            )
        if index >= len(contract) or not _may_equal(contract[index], step):
            return False
    return len(contract) == len(call)


def _ends_with(contract: Sequence[str], call: Sequence[str]) -> bool:
    """Whether one path is the end of the other; a path of parameters only says too little."""
    shorter, longer = sorted((contract, call), key=len)
    return _has_text(shorter) and list(longer[-len(shorter) :]) == list(shorter)


def _may_equal(one: str, other: str) -> bool:
    return one == other or "{}" in one or "{}" in other


def _has_text(steps: Iterable[str]) -> bool:
    return any(step.strip("{}*") for step in steps)
