"""Reads and sets the faults of mock services by their control route `/__faults__`.

The console sets a latency, errors, hanging and garbage by a share of the calls of all routes, and
other kinds for each call. Faults of one route, and what else is set elsewhere, are listed and stay
as they are.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from bff_core.console.faults.headline import effect_of
from bff_core.console.foreign_json import NotDecoded, decode_foreign
from bff_core.console.model import FaultCard, ProcessInfo, SetFaults
from bff_core.console.program_client import ProgramClient, ProgramReply, ProgramUnavailable

FAULTS_PATH: Final = "/__faults__"
CONTROL_SECONDS: Final = 1.0
"""How long a service may take to answer its control route."""

MAX_LATENCY: Final = 3600.0
DEFAULT_AT_MOST: Final = 60.0
"""The longest latency of a mock unless the fault says otherwise (seconds)."""

Fault = dict[str, Any]

SHARES: Final = {"error": "errors", "hang": "hang", "garbage": "garbage"}
"""Kinds that hit a share of the calls, and the members of a card for them."""

COUNTS: Final = frozenset({"calls", "hits"})
"""What a mock adds to a fault when it reports it."""

_ANYWHERE: Final = {"route": "*", "seed": 0, "times": None}

OTHER_KINDS: Final = (
    "unavailable",
    "hang_mid_body",
    "drip",
    "reset",
    "truncated",
    "wrong_length",
    "surplus",
    "oversized",
    "gzip_bomb",
)
"""The kinds without a slider. A mock that takes only some of them reports its `kinds`."""


class _Report(msgspec.Struct):
    faults: list[Fault]
    kinds: list[str] | None = None

    @property
    def offered(self) -> list[str]:
        """The kinds without a slider that the mock takes."""
        return [one for one in OTHER_KINDS if self.kinds is None or one in self.kinds]


class _Problem(msgspec.Struct):
    detail: str = ""


class NoFaultControl(Exception):
    """A service takes no faults, or refused them; the message says why."""


class FaultsRefused(NoFaultControl):
    """A service does not take these faults; the message says why."""


class _Counts(NamedTuple):
    """How many calls a service got while it had faults, and how many met one."""

    calls: int = 0
    hits: int = 0


class FaultControl:
    """The faults of the mock services of a run.

    A service forgets its counts when its faults are set, so what they were before is added here.
    `effects` get what was read in words, by service.
    """

    def __init__(self, client: ProgramClient, effects: dict[str, str]) -> None:
        self._client = client
        self._effects = effects
        self._before: dict[str, _Counts] = {}

    async def cards(self, processes: Sequence[ProcessInfo]) -> list[FaultCard]:
        """Return a card for each service."""
        services = [one for one in processes if one.kind == "service"]
        return list(await asyncio.gather(*map(self.card, services)))

    async def card(self, service: ProcessInfo) -> FaultCard:
        """Return the faults that a service has now; without a control route it takes none."""
        card = FaultCard(
            service=service.name,
            port=service.port,
            state=service.state,
            takes_faults=False,
            since=service.since,
        )
        if service.state == "running":
            report = await self._read(service)
            if report is not None:
                card.takes_faults, card.offers = True, report.offered
                _fill(card, report.faults)
                card.calls, card.hits = self._counted(service, report.faults)
        self._effects[service.name] = effect_of(card) if card.takes_faults else ""
        return card

    async def put(self, service: ProcessInfo, wanted: SetFaults) -> FaultCard:
        """Set the console's faults, and leave others; return the service's card.

        Raises `NoFaultControl`, and `FaultsRefused` if the service does not take these.
        """
        if service.state != "running":
            raise NoFaultControl(f"{service.name} is {service.state}: start it first")
        before = await self._read(service)
        if before is None:
            raise NoFaultControl(
                f"{service.name} has no control route {FAULTS_PATH}: only mocks that have it "
                "take faults"
            )
        faults = before.faults
        counts, after = self._counted(service, faults), _changed(faults, wanted)
        await self._write(service, after)
        self._before[service.name] = counts if after else _Counts()
        return await self.card(service)

    async def clear(self, service: ProcessInfo) -> FaultCard:
        """Remove all faults, of any kind; return the service's card. Raises `NoFaultControl`."""
        await self._write(service, [])
        self._before.pop(service.name, None)
        return await self.card(service)

    def _counted(self, service: ProcessInfo, faults: Sequence[Fault]) -> _Counts:
        calls, hits = self._before.get(service.name, _Counts())
        calls += max((int(one.get("calls", 0)) for one in faults), default=0)
        return _Counts(calls, hits + sum(int(one.get("hits", 0)) for one in faults))

    async def _read(self, service: ProcessInfo) -> _Report | None:
        try:
            reply = await self._send(service, "GET")
            return decode_foreign(reply.body, _Report)
        except (ProgramUnavailable, NotDecoded):
            return None

    async def _write(self, service: ProcessInfo, faults: Sequence[Fault]) -> None:
        body = msgspec.json.encode({"faults": faults})
        try:
            reply = await self._send(service, "PUT", body)
        except ProgramUnavailable as error:
            raise NoFaultControl(f"{service.name} does not answer: {error}") from None
        if reply.status == 422:
            raise FaultsRefused(_reason(reply.body))
        if not 200 <= reply.status < 300:
            raise NoFaultControl(f"{service.name} answered {reply.status} to PUT {FAULTS_PATH}")

    async def _send(self, service: ProcessInfo, method: str, body: bytes = b"") -> ProgramReply:
        return await self._client.send(
            f"http://localhost:{service.port}",
            method,
            FAULTS_PATH,
            headers=[("content-type", "application/json")] if body else [],
            body=body,
            seconds=CONTROL_SECONDS,
        )


