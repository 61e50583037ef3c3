"""Makes the objects of the model from plain values, and collects all faults on the way."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from bff_core.auth.access import ANYONE, SIGNED_IN, Access, Anyone, Require
from bff_core.errors import ConfigurationError, MissingExtra
from bff_core.policy.options import described
from bff_core.policy.upstream.credentials import Credentials
from bff_core.policy.upstream.policy import Policy
from bff_core.proxy.data.faults import NO_VALUE, FileFault
from bff_core.proxy.data.places import Places
from bff_core.proxy.option_faults import FieldPath, InvalidOptions, OptionFault
from bff_core.proxy.value_checks import nearest
from bff_core.upstream.client import Upstream

MAX_FAULTS: Final = 1000
"""How many faults of a file are collected."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """In place of a value that has a fault; `rest` is what is right in a table, None for others."""

    rest: object = None


WRONG: Final = Wrong()

_MAPPING: Final = get_origin(Mapping[str, str])

ACCESS_WORDS: Final[Mapping[str, Access]] = {"anyone": ANYONE, "signed-in": SIGNED_IN}
"""Access rules that are a word in a file."""

ACCESS_FIELDS: Final[Mapping[str, Any]] = {
    "scopes": tuple[str, ...],
    "roles": tuple[str, ...],
    "acr": tuple[str, ...],
    "max_age": int,
}
"""The fields of an access rule that is a table."""

_KIND_NAMES: Final[Mapping[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Path: "text",
    NoneType: "",
}


@dataclass(slots=True)
class ModelBinder:
    """Converts values to the types of fields.

    `file` is the name of the file in faults, `upstreams` are the names that routes may use, each
    with what stands for it in the model.
    """

    file: str
    places: Places
    upstreams: Mapping[str, type[Upstream] | str] = field(default_factory=dict)
    faults: list[FileFault] = field(default_factory=list)

    def report(
        self,
        path: FieldPath,
        complaint: str,
        value: object = NO_VALUE,
        *,
        is_key: bool = False,
    ) -> Wrong:
        """Add a fault at a value, or at its key; those beyond `MAX_FAULTS` are left out."""
        if len(self.faults) >= MAX_FAULTS:
            return WRONG
        place = self.places.of_key(path) if is_key else self.places.of_value(path)
        self.faults.append(FileFault(self.file, place, path, complaint, value))
        return WRONG

    def table(
        self,
        kind: Any,
        value: object,
        path: FieldPath,
        defaults: Mapping[str, object] | None = None,
    ) -> Any:
        """Return an object of a dataclass; `WRONG` after its faults are reported."""
        if not isinstance(value, Mapping):
            return self.report(path, "must be a table", value)
        known = settable_fields(kind)
        given: dict[str, object] = dict(defaults or {})
        is_wrong = False
        for name, one in value.items():
            if name not in known:
                self._unknown(kind, str(name), (*path, str(name)), known)
                is_wrong = True
                continue
            bound = self.field(kind, name, one, (*path, name))
            is_wrong = is_wrong or isinstance(bound, Wrong)
            bound = bound.rest if isinstance(bound, Wrong) else bound
            if bound is not None or not is_wrong:
                given[name] = bound
        lacks = [name for name, one in known.items() if is_required(one) and name not in value]
        for name in lacks:
            self.report(path, f"lacks {name}")
        made = WRONG if lacks else self._made(kind, given, path, value, is_partial=is_wrong)
        return WRONG if is_wrong else made

    def _unknown(self, kind: type, name: str, path: FieldPath, known: Collection[str]) -> None:
        hint = nearest(name.replace("-", "_"), list(known))
        if name in {one.name for one in fields(kind)}:
            hint = ": only the code can set it"
        self.report(path, f"is no field of {kind.__name__}{hint}", is_key=True)

    def _made(
        self,
        kind: Any,
        given: dict[str, object],
        path: FieldPath,
        value: object,
        *,
        is_partial: bool,
    ) -> Any:
        """Make an object, and place the faults that it finds in itself.

        Of an object that lacks wrong values, only the faults of its other values are reported.
        """
        try:
            return kind(**given)
        except InvalidOptions as error:
            for fault in error.faults:
                if is_partial and (not fault.path or fault.path[0] not in given):
                    continue
                self._place_fault(path, fault, value)
        except MissingExtra:
            raise
        except (ConfigurationError, TypeError) as error:
            if not is_partial:
                self.report(path, without_class(str(error), kind))
        return WRONG

    def _place_fault(self, path: FieldPath, fault: OptionFault, value: object) -> None:
        """Report a fault that an object found, with the value as the file has it."""
        for part in fault.path:
            if isinstance(value, Mapping):
                value = value.get(part, NO_VALUE)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                break
        value = value if fault.path and not fault.is_key else NO_VALUE
        complaint = fault.complaint.removesuffix(f", not {value!r}")
        self.report((*path, *fault.path), complaint, value, is_key=fault.is_key)

    def field(self, kind: type, name: str, value: object, path: FieldPath) -> Any:
        """Return the value of a field of a dataclass; `WRONG` after its faults are reported."""
        hint = hints_of(kind)[name]
        option = next((one for one in described(kind) if one.name == name), None)
        kinds = members(hint)
        if has_switches(kind) and isinstance(value, bool) and bool not in kinds:
            part = next((one for one in kinds if is_dataclass(one)), None)
            if value and part is not None:
                return self.table(part, {}, path)
            if not value and NoneType in kinds:
                return None
        bound = self.value(hint, value, path)
        if option is None:
            return bound
        if not isinstance(bound, Wrong) and (complaint := option.complaint(bound)):
            complaint = complaint.removesuffix(f", not {bound!r}").replace(" or None", " or false")
            return self.report(path, complaint, value)
        return bound

    def value(self, hint: Any, value: object, path: FieldPath) -> Any:
        """Return a value of a type; `WRONG` after its faults are reported."""
        kinds = members(hint)
        if special := _special(kinds):
            return special(self, value, path)
        if value is None and NoneType in kinds:
            return None
        for kind in kinds:
            if convert := _converter(kind, value):
                return convert(self, kind, value, path)
        return self.report(path, f"must be {wanted(kinds)}", value)

    def texts(self, kind: Any, value: Any, path: FieldPath) -> Any:
        """Return a tuple of a list."""
        inner = get_args(kind)
        if inner[-1] is not ... and len(value) != len(inner):
            return self.report(path, f"must be a list of {len(inner)}", value)
        found = [self.value(inner[0], one, (*path, n)) for n, one in enumerate(value)]
        return WRONG if any(isinstance(one, Wrong) for one in found) else tuple(found)

    def mapping(self, kind: Any, value: Any, path: FieldPath) -> Any:
        """Return values by name."""
        inner = get_args(kind)[1]
        found = {str(key): self.value(inner, one, (*path, str(key))) for key, one in value.items()}
        right = {key: one for key, one in found.items() if not isinstance(one, Wrong)}
        return right if len(right) == len(found) else Wrong(right)

    def unordered(self, kind: Any, value: Any, path: FieldPath) -> Any:
        """Return a frozenset of a list."""
        found = [self.value(get_args(kind)[0], one, (*path, n)) for n, one in enumerate(value)]
        return WRONG if any(isinstance(one, Wrong) for one in found) else frozenset(found)

    def nested(self, kind: Any, value: object, path: FieldPath) -> Any:
        """Return an object of a table."""
        return self.table(kind, value, path)

    def plain(self, _: Any, value: object, _path: FieldPath) -> Any:
        """Return a value as it is."""
        return value

    def word(self, kind: Any, value: object, path: FieldPath) -> Any:
        """Return one of the words of a `Literal`."""
        words = get_args(kind)
        if value in words:
            return value
        shown = " or ".join(f'"{one}"' for one in words)
        return self.report(path, f"must be {shown}", value)

    def access(self, value: object, path: FieldPath) -> Any:
        """Return an access rule of a word or a table."""
        if isinstance(value, str) and value in ACCESS_WORDS:
            return ACCESS_WORDS[value]
        if not isinstance(value, Mapping):
            words = ", ".join(f'"{one}"' for one in ACCESS_WORDS)
            return self.report(path, f"must be {words} or a table with scopes and roles", value)
        for name in value:
            if name not in ACCESS_FIELDS:
                hint = nearest(str(name), list(ACCESS_FIELDS))
                return self.report((*path, str(name)), f"is no field{hint}", is_key=True)
        bound = {
            name: self.value(ACCESS_FIELDS[name], one, (*path, name)) for name, one in value.items()
        }
        if any(isinstance(one, Wrong) for one in bound.values()):
            return WRONG
        try:
            return Require(*bound.pop("scopes", ()), **bound)
        except ConfigurationError as error:
            return self.report(path, str(error))

    def upstream(self, value: object, path: FieldPath) -> Any:
        """Return what a name of an upstream stands for."""
        if not isinstance(value, str):
            return self.report(path, "must be the name of an upstream", value)
        found = self.upstreams.get(upstream_key(value))
        if found is None:
            hint = nearest(value, sorted(self.upstreams)) or ": declare it in [upstreams]"
            return self.report(path, f"is no upstream{hint}", value)
        return found


Convert = Callable[[ModelBinder, Any, Any, FieldPath], Any]
Special = Callable[[ModelBinder, object, FieldPath], Any]


def upstream_key(name: str) -> str:
    """Return the spelling by which upstreams are found: `suppliers-next` is `suppliers_next`."""
    return name.replace("-", "_").lower()


def _special(kinds: tuple[Any, ...]) -> Special | None:
    """Return how a type is read whose values a file writes differently."""
    if Anyone in kinds:
        return ModelBinder.access
    if any(get_origin(kind) is type for kind in kinds):
        return ModelBinder.upstream
    return None


def _converter(kind: Any, value: object) -> Convert | None:
    """Return how a value becomes one of a type; None if it can't."""
    origin = get_origin(kind)
    if isinstance(value, list):
        return {tuple: ModelBinder.texts, frozenset: ModelBinder.unordered}.get(origin)
    if isinstance(value, Mapping):
        if origin is _MAPPING:
            return ModelBinder.mapping
        return ModelBinder.nested if is_dataclass(kind) else None
    if isinstance(value, str):
        return (
            ModelBinder.word if origin is Literal else (ModelBinder.plain if kind is str else None)
        )
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (kind is float and is_number) or (kind in {int, bool} and type(value) is kind):
        return ModelBinder.plain
    return None


