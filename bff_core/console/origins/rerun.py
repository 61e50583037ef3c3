"""Runs a view again on recorded values of its parts: services are not called."""

from collections.abc import Callable, Coroutine, Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, Final, TypeVar

from bff_core.composition.composition import Composition, PartRegistry
from bff_core.composition.loader import LoaderMethod
from bff_core.composition.part import Part, PartFailure
from bff_core.console.origins.sample_values import AnyKey, NoSample, sample_of_part
from bff_core.console.sandbox.sandbox import MakeRegistry
from bff_core.gateway.recorded_parts import Composed

T = TypeVar("T")

Values = dict[Hashable, Any]
"""The values of the parts of one composition by their keys; those of loaders by their names."""

Alter = Callable[[str, Any], Any]
"""Returns the value that a part has in a run; gets its name and its recorded value."""


def recorded_values(composed: Iterable[Composed]) -> list[Values]:
    """Return the values of the parts of each composition; samples stand in for empty ones."""
    return [_filled(cls, _values_of(one), one.loaders.keys()) for cls, one in composed]


def _values_of(registry: PartRegistry) -> Values:
    found: dict[Hashable, Any] = {}
    for key, part in registry.started.items():
        if not part.is_done or part.exception() is not None:
            continue
        value: Any = part.result()
        if part.name not in registry.loaders:
            found[key] = value
        elif value or part.name not in found:  # a later batch of the same loader
            found[part.name] = {**found.get(part.name, {}), **value} if value else value
    return found


def _filled(cls: type[Composition], found: Values, loaders: AbstractSet[str]) -> Values:
    """Return values with samples in the place of those that are empty.

    Loaders then have values for the keys of samples as well.
    """
    filled: dict[Hashable, Any] = {}
    for key, value in found.items():
        is_empty = value is None or (hasattr(value, "__len__") and not len(value))
        filled[key] = _sample(cls, key, value) if is_empty else value
    if any(filled[key] is not value for key, value in found.items() if key not in loaders):
        for name in loaders & filled.keys():
            batch = filled[name]
            sample = _sample(cls, name, None) if batch else None
            if isinstance(sample, AnyKey):
                filled[name] = AnyKey(sample.sample, batch)
    return filled


def _sample(cls: type[Composition], key: Hashable, value: object) -> object:
    """Return a sample of what a part would have loaded; its own value if there is none."""
    name = key[0] if isinstance(key, tuple) else key
    for base in cls.__mro__:
        for member in vars(base).values():
            if getattr(member, "name", None) == name and hasattr(member, "body"):
                try:
                    return sample_of_part(member.body, is_loader=isinstance(member, LoaderMethod))
                except NoSample:
                    return value
    return value


class GivenValues(MakeRegistry):
    """Gives the parts of a request the recorded values, altered by a function."""

    def __init__(self, record: Sequence[Values], alter: Alter) -> None:
        super().__init__()
        self._record = record
        self._alter = alter

    def of(self, cls: type[Composition], usual: PartRegistry) -> PartRegistry:
        """Return a registry whose parts have the values of the record, in the same order."""
        index = len(self.made)
        values = self._record[index] if index < len(self._record) else {}
        given = _GivenRegistry(cls, usual, values, self._alter)
        self.made.append((cls, given))
        return given


_NONE: Final = object()


class _NotRecorded(Exception):
    """The run needs a part that the recorded request did not need."""


class _GivenRegistry(PartRegistry):
    __slots__ = ("_alter", "_cls", "_values")

    def __init__(
        self, cls: type[Composition], usual: PartRegistry, values: Values, alter: Alter
    ) -> None:
        super().__init__(usual.run, usual.scope)
        self._cls = cls
        self._values = values
        self._alter = alter

    def find_or_start(
        self,
        key: Hashable,
        name: str,
        body: Callable[[], Coroutine[object, object, T]],  # noqa: ARG002 # it calls services
        failure: PartFailure,
    ) -> Part[T]:
        """Return the part under `key`; its body returns the given value."""
        place = name if name in self.loaders else key
        return super().find_or_start(key, name, partial(self._given, place, name), failure)

    async def _given(self, place: Hashable, name: str) -> Any:
        if place not in self._values:  # it was not needed, as another part had failed
            self._values[place] = sample = _sample(self._cls, place, _NONE)
            if sample is _NONE:
                raise _NotRecorded(name)
        return self._alter(name, self._values[place])
