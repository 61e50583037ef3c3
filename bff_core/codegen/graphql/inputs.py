"""Plans the classes of variables: input objects and enums, those that documents use."""

from collections.abc import Iterator, Mapping

from bff_core.codegen.graphql.code import ClassCode, EnumCode, FieldCode, MemberCode, VariableCode
from bff_core.codegen.graphql.results import HIDING
from bff_core.codegen.graphql.scalars import Scalars
from bff_core.codegen.names import UniqueNames, constant, snake
from bff_core.extras import needs

with needs("graphql", "generating the operations of a GraphQL service"):
    from graphql import (
        GraphQLEnumType,
        GraphQLInputObjectType,
        GraphQLInputType,
        GraphQLList,
        GraphQLNonNull,
        GraphQLScalarType,
        GraphQLSchema,
        OperationDefinitionNode,
        Undefined,
        type_from_ast,
    )

UNRECOGNIZED = "UNRECOGNIZED"


class InputTypes:
    """The input objects and the enums that variables use."""

    def __init__(self, schema: GraphQLSchema, scalars: Scalars, names: Mapping[str, str]) -> None:
        self.classes: list[ClassCode] = []
        self._schema = schema
        self._scalars = scalars
        self._names = names
        self._made: set[str] = set()
        self.enums: dict[str, None] = {}

    def variables(
        self, operation: OperationDefinitionNode, parameters: UniqueNames
    ) -> Iterator[VariableCode]:
        """Yield the variables of an operation, those that are required first."""
        found = []
        for one in operation.variable_definitions or ():
            kind = type_from_ast(self._schema, one.type)
            if kind is None:  # validated before
                continue
            name = one.variable.name.value
            is_required = isinstance(kind, GraphQLNonNull) and one.default_value is None
            annotation = self.annotation(kind)  # type: ignore[arg-type]  # an input type
            if not is_required:
                annotation = _or_unset(annotation)
            wanted = snake(name)
            parameter = parameters.take(wanted, f"{wanted}_")
            found.append(VariableCode(parameter, name, annotation, is_required))
        yield from sorted(found, key=lambda one: not one.is_required)

    def annotation(self, kind: GraphQLInputType) -> str:
        """Return the annotation of a value that is sent."""
        if isinstance(kind, GraphQLNonNull):
            return self._bare(kind.of_type)
        bare = self._bare(kind)
        return bare if bare == "object" else f"{bare} | None"

    def _bare(self, kind: GraphQLInputType) -> str:
        if isinstance(kind, GraphQLList):
            return f"Sequence[{self.annotation(kind.of_type)}]"
        if isinstance(kind, GraphQLScalarType):
            return self._scalars.sent(kind)
        if isinstance(kind, GraphQLEnumType):
            self.enums[kind.name] = None
        if isinstance(kind, GraphQLInputObjectType):
            self._class(kind)
        return self._names[kind.name]  # type: ignore[union-attr]  # an enum or an input object

    def _class(self, kind: GraphQLInputObjectType) -> None:
        if kind.name in self._made:
            return
        self._made.add(kind.name)
        text = kind.description or f"An input object {kind.name} of the schema."
        made = ClassCode(self._names[kind.name], text, is_input=True)
        self.classes.append(made)
        attributes = UniqueNames(HIDING)
        for name, one in kind.fields.items():
            is_required = isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined
            annotation = self.annotation(one.type)
            if not is_required:
                annotation = _or_unset(annotation)
            wanted = snake(name)
            attribute = attributes.take(wanted, f"{wanted}_")
            default = "" if is_required else "UNSET"
            made.fields.append(
                FieldCode(attribute, name, annotation, default, one.description or "")
            )


def _or_unset(annotation: str) -> str:
    """Return the annotation of a value that may be left out; None comes last."""
    bare = annotation.removesuffix(" | None")
    return f"{bare} | UnsetType | None" if bare != annotation else f"{bare} | UnsetType"


def enum_of(kind: GraphQLEnumType, name: str, *, is_read: bool) -> EnumCode:
    """Return the code of an enum; its members have the names that the schema has, as constants."""
    names = UniqueNames({UNRECOGNIZED, "mro"})
    members = [
        MemberCode(names.take(constant(value)), value, one.description or "")
        for value, one in kind.values.items()
    ]
    text = kind.description or f"An enum {kind.name} of the schema."
    return EnumCode(name, text, members, is_read)
