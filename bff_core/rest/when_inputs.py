"""The inputs of a request by name, for `Require(when=...)`, and the check that names are clear."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic_core import PydanticUndefined

from bff_core.auth.access import Access, Require
from bff_core.compat.fastapi import Dependant, ModelField, inputs_read_by
from bff_core.composition.composition import Composition
from bff_core.composition.wiring import shape_of
from bff_core.errors import ConfigurationError
from bff_core.rest.compose import composition_of, wired_of
from bff_core.scope import Wired


def inputs_of(values: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of a view, and the inputs of its compositions, by their names."""
    return merged(_groups(values))


def merged(groups: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return the inputs of a view and of each of its compositions by their names.

    Raises `ConfigurationError` for two values of one name: a rule could decide by the one, and the
    view could use the other.
    """
    found: dict[str, object] = {}
    for group in groups:
        for name, value in group.items():
            if name in found and found[name] != value:
                raise ConfigurationError(
                    f"Require(when=...): the view has two inputs {name!r}: rename one of them"
                )
            found[name] = value
    return found


def _groups(values: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for name, value in values.items():
        if isinstance(value, Composition):
            yield {one.name: getattr(value, one.name) for one in shape_of(type(value)).inputs}
        elif not isinstance(value, Wired):
            yield {name: value}


def check_when_inputs(root: Dependant, access: Access | None, view: str) -> None:
    """Raise `ConfigurationError` for a rule that decides by a name with two sources.

    Two compositions may have the same input if both read and validate it alike.
    """
    if not isinstance(access, Require) or access.when is None:
        return
    known: dict[str, tuple[str, object]] = {}
    for owner, name, source in _sources(root):
        other, known_source = known.setdefault(name, (owner, source))
        if other != owner and (known_source != source or _is_made(source)):
            raise ConfigurationError(
                f"view {view}: Require(when=...) gets inputs by name, and {name!r} of {other} and "
                f"{name!r} of {owner} are not the same: rename one of them, or declare both alike"
            )


def _sources(root: Dependant) -> Iterator[tuple[str, str, object]]:
    """Yield each input: who takes it, its name, and how it is read."""
    for field in inputs_read_by(root):
        yield "the view", field.name, _source(field)
    for one in root.dependencies:
        screen = composition_of(one.call)
        if screen is not None:
            for field in inputs_read_by(one):
                yield f"{screen.__name__} ({one.name})", field.name, _source(field)
        elif wired_of(one.call) is None and one.name is not None:
            yield "the view", one.name, one.call


def _source(field: ModelField) -> tuple[object, ...]:
    """Return how a field is read: equal for fields that always have equal values."""
    info = field.field_info
    place = getattr(info, "in_", type(info))
    default = None if info.default is PydanticUndefined else info.default
    names, kind = (field.alias, info.validation_alias), (info.annotation, info.metadata)
    return (place, *names, *kind, type(default), default, info.default_factory)


def _is_made(source: object) -> bool:
    """Whether a factory makes the value, so that two fields have different ones."""
    return isinstance(source, tuple) and source[-1] is not None
