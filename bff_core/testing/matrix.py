"""The failure matrix: tests that a screen survives each failure of each of its services."""

import asyncio
import importlib
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from bff_core.auth.viewer import Viewer
from bff_core.composition.composition import Composition
from bff_core.testing.assertions import HTTPAnswer, assert_complete
from bff_core.testing.faults import ALL_FAULTS, Failure, failures, services_of
from bff_core.testing.gateway_client import GatewayClient, client
from bff_core.testing.gateway_under_test import App
from bff_core.testing.outcomes import Expected, Snapshot, check_expected, check_outcome
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
    case one service is down, slow, or sends
    garbage or nothing (`faults`). The answer has to come within the deadline of the gateway, and be
    complete, or report the parts that lack data, or be a problem with the status 502, 503 or 504.
    Without `screens`, the services of `services` fail in turn.

    `request` is a method and a path, with `json` as its body, or a function that sends it with the
    client. `expect` says more of some cases, by their names or those of services: a status, the
    states of parts, an `outcome` text, or a function. `snapshot` is a file, beside the test, of all
    outcomes; `pytest --bff-record` writes it. The other options are those of `client(...)`.
    """
    scripts = {**(traffic or {}), **(services or {})}
    cases = _cases(screens, scripts, faults)
    matrix = _Matrix(
        request=_sender(request, json),
        services=services or {},
        traffic=traffic or {},
        expect=_by_case(expect or {}, cases),
        options={
            "viewer": viewer,
            "headers": headers,
            "environ": environ,
            "own_authenticator": own_authenticator,
        },
        app=app,
        snapshot=None if snapshot is None else Snapshot(_beside_caller(snapshot)),
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
    options: Mapping[str, Any]
    snapshot: Snapshot | None
    happy: list[HTTPAnswer] = field(default_factory=list)

    async def check(self, failure: Failure, *, records: bool) -> None:
        """Fail if this failure becomes an answer on which a client can't rely."""
        __tracebackhide__ = True
        answer = await self._answer(failure.within(self.services))
        if self.snapshot is not None:
            self.snapshot.check(str(failure), answer, records=records)
        expected = self.expect.get(str(failure))
        if expected is None:
            check_outcome(answer, await self._without_failure())
        else:
            check_expected(answer, expected)

    async def _without_failure(self) -> HTTPAnswer:
        if not self.happy:
            answer = await self._answer(self.services)
            try:
                assert_complete(answer)
            except AssertionError as error:
                raise AssertionError(f"incomplete without a failure, too: {error}") from None
            self.happy.append(answer)
        return self.happy[0]

    async def _answer(self, services: Mapping[str, Script]) -> HTTPAnswer:
        loop = asyncio.get_running_loop()
        async with client(self.app, self.traffic, services=services, **self.options) as opened:
            began, edge = loop.time(), opened.app.edge_options
            answer = await self.request(opened)
            took, limit = loop.time() - began, edge.timeout + edge.grace
            if took > limit + 0.001:
                raise AssertionError(f"the answer took {took:.3f} s, and its deadline is {limit} s")
        return answer


def _cases(
    screens: Sequence[type[Composition]],
    services: Mapping[str, Script],
    faults: Mapping[str, Step],
) -> Sequence[Any]:
    if not screens:
        return failures(services=services, faults=faults)
    missing = [name for name in services_of(*screens) if name not in services]
    if missing:
        names = ", ".join(one.__name__ for one in screens)
        raise TypeError(
            f"failure_matrix({names}): the screen calls {', '.join(missing)}: add what it answers, "
            f'as in services={{"{missing[0]}": reply(200, ...)}}'
        )
    return failures(*screens, faults=faults)


def _by_case(expect: Mapping[str, Expected], cases: Sequence[Any]) -> Mapping[str, Expected]:
    """Return what is expected of each case; a case itself goes before its service."""
    found: dict[str, Expected] = {}
    all_failures: list[Failure] = [case.values[0] for case in cases]
    known = {str(one) for one in all_failures} | {one.service for one in all_failures}
    for name in expect:
        if name not in known:
            raise TypeError(f"expect={{{name!r}: ...}} is no case: {', '.join(sorted(known))}")
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


def _beside_caller(path: str | Path) -> Path:
    """Return a path that is relative to the file of the test which makes the matrix."""
    frame = inspect.stack()[2]
    return Path(frame.filename).parent / path
