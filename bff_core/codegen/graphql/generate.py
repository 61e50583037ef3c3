"""`generate`: from a schema and documents to the modules of a service's package."""

import re
from collections.abc import Iterator, Mapping

from bff_core.codegen.graphql.code import ClassCode, MethodCode
from bff_core.codegen.graphql.connections import Recognition
from bff_core.codegen.graphql.documents import Definitions, definitions_of, place_of
from bff_core.codegen.graphql.inputs import InputTypes, enum_of
from bff_core.codegen.graphql.models_source import models_source
from bff_core.codegen.graphql.operations_source import LOCALS, operations_source
from bff_core.codegen.graphql.options import GeneratedGraphQL, GraphQLOptions
from bff_core.codegen.graphql.results import Results
from bff_core.codegen.graphql.scalars import Scalars
from bff_core.codegen.graphql.selections import TYPENAME, Selection, Selections
from bff_core.codegen.graphql.starter import FILE, starter
from bff_core.codegen.names import UniqueNames, constant, pascal, snake
from bff_core.contracts.graphql.load import schema_of
from bff_core.errors import ConfigurationError
from bff_core.extras import needs
from bff_core.upstream.graphql.client import GraphQLUpstream

with needs("graphql", "generating the operations of a GraphQL service"):
    from graphql import (
        FieldNode,
        FragmentDefinitionNode,
        GraphQLEnumType,
        GraphQLInputObjectType,
        GraphQLSchema,
        NameNode,
        Node,
        OperationDefinitionNode,
        SelectionSetNode,
        TypeInfo,
        TypeInfoVisitor,
        Visitor,
        print_ast,
        visit,
    )

RESERVED_CLASSES = frozenset(
    {"Any", "AsyncIterator", "Decimal", "Final", "GraphQLUpstream", "Mapping", "Self", "Sequence"}
    | {"StrEnum", "Struct", "TypeAlias", "UUID", "UNSET", "UnsetType"}
)
"""Names that the generated modules use themselves."""

TAKEN_METHODS = frozenset(dir(GraphQLUpstream))


def generate(sdl: str, documents: Mapping[str, str], options: GraphQLOptions) -> GeneratedGraphQL:
    """Return `operations.py` and `models.py` for the operations of documents.

    `documents` are the texts of the user's files by their path in the package, such as
    "operations/product.graphql". Without documents the result has a starter, and the operations of
    that starter. Raises `ConfigurationError` with all mistakes, each as file:line:column.
    """
    if not options.service.isidentifier():
        raise ConfigurationError(f"{options.service!r} is no name of a class")
    schema = schema_of(sdl, options.schema)
    starters: dict[str, str] = {}
    if not documents and (text := starter(schema)):
        starters = {FILE: text}
    definitions = definitions_of(schema, documents or starters)
    return _Generation(schema, definitions, options).generated(starters)


