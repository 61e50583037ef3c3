"""The kinds of faults, their rates, and the seeded decision for each call."""

import random
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from services_mock.problems import Problem, invalid
from services_mock.routes import RouteTable, covers

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=3600)]
Pause = Annotated[float, Meta(ge=0.001, le=3600)]
Size = Annotated[int, Meta(ge=1, le=4 * 1024**3)]
Flavour = Literal["syntax", "cut", "nan", "deep", "shape", "html", "charset", "empty"]

FORGED = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n"
    '{"surplus": "yes"}'
)


class _Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request body without unknown members."""


class Constant(_Option, tag="constant", tag_field="name", frozen=True):
    """Always the same."""

    seconds: Seconds

    def draw(self, _chance: random.Random) -> float:
        """Return a latency in seconds."""
        return self.seconds


class Uniform(_Option, tag="uniform", tag_field="name", frozen=True):
    """Uniform between two bounds."""

    low: Seconds
    high: Seconds

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("`low` must not exceed `high`")

    def draw(self, chance: random.Random) -> float:
        """Return a latency in seconds."""
        return chance.uniform(self.low, self.high)


class Normal(_Option, tag="normal", tag_field="name", frozen=True):
    """Normal around a mean; negative draws count as 0."""

    mean: Seconds
    stddev: Seconds

    def draw(self, chance: random.Random) -> float:
        """Return a latency in seconds."""
        return max(0.0, chance.gauss(self.mean, self.stddev))


class Exponential(_Option, tag="exponential", tag_field="name", frozen=True):
    """Exponential: mostly short, seldom long."""

    mean: Pause

    def draw(self, chance: random.Random) -> float:
        """Return a latency in seconds."""
        return chance.expovariate(1 / self.mean)


class Lognormal(_Option, tag="lognormal", tag_field="name", frozen=True):
    """Log-normal, as real latencies: a body and a long tail."""

    median: Pause
    sigma: Annotated[float, Meta(ge=0, le=5)]

    def draw(self, chance: random.Random) -> float:
        """Return a latency in seconds."""
        return self.median * chance.lognormvariate(0, self.sigma)


Distribution = Constant | Uniform | Normal | Exponential | Lognormal


class Fault(_Option, tag_field="kind", kw_only=True, frozen=True):
    """The common options of all faults: where, how often, how many times."""

    route: str = "*"
    rate: Share = 1.0
    seed: int = 0
    times: Annotated[int, Meta(ge=1)] | None = None


class Latency(Fault, tag="latency", kw_only=True, frozen=True):
    """Waits, then answers as usual."""

    distribution: Distribution
    at_most: Seconds = 60.0


class Error(Fault, tag="error", frozen=True):
    """A problem instead of the answer."""

    status: Annotated[int, Meta(ge=400, le=599)] = 500


class Unavailable(Fault, tag="unavailable", frozen=True):
    """503 with `Retry-After`, in whole seconds."""

    retry_after: Annotated[int, Meta(ge=0, le=86_400)] = 1


class Garbage(Fault, tag="garbage", frozen=True):
    """A body that is not JSON, or not of the expected schema."""

    flavour: Flavour = "syntax"


class Hang(Fault, tag="hang", frozen=True):
    """No answer for some seconds, or until the client leaves."""

    seconds: Pause | None = None


class HangMidBody(Fault, tag="hang_mid_body", frozen=True):
    """A part of the answer, then nothing."""

    fraction: Share = 0.5
    seconds: Pause | None = None


class Drip(Fault, tag="drip", frozen=True):
    """The body in small parts, with pauses."""

    size: Size = 1
    interval: Pause = 0.4


class GzipBomb(Fault, tag="gzip_bomb", frozen=True):
    """JSON that grows a thousandfold when it is decoded."""

    decoded_bytes: Size = 256 * 1024**2


class Oversized(Fault, tag="oversized", frozen=True):
    """Endless JSON, uncompressed."""

    bytes: Size = 64 * 1024**2


class SocketFault(Fault, frozen=True):
    """A fault that needs the socket."""


class Reset(SocketFault, tag="reset", frozen=True):
    """RST after a part of the answer."""

    fraction: Share = 0.0


class Truncated(SocketFault, tag="truncated", frozen=True):
    """The length of the whole, a part of the body, FIN."""

    fraction: Share = 0.5


class WrongLength(SocketFault, tag="wrong_length", frozen=True):
    """A wrong `Content-Length`."""

    delta: int = 10

    def __post_init__(self) -> None:
        if self.delta == 0:
            raise ValueError("`delta` must not be 0")


class Surplus(SocketFault, tag="surplus", frozen=True):
    """Bytes after the end of the answer: with it, or `delay` seconds later."""

    text: Annotated[str, Meta(min_length=1, max_length=65_536)] = FORGED
    delay: Seconds = 0.0


AnyFault = (
    Latency | Error | Unavailable | Garbage | Hang | HangMidBody | Drip | GzipBomb | Oversized
    | Reset | Truncated | WrongLength | Surplus
)  # fmt: skip


class Wanted(_Option, frozen=True):
    """The body of `PUT /__faults__`."""

    faults: Annotated[list[AnyFault], Meta(max_length=100)]


class Active:
    """One active fault, with its random generator."""

    def __init__(self, fault: AnyFault) -> None:
        self.fault = fault
        self.calls = 0
        self.hits = 0
        self._chance = random.Random(fault.seed)

    def strikes(self) -> bool:
        """Decide about one more call; every call takes one draw, so that fates don't shift."""
        self.calls += 1
        is_drawn = self._chance.random() < self.fault.rate
        return is_drawn and (self.fault.times is None or self.hits < self.fault.times)

    def latency(self, distribution: Distribution) -> float:
        """Draw a latency in seconds."""
        return distribution.draw(self._chance)

    def report(self) -> dict[str, Any]:
        """Return the fault with its options and counts."""
        options: dict[str, Any] = msgspec.to_builtins(self.fault)
        return {**options, "calls": self.calls, "hits": self.hits}


