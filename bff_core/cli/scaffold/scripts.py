"""What scripted services answer in a generated test: constants, and the scripts of services."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bff_core.cli.scaffold.examples import example_of, literal
from bff_core.cli.scaffold.source_code import Names, ServiceCall

KIT: Final[Names] = {
    ("collections.abc", "Mapping"),
    *(
        ("bff_core.testing", name)
        for name in ("Script", "assert_complete", "client", "failure_matrix", "reply")
    ),
}
"""What each generated test of a screen imports."""

RESERVED: Final = {"ANYONE", "APP", "SERVICES", "VIEWER"}
"""Other constants of a generated test."""


@dataclass(frozen=True, slots=True)
class CalledMethod:
    """A method of a service that a screen calls; `service` is the name of the upstream."""

    service: str
    method: str
    calls: tuple[ServiceCall, ...]


@dataclass(frozen=True, slots=True)
class Scripts:
    """The text of the constants of a test, and of the scripts by the name of their service."""

    constants: str
    services: dict[str, str]


def scripts_of(called: Iterable[CalledMethod]) -> Scripts:
    """Return the scripts of the services that a screen calls; equal calls are scripted once."""
    constants: dict[str, str] = {}
    routes: dict[str, dict[str, str]] = {}
    for one in called:
        known = routes.setdefault(one.service, {})
        for call in one.calls:
            if call.route not in known:
                name = _unused(constants, one.method.upper())
                example = example_of(call.reply)
                value = {"data": example} if call.is_graphql else example
                constants[name] = literal(value, f"{name} = ")
                known[call.route] = f"reply(200, {name})"
    return Scripts(
        "\n".join(f"{name} = {value}" for name, value in constants.items()),
        {service: _script(known) for service, known in routes.items()},
    )


def _script(routes: dict[str, str]) -> str:
    if not routes:
        return "reply(200)"
    if len(routes) == 1:
        return next(iter(routes.values()))
    return "{" + ", ".join(f'"{route}": {script}' for route, script in routes.items()) + "}"


def _unused(names: dict[str, str], wanted: str) -> str:
    number = 1
    name = wanted
    while name in names or name in RESERVED:
        number += 1
        name = f"{wanted}_{number}"
    return name