class _Generation:
    """One run: names are given out in the order of the schema and of the documents."""

    def __init__(
        self, schema: GraphQLSchema, definitions: Definitions, options: GraphQLOptions
    ) -> None:
        self._schema = schema
        self._definitions = definitions
        self._options = options
        self._scalars = Scalars({**definitions.scalars, **options.scalars})
        names = UniqueNames({*RESERVED_CLASSES, f"{options.service}Operations"})
        self._named = {
            name: names.take(pascal(name))
            for name, kind in schema.type_map.items()
            if isinstance(kind, GraphQLEnumType | GraphQLInputObjectType) and name[:2] != "__"
        }
        self._introspection = {
            name: names.take(pascal(name))
            for name, kind in schema.type_map.items()
            if isinstance(kind, GraphQLEnumType) and name[:2] == "__"
        }
        self._inputs = InputTypes(schema, self._scalars, self._named)
        selections = Selections(schema, definitions.fragments)
        enums = {**self._named, **self._introspection}
        self._results = Results(selections, self._scalars, enums, names)

    def generated(self, starters: Mapping[str, str]) -> GeneratedGraphQL:
        """Return the files, and what the user should know."""
        for name in self._definitions.fragments:
            self._results.fragment(name)
        names, constants = UniqueNames(TAKEN_METHODS), UniqueNames(RESERVED_CLASSES)
        planned = [self._planned(one, names, constants) for one in self._definitions.operations]
        recognition = Recognition(self._results, self._definitions.fragments)
        methods = [self._recognized(recognition, node, code) for node, code in planned]
        classes = [*self._inputs.classes, *self._results.classes]
        files = {
            "models.py": self._models(classes),
            "operations.py": self._operations(methods, classes),
        }
        notes = (*self._scalars.notes, *self._deprecations())
        return GeneratedGraphQL(files, dict(starters), tuple(dict.fromkeys(notes)))

    def _planned(
        self, node: OperationDefinitionNode, names: UniqueNames, constants: UniqueNames
    ) -> tuple[OperationDefinitionNode, MethodCode]:
        name = node.name.value if node.name else ""
        root = self._schema.get_root_type(node.operation)
        if root is None:
            raise ConfigurationError(f"{place_of(node)}: the schema has no {node.operation.value}")
        selection = Selection(node.selection_set)
        where = f"the {node.operation.value} {name}"
        path = pascal(name)
        data = self._results.object(root, [selection], f"{path}Data", where, prefix=path)
        variables = tuple(self._inputs.variables(node, UniqueNames(LOCALS)))
        wanted = snake(name)
        code = MethodCode(
            method=names.take(wanted, f"{wanted}_"),
            constant=constants.take(constant(name)),
            kind=node.operation.value,
            name=name,
            document=self._document(node),
            data=data,
            description=self._description(node, selection),
            variables=variables,
        )
        return node, code

    def _recognized(
        self, recognition: Recognition, node: OperationDefinitionNode, code: MethodCode
    ) -> MethodCode:
        if code.kind != "query":
            return code
        page = recognition.page(node, code.data, code.variables)
        batch = recognition.batch(node, code.data, code.variables)
        return MethodCode(
            code.method, code.constant, code.kind, code.name, code.document, code.data,
            code.description, code.variables, page, batch,
        )  # fmt: skip

    def _description(self, node: OperationDefinitionNode, selection: Selection) -> str:
        """Return the description of the operation's only field; empty if it has several."""
        root = self._schema.get_root_type(node.operation)
        if root is None:
            return ""
        fields = self._results.selections.fields(root, [selection])
        return next(iter(fields.values())).description if len(fields) == 1 else ""

    def _document(self, operation: OperationDefinitionNode) -> str:
        """Return the text that is sent: the operation, and the fragments that it uses."""
        used: dict[str, FragmentDefinitionNode] = {}
        self._add_fragments(operation, used)
        nodes: list[Node] = [operation, *(used[name] for name in sorted(used))]
        typed = [visit(node, _TypeNames(self._results.typed)) for node in nodes]
        return "\n\n".join(print_ast(node) for node in typed) + "\n"

    def _add_fragments(self, node: Node, used: dict[str, FragmentDefinitionNode]) -> None:
        for name in re.findall(r"\.\.\.\s*(?!on\b)(\w+)", _without_strings(print_ast(node))):
            fragment = self._definitions.fragments.get(name)
            if fragment is not None and name not in used:
                used[name] = fragment
                self._add_fragments(fragment, used)

    def _models(self, classes: list[ClassCode]) -> str:
        read = self._results.read_enums
        enums = []
        for name in {**self._inputs.enums, **read}:
            kind = self._schema.type_map[name]
            if isinstance(kind, GraphQLEnumType):
                own = self._named.get(name) or self._introspection[name]
                enums.append(enum_of(kind, own, is_read=name in read))
        title = f"The types of {self._options.service}, a GraphQL service."
        scalars = list(self._scalars.given.values())
        return models_source(
            enums, classes, self._results.aliases, scalars, top=self._top, title=title
        )

    def _operations(self, methods: list[MethodCode], classes: list[ClassCode]) -> str:
        names = {one.name for one in classes} | {one.name for one in self._results.aliases}
        names |= set(self._named.values()) | set(self._introspection.values())
        return operations_source(
            f"{self._options.service}Operations",
            methods,
            sorted(names),
            list(self._scalars.given.values()),
            top=self._top,
            title=f"The operations of {self._options.service}, a GraphQL service.",
        )

    @property
    def _top(self) -> str:
        return (
            f"# Generated by bff add service from {self._options.schema}. "
            "Changes are lost: edit operations/*.graphql."
        )

    def _deprecations(self) -> Iterator[str]:
        """Yield a note for each deprecated field that documents read."""
        nodes = [*self._definitions.operations, *self._definitions.fragments.values()]
        for node in nodes:
            info = TypeInfo(self._schema)
            found = _Deprecated(info)
            visit(node, TypeInfoVisitor(info, found))
            yield from found.notes


class _TypeNames(Visitor):
    """Adds `__typename` to the selection sets of unions."""

    def __init__(self, typed: set[int]) -> None:
        super().__init__()
        self._typed = typed

    def enter_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode | None:
        """Return the selection set with the name of the type, if it needs it."""
        if id(node) not in self._typed:
            return None
        name = FieldNode(name=NameNode(value=TYPENAME))
        return SelectionSetNode(selections=(name, *node.selections))


class _Deprecated(Visitor):
    """Collects the deprecated fields of a document."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.notes: list[str] = []

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Note a field that is deprecated."""
        field, parent = self._info.get_field_def(), self._info.get_parent_type()
        if field is not None and parent is not None and field.deprecation_reason:
            reason = " ".join(field.deprecation_reason.split())[:200]
            self.notes.append(
                f"{place_of(node)}: {parent.name}.{node.name.value} is deprecated: {reason}"
            )


def _without_strings(text: str) -> str:
    return re.sub(r'"""(?:\\"""|(?!""").)*"""|"(?:\\.|[^"\\\n])*"', '""', text, flags=re.DOTALL)
