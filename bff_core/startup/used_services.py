"""Finds the services of a gateway: those that its screens, views and sagas use."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import get_args

from bff_core.composition.composition import Composition
from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError
from bff_core.routing.face import CallsServices, Face
from bff_core.saga.saga import Saga
from bff_core.settings.model import variable_name
from bff_core.upstream.client import Upstream


def with_used(
    services: Sequence[type[Upstream]], faces: Sequence[Face], sagas: Sequence[type[Saga]]
) -> Sequence[type[Upstream]]:
    """Return the given services, then those that faces and sagas use, in the order of these."""
    screens = chain(*(face.compositions for face in faces), sagas)
    found = list(dict.fromkeys([*services, *services_of(screens)]))
    own = [one for face in faces if isinstance(face, CallsServices) for one in face.services(found)]
    return list(dict.fromkeys([*found, *own]))


def services_of(screens: Iterable[type[Composition]]) -> Iterator[type[Upstream]]:
    """Yield the services in the fields of compositions, and of compositions in their inputs."""
    left, known = list(screens), set[type[Composition]]()
    while left:
        screen = left.pop(0)
        if screen in known:
            continue
        known.add(screen)
        shape = shape_of(screen)
        for _, kind in shape.services:
            if issubclass(kind, Upstream):
                yield kind
        for one in shape.inputs:
            left += _compositions_in(one.annotation)


def _compositions_in(hint: object) -> Iterator[type[Composition]]:
    if isinstance(hint, type) and issubclass(hint, Composition):
        yield hint
    for one in get_args(hint):
        yield from _compositions_in(one)


def check_names(services: Iterable[type[Upstream]]) -> None:
    """Raise `ConfigurationError` for two services with one name, which decides the address."""
    by_name: dict[str, type[Upstream]] = {}
    for kind in services:
        key = variable_name(kind.name)
        other = by_name.setdefault(key, kind)
        if other is not kind:
            raise ConfigurationError(
                f"{_full(other)} and {_full(kind)} are both named {key!r}, so they would "
                f"have one address, BFF_UPSTREAM_{key.upper()}, and one policy in a file: "
                'give one of them another name, as in name = "other"'
            )


def _full(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
