"""Dependency injection of compositions: services and request facts by type, inputs by name."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from inspect import get_annotations
from typing import (
    Any,
    Protocol,
    Self,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from bff_core.cache.response_cache import ResponseCache
from bff_core.clock import Clock
from bff_core.composition.annotations import (
    arguments_of_bases,
    with_arguments,
    without_aliases,
)
from bff_core.composition.composition import Composition, PartRegistry
from bff_core.composition.run_context import RunContext
from bff_core.composition.tracked_scope import tracked
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.scope import Scope, Wired

C = TypeVar("C", bound=Composition)

COMPOSED_CLASS = "__composition__"
"""The attribute of a FastAPI dependency that holds the class of the composition it builds."""


@runtime_checkable
class Service(Protocol):
    """A process-wide client that is bound to a request before use."""

    def bind(self, scope: Scope, /) -> Self:
        """Return a shallow copy that makes its calls for one request."""
        ...


@dataclass(frozen=True, slots=True)
class Input:
    """A field that the caller of a screen passes; `annotation` includes `Annotated` metadata.

    `factory` makes the default of each request that does not pass the field.
    """

    name: str
    annotation: object
    default: object = MISSING
    factory: Callable[[], object] | None = None

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is MISSING and self.factory is None


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a composition class: services, request facts and inputs."""

    services: tuple[tuple[str, type[Service]], ...]
    facts: tuple[tuple[str, type[Wired]], ...]
    inputs: tuple[Input, ...]


def shape_of(cls: type[Composition]) -> Shape:
    """Return the fields of a composition class, sorted by what fills them."""
    hints = _hints_of(cls)
    services: list[tuple[str, type[Service]]] = []
    facts: list[tuple[str, type[Wired]]] = []
    inputs: list[Input] = []
    for field in fields(cls):  # type: ignore[arg-type]  # made a dataclass by its base
        hint = hints[field.name]
        kind, _ = without_aliases(hint)
        if isinstance(kind, type) and issubclass(kind, Service):
            services.append((field.name, kind))
        elif isinstance(kind, type) and issubclass(kind, Wired):
            facts.append((field.name, kind))
        else:
            _check_input(f"{cls.__name__}.{field.name}", kind)
            made_by = None if field.default_factory is MISSING else field.default_factory
            inputs.append(Input(field.name, hint, field.default, made_by))
    return Shape(tuple(services), tuple(facts), tuple(inputs))


def _hints_of(cls: type[Composition]) -> dict[str, object]:
    """Return the annotations of fields; those of generic bases without type variables."""
    try:
        hints = get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise ConfigurationError(
            f"{cls.__name__}: {error}; the types of its fields have to be imported at run time, "
            "not only for type checkers"
        ) from error
    arguments = arguments_of_bases(cls)
    owners = {name: base for base in reversed(cls.__mro__) for name in get_annotations(base)}
    return {
        name: with_arguments(hint, arguments.get(owners[name], {})) for name, hint in hints.items()
    }


def filled_in(hint: object, known: Collection[object] = ()) -> Iterator[type[Service | Wired]]:
    """Yield the classes in a type that the gateway fills, and no client: `Viewer | None`.

    Aliases and `NewType` are resolved, and a type variable stands for its bounds.
    """
    if hint in known:  # an alias may contain itself
        return
    kind, _ = without_aliases(hint)
    bounds = (kind.__bound__, *kind.__constraints__) if isinstance(kind, TypeVar) else ()
    for one in (kind, get_origin(kind)):
        if isinstance(one, type) and issubclass(one, Service | Wired):
            yield one
    for one in (*get_args(kind), *bounds):
        yield from filled_in(one, (*known, hint))


def _check_input(where: str, hint: object) -> None:
    """Raise `ConfigurationError` for an input by which a client could send a viewer."""
    filled = next(filled_in(hint), None)
    if filled is not None:
        name, field = filled.__name__, where.rpartition(".")[2]
        raise ConfigurationError(
            f"{where}: the gateway fills {name} from each request, and clients can't send it: "
            f"write {field}: {name}"
        )


class Wiring:
    """Builds the compositions of one gateway from its services, loop, clock and events.

    `sheds_parts` returns whether the process is too loaded for parts that may be shed; it is
    called once per screen. `cache` is the gateway's, or None; it is injected into fields of its
    type. `on_part_ended`, which the test kit sets, is called with each part that ends.
    """

    on_part_ended: Callable[[Any], None] | None = None

    def __init__(
        self,
        services: Iterable[Service],
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        events: Events,
        sheds_parts: Callable[[], bool] | None = None,
        cache: ResponseCache | None = None,
    ) -> None:
        self._sheds_parts = sheds_parts
        self._services: dict[type, Service] = {type(service): service for service in services}
        if cache is not None:
            self._services[ResponseCache] = cache
        self.cache = cache
        self._loop = loop
        self.clock = clock
        self.events = events
        self._builders: dict[type[Composition], Builder] = {}

    @property
    def services(self) -> Iterable[Service]:
        """The services, not bound to a request."""
        return self._services.values()

    def add(self, service: Service) -> None:
        """Add a service that itself builds compositions."""
        self._services[type(service)] = service

    def build(self, cls: type[C], scope: Scope, inputs: Mapping[str, object]) -> C:
        """Return a composition for one request; the caller closes it."""
        builder = self._builders.get(cls)
        if builder is None:
            builder = self._builders[cls] = self._compile(cls)
        tracked_scope = tracked(scope)
        composition = cls(**builder(scope, tracked_scope), **inputs)
        run = RunContext(
            cls.__name__,
            self._loop,
            self.clock,
            self.events,
            scope.deadline,
            sheds_parts=self._sheds_parts is not None and self._sheds_parts(),
            span=scope.span,
            on_part_ended=self.on_part_ended,
        )
        composition.enter(PartRegistry(run, tracked_scope))
        return composition

    def _compile(self, cls: type[Composition]) -> "Builder":
        shape = shape_of(cls)
        services = [(name, self._service(cls, name, kind)) for name, kind in shape.services]
        bound = [(name, one.bind) for name, one in services if reports_dependencies(one)]
        facts: list[tuple[str, Callable[[Scope], object]]]
        facts = [(name, one.bind) for name, one in services if not reports_dependencies(one)]
        facts += [(name, kind.from_scope) for name, kind in shape.facts]

        def build(scope: Scope, tracked_scope: Scope) -> dict[str, object]:
            values: dict[str, object] = {name: bind(scope) for name, bind in bound}
            for name, make in facts:
                values[name] = make(tracked_scope)
            return values

        return build

    def _service(self, cls: type[Composition], name: str, kind: type[Service]) -> Service:
        service = self._services.get(kind)
        if service is None:
            raise ConfigurationError(
                f"{cls.__name__}.{name} needs {kind.__name__}, which the gateway does not have. It "
                "finds the services of faces and sagas, but not those of a resolver that calls "
                f"compose({cls.__name__}) itself: add gateway(..., services=[{kind.__name__}])"
            )
        return service


def reports_dependencies(service: Service) -> bool:
    """Whether a service records each reply in `Scope.dependencies` itself, as upstreams do."""
    return getattr(service, "reports_dependencies", False) is True


Builder = Callable[[Scope, Scope], dict[str, object]]
"""Takes the scope of a request and its tracked scope; returns the values of fields."""
