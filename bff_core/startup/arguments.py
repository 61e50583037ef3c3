"""Checks the arguments of `gateway(...)`, and says what to write instead of what is none."""

from collections.abc import Sequence
from types import ModuleType
from typing import TypeVar

from fastapi import APIRouter

from bff_core.composition.composition import Composition
from bff_core.edge.face import Face
from bff_core.errors import ConfigurationError
from bff_core.policy.limits import Limit
from bff_core.saga.saga import Saga
from bff_core.settings import Settings
from bff_core.upstream.client import Upstream

T = TypeVar("T")


def check_arguments(
    name: object,
    settings: object,
    *,
    services: object,
    faces: object,
    limits: object,
    sagas: object,
    authenticator: object,
) -> None:
    """Raise `ConfigurationError` for an argument of another kind, with what to write instead."""
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError('gateway(...): give it a name first, as in gateway("shop", ...)')
    if settings is not None and not isinstance(settings, Settings):
        raise ConfigurationError(
            f"settings={_shown(settings)}: give Settings(...), or leave it out to read the "
            "environment"
        )
    for kind in _listed("services", services, "Catalog"):
        if not _is_class_of(kind, Upstream):
            raise ConfigurationError(f"services: {_shown(kind)} is no service: {_service(kind)}")
    for face in _listed("faces", faces, "views"):
        if isinstance(face, type) or not hasattr(face, "install"):
            raise ConfigurationError(f"faces: {_shown(face)} is no face: {_face(face)}")
    for limit in _listed("limits", limits, "Limit(quota=600)"):
        if not isinstance(limit, Limit):
            raise ConfigurationError(f"limits: {_shown(limit)} is no limit: write Limit(quota=600)")
    for saga in _listed("sagas", sagas, "Checkout"):
        if not _is_class_of(saga, Saga):
            raise ConfigurationError(
                f"sagas: {_shown(saga)} is no saga: give classes of Saga, as in sagas=[Checkout]"
            )
    if authenticator is not None and not _authenticates(authenticator):
        raise ConfigurationError(
            f"authenticator={_shown(authenticator)}: give one of bff_core.auth, several in "
            "FirstOf(...), or a function that makes one of the settings"
        )


def _listed(argument: str, given: object, example: str) -> Sequence[object]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        shown = _shown(given)
        told = shown if isinstance(given, type) and argument in {"services", "sagas"} else example
        raise ConfigurationError(f"{argument}={shown}: give a list, as in {argument}=[{told}]")
    return given


def _service(kind: object) -> str:
    if isinstance(kind, Upstream):
        return f"give the class, as in services=[{type(kind).__name__}]"
    if isinstance(kind, str):
        return "give the class, and its address in BFF_UPSTREAM_<NAME>"
    return "give classes of Upstream, as in services=[Catalog]"


def _face(face: object) -> str:
    match face:
        case type() if issubclass(face, Composition):
            return (
                "views and GraphQL fields serve compositions, as in "
                f"Annotated[{face.__name__}, Depends(compose({face.__name__}))]"
            )
        case type():
            return f"make one, as in {face.__name__}()"
        case APIRouter():
            return "give the Views itself, or app.include_router(...) a plain router"
        case ModuleType():
            return f"name the Views in it, as in faces=[{face.__name__.rpartition('.')[2]}.views]"
    return "give Views() or GraphQL(schema)"


def _authenticates(given: object) -> bool:
    if isinstance(given, type):
        return False  # it is to be made, with its options
    return hasattr(given, "authenticate") or callable(given)


def _is_class_of(given: object, kind: type) -> bool:
    return isinstance(given, type) and issubclass(given, kind) and given is not kind


def _shown(given: object) -> str:
    """Return a value as one would write it, no longer than fits into a line."""
    if isinstance(given, type | ModuleType):
        return given.__name__
    if isinstance(given, str | int | float | None):
        return repr(given)[:60]
    if isinstance(given, Sequence):
        return f"[{', '.join(map(_shown, given))}]"[:60]
    return f"{type(given).__name__}(...)"