class Fate(msgspec.Struct, frozen=True):
    """The decision for one call: a delay in seconds, then perhaps a fault."""

    latency: float
    fault: AnyFault | None


class FaultBoard:
    """The faults of a service."""

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self._active: list[Active] = []

    def put(self, body: bytes, *, has_socket: bool) -> None:
        """Replace all faults by those of a body; an invalid body changes nothing."""
        try:
            faults = msgspec.json.decode(body, type=Wanted).faults
        except msgspec.DecodeError as error:
            raise invalid("body", str(error)) from None
        for place, fault in enumerate(faults):
            self._check(f"body.faults.{place}", fault, has_socket=has_socket)
        self._active = [Active(fault) for fault in faults]

    def clear(self) -> None:
        """Remove all faults."""
        self._active = []

    def report(self) -> dict[str, list[dict[str, Any]]]:
        """Return all faults with their counts."""
        return {"faults": [active.report() for active in self._active]}

    def decide(self, route: str) -> Fate | None:
        """Return the decision for a call, `None` without a fault."""
        if not self._active:
            return None
        struck = [
            active
            for active in self._active
            if covers(active.fault.route, route) and active.strikes()
        ]
        wait, chosen = 0.0, None
        for active in struck:
            if isinstance(active.fault, Latency):
                active.hits += 1
                wait += min(active.fault.at_most, active.latency(active.fault.distribution))
            elif chosen is None:
                active.hits += 1
                chosen = active.fault
        return Fate(wait, chosen) if struck else None

    def _check(self, loc: str, fault: Fault, *, has_socket: bool) -> None:
        if not self._table.knows(fault.route):
            raise invalid(f"{loc}.route", f"{fault.route!r} is no route of this service")
        if isinstance(fault, SocketFault) and not has_socket:
            detail = "This fault works on a socket, and an app in process has none."
            raise Problem(422, "needs_socket", detail, errors=[{"loc": loc, "message": detail}])
