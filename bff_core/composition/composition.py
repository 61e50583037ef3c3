"""`Composition`: the data of one screen as a class; inputs are fields, parts are methods."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from inspect import get_annotations
from typing import Self, TypeVar, dataclass_transform

from bff_core.composition.errors import PartCancelled
from bff_core.composition.executed_plan import ExecutedPlan
from bff_core.composition.part import Part, PartFailure
from bff_core.composition.part_status import PartStatus, severity
from bff_core.composition.run_context import RunContext
from bff_core.errors import ConfigurationError
from bff_core.events import PartsEnded
from bff_core.keywords import check_class_keywords
from bff_core.scope import Scope

T = TypeVar("T")


class PartRegistry:
    """The started parts and the loaders of one composition; `scope` is the request's."""

    __slots__ = ("is_closed", "loaders", "run", "scope", "started")

    def __init__(self, run: RunContext, scope: Scope | None = None) -> None:
        self.run = run
        self.scope = scope
        self.started: dict[Hashable, Part[object]] = {}
        self.is_closed = False
        self.loaders: dict[str, object] = {}

    def find_or_start(
        self,
        key: Hashable,
        name: str,
        body: Callable[[], Coroutine[object, object, T]],
        failure: PartFailure,
    ) -> Part[T]:
        """Return the part under `key`, and start it if it has not started yet."""
        part = self.started.get(key)
        if part is None:
            if self.is_closed:
                raise PartCancelled(name)
            run = self.run
            now = run.clock()
            deadline = failure.deadline(now, run.deadline)
            coroutine = None if run.sheds_parts and failure.may_shed else body()
            part = Part(run, name, coroutine, started=now, deadline=deadline, failure=failure)
            self.started[key] = part
        return part  # type: ignore[return-value]  # each key has one body

    def names_if_ok(self) -> tuple[str, ...] | None:
        """Return the names of all parts if each has ended well, else None."""
        for part in self.started.values():
            if not part.is_done or part.state != "ok":
                return None
        return tuple([part.name for part in self.started.values()])

    def statuses(self) -> Iterable[PartStatus]:
        """Return the status of each ended part, once: that of its most severe or oldest run."""
        worst: dict[str, Part[object]] = {}
        for part in self.started.values():
            if part.is_done:
                known = worst.get(part.name)
                if known is None or severity(part.state, part.age) > severity(
                    known.state, known.age
                ):
                    worst[part.name] = part
        return [
            PartStatus(one.name, one.state, one.reason, one.age, one.ended - one.started)
            for one in worst.values()
        ]

    def cancel(self) -> list[asyncio.Task[None]]:
        """Start no more parts, cancel those that still run and return their tasks.

        Sinks that count get the parts that have ended.
        """
        run = self.run
        if run.events.is_counted and not self.is_closed:
            ended = [part for part in self.started.values() if part.is_done]
            run.events.count(PartsEnded(run.title, ended))
        self.is_closed = True
        return [task for part in self.started.values() if (task := part.cancel()) is not None]


RESERVED_NAMES = frozenset({"aclose", "part_registry", "degraded", "enter", "parts", "plan"})


@dataclass_transform(kw_only_default=True, eq_default=False)
class Composition:
    """Base class of screens; subclasses are keyword-only dataclasses without a decorator.

    Fields whose type is an upstream, the viewer or another wired type are filled by the gateway;
    every other field is an input of the screen. Methods marked `@critical`, `@optional` or
    `@loader` are its parts.

        class ProductPage(Composition):
            catalog: Catalog
            product_id: str

            @critical
            async def product(self) -> Product:
                return await self.catalog.product(self.product_id)
    """

    _part_registry: PartRegistry | None = None

    def __init_subclass__(cls, **options: object) -> None:
        try:
            super().__init_subclass__(**options)
        except TypeError:
            check_class_keywords(cls, options)
            raise
        taken = RESERVED_NAMES & (get_annotations(cls).keys() | vars(cls).keys())
        if taken:
            names = ", ".join(sorted(taken))
            raise ConfigurationError(f"{cls.__name__}: rename {names}: the name is taken")
        cls._check_fields()
        cls._check_parts()
        dataclass(kw_only=True, eq=False, repr=False)(cls)

    @classmethod
    def _check_fields(cls) -> None:
        """Raise `ConfigurationError` for `shop = Shop`, which should be `shop: Shop`."""
        for name, value in vars(cls).items():
            is_nested = isinstance(value, type) and value.__qualname__.startswith(cls.__qualname__)
            if isinstance(value, type) and not is_nested and name not in get_annotations(cls):
                kind = value.__name__
                raise ConfigurationError(
                    f"{cls.__name__}.{name} = {kind} is no field: write {name}: {kind}"
                )

    @classmethod
    def _check_parts(cls) -> None:
        """Raise `ConfigurationError` for a part that would replace a field of the same name."""
        inherited = [
            one.name for base in cls.__bases__ if is_dataclass(base) for one in fields(base)
        ]
        for name in sorted({*inherited, *get_annotations(cls)} & vars(cls).keys()):
            value = vars(cls)[name]
            if hasattr(value, "body") and hasattr(value, "__get__"):
                raise ConfigurationError(
                    f"{cls.__name__}.{name} is a field and a part: rename one of them"
                )

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> object:
        """Raise `ConfigurationError`: pydantic can't read a composition from a request."""
        name = cls.__name__
        raise ConfigurationError(
            f"{name} is a composition: a function of Views takes it as page: {name}; a plain route "
            f"or a dependency of FastAPI takes Annotated[{name}, Depends(compose({name}))]. "
            "A view can't return it: return a dataclass with what the client needs"
        )

    def enter(self, part_registry: PartRegistry) -> None:
        """Run the parts in this registry from now on; the gateway calls it once per request."""
        self._part_registry = part_registry

    @property
    def part_registry(self) -> PartRegistry:
        """The parts of this instance; created on first use if no gateway has entered one."""
        if self._part_registry is None:
            loop = asyncio.get_running_loop()
            self._part_registry = PartRegistry(RunContext(type(self).__name__, loop))
        return self._part_registry

    @property
    def parts(self) -> dict[str, PartStatus]:
        """The status of each part that has ended so far, in the order of their start."""
        return {status.name: status for status in self.part_registry.statuses()}

    @property
    def degraded(self) -> tuple[PartStatus, ...]:
        """The parts whose value is a fallback, missing or forbidden."""
        return tuple(status for status in self.part_registry.statuses() if status.is_degraded)

    def plan(self) -> ExecutedPlan:
        """Return the parts that ran so far and what each waited for; `str()` of it draws a tree."""
        registry = self.part_registry
        return ExecutedPlan(
            registry.run.title, tuple(registry.statuses()), tuple(registry.run.edges)
        )

    async def aclose(self) -> None:
        """Cancel the parts that still run; the gateway calls it when a view has ended."""
        await close((self,))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()


async def close(compositions: Iterable[Composition]) -> None:
    """Cancel the parts of compositions that still run, and wait until they have ended.

    All are cancelled before the first is awaited, so that none goes on if the caller is cancelled.
    """
    registries = [one._part_registry for one in compositions]  # noqa: SLF001 - same module
    tasks = [task for one in registries if one is not None for task in one.cancel()]
    if tasks:
        await asyncio.wait(tasks)
