"""Reads and sets the faults of mock services by their control route `/__faults__`.

The console sets four kinds: a constant latency, errors, hanging and garbage, on all routes. Faults
that are set elsewhere, such as those of one route, are listed and stay as they are.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from bff_core.console.model import FaultCard, ProcessInfo, SetFaults
from bff_core.console.program_client import ProgramClient, ProgramUnavailable

PATH: Final = "/__faults__"
SECONDS: Final = 1.0
"""How long a service may take to answer its control route."""

MAX_LATENCY: Final = 3600.0

Fault = dict[str, Any]

_KINDS: Final = ("latency", "error", "hang", "garbage")
COUNTS: Final = frozenset({"seen", "hits"})
"""What a mock adds to a fault when it reports it."""

_DEFAULTS: Final = {"route": "*", "seed": 0, "times": None}
_FREE: Final = {
    "latency": {"kind", "route", "rate", "seed", "times", "distribution", "at_most"},
    "error": {"kind", "route", "rate", "seed", "times", "status"},
    "hang": {"kind", "route", "rate", "seed", "times", "seconds"},
    "garbage": {"kind", "route", "rate", "seed", "times", "flavour"},
}


class _Report(msgspec.Struct):
    faults: list[Fault]


class NoFaultControl(Exception):
    """A service takes no faults, or refused them; the message says why."""


class FaultControl:
    """The faults of the mock services of a run.

    A service forgets its counts when its faults are set, so what they were before is added here.
    """

    def __init__(self, client: ProgramClient) -> None:
        self._client = client
        self._hits_before: dict[str, int] = {}

    async def cards(self, processes: Sequence[ProcessInfo]) -> list[FaultCard]:
        """Return a card for each service."""
        services = [one for one in processes if one.kind == "service"]
        return list(await asyncio.gather(*map(self.card, services)))

    async def card(self, service: ProcessInfo) -> FaultCard:
        """Return the faults that a service has now; without a control route it takes none."""
        card = FaultCard(
            service=service.name, port=service.port, state=service.state, takes_faults=False
        )
        if service.state == "running":
            faults = await self._read(service)
            if faults is not None:
                card.takes_faults = True
                _fill(card, faults)
                card.hits += self._hits_before.get(service.name, 0)
        return card

    async def put(self, service: ProcessInfo, wanted: SetFaults) -> FaultCard:
        """Set the console's four faults, and leave others; return the service's card.

        Raises `NoFaultControl`.
        """
        if service.state != "running":
            raise NoFaultControl(f"{service.name} is {service.state}: start it first")
        before = await self._read(service)
        if before is None:
            raise NoFaultControl(
                f"{service.name} has no control route {PATH}: only mocks that have it take faults"
            )
        own, others = _split(before)
        hits = sum(one.get("hits", 0) for one in before)
        await self._write(service, [*map(_without_counts, others), *_faults_of(wanted, own)])
        self._hits_before[service.name] = self._hits_before.get(service.name, 0) + hits
        return await self.card(service)

    async def clear(self, service: ProcessInfo) -> FaultCard:
        """Remove all faults, of any kind; return the service's card. Raises `NoFaultControl`."""
        await self._write(service, [])
        self._hits_before.pop(service.name, None)
        return await self.card(service)

    async def _read(self, service: ProcessInfo) -> list[Fault] | None:
        try:
            reply = await self._client.send(_address(service), "GET", PATH, seconds=SECONDS)
            return msgspec.json.decode(reply.body, type=_Report).faults
        except (ProgramUnavailable, msgspec.DecodeError):
            return None

    async def _write(self, service: ProcessInfo, faults: Sequence[Fault]) -> None:
        body = msgspec.json.encode({"faults": faults})
        headers = [("content-type", "application/json")]
        try:
            reply = await self._client.send(
                _address(service), "PUT", PATH, headers=headers, body=body, seconds=SECONDS
            )
        except ProgramUnavailable as error:
            raise NoFaultControl(f"{service.name} does not answer: {error}") from None
        if not 200 <= reply.status < 300:
            raise NoFaultControl(f"{service.name} answered {reply.status} to PUT {PATH}")


def _address(service: ProcessInfo) -> str:
    return f"http://localhost:{service.port}"


def _split(faults: Sequence[Fault]) -> tuple[dict[str, Fault], list[Fault]]:
    """Return the console's faults by their kind, and the others."""
    own: dict[str, Fault] = {}
    others = []
    for one in faults:
        kind = str(one.get("kind"))
        if kind not in own and _is_simple(kind, one):
            own[kind] = one
        else:
            others.append(one)
    return own, others


def _is_simple(kind: str, fault: Fault) -> bool:
    """Whether a slider shows all that a fault does."""
    if kind not in _KINDS or not _FREE[kind] >= fault.keys() - COUNTS:
        return False
    if any(fault.get(name, value) != value for name, value in _DEFAULTS.items()):
        return False
    if kind == "latency":
        distribution = fault.get("distribution")
        is_constant = isinstance(distribution, dict) and distribution.get("name") == "constant"
        return is_constant and fault.get("rate", 1.0) == 1.0
    return kind != "hang" or fault.get("seconds") is None


def _fill(card: FaultCard, faults: Sequence[Fault]) -> None:
    own, others = _split(faults)
    if "latency" in own:
        card.latency = float(own["latency"]["distribution"]["seconds"])
    card.errors, card.hang, card.garbage = (
        float(own[kind].get("rate", 1.0)) if kind in own else 0.0 for kind in _KINDS[1:]
    )
    card.others = [_described(one) for one in others]
    card.hits = sum(int(one.get("hits", 0)) for one in faults)


def _faults_of(wanted: SetFaults, before: dict[str, Fault]) -> list[Fault]:
    """Return faults as the service takes them; status and flavour stay as they were."""
    found: list[Fault] = []
    if wanted.latency:
        distribution = {"name": "constant", "seconds": wanted.latency}
        at_most = {"at_most": MAX_LATENCY} if wanted.latency > 60 else {}
        found.append({"kind": "latency", "distribution": distribution, **at_most})
    shares = {"error": wanted.errors, "hang": wanted.hang, "garbage": wanted.garbage}
    for kind, share in shares.items():
        if share:
            found.append({**_without_counts(before.get(kind, {"kind": kind})), "rate": share})
    return found


def _without_counts(fault: Fault) -> Fault:
    return {name: value for name, value in fault.items() if name not in COUNTS}


def _described(fault: Fault) -> str:
    """Return a fault of another kind in words: "drip on GET /users/{id}, 20 %"."""
    words = str(fault.get("kind", "fault")).replace("_", " ")
    if fault.get("route", "*") != "*":
        words += f" on {fault['route']}"
    if fault.get("rate", 1.0) != 1.0:
        words += f", {float(fault['rate']) * 100:g} %"
    if fault.get("times"):
        words += f", {fault['times']} times"
    return words
