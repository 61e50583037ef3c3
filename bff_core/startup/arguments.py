"""Checks the arguments of `gateway(...)`; errors say what to write instead."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from bff_core.composition.composition import Composition
from bff_core.edge.concern import ALL_KINDS
from bff_core.edge.options import EdgeOptions
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.keywords import check_keywords, keywords_of
from bff_core.policy.edge.rate_limits import Limit
from bff_core.saga.saga import Saga
from bff_core.settings.model import Settings
from bff_core.startup.header_names import logging_advice, propagation_advice
from bff_core.upstream.client import Upstream


def check_arguments(given: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for an argument of `gateway(...)` that has a wrong type.

    `given` are all arguments by name, and `fastapi` are those that the signature does not name.
    """
    name, settings, authenticator = given["name"], given["settings"], given["authenticator"]
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError('gateway(...): give it a name first, as in gateway("shop", ...)')
    if settings is not None and not isinstance(settings, Settings):
        raise ConfigurationError(
            f"settings={_shown(settings)}: give Settings(...), or leave it out to read the "
            "environment"
        )
    if isinstance(authenticator, type) and not hasattr(authenticator, "authenticate"):
        raise ConfigurationError(
            f"authenticator={authenticator.__name__}: that is a class, pass an instance of it"
        )
    if authenticator is not None and not _authenticates(authenticator):
        raise ConfigurationError(
            f"authenticator={_shown(authenticator)}: give one of bff_core.auth, several in "
            "FirstOf(...), or a function that makes one of the settings"
        )
    for argument, (advise, example) in _LISTS.items():
        _check_each(argument, given[argument], advise, example)
    options, events = given["options"], given["events"]
    if options is not None and not isinstance(options, EdgeOptions):
        raise ConfigurationError(f"options={_shown(options)}: give EdgeOptions(...)")
    if events is not None and not isinstance(events, Events):
        raise ConfigurationError(f"events={_shown(events)}: give Events(...) with functions in it")
    for argument in ("demo", "transport", "clock", "lifespan"):
        if given[argument] is not None and not callable(given[argument]):
            raise ConfigurationError(f"{argument}={_shown(given[argument])}: give a function")
    _check_keywords(given["fastapi"], given.keys())


def _check_keywords(keywords: Iterable[str], own: Collection[str]) -> None:
    """Raise `ConfigurationError` for a keyword that neither `gateway(...)` nor FastAPI has."""
    known = {*own, *keywords_of(FastAPI)} - {"fastapi", "title"}
    check_keywords("gateway(...)", keywords, known, _MEANT)


_MEANT: Final[Mapping[str, str]] = {
    "title": 'the name, as in gateway("shop", ...),',
    "views": "faces=[views]",
    "policy": "the policy of an Upstream, or BFF_POLICIES,",
    "upstreams": "services=[Catalog]",
    "auth": "authenticator",
}


def _check_each(
    argument: str, given: object, advise: Callable[[object], str | None], example: str
) -> None:
    """Check each argument of a list; `advise` returns what to write instead of a wrong one."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        shown = given.__name__ if isinstance(given, type) else example
        raise ConfigurationError(
            f"{argument}={_shown(given)}: give a list, as in {argument}=[{shown}]"
        )
    for one in given:
        advice = advise(one)
        if advice is not None:
            raise ConfigurationError(f"{argument}=[{_shown(one)}]: {advice}")


def _service(kind: object) -> str | None:
    if isinstance(kind, type) and issubclass(kind, Upstream):
        return None
    if isinstance(kind, Upstream):
        return f"give the class, as in services=[{type(kind).__name__}]"
    if isinstance(kind, str):
        return "give the class; the address is in BFF_UPSTREAM_<NAME>"
    return "give classes of Upstream, as in services=[Catalog]"


def _limit(given: object) -> str | None:
    return None if isinstance(given, Limit) else "give limits, as in limits=[Limit(quota=600)]"


def _saga(given: object) -> str | None:
    if isinstance(given, type) and issubclass(given, Saga):
        return None
    return "give classes of Saga, as in sagas=[Checkout]"


def _concern(given: object) -> str | None:
    if isinstance(given, type):
        return f"make one, as in edge=[{given.__name__}()]"
    if not callable(getattr(given, "check", None)):
        return (
            "give concerns: objects with a method check(context); middleware has app.add_middleware"
        )
    kinds = getattr(given, "kinds", ALL_KINDS)
    if isinstance(kinds, Collection) and kinds and ALL_KINDS.issuperset(kinds):
        return None
    return f'kinds = {kinds!r}: give {{"http"}}, {{"websocket"}} or leave it out for both'


def _face(face: object) -> str | None:
    match face:
        case type() if issubclass(face, Composition):
            name = face.__name__
            return f"a view serves it, which takes page: {name}"
        case type():
            return f"make one, as in {face.__name__}()"
        case APIRouter():
            return "give the Views; a plain router is added by app.include_router(...)"
        case ModuleType():
            return f"name its Views, as in faces=[{face.__name__.rpartition('.')[2]}.views]"
    return (
        None if hasattr(face, "install") else "give Views(), GraphQL(schema) or Proxy(routes=[...])"
    )


_LISTS: Final[Mapping[str, tuple[Callable[[object], str | None], str]]] = {
    "services": (_service, "Catalog"),
    "faces": (_face, "views"),
    "limits": (_limit, "Limit(quota=600)"),
    "sagas": (_saga, "Checkout"),
    "edge": (_concern, "Maintenance()"),
    "log_headers": (logging_advice, '"X-App-Version"'),
    "propagate_headers": (propagation_advice, '"X-App-Version"'),
}
"""Arguments that are lists: what to write instead of a wrong element, and an example of one."""


def _authenticates(given: object) -> bool:
    return hasattr(given, "authenticate") or callable(given)


def _shown(given: object) -> str:
    """Return a value as in source code, shortened to one line."""
    if isinstance(given, type | ModuleType):
        return given.__name__
    if isinstance(given, str | int | float | None):
        return repr(given)[:60]
    if isinstance(given, Sequence):
        return f"[{', '.join(map(_shown, given))}]"[:60]
    return f"{type(given).__name__}(...)"
