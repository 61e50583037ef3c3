"""`@loader`: batches the keys that are requested in one tick of the event loop (N+1)."""

from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Hashable,
    Iterable,
    Mapping,
)
from dataclasses import MISSING, dataclass
from functools import cached_property
from types import UnionType
from typing import (
    Any,
    Final,
    Generic,
    Never,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)
from uuid import UUID

from typing_extensions import is_protocol

from bff_core.composition.composition import Composition
from bff_core.composition.failure_policy import (
    Critical,
    Optional,
    check_fallback,
    fallback_value,
)
from bff_core.composition.owned_method import OwnedMethod
from bff_core.composition.part import Part, PartFailure
from bff_core.composition.part_status import reason_of, state_of
from bff_core.errors import ConfigurationError, NotFound
from bff_core.keywords import check_async, checks_keywords

C = TypeVar("C", bound=Composition)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)
M = TypeVar("M")

ONE_KEY: Final = frozenset({str, int, bytes, UUID})
"""Classes of keys that are certainly one key."""

Batch = Mapping[K, V | Exception]
"""The result of a loader's method: a value or an error for each key that it found."""


class _Failed(dict[Hashable, object]):
    """The result of a batch that failed as a whole: the fallback under every key."""

    def __init__(self, fallback: object) -> None:
        self._fallback = fallback

    def __missing__(self, key: Hashable) -> object:
        return fallback_value(self._fallback)


@dataclass(frozen=True, slots=True)
class Options:
    """The declared options of a loader; `missing` and `fallback` may be `MISSING`."""

    chunk: int
    missing: object
    fallback: object
    failure: PartFailure


class PendingValue(Awaitable[V_co]):
    """The value of one key; it may be awaited many times. `part` loads it, with other keys."""

    __slots__ = ("_key", "_options", "part")

    def __init__(self, part: Part[Batch[Hashable, V_co]], key: Hashable, options: Options) -> None:
        self.part = part
        self._key = key
        self._options = options

    def __await__(self) -> Generator[object, None, V_co]:
        batch = yield from self.part.wait_for_result()
        if isinstance(batch, _Failed):
            self.part.mark_used()
        try:
            value = batch[self._key]
        except KeyError:
            return self._missing()
        if isinstance(value, Exception):
            return self._failed(value)
        return value

    def _missing(self) -> V_co:
        if self._options.missing is MISSING:
            raise NotFound(f"{self.part.name}: there is no such key")
        return self._options.missing  # type: ignore[return-value]  # typed by the declaration

    def _failed(self, error: Exception) -> V_co:
        if self._options.fallback is MISSING:
            raise error
        value = fallback_value(self._options.fallback)
        if self.part.state in {"ok", "stale", "partial"}:
            self.part.degrade(
                state_of(error, has_fallback=True), reason_of(error), self.part.result()
            )
        self.part.mark_used()
        return value  # type: ignore[return-value]  # typed by the declaration


class _Keys(Generic[K, V]):
    """The keys that one composition has requested of one loader so far."""

    __slots__ = ("known", "open", "part")

    def __init__(self) -> None:
        self.known: dict[K, PendingValue[V]] = {}
        self.open: list[K] = []
        self.part: Part[Batch[K, V]] | None = None


class SeveralKeysNeedMany:
    """The type of a call with several keys, which type checkers refuse to await: use `many`."""


class Loader(Generic[K, V]):
    """A loader bound to one composition: call it with one key, or `many` with several.

    Each key is loaded once per composition. The keys of one tick are loaded by one call, or by
    several of at most `chunk` keys.
    """

    __slots__ = ("_composition", "_keys", "_method")

    def __init__(
        self, composition: Composition, method: "LoaderMethod[K, V]", keys: _Keys[K, V]
    ) -> None:
        self._composition = composition
        self._method = method
        self._keys = keys

    @overload
    def __call__(self, key: K) -> PendingValue[V]: ...
    @overload
    def __call__(self, key: Iterable[K]) -> SeveralKeysNeedMany: ...
    def __call__(self, key: Any) -> Any:
        """Return the value under `key`, loaded together with the other keys of this tick."""
        try:
            keyed = self._keys.known.get(key)
        except TypeError as error:
            raise self._method.key_error(key) from error
        if keyed is None:
            if type(key) not in ONE_KEY and self._method.is_several(key):
                raise self._method.key_error(key)
            keyed = PendingValue(self._join(key), key, self._method.options)  # type: ignore[arg-type]  # a mapping is invariant in its key
            self._keys.known[key] = keyed
        return keyed

    def many(self, keys: Iterable[K]) -> Coroutine[object, object, list[V]]:
        """Load several keys; awaited, it returns their values in the order of `keys`."""
        return _in_order([self(key) for key in keys])

    def _join(self, key: K) -> Part[Batch[K, V]]:
        keys = self._keys
        if keys.part is None or len(keys.open) >= self._method.options.chunk:
            keys.open = []
            keys.part = self._start(keys.open)
        keys.open.append(key)
        return keys.part

    def _start(self, keys: list[K]) -> Part[Batch[K, V]]:
        registry, name = self._composition.part_registry, self._method.name
        key = (name, len(registry.started))
        failure = self._method.options.failure
        return registry.find_or_start(key, name, lambda: self._load(keys), failure)

    async def _load(self, keys: list[K]) -> Batch[K, V]:
        # A part runs one tick after it was started: all keys of that tick are in the batch.
        if keys is self._keys.open:
            self._keys.part = None
        return await self._method.body(self._composition, tuple(keys))


