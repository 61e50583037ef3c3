"""Keywords of public classes and decorators: a wrong one is refused with what may be meant."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import bff_core
from bff_core import (
    Composition,
    ConfigurationError,
    EdgeOptions,
    Limit,
    Policy,
    Require,
    Retry,
    Saga,
    SagaPolicy,
    Upstream,
    access,
    auth,
    bulk,
    critical,
    early,
    graphql,
    loader,
    optional,
    step,
)
from bff_core.auth import Issuer, SessionAuthenticator
from bff_core.events import GatewayEvent as Event
from bff_core.graphql import Cost, GraphQL, QueryLimits


async def body(self: object) -> int:
    """Stand in for a step."""
    return 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Policy(timout=1), "Policy(...) has no timout=: is timeout meant?"),
        (lambda: Policy(attempts=1), "has no attempts=: is retry=Retry(attempts=...) meant?"),
        (lambda: Policy(retry=Retry(atempts=1)), "Retry(...) has no atempts=: is attempts meant?"),
        (lambda: Policy(3.0), "Policy(...) has options by name only, such as timeout="),
        (lambda: Limit(name="x"), "Limit(...) needs quota="),
        (lambda: EdgeOptions(timout=1), "EdgeOptions(...) has no timout=: is timeout meant?"),
        (lambda: Require("a", role=("b",)), "Require(...) has no role=: is roles meant?"),
        (lambda: SagaPolicy(trys=1), "SagaPolicy(...) has no trys=: is tries meant?"),
        (lambda: optional(falback=1), "optional(...) has no falback=: is fallback meant?"),
        (lambda: optional(x=1), "has no x=; it has fallback, timeout, shed, tolerates_degraded"),
        (lambda: optional([]), "part []: declare it with `async def`; options of a decorator are"),
        (lambda: critical(timout=1), "critical(...) has no timout=: is timeout meant?"),
        (lambda: loader(chunks=1), "loader(...) has no chunks=: is chunk meant?"),
        (lambda: loader(lambda self, keys: {}), "<lambda>: declare it with `async def`"),
        (lambda: bulk(max=1), "bulk(...) has no max=; it has key, most, concurrent"),
        (lambda: step(commit=True), "step(...) has no commit=: is commits meant?"),
        (lambda: step(body).compensation(chek=body), "has no chek=: is check meant?"),
        (lambda: access(), "access(...) needs one="),  # noqa: PLW0108 - like the others
        (lambda: early(body, presents=1), "early(...) has no presents=: is present meant?"),
        (lambda: Issuer(isuer="x"), "Issuer(...) has no isuer=: is issuer meant?"),
        (lambda: SessionAuthenticator(idel=1), "has no idel=: is idle meant?"),
        (lambda: GraphQL(depth=1), "has no depth=: is limits=QueryLimits(depth=...) meant?"),
        (lambda: QueryLimits(alias=1), "QueryLimits(...) has no alias=: is aliases meant?"),
        (lambda: Cost(wieght=1), "Cost(...) has no wieght=: is weight meant?"),
    ],
)
def test_wrong_keyword_is_explained(call: Callable[[], object], message: str):
    """A slip in an option is an error at import that names the option."""
    with pytest.raises(ConfigurationError) as raised:
        call()

    assert message in str(raised.value)


def test_error_within_a_call_stays():
    """A `TypeError` that the call itself raises is no wrong keyword."""
    with pytest.raises(TypeError, match="unhashable"):
        Policy(retry=Retry(statuses={[]}))


MADE_BY_THE_FRAMEWORK = {
    *("ActiveDevices", "ActiveSessions", "ForwardedRequest", "Gateway", "HttpxConnector", "Saga"),
    *("GraphQLUpstream", "SagaRecord", "Step", "StepFailure", "StepRecord", "Upstream"),
}
"""Classes that have options by name only, and that users do not make."""

PER_REQUEST = {"ClientEndpoint", "forwarded_request", "RequestContext"}
"""What is called while a request is served, where a check would cost."""


def takes_options(one: object) -> bool:
    """Return whether a public name has options by name."""
    if not (inspect.isfunction(one) or isinstance(one, type)) or getattr(one, "_is_protocol", 0):
        return False
    if isinstance(one, type) and issubclass(one, BaseException | Mapping | Event):
        return False
    kinds = [parameter.kind for parameter in inspect.signature(one).parameters.values()]
    return inspect.Parameter.KEYWORD_ONLY in kinds


@pytest.mark.parametrize("package", [bff_core, auth, graphql])
def test_all_public_options_are_explained(package: Any):
    """Whatever has options by name refuses a wrong one with an error of ours."""
    raw = []
    for name in sorted(set(package.__all__) - MADE_BY_THE_FRAMEWORK - PER_REQUEST):
        one = getattr(package, name)
        try:
            _ = one(no_such_option=1) if takes_options(one) else None
        except ConfigurationError:
            continue
        except TypeError:
            raw.append(name)

    assert raw == []


def keyword_of_an_upstream() -> None:
    """Declare a service with a keyword."""

    class Shop(Upstream, policy=Policy()):
        """A service."""


def keyword_of_a_screen() -> None:
    """Declare a screen with a keyword."""

    class Home(Composition, policy=Policy()):
        """A screen."""


def misspelt_policy() -> None:
    """Declare a policy under another name."""

    class Shop(Upstream):
        """A service."""

        polcy = Policy()


def misspelt_saga_policy() -> None:
    """Declare a saga's policy under another name."""

    class Buy(Saga):
        """A saga."""

        polciy = SagaPolicy()

        @step
        async def pay(self) -> int:
            return 1


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (keyword_of_an_upstream, "class Shop(Upstream, policy=...): write it in the body"),
        (keyword_of_a_screen, "class Home(Composition, policy=...): write it in the body"),
        (misspelt_policy, "Shop.polcy = Policy(...) has no effect: is policy meant?"),
        (misspelt_saga_policy, "Buy.polciy = SagaPolicy(...) has no effect: is policy meant?"),
    ],
)
def test_option_of_a_class_at_the_wrong_place_is_explained(
    declare: Callable[[], None], message: str
):
    """The options of a service or a screen are attributes of its class."""
    with pytest.raises(ConfigurationError) as raised:
        declare()

    assert message in str(raised.value)
