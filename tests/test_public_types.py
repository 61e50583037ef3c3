"""Types that public signatures mention are public, and are shown under their public name."""

import copy
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import pytest

import bff_core
from bff_core import auth, errors
from bff_core.auth.authenticator import issuer_of
from bff_core.public_names import defining_module
from bff_core.view_cache.key import canonical
from tests.public_api import PACKAGES, exported

INTERNAL = {
    "bff_core.contracts.document.Document",  # `mock_service` reads it
    "bff_core.call.ServiceTraffic",
    "bff_core.call.SocketOffer",
    "bff_core.answer_cacheability.AnswerCacheability",
    "bff_core.auth.api_keys.authenticator.RunningApiKeys",
    "bff_core.auth.api_keys.interface.ApiKeyStore",
    "bff_core.auth.bearer.RunningBearer",
    "bff_core.auth.devices.DeviceStore",
    "bff_core.auth.introspection.IntrospectedTokens",
    "bff_core.auth.session.authenticator.RunningSessions",
    "bff_core.auth.session.interface.Lifetimes",
    "bff_core.auth.session.interface.SessionStore",
    "bff_core.cache.stores.interface.CacheStore",
    "bff_core.composition.bulk.Bounds",
    "bff_core.graphql_response.GraphQLResponse",
    "bff_core.composition.composition.PartRegistry",
    "bff_core.composition.part.Part",
    "bff_core.composition.part.PartFailure",
    "bff_core.composition.wiring.Wiring",
    "bff_core.gateway.config.GatewayConfig",
    "bff_core.gateway.running.RunningGateway",
    "bff_core.http_exchange.response_headers.ResponseHeaders",
    "bff_core.observe.log_handler.OwnHandler",
    "bff_core.policy.upstream.retry.RetryBudget",
    "bff_core.proxy.data.faults.FileFault",
    "bff_core.proxy.option_faults.OptionFault",
    "bff_core.upstream.client.ForwardsRequests",  # `Transform` is one
    "bff_core.redis.clients_by_url.RedisClients",
    "bff_core.redis.interface.RedisInterface",
    "bff_core.routing.fast_path.FastPath",
    "bff_core.routing.route_table.RouteTable",
    "bff_core.saga.coordinator.SagaCoordinator",
    "bff_core.scope.StepTry",
    "bff_core.testing.gateway_under_test.ScriptedServices",
    "bff_core.testing.scripted.ScriptedConnector",
    "bff_core.testing.viewers.GivenViewers",
    "bff_core.upstream.call_timer.CallTimers",
    "bff_core.upstream.caller.Stack",
    "bff_core.upstream.runtime.Credential",
    "bff_core.upstream.transport.httpx_protocols.RawFields",
}
"""Types that the framework makes and passes to itself, through members that users do not call."""

CONSTRUCTED = {"__init__", "__call__"}


@cache
def public() -> dict[str, object]:
    """Return what the public packages export, by its dotted name."""
    return {
        f"{package}.{name}": getattr(importlib.import_module(package), name)
        for package in PACKAGES
        for name in exported(package)
    }


def public_classes() -> list[type]:
    """Return each public class of the framework once."""
    classes = [one for one in public().values() if isinstance(one, type) and is_ours(one)]
    return list(dict.fromkeys(classes))


def is_ours(one: Any) -> bool:
    """Whether a class is of the framework."""
    return one.__module__.partition(".")[0] == "bff_core"


def classes_in(hint: Any) -> Iterator[type]:
    """Yield the classes that an annotation mentions."""
    if isinstance(hint, list | tuple):
        for one in hint:
            yield from classes_in(one)
    elif get_origin(hint) is Annotated:
        yield from classes_in(hint.__origin__)
    elif get_origin(hint) is Literal:
        return
    elif get_origin(hint) is not None:
        yield from classes_in(get_origin(hint))
        yield from classes_in(get_args(hint))
    elif isinstance(hint, type):
        yield hint


def functions_of(kind: type) -> Iterator[tuple[str, Callable[..., object]]]:
    """Yield the public methods and properties of a class, its constructor included."""
    for owner in filter(is_ours, kind.__mro__):
        for name, member in vars(owner).items():
            if name.startswith("_") and name not in CONSTRUCTED:
                continue
            function = function_of(member)
            if function is not None:
                yield name, function


def function_of(member: Any) -> FunctionType | None:
    """Return the function of a method or a property."""
    if isinstance(member, property):
        member = member.fget
    elif isinstance(member, classmethod | staticmethod):
        member = member.__func__
    if callable(member) and not isinstance(member, type):
        member = inspect.unwrap(member)
    return member if isinstance(member, FunctionType) else None


def own_hints(kind: type) -> dict[str, Any]:
    """Return the annotations of a class without those of its bases."""
    own = vars(kind).get("__annotations__", {})
    copied = type(kind.__name__, (), {"__annotations__": own, "__module__": kind.__module__})
    return get_type_hints(copied, include_extras=True)