async def _in_order(values: list[PendingValue[V]]) -> list[V]:
    return [await value for value in values]


class LoaderMethod(OwnedMethod, Generic[K, V]):
    """A method of a composition that loads many keys at once, and is called with one key."""

    body: Callable[..., Coroutine[object, object, Batch[K, V]]]

    def __init__(
        self, body: Callable[..., Coroutine[object, object, Batch[K, V]]], options: Options
    ) -> None:
        check_async(body, "loader")
        self.name = body.__name__
        self.__doc__ = body.__doc__
        self.body = body
        self.options = options

    @overload
    def __get__(self, composition: None, owner: type[Composition]) -> Self: ...
    @overload
    def __get__(
        self, composition: Composition, owner: type[Composition] | None = None
    ) -> Loader[K, V]: ...
    def __get__(
        self, composition: Composition | None, owner: type[Composition] | None = None
    ) -> Self | Loader[K, V]:
        if composition is None:
            return self.read_from(owner)
        loaders = composition.part_registry.loaders
        keys = loaders.get(self.name)
        if keys is None:
            keys = loaders[self.name] = _Keys[K, V]()
        return Loader(composition, self, keys)  # type: ignore[arg-type]  # one name belongs to one method

    def is_several(self, key: object) -> bool:
        """Whether a call has several keys instead of one."""
        if not isinstance(key, Iterable) or isinstance(key, str | bytes):
            return False
        declared = self._key_class
        return declared is not None and not isinstance(key, declared)

    @cached_property
    def _key_class(self) -> type | None:
        """The class of one key; None if the body does not say."""
        try:
            hints = get_type_hints(self.body)
        except (NameError, TypeError):
            return None
        keys = [one for name, one in hints.items() if name != "return"]
        declared = next(iter(get_args(keys[0])), None) if len(keys) == 1 else None
        declared = getattr(declared, "__supertype__", declared)
        found = get_origin(declared) or declared
        if not isinstance(found, type) or found in (Union, UnionType) or is_protocol(found):
            return None
        return found

    def key_error(self, key: object) -> TypeError:
        """Return the error of a call with several keys, or with a key that is not hashable."""
        owner = f"{self.owner.__name__}." if self.owner else ""
        kind = type(key).__name__
        if isinstance(key, Iterable):
            return TypeError(
                f"{owner}{self.attribute} takes one key, not a {kind}: for several keys write "
                f"await ….{self.attribute}.many(keys)"
            )
        return TypeError(
            f"{owner}{self.attribute} loads each key once, so a key must be hashable: {kind} is not"
        )


class _Declaration(Generic[M]):
    """`@loader(...)` with its options: takes the body."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(
        self,
        body: Callable[[C, tuple[K, ...]], Coroutine[object, object, Batch[K, V]]],
        /,
    ) -> LoaderMethod[K, V | M]:
        return LoaderMethod(body, self._options)


@overload
def loader(
    body: Callable[[C, tuple[K, ...]], Coroutine[object, object, Batch[K, V]]], /
) -> LoaderMethod[K, V]: ...
@overload
def loader(*, chunk: int = 100, timeout: float | None = None) -> _Declaration[Never]: ...
@overload
def loader(*, missing: M, chunk: int = 100, timeout: float | None = None) -> _Declaration[M]: ...
@overload
def loader(
    *, fallback: M, chunk: int = 100, timeout: float | None = None, shed: bool = True
) -> _Declaration[M]: ...
@overload
def loader(
    *, missing: M, fallback: M, chunk: int = 100, timeout: float | None = None, shed: bool = True
) -> _Declaration[M]: ...
@checks_keywords
def loader(
    body: Callable[..., Coroutine[object, object, Batch[K, V]]] | None = None,
    /,
    *,
    missing: object = MISSING,
    fallback: object = MISSING,
    chunk: int = 100,
    timeout: float | None = None,
    shed: bool = True,
) -> object:
    """Declare a batched part: the body takes a tuple of distinct keys and returns a mapping.

    Callers load one key (`await page.price(sku)`) or several (`await page.price.many(skus)`). The
    keys of one tick are loaded by one call of the body, or by several of at most `chunk` keys. A
    value that is an exception is raised to the callers of its key only. A key that is not in the
    mapping yields `missing`, or raises `NotFound` if none is declared. With a `fallback` the loader
    is optional: a failure yields it and is reported as the part's state. Without one a failure is
    raised, as that of a critical part. An optional loader is left out while the gateway is
    overloaded, unless `shed=False`.
    """
    if chunk < 1:
        raise ConfigurationError(f"chunk must be at least 1 key, not {chunk}")
    check_fallback(fallback)
    failure: PartFailure = Critical(timeout)
    if fallback is not MISSING:
        failure = Optional(lambda: _Failed(fallback), timeout, may_shed=shed)
    options = Options(chunk, missing, fallback, failure)
    return _Declaration(options) if body is None else LoaderMethod(body, options)
