"""Which values of a discriminator stand for which option of a union."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.pointers import Node, PointerError, last_segment
from bff_core.contracts.openapi.references import References, Referent
from bff_core.contracts.types import Discriminator, Ref, Type


@dataclass(frozen=True, slots=True)
class UnionOption:
    """An option of a union. `target` is the schema that it refers to, None if it is inline."""

    type: Type
    target: Referent | None = None


def mapped(spec: Any, references: References, note: Callable[[str], None]) -> dict[str, Referent]:
    """Return the schemas of the mapping of a discriminator, by value."""
    mapping = spec.get("mapping") if isinstance(spec, dict) else None
    found = {}
    for value, reference in (mapping or {}).items():
        try:
            found[value] = references.named(str(reference))
        except PointerError as error:
            note(f"the discriminator's mapping of {value!r}: {error}")
    return found


class Discriminators:
    """Reads the discriminators of unions."""

    def __init__(
        self, references: References, notes: Notes, properties: Callable[[Node], Node]
    ) -> None:
        self._references = references
        self._notes = notes
        self._properties = properties

    def read(
        self, spec: Any, options: Sequence[UnionOption], pointer: str, *, partial: bool = False
    ) -> Discriminator | None:
        """Return the discriminator of a union of options, None if it names no property.

        With `partial`, its mapping may have values of schemas that are no options.
        """
        name = spec if isinstance(spec, str) else spec.get("propertyName")
        if not name:
            self._notes.add(pointer, "the discriminator has no propertyName")
            return None
        notes = Notes() if partial else self._notes
        mapping = self._explicit(spec, options, lambda text: notes.add(pointer, text))
        values = [self._values(option, str(name)) for option in options]
        uses = Counter(value for some in values for value in some)
        for option, own in zip(options, values, strict=True):
            if isinstance(option.type, Ref) and option.type.name not in mapping.values():
                distinct = bool(own) and all(uses[value] == 1 for value in own)
                implied = _extension(option) or (own if distinct else _schema_name(option))
                for value in implied:
                    mapping.setdefault(value, option.type.name)
        return Discriminator(str(name), mapping)

    def _explicit(
        self, spec: Any, options: Sequence[UnionOption], note: Callable[[str], None]
    ) -> dict[str, str]:
        by_pointer = {
            one: option.type.name
            for option in options
            if option.target and isinstance(option.type, Ref)
            for one in (option.target.pointer, self._end(option.target))
        }
        found = {}
        for value, target in mapped(spec, self._references, note).items():
            name = by_pointer.get(target.pointer) or by_pointer.get(self._end(target))
            if name:
                found[value] = name
            else:
                note(f"the discriminator's value {value!r} stands for none of the options")
        return found

    def _values(self, option: UnionOption, name: str) -> list[str]:
        """Return the values that the schema of an option allows for the property."""
        if option.target is None or not isinstance(option.target.node, dict):
            return []
        schema = self._properties(option.target.node).get(name)
        if not isinstance(schema, dict):
            return []
        values = [schema["const"]] if "const" in schema else schema.get("enum") or []
        return [value for value in values if isinstance(value, str)]

    def _end(self, target: Referent) -> str:
        """Return the pointer of a schema, behind references that are nothing else."""
        if not isinstance(target.node, dict):
            return target.pointer
        return self._references.end(target.node, target.pointer)[1]


def _extension(option: UnionOption) -> list[str]:
    """Return the value that Azure's documents give a schema, in an extension."""
    node = option.target.node if option.target else None
    value = node.get("x-ms-discriminator-value") if isinstance(node, dict) else None
    return [value] if isinstance(value, str) else []


def _schema_name(option: UnionOption) -> list[str]:
    return [last_segment(option.target.pointer)] if option.target else []