def mentions(name: str, one: object) -> Iterator[tuple[str, type]]:
    """Yield the classes in the annotations of a public name, each with the member that has it."""
    if not isinstance(one, type):
        hints = get_type_hints(one, include_extras=True) if inspect.isroutine(one) else {"": one}
        yield from ((name, kind) for hint in hints.values() for kind in classes_in(hint))
        return
    if not is_ours(one):
        return
    for owner in filter(is_ours, one.__mro__):
        for attribute, hint in own_hints(owner).items():
            if not attribute.startswith("_"):
                yield from ((f"{name}.{attribute}", kind) for kind in classes_in(hint))
    for member, function in functions_of(one):
        if function.__module__.startswith("bff_core"):
            for hint in get_type_hints(function, include_extras=True).values():
                yield from ((f"{name}.{member}", kind) for kind in classes_in(hint))


def test_types_in_public_signatures_are_public():
    """A variable or a fixture can be annotated with each type that a signature mentions."""
    known = set(public_classes())
    found: dict[str, set[str]] = {}
    for name, one in public().items():
        for member, kind in mentions(name, one):
            if is_ours(kind) and kind not in known:
                where = f"{kind.__module__}.{kind.__qualname__}"
                found.setdefault(where, set()).add(member)

    assert {name: found[name] for name in found.keys() - INTERNAL} == {}
    assert INTERNAL - found.keys() == set(), "no longer mentioned"


def test_all_errors_are_public():
    """An application imports each error that it may catch from a public package."""
    for module in pkgutil.walk_packages(bff_core.__path__, "bff_core."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ours = [one for one in errors_below(errors.BFFError) if is_ours(one)]

    assert len(ours) > 30
    assert set(ours) - set(public_classes()) == set()


def errors_below(kind: type) -> Iterator[type]:
    """Yield the subclasses of an error."""
    for one in kind.__subclasses__():
        yield one
        yield from errors_below(one)


@pytest.mark.parametrize("kind", public_classes(), ids=lambda kind: kind.__name__)
def test_a_class_is_shown_under_its_shortest_public_name(kind):
    """`repr`, tracebacks and pickles name what one can import."""
    names = [name for name, one in public().items() if one is kind]

    assert f"{kind.__module__}.{kind.__qualname__}" == min(names, key=len)
    assert repr(kind) == f"<class '{min(names, key=len)}'>"
    assert pickle.loads(pickle.dumps(kind)) is kind
    assert copy.copy(kind) is kind
    assert inspect.getmodule(kind) is sys.modules[kind.__module__]
    assert inspect.getdoc(kind)


@pytest.mark.parametrize("kind", public_classes(), ids=lambda kind: kind.__name__)
def test_annotations_are_resolved_from_the_public_name(kind):
    """The public package does not have the names of the defining module."""
    assert own_hints(kind).keys() == vars(kind).get("__annotations__", {}).keys()
    for _, function in functions_of(kind):
        if is_ours(function):
            get_type_hints(function, include_extras=True)
    for field in getattr(kind, "__dataclass_fields__", {}).values():
        assert not isinstance(field.type, str)


@pytest.mark.parametrize(
    ("raised", "name"),
    [
        (errors.NotFound("no such product"), "bff_core.NotFound"),
        (errors.InvalidInput("too long"), "bff_core.InvalidInput"),
        (errors.StoreUnavailable("it", "is down"), "bff_core.errors.StoreUnavailable"),
    ],
)
def test_a_traceback_names_the_public_class(raised, name):
    """The last line is what one searches for, and imports to catch it."""
    line = traceback.format_exception_only(raised)[-1]

    assert line.startswith(f"{name}: ")


@pytest.mark.slow
def test_an_uncaught_error_is_printed_with_its_public_name():
    """The interpreter prints the same name, and so do errors that come with an authenticator."""
    code = (
        "from bff_core.auth import SessionAuthenticator\n"
        "from bff_core.auth.session.csrf import Forged\n"
        "raise Forged('no', 'reason')"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=False)

    assert done.stderr.splitlines()[-1] == "bff_core.auth.Forged: no"


def test_errors_are_pickled_and_copied():
    """A process pool passes them on."""
    for one in (errors.NotFound("no such product"), errors.ConfigurationError("wrong")):
        for again in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
            assert (type(again), str(again)) == (type(one), str(one))


def test_pickles_of_the_defining_module_are_read():
    """What was stored before a class was shown under its public name is still read."""
    old = b"cbff_core.errors\nNotFound\n."

    assert pickle.loads(old) is bff_core.NotFound


def test_stored_names_are_those_of_the_defining_module():
    """Viewers and cached answers keep their keys when a class moves between public packages."""
    assert defining_module(auth.BearerAuthenticator) == "bff_core.auth.bearer"
    assert issuer_of(auth.ApiKeyAuthenticator()) == (
        "authenticator:bff_core.auth.api_keys.authenticator.ApiKeyAuthenticator"
    )
    assert canonical(auth.Viewer("7")).startswith("bff_core.auth.viewer.Viewer(")


def test_a_class_of_a_user_that_names_itself_is_resolved():
    """Annotations of subclasses are looked up in the module of the user."""

    class Trip(bff_core.Saga):
        """A write."""

        @bff_core.step
        async def book(self) -> str:
            return "booked"

    assert get_type_hints(Trip)["steps"]
