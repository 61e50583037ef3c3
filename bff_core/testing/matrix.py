"""The failure matrix: tests that a screen survives each failure of each of its services."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

from bff_core.auth.viewer import Viewer
from bff_core.composition.composition import Composition
from bff_core.composition.part import Part
from bff_core.testing.assertions import HTTPAnswer, assert_complete
from bff_core.testing.faults import ALL_FAULTS, Failure, failures, services_of
from bff_core.testing.gateway_client import GatewayClient, client
from bff_core.testing.gateway_under_test import App, service_key
from bff_core.testing.lost_data import EndedParts
from bff_core.testing.outcomes import Evidence, Expected, Snapshot, check_expected, check_failure
from bff_core.testing.paths import beside_caller
from bff_core.testing.scripted import Step
from bff_core.testing.scripts import Script

SendRequest: TypeAlias = Callable[[GatewayClient], Awaitable[HTTPAnswer]]
"""Sends the request of a failure matrix: `lambda c: c.graphql(QUERY, id="8")`."""

FailureTest: TypeAlias = Callable[..., Coroutine[Any, Any, None]]


def failure_matrix(
    app: App,
    *screens: type[Composition],
    request: str | SendRequest,
    services: Mapping[str, Script] | None = None,
    traffic: Mapping[str, Script] | None = None,
    faults: Mapping[str, Step] = ALL_FAULTS,
    expect: Mapping[str, Expected] | None = None,
    allow: Iterable[str] = (),
    not_called: Iterable[str] = (),
    snapshot: str | Path | None = None,
    json: object = None,
    viewer: Viewer | str | None = None,
    headers: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    own_authenticator: bool = False,
) -> FailureTest:
    """Return a test with a case for each failure of each service of these screens.

        test_product_page = failure_matrix(
            make_app,
            ProductPage,
            request="GET /v1/products/8",
            services={"catalog": reply(200, TENT), "reviews": reply(200, STARS)},
        )

    `services` are the scripts without a failure, beside those of `traffic`, a recording. In each
    case one service is down, slow, or sends garbage or nothing (`faults`). The answer has to come
    within the deadline of the gateway, and be complete, or report the parts that lack data and have
    all other data, or be a problem with the status 502, 503 or 504. Without `screens`, the services
    of `services` fail in turn. The request has to call each service: `not_called` are those that it
    does not call; they have no cases.

    `request` is a method and a path, with `json` as its body, or a function that sends it with the
    client. `expect` says more of some cases, by their names or those of services: a status, the
    states of parts, an `outcome` text, or a function. `allow` are cases or services whose answers
    may be otherwise, such as a 409: for them, only `expect` counts. `snapshot` is a file, beside
    the test, of the outcomes of this matrix; `pytest --bff-record` writes it. The other options are
    those of `client(...)`.
    """
    scripts = {**(traffic or {}), **(services or {})}
    left_out = frozenset(not_called)
    cases = _cases(screens, scripts, faults, left_out)
    names = [str(case.values[0]) for case in cases]
    matrix = _Matrix(
        request=_sender(request, json),
        services=services or {},
        traffic=traffic or {},
        expect=_by_case("expect", expect or {}, cases),
        allowed=frozenset(_by_case("allow", dict.fromkeys(allow, 0), cases)),
        not_called=left_out,
        options={
            "viewer": viewer,
            "headers": headers,
            "environ": environ,
            "own_authenticator": own_authenticator,
        },
        app=app,
        snapshot=None if snapshot is None else Snapshot(beside_caller(snapshot), names),
    )
    return _as_test(matrix, cases)


def _as_test(matrix: "_Matrix", cases: Sequence[Any]) -> FailureTest:
    """Return a function that pytest collects as a test with these cases."""
    pytest = importlib.import_module("pytest")

    async def test_failure(failure: Failure, pytestconfig: Any) -> None:
        __tracebackhide__ = True
        await matrix.check(failure, records=bool(pytestconfig.getoption("bff_record", None)))

    parametrized = pytest.mark.parametrize("failure", cases)(test_failure)
    test: FailureTest = pytest.mark.virtual_time(parametrized)
    return test


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    """A request, the services behind it, and what each failure has to become."""

    app: App
    request: SendRequest
    services: Mapping[str, Script]
    traffic: Mapping[str, Script]
    expect: Mapping[str, Expected]
    allowed: frozenset[str]
    not_called: frozenset[str]
    options: Mapping[str, Any]
    snapshot: Snapshot | None
    happy: list["_Answered"] = field(default_factory=list)

    async def check(self, failure: Failure, *, records: bool) -> None:
        """Fail if this failure becomes an answer on which a client can't rely."""
        __tracebackhide__ = True
        happy = await self._without_failure()
        found = await self._answer(failure.within(self.services))
        self._check_called(failure, happy.called | found.called)
        if self.snapshot is not None:
            self.snapshot.check(str(failure), found.answer, records=records)
        if str(failure) not in self.allowed:
            self._check_rule(failure, found, happy)
        if str(failure) in self.expect:
            check_expected(found.answer, self.expect[str(failure)])

    def _check_rule(self, failure: Failure, found: "_Answered", happy: "_Answered") -> None:
        __tracebackhide__ = True
        is_empty = failure.step is ALL_FAULTS["empty"]
        try:
            check_failure(found.answer, happy.answer, Evidence(found.parts, happy.parts, is_empty))
        except AssertionError as error:
            raise AssertionError(f'{error}\nif that is right: allow=["{failure}"]') from None

    def _check_called(self, failure: Failure, called: frozenset[str]) -> None:
        if failure.service not in called:
            raise AssertionError(
                f"the request does not call {failure.service}, so that its failure shows nothing: "
                f'correct the request, or write not_called=["{failure.service}"]'
            )
        if wrong := sorted(called & self.not_called):
            raise AssertionError(f"the request calls {', '.join(wrong)}: remove it from not_called")

    async def _without_failure(self) -> "_Answered":
        if not self.happy:
            found = await self._answer(self.services)
            try:
                assert_complete(found.answer)
            except AssertionError as error:
                hint = self._hint(found.answer.status_code)
                raise AssertionError(f"incomplete without a failure, too: {hint}{error}") from None
            self.happy.append(found)
        return self.happy[0]

    def _hint(self, status: int) -> str:
        if status == 401 and self.options["viewer"] is None:
            return (
                'the request is anonymous: pass viewer=, as in failure_matrix(..., viewer="ann")\n'
            )
        if status == 403:
            return "the viewer may not send this request: pass a viewer= with scopes and roles\n"
        return ""

    async def _answer(self, services: Mapping[str, Script]) -> "_Answered":
        loop, parts = asyncio.get_running_loop(), list[Part[Any]]()
        async with client(self.app, self.traffic, services=services, **self.options) as opened:
            began, edge = loop.time(), opened.app.edge_options
            opened.app.wiring.on_part_ended = parts.append
            answer = await self.request(opened)
            took, limit = loop.time() - began, edge.timeout + edge.grace
            if took > limit + 0.001:
                raise AssertionError(f"the answer took {took:.3f} s, and its deadline is {limit} s")
        return _Answered(answer, EndedParts.of(parts), frozenset(opened.calls.counts))


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answer, the parts behind it, and the services that were called for it."""

    answer: HTTPAnswer
    parts: EndedParts
    called: frozenset[str]


def _cases(
    screens: Sequence[type[Composition]],
    services: Mapping[str, Script],
    faults: Mapping[str, Step],
    not_called: frozenset[str],
) -> Sequence[Any]:
    needed = services_of(*screens) if screens else list(services)
    if unknown := sorted(not_called - set(needed)):
        raise TypeError(
            f"not_called={unknown}: no such service: the services are {', '.join(needed)}"
        )
    names = [name for name in needed if name not in not_called]
    given = {service_key(name) for name in services}
    missing = [name for name in names if service_key(name) not in given]
    if missing:
        raise TypeError(_missing_message(screens, missing, services))
    return failures(services=names, faults=faults) if names else failures(*screens, faults={})


def _missing_message(
    screens: Sequence[type[Composition]], missing: Sequence[str], services: Iterable[str]
) -> str:
    titles = ", ".join(one.__name__ for one in screens)
    needed = {service_key(name) for name in services_of(*screens)}
    unknown = {service_key(name): name for name in services if service_key(name) not in needed}
    for name in missing:
        close = get_close_matches(service_key(name), unknown, 1)
        if close:
            return (
                f"failure_matrix({titles}): services= has {unknown[close[0]]!r}, which the screen "
                f"does not call: it calls {name!r}"
            )
    return (
        f"failure_matrix({titles}): the screen calls {', '.join(missing)}: add what it answers, "
        f'as in services={{"{missing[0]}": reply(200, ...)}}, or not_called={list(missing)} if '
        "this request does not call it"
    )


def _by_case(
    option: str, expect: Mapping[str, Expected], cases: Sequence[Any]
) -> Mapping[str, Expected]:
    """Return what is expected of each case; a case itself goes before its service."""
    found: dict[str, Expected] = {}
    all_failures: list[Failure] = [case.values[0] for case in cases]
    known = {str(one) for one in all_failures} | {one.service for one in all_failures}
    for name in expect:
        if name not in known:
            raise TypeError(f"{option}: {name!r} is no case: {', '.join(sorted(known))}")
    for one in all_failures:
        for name in (one.service, str(one)):
            if name in expect:
                found[str(one)] = expect[name]
    return found


def _sender(request: str | SendRequest, json: object) -> SendRequest:
    if not isinstance(request, str):
        return request
    method, _, target = request.partition(" ")
    if not target.startswith("/") or not method.isupper():
        raise TypeError(f'request={request!r}: write a method and a path: "GET /v1/products/8"')

    async def send(opened: GatewayClient) -> HTTPAnswer:
        return await opened.request(method, target, json=json)

    return send
