"""Limits on queries (length, depth, aliases …), checked before validation."""

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

from bff_core.edge.json_value_count import count_values
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLimits:
    """The limits of one query; each is at least 1.

    `length` counts characters. `tokens` counts the tokens that the parser reads, and also the
    selections of a document with all fragments spread. `depth` is the nesting of fields. `aliases`
    counts aliases. `repeats` counts how often one field with a selection of its own is selected.
    Fragments count wherever they are spread.

    `cost` limits the values that an answer can have. `list_size` is the assumed length of a list
    that neither an argument nor a `ListSize` limits. `values` counts the JSON values in the
    variables of a request, nested ones included.
    """

    length: int = 20_000
    tokens: int = 500
    depth: int = 12
    aliases: int = 30
    repeats: int = 50
    cost: int = 5_000
    list_size: int = 10
    values: int = 2_000

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value < 1:
                raise ConfigurationError(f"QueryLimits.{one.name} must be at least 1, not {value}")


class QueryTooLarge(GraphQLError):
    """A query is over one of the limits."""

    def __init__(self, what: str, found: int, allowed: int) -> None:
        super().__init__(
            f"The query has {what} {found}; at most {allowed} is accepted.",
            extensions={"code": "query_too_large"},
        )


class FragmentCycle(GraphQLError):
    """A fragment contains itself."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Cannot spread fragment {name!r} within itself.",
            extensions={"code": "query_not_valid"},
        )


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments of a document by their names."""
    found = document.definitions
    return {one.name.value: one for one in found if isinstance(one, FragmentDefinitionNode)}


def check_length(query: str, limits: QueryLimits) -> None:
    """Raise `QueryTooLarge` for a text that is too long to parse."""
    if len(query) > limits.length:
        raise QueryTooLarge("length", len(query), limits.length)


def check_values(variables: bytes, limits: QueryLimits) -> None:
    """Raise `QueryTooLarge` for variables (JSON) that have too many values to decode."""
    _compare("variables of size", count_values(variables, limits.values), limits.values)


def check_extent(document: DocumentNode, limits: QueryLimits) -> None:
    """Raise `QueryTooLarge` for a document over a limit, `FragmentCycle` for a cyclic fragment."""
    survey = _Survey(document)
    selections = 0
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            extent = survey.extent(definition.selection_set)
            _compare("depth", extent.depth, limits.depth)
            _compare("aliases", extent.aliases, limits.aliases)
            for name, count in extent.repeats.items():
                _compare(f"{name!r} repeats", count, limits.repeats)
            selections += extent.selections
            _compare("with its fragments spread a size of", selections, limits.tokens)


def _compare(what: str, found: int, allowed: int) -> None:
    if found > allowed:
        raise QueryTooLarge(what, found, allowed)


@dataclass(slots=True)
class _Extent:
    """The size of a selection; `repeats` counts fields with a selection of their own, by name."""

    depth: int = 0
    aliases: int = 0
    selections: int = 0
    repeats: Counter[str] = field(default_factory=Counter)

    def add(self, other: "_Extent", *, depth: int) -> None:
        """Add the extent of a fragment that is spread at a depth."""
        self.depth = max(self.depth, depth + other.depth)
        self.aliases += other.aliases
        self.selections += other.selections
        self.repeats.update(other.repeats)


class _Survey:
    """Computes the extents of a document; walks each fragment once."""

    def __init__(self, document: DocumentNode) -> None:
        self._known: dict[str, _Extent | None] = {}
        self._fragments = fragments_of(document)

    def extent(self, selection_set: SelectionSetNode) -> _Extent:
        """Return the extent of an operation or a fragment."""
        extent = _Extent()
        self._walk(selection_set, 0, extent)
        return extent

    def _walk(self, selection_set: SelectionSetNode, depth: int, extent: _Extent) -> None:
        extent.selections += len(selection_set.selections)
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    self._field(selection, depth + 1, extent)
                case FragmentSpreadNode():
                    extent.add(self._fragment(selection.name.value), depth=depth)
                case InlineFragmentNode():
                    self._walk(selection.selection_set, depth, extent)

    def _field(self, node: FieldNode, depth: int, extent: _Extent) -> None:
        extent.depth = max(extent.depth, depth)
        extent.aliases += node.alias is not None
        inner = node.selection_set
        if inner is None:
            return
        extent.repeats[(node.alias or node.name).value] += 1
        if node.name.value.startswith("__"):
            # Introspection is deep, and limited by its cost.
            extent.selections += self.extent(inner).selections
        else:
            self._walk(inner, depth, extent)

    def _fragment(self, name: str) -> _Extent:
        if name not in self._known:
            self._known[name] = None
            fragment = self._fragments.get(name)
            # An unknown fragment counts nothing; validation reports it.
            self._known[name] = (
                _Extent() if fragment is None else self.extent(fragment.selection_set)
            )
        known = self._known[name]
        if known is None:
            raise FragmentCycle(name)
        return known
