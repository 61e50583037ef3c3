"""`@critical` and `@optional`: decorators that declare the parts of a composition."""

import inspect
from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import MISSING
from functools import partial
from types import MethodType
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from bff_core.composition.composition import Composition
from bff_core.composition.failure_policy import Critical, Optional
from bff_core.composition.owned_method import OwnedMethod
from bff_core.composition.part import Part, PartFailure
from bff_core.errors import ConfigurationError
from bff_core.keywords import check_async, checks_keywords

C = TypeVar("C", bound=Composition)
P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F")


class Arguments:
    """Normalises the arguments of a call to a tuple, so that equal calls share a part."""

    __slots__ = ("_defaults", "_positional", "_signature", "names")

    def __init__(self, body: Callable[..., object]) -> None:
        parameters = list(inspect.signature(body).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
                raise ConfigurationError(
                    f"part {body.__qualname__}: name each argument; two calls that mean the same "
                    f"could differ in *{parameter.name}"
                )
            if parameter.kind is parameter.POSITIONAL_ONLY:
                raise ConfigurationError(
                    f"part {body.__qualname__}: {parameter.name} is passed by name: remove the / "
                    "after it"
                )
        self._signature = inspect.Signature(parameters)
        self.names = tuple(parameter.name for parameter in parameters)
        self._positional = sum(one.kind is not one.KEYWORD_ONLY for one in parameters)
        self._defaults = {
            one.name: one.default for one in parameters if one.default is not one.empty
        }

    def __len__(self) -> int:
        return len(self.names)

    def bind(self, args: tuple[object, ...], kwargs: dict[str, object]) -> tuple[object, ...]:
        """Return the values in the order of the signature, defaults filled in."""
        given = len(args)
        if given == len(self.names) == self._positional and not kwargs:
            return args
        rest = self.names[given:]
        known = {**self._defaults, **kwargs}
        if given <= self._positional and kwargs.keys() <= set(rest) and known.keys() >= set(rest):
            return (*args, *[known[name] for name in rest])
        # An argument is missing or unknown: the signature raises the usual error.
        return tuple(self._signature.bind(*args, **kwargs).arguments.values())

    def named(self, values: tuple[object, ...]) -> dict[str, object]:
        """Return bound values under their names."""
        return dict(zip(self.names, values, strict=True))


class PartMethod(OwnedMethod, Generic[P, T]):
    """A method of a composition that runs once per arguments and returns its `Part`."""

    body: Callable[..., Coroutine[object, object, T]]

    def __init__(
        self, body: Callable[..., Coroutine[object, object, T]], failure: PartFailure
    ) -> None:
        check_async(body, "part")
        self.body = body
        self.failure = failure
        self.name = body.__name__
        self.__doc__ = body.__doc__
        self.arguments = Arguments(body)
        self._start = self._start_with if len(self.arguments) else self._start_plain

    def has_parameters_of(self, call: Callable[P, object], /) -> bool:
        """Return whether a function has the parameters of the part, without its composition.

        Type checkers distinguish parts without arguments by the type of this method.
        """
        return tuple(inspect.signature(call).parameters) == self.arguments.names

    @overload
    def __get__(self, composition: None, owner: type[Composition]) -> Self: ...
    @overload
    def __get__(
        self, composition: Composition, owner: type[Composition] | None = None
    ) -> Callable[P, Part[T]]: ...
    def __get__(
        self, composition: Composition | None, owner: type[Composition] | None = None
    ) -> Self | Callable[P, Part[T]]:
        if composition is None:
            return self.read_from(owner)
        return MethodType(self._start, composition)

    def start_for(
        self, composition: Composition, key: Hashable, arguments: Mapping[str, object]
    ) -> Part[T]:
        """Return the part under `key`: for arguments that are not hashable themselves."""
        return composition.part_registry.find_or_start(
            (self.name, key), self.name, partial(self.body, composition, **arguments), self.failure
        )

    def _start_plain(self, composition: Composition) -> Part[T]:
        return composition.part_registry.find_or_start(
            self.name, self.name, MethodType(self.body, composition), self.failure
        )

    def _start_with(self, composition: Composition, *args: object, **kwargs: object) -> Part[T]:
        values = self.arguments.bind(args, kwargs)
        body = partial(self.body, composition, **self.arguments.named(values))
        try:
            return composition.part_registry.find_or_start(
                (self.name, *values), self.name, body, self.failure
            )
        except TypeError as error:
            raise self._argument_error(values, error) from error

    def _argument_error(self, values: tuple[object, ...], error: TypeError) -> TypeError:
        """Return an error that names the argument that is not hashable, else the given error."""
        for name, value in self.arguments.named(values).items():
            try:
                hash(value)
            except TypeError:
                kind = type(value).__name__
                return TypeError(
                    f"part {self.name!r} runs once per arguments, so each must be hashable: "
                    f"{name} is a {kind}; pass a tuple or a frozen value"
                )
        return error


class _Declaration(Generic[F]):
    """`@optional(...)` with its options: takes the body."""

    def __init__(self, failure: Optional) -> None:
        self._failure = failure

    def __call__(
        self, body: Callable[Concatenate[C, P], Coroutine[object, object, T]]
    ) -> PartMethod[P, T | F]:
        return PartMethod(body, self._failure)


@overload
def critical(
    body: Callable[Concatenate[C, P], Coroutine[object, object, T]], /
) -> PartMethod[P, T]: ...
@overload
def critical(
    *, timeout: float | None = None, tolerates_degraded: bool = False
) -> Callable[[Callable[Concatenate[C, P], Coroutine[object, object, T]]], PartMethod[P, T]]: ...
@checks_keywords
def critical(
    body: Callable[..., Coroutine[object, object, T]] | None = None,
    /,
    *,
    timeout: float | None = None,
    tolerates_degraded: bool = False,
) -> object:
    """Declare a part that the screen needs: if it fails, awaiting it raises the error.

    `timeout` (seconds) covers everything that the part awaits; the request's deadline limits it as
    well. Awaiting a part that failed raises `PartFailed`, whose cause decides the status.

    A part that awaits a degraded part is reported as `fallback` with the reason `dependency`. With
    `tolerates_degraded` its value counts as complete.
    """
    failure = Critical(timeout, tolerates_degraded)
    return partial(_declare, failure) if body is None else PartMethod(body, failure)


def _declare(
    failure: PartFailure, body: Callable[..., Coroutine[object, object, T]], /
) -> PartMethod[..., T]:
    return PartMethod(body, failure)


@overload
def optional(
    body: Callable[Concatenate[C, P], Coroutine[object, object, T]], /
) -> PartMethod[P, T | None]: ...
@overload
def optional(
    *, timeout: float | None = None, shed: bool = True, tolerates_degraded: bool = False
) -> _Declaration[None]: ...
@overload
def optional(
    *,
    fallback: Callable[[], F],
    timeout: float | None = None,
    shed: bool = True,
    tolerates_degraded: bool = False,
) -> _Declaration[F]: ...
@overload
def optional(
    *,
    fallback: F,
    timeout: float | None = None,
    shed: bool = True,
    tolerates_degraded: bool = False,
) -> _Declaration[F]: ...
@checks_keywords
def optional(
    body: Callable[..., Coroutine[object, object, object]] | None = None,
    /,
    *,
    fallback: object = MISSING,
    timeout: float | None = None,
    shed: bool = True,
    tolerates_degraded: bool = False,
) -> object:
    """Declare a part that the screen can do without: if it fails, its value is `fallback`.

    `fallback` is an immutable value or a function that makes one; without it the value is None and
    the state `missing`. `timeout` (seconds) covers everything that the part awaits. Without it the
    part times out a little before the request does (a tenth of the time left, at most 0.1 s), so
    that the answer can still report it. While the gateway is overloaded the part is left out and
    yields its fallback at once, unless `shed=False`.

    A part that awaits a degraded part is reported as `fallback` with the reason `dependency`. With
    `tolerates_degraded` its value counts as complete.
    """
    failure = Optional(fallback, timeout, shed, tolerates_degraded)
    return _Declaration(failure) if body is None else PartMethod(body, failure)
