"""How large a query may be; checked before validation, whose own cost grows with the query."""

from collections import Counter
from dataclasses import dataclass, field, fields

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from bff_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one query; each is at least 1.

    `length` counts characters, `tokens` what the parser reads. `depth` is the number of fields
    around the innermost one, itself included. `aliases` and `repeats` bound what one short query
    can make the services do, and validation: how many fields are renamed, and how often one field
    with a selection of its own may be asked for. Fragments count wherever they are spread.
    """

    length: int = 20_000
    tokens: int = 2_000
    depth: int = 12
    aliases: int = 30
    repeats: int = 50

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value < 1:
                raise ConfigurationError(f"Limits.{one.name} must be at least 1, not {value}")


class QueryTooLarge(GraphQLError):
    """A query is over one of the limits."""

    def __init__(self, what: str, found: int, allowed: int) -> None:
        super().__init__(
            f"The query has {what} {found}; at most {allowed} is accepted.",
            extensions={"code": "query_too_large"},
        )


def check_length(query: str, limits: Limits) -> None:
    """Raise `QueryTooLarge` for a text that is not worth parsing."""
    if len(query) > limits.length:
        raise QueryTooLarge("length", len(query), limits.length)


def check_extent(document: DocumentNode, limits: Limits) -> None:
    """Raise `QueryTooLarge` for a document that reaches too far; fragments may form cycles."""
    survey = _Survey(document)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            extent = survey.selections(definition.selection_set)
            _compare("depth", extent.depth, limits.depth)
            _compare("aliases", extent.aliases, limits.aliases)
            for name, count in extent.asked.items():
                _compare(f"{name!r} repeats", count, limits.repeats)


def _compare(what: str, found: int, allowed: int) -> None:
    if found > allowed:
        raise QueryTooLarge(what, found, allowed)


@dataclass(slots=True)
class _Extent:
    """How far a selection reaches; `asked` counts fields with a selection of their own."""

    depth: int = 0
    aliases: int = 0
    asked: Counter[str] = field(default_factory=Counter)

    def add(self, other: "_Extent") -> None:
        self.depth = max(self.depth, other.depth)
        self.aliases += other.aliases
        self.asked.update(other.asked)


class _Survey:
    """Walks a document, each fragment once however often it is spread."""

    def __init__(self, document: DocumentNode) -> None:
        self._known: dict[str, _Extent] = {}
        self._fragments = {
            definition.name.value: definition.selection_set
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def selections(self, selection_set: SelectionSetNode) -> _Extent:
        extent = _Extent()
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    extent.add(self._field(selection))
                case FragmentSpreadNode():
                    extent.add(self._fragment(selection.name.value))
                case InlineFragmentNode():
                    extent.add(self.selections(selection.selection_set))
        return extent

    def _field(self, node: FieldNode) -> _Extent:
        # What starts with two underscores is introspection: bounded by its own switch.
        inner = node.selection_set
        is_ours = not node.name.value.startswith("__")
        extent = self.selections(inner) if inner is not None and is_ours else _Extent()
        extent.depth += 1
        extent.aliases += node.alias is not None
        if inner is not None:
            extent.asked[(node.alias or node.name).value] += 1
        return extent

    def _fragment(self, name: str) -> _Extent:
        known = self._known.get(name)
        if known is None:
            # Unknown fragments and cycles are for validation to report: here they add nothing.
            self._known[name] = _Extent()
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._known[name] = self.selections(fragment)
            known = self._known[name]
        return known
