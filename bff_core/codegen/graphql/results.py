"""Plans the classes of responses: one for each object in a selection, named by its path."""

from collections.abc import Mapping, Sequence

from bff_core.codegen.graphql.code import AliasCode, ClassCode, FieldCode
from bff_core.codegen.graphql.scalars import Scalars
from bff_core.codegen.graphql.selections import (
    TYPENAME,
    SelectedField,
    Selection,
    Selections,
    only_spread,
)
from bff_core.codegen.names import UniqueNames, pascal, snake
from bff_core.extras import needs

with needs("graphql", "generating the operations of a GraphQL service"):
    from graphql import (
        FieldNode,
        GraphQLEnumType,
        GraphQLList,
        GraphQLNamedType,
        GraphQLNonNull,
        GraphQLOutputType,
        GraphQLScalarType,
        SelectionSetNode,
        get_named_type,
        is_abstract_type,
    )

HIDING = frozenset({"bool", "dt", "field", "float", "int", "object", "str", "tuple"})
"""Names that annotations use: an attribute of such a name would hide them."""


class Results:
    """The classes of all responses; `typed` are the selection sets that need a `__typename`."""

    def __init__(
        self,
        selections: Selections,
        scalars: Scalars,
        enums: Mapping[str, str],
        names: UniqueNames,
    ) -> None:
        self.classes: list[ClassCode] = []
        self.aliases: list[AliasCode] = []
        self.read_enums: dict[str, None] = {}
        self.typed: set[int] = set()
        self.selections = selections
        self._scalars = scalars
        self._enums = enums
        self._names = names
        self._of_fragments: dict[str, str] = {}

    def fragment(self, name: str) -> str:
        """Return the annotation of a fragment, whose class all that spread it share."""
        known = self._of_fragments.get(name)
        if known is not None:
            return known
        node = self.selections.fragments[name]
        kind = self.selections.schema.type_map[node.type_condition.name.value]
        made = self.object(
            kind, [Selection(node.selection_set)], pascal(name), f"the fragment {name}"
        )
        self._of_fragments[name] = made
        return made

    def object(
        self,
        kind: GraphQLNamedType,
        selections: Sequence[Selection],
        path: str,
        where: str,
        prefix: str = "",
    ) -> str:
        """Return the annotation of what selections have of a type: a class or a union.

        `path` names the class, `prefix` the classes of its fields if they begin otherwise.
        """
        spread = only_spread(selections)
        if spread is not None:
            name = spread.name.value
            condition = self.selections.fragments[name].type_condition.name.value
            if self.selections.covers(condition, kind):
                return self.fragment(name)
        if is_abstract_type(kind) and self.selections.is_narrowed(kind, selections):
            return self._union(kind, selections, path, where)
        return self._class(kind, selections, path, where, prefix=prefix)

    def _union(
        self,
        kind: GraphQLNamedType,
        selections: Sequence[Selection],
        path: str,
        where: str,
    ) -> str:
        """Return the name of a union with a class for each object that the type may be."""
        self._mark(selections)
        alias = self._names.take(path)
        options = []
        for name in sorted(self.selections.possible(kind)):
            member = self.selections.schema.type_map[name]
            options.append(
                self._class(member, selections, f"{path}{pascal(name)}", where, tag=name)
            )
        description = f"One of the types of {kind.name} in {where}."
        self.aliases.append(AliasCode(alias, description, tuple(options)))
        return alias

    def _mark(self, selections: Sequence[Selection]) -> None:
        """Note that the first selection set needs the name of the type, unless one has it."""
        for selection in selections:
            for node in selection.node.selections:
                if not isinstance(node, FieldNode) or node.name.value != TYPENAME:
                    continue
                if not node.alias and not node.directives:
                    return
        self.typed.add(id(_always(selections)))

    def _class(
        self,
        kind: GraphQLNamedType,
        selections: Sequence[Selection],
        path: str,
        where: str,
        *,
        tag: str = "",
        prefix: str = "",
    ) -> str:
        name = self._names.take(path)
        made = ClassCode(
            name, kind.description or f"The fields of {kind.name} in {where}.", tag=tag
        )
        self.classes.append(made)
        attributes = UniqueNames(HIDING)
        for one in self.selections.fields(kind, selections).values():
            if tag and one.key == TYPENAME:
                continue
            made.fields.append(self._field(one, attributes, prefix or path, where))
        return name

    def _field(
        self, one: SelectedField, attributes: UniqueNames, path: str, where: str
    ) -> FieldCode:
        named = get_named_type(one.type)
        if isinstance(named, GraphQLScalarType):
            leaf = self._scalars.read(named)
        elif isinstance(named, GraphQLEnumType):
            leaf = self._enums[named.name]
            self.read_enums[named.name] = None
        else:
            inner = f"{path}{pascal(one.key)}"
            leaf = self.object(named, one.selections, inner, _within(where, one.key))
        is_nullable = one.is_conditional or not isinstance(one.type, GraphQLNonNull)
        annotation = nullable(one.type, leaf) if is_nullable else annotated(one.type, leaf)
        wanted = snake(one.key)
        attribute = attributes.take(wanted, f"{wanted}_")
        default = "None" if is_nullable else ""
        return FieldCode(attribute, one.key, annotation, default, one.description)


def _within(where: str, key: str) -> str:
    """Return the place of a field: "`catalog.edges` of the query Catalog"."""
    path, mark, operation = where.rpartition("` of ")
    return f"{path}.{key}{mark}{operation}" if mark else f"`{key}` of {where}"


def annotated(kind: GraphQLOutputType, leaf: str) -> str:
    """Return the annotation of a type in a response."""
    if isinstance(kind, GraphQLNonNull):
        return _bare(kind.of_type, leaf)
    return nullable(kind, leaf)


def nullable(kind: GraphQLOutputType, leaf: str) -> str:
    """Return the annotation of a type in a response that may be null or absent."""
    bare = _bare(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, leaf)
    return bare if bare in {"Any", "None"} else f"{bare} | None"


def _bare(kind: GraphQLOutputType, leaf: str) -> str:
    if isinstance(kind, GraphQLList):
        return f"tuple[{annotated(kind.of_type, leaf)}, ...]"
    return leaf


def _always(selections: Sequence[Selection]) -> SelectionSetNode:
    """Return a selection set that is always part of the response, the first if none is."""
    always = [one.node for one in selections if not one.is_conditional]
    return always[0] if always else selections[0].node