def _reason(body: bytes) -> str:
    """Return why a service refused faults, from its problem details."""
    with contextlib.suppress(NotDecoded):
        return decode_foreign(body, _Problem).detail.rstrip(".")
    return "it does not take these faults"


def _split(faults: Sequence[Fault]) -> tuple[dict[str, Fault], list[Fault]]:
    """Return the console's faults by their kind, and the others."""
    own: dict[str, Fault] = {}
    others = []
    for one in faults:
        kind = str(one.get("kind"))
        if kind not in own and _is_own(kind, one):
            own[kind] = one
        else:
            others.append(one)
    return own, others


def _is_own(kind: str, fault: Fault) -> bool:
    """Whether a card shows all that a fault does."""
    if any(fault.get(name, value) != value for name, value in _ANYWHERE.items()):
        return False
    if kind == "hang":
        return fault.get("seconds") is None
    if kind in SHARES:
        return True
    if kind == "latency" and _latency_of(fault) is None:
        return False
    return _rate(fault) == 1.0


def _latency_of(fault: Fault) -> tuple[float, float] | None:
    """Return seconds and spread of a latency; None for another distribution."""
    match fault.get("distribution"):
        case {"name": "constant", "seconds": float() | int() as seconds}:
            return float(seconds), 0.0
        case {"name": "lognormal", "median": float() | int() as median, "sigma": sigma}:
            return float(median), float(sigma)
        case _:
            return None


def _rate(fault: Fault) -> float:
    return float(fault.get("rate", 1.0))


def _fill(card: FaultCard, faults: Sequence[Fault]) -> None:
    own, others = _split(faults)
    card.latency, card.spread = _latency_of(own.get("latency", {})) or (0.0, 0.0)
    card.errors, card.hang, card.garbage = (
        _rate(own[kind]) if kind in own else 0.0 for kind in SHARES
    )
    card.flavour = str(own.get("garbage", {}).get("flavour", ""))
    card.kinds = [kind for kind in own if kind != "latency" and kind not in SHARES]
    card.others = [_described(one) for one in others]


def _changed(before: Sequence[Fault], wanted: SetFaults) -> list[Fault]:
    """Return all faults as the service takes them; options without a slider stay as they were."""
    own, others = _split(before)
    found = [_without_counts(one) for one in others]
    if wanted.latency:
        found.append(_latency(wanted))
    for kind, member in SHARES.items():
        if share := getattr(wanted, member):
            found.append({**_without_counts(own.get(kind, {"kind": kind})), "rate": share})
    if wanted.garbage and wanted.flavour:
        found[-1]["flavour"] = wanted.flavour
    known = [kind for kind in own if kind != "latency" and kind not in SHARES]
    kinds = known if wanted.kinds is None else dict.fromkeys(wanted.kinds)
    return found + [_without_counts(own.get(kind, {"kind": kind})) for kind in kinds]


def _latency(wanted: SetFaults) -> Fault:
    distribution: Mapping[str, object] = {"name": "constant", "seconds": wanted.latency}
    if wanted.spread:
        distribution = {"name": "lognormal", "median": wanted.latency, "sigma": wanted.spread}
    at_most = {"at_most": MAX_LATENCY} if wanted.latency > DEFAULT_AT_MOST else {}
    return {"kind": "latency", "distribution": distribution, **at_most}


def _without_counts(fault: Fault) -> Fault:
    return {name: value for name, value in fault.items() if name not in COUNTS}


def _described(fault: Fault) -> str:
    """Return a fault of another kind in words: "drip on GET /users/{id}, 20 %"."""
    words = str(fault.get("kind", "fault")).replace("_", " ")
    if fault.get("route", "*") != "*":
        words += f" on {fault['route']}"
    if _rate(fault) != 1.0:
        words += f", {_rate(fault) * 100:g} %"
    if fault.get("times"):
        words += f", {fault['times']} times"
    return words
