"""Faults of a mock on demand: its control route `/__faults__`, which the console's sliders use."""

import asyncio
import random
from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bff_core.mocks.control_access import refusal_of
from bff_core.mocks.problems import PROBLEM, Refusal, problem
from bff_core.mocks.request_checks import body_bytes

FAULTS_PATH: Final = "/__faults__"

MAX_FAULTS: Final = 100

Share = Annotated[float, Meta(ge=0.001, le=1)]
Seconds = Annotated[float, Meta(ge=0.001, le=3600)]
Flavour = Literal["syntax", "cut", "nan", "deep", "shape", "html", "charset", "empty"]

GARBAGE: Final[Mapping[str, bytes]] = {
    "syntax": b'{"id": "1", "name": {{]]',
    "cut": b'{"items": [{"id": "1", "title": "Half of',
    "nan": b'{"id": "1", "amount": NaN}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "shape": b'["another", "shape", 1, null]',
    "html": b"<!doctype html><title>502</title><h1>Bad Gateway</h1>",
    "charset": '{"title": "Stra\u00dfe"}'.encode("latin-1"),
    "empty": b"",
}


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A body without unknown members."""


class Constant(_Options, tag="constant", tag_field="name", frozen=True):
    """A latency that is always the same."""

    seconds: Seconds

    def draw(self, _: random.Random) -> float:
        """Return a latency in seconds."""
        return self.seconds


class Lognormal(_Options, tag="lognormal", tag_field="name", frozen=True):
    """A latency with a long tail."""

    median: Seconds
    sigma: Annotated[float, Meta(ge=0, le=5)]

    def draw(self, chance: random.Random) -> float:
        """Return a latency in seconds."""
        return self.median * chance.lognormvariate(0.0, self.sigma)


class _Fault(_Options, tag_field="kind", kw_only=True, frozen=True):
    """What all faults have: the share of the calls that they hit, on all routes."""

    route: Literal["*"] = "*"
    rate: Share = 1.0


class MockLatency(_Fault, tag="latency", kw_only=True, frozen=True):
    """Waits, then answers as usual."""

    distribution: Constant | Lognormal
    at_most: Seconds = 60.0


class MockError(_Fault, tag="error", frozen=True):
    """Answers with an error."""

    status: Annotated[int, Meta(ge=400, le=599)] = 500


class MockUnavailable(_Fault, tag="unavailable", frozen=True):
    """Answers with 503 and `Retry-After`, in seconds."""

    retry_after: Annotated[int, Meta(ge=0, le=86_400)] = 1


class MockHang(_Fault, tag="hang", frozen=True):
    """Does not answer until the client leaves."""


class MockGarbage(_Fault, tag="garbage", frozen=True):
    """Answers with a body that clients can't use."""

    flavour: Flavour = "syntax"


AnyMockFault = MockLatency | MockError | MockUnavailable | MockHang | MockGarbage

KINDS: Final = tuple(one.__struct_config__.tag for one in get_args(AnyMockFault))
"""The names of all kinds."""


class _Wanted(_Options, frozen=True):
    """The body of `PUT /__faults__`."""

    faults: Annotated[list[AnyMockFault], Meta(max_length=MAX_FAULTS)]


class _Active:
    """A fault, and how many calls it has met."""

    def __init__(self, fault: AnyMockFault) -> None:
        self.fault = fault
        self.calls = self.hits = 0

    def hits_next(self, chance: random.Random) -> bool:
        """Decide about one more call."""
        self.calls += 1
        is_hit = chance.random() < self.fault.rate
        self.hits += is_hit
        return is_hit

    def report(self) -> dict[str, object]:
        """Return the fault with its counts."""
        return {**msgspec.to_builtins(self.fault), "calls": self.calls, "hits": self.hits}


class MockFaults:
    """Gives an ASGI app the control route `/__faults__`; without faults, calls pass through.

    Mocks of contracts have it. Another mock gets it by `app.add_middleware(MockFaults)`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._active: list[_Active] = []
        self._chance = random.Random(0)  # noqa: S311 # equal runs, no secrets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the control route, or a call as the faults demand."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == FAULTS_PATH:
            await (await self._control(Request(scope, receive)))(scope, receive, send)
            return
        hit = [one.fault for one in self._active if one.hits_next(self._chance)]
        for fault in hit:
            if isinstance(fault, MockLatency):
                seconds = fault.distribution.draw(self._chance)
                await asyncio.sleep(min(fault.at_most, seconds))
        other = next((one for one in hit if not isinstance(one, MockLatency)), None)
        if isinstance(other, MockHang):
            while (await receive())["type"] != "http.disconnect":
                pass
        elif other is not None:
            await _answer(other)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _control(self, request: Request) -> Response:
        if why := refusal_of(request.headers):
            return _problem(Refusal(403, why))
        if request.method == "PUT":
            try:
                wanted = msgspec.json.decode(await body_bytes(request), type=_Wanted)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                return _problem(Refusal(422, str(error)))
            except Refusal as refusal:
                return _problem(refusal)
            self._active = [_Active(one) for one in wanted.faults]
        elif request.method == "DELETE":
            self._active = []
            return Response(status_code=204)
        elif request.method != "GET":
            return _problem(Refusal(405, "use GET, PUT or DELETE"))
        found = {"faults": [one.report() for one in self._active], "kinds": KINDS}
        return Response(msgspec.json.encode(found), media_type="application/json")


def _answer(fault: AnyMockFault) -> Response:
    detail = "a fault was requested"
    match fault:
        case MockError():
            return _problem(Refusal(fault.status, detail))
        case MockUnavailable():
            headers = {"Retry-After": str(fault.retry_after)}
            return _problem(Refusal(503, detail, headers=headers))
        case MockGarbage():
            return Response(GARBAGE[fault.flavour], media_type="application/json")
    raise NotImplementedError(fault)


def _problem(refusal: Refusal) -> Response:
    body = msgspec.json.encode(problem(refusal))
    return Response(body, refusal.status, dict(refusal.headers), media_type=PROBLEM)