def members(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union, those of unions and aliases within it included."""
    origin = get_origin(hint)
    if origin is Annotated:
        return members(get_args(hint)[0])
    if origin in {Union, UnionType}:
        return tuple(inner for one in get_args(hint) for inner in members(one))
    return (hint,)


@cache
def hints_of(kind: type) -> Mapping[str, Any]:
    """Return the types of the fields of a dataclass, with their ranges."""
    return get_type_hints(kind, include_extras=True)


@cache
def settable_fields(kind: type) -> Mapping[str, Field[Any]]:
    """Return the fields of a dataclass that a file may set, by name."""
    hints = hints_of(kind)
    return {one.name: one for one in fields(kind) if _is_settable(one, hints[one.name])}


def _is_settable(one: "Field[Any]", hint: Any) -> bool:
    is_code = any(kind in _CREDENTIALS or get_origin(kind) in _CALLABLES for kind in members(hint))
    return one.init and not is_code


_CREDENTIALS: Final = frozenset(members(Credentials))
_CALLABLES: Final = frozenset({get_origin(Callable[[], None])})


def has_switches(kind: type) -> bool:
    """Whether `false` leaves out an optional field, and `true` adds it with its defaults.

    It is so in policies, as in a file of policies.
    """
    return kind in _policies()


@cache
def _policies() -> frozenset[type]:
    """Return `Policy` and the policies within it."""
    found: set[Any] = set()
    pending: list[Any] = [Policy]
    while pending:
        kind = pending.pop()
        if kind not in found:
            found.add(kind)
            kinds = (one for hint in hints_of(kind).values() for one in members(hint))
            pending += [one for one in kinds if is_dataclass(one)]
    return frozenset(found)


def is_required(one: "Field[Any]") -> bool:
    """Whether a field has no default."""
    return one.default is MISSING and one.default_factory is MISSING


def wanted(kinds: tuple[Any, ...]) -> str:
    """Return what a value must be, for people who write files."""
    names = dict.fromkeys(name for kind in kinds if (name := _kind_name(kind)))
    return " or ".join(names)


def _kind_name(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is Literal:
        return " or ".join(f'"{one}"' for one in get_args(kind))
    if origin in {tuple, frozenset}:
        inner = wanted(members(get_args(kind)[0]))
        return "a list" if " or " in inner else f"a list of {_plural(inner)}"
    if origin is _MAPPING or is_dataclass(kind):
        return "a table"
    return _KIND_NAMES.get(kind, "text")


def _plural(name: str) -> str:
    return {"text": "texts", "a table": "tables", "a whole number": "whole numbers"}.get(name, name)


def without_class(message: str, kind: type) -> str:
    """Return an error of a class as the end of a sentence about its table."""
    return message.removeprefix(f"{kind.__name__}.").removeprefix(f"{kind.__name__}(...) ")


def each_name(value: object) -> Iterator[tuple[str, object]]:
    """Yield the members of a table with their names as texts."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield str(name), one
