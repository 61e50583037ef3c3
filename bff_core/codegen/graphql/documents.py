"""Parses the user's documents and checks them against the schema, all mistakes at once."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bff_core.codegen.names import snake
from bff_core.errors import ConfigurationError
from bff_core.extras import needs

with needs("graphql", "generating the operations of a GraphQL service"):
    from graphql import (
        DirectiveNode,
        DocumentNode,
        FragmentDefinitionNode,
        GraphQLError,
        GraphQLSchema,
        LoneAnonymousOperationRule,
        Node,
        NoUnusedFragmentsRule,
        OperationDefinitionNode,
        OperationType,
        Source,
        UniqueOperationNamesRule,
        Visitor,
        parse,
        print_ast,
        specified_rules,
        validate,
        visit,
    )

RULES = tuple(
    rule
    for rule in specified_rules
    if rule not in {LoneAnonymousOperationRule, NoUnusedFragmentsRule, UniqueOperationNamesRule}
)
"""The rules for documents; names are checked here, and a file of fragments may have unused ones."""

_scalar = re.compile(
    r"^[ \t]*#[ \t]*scalar[ \t]+(\w+)[ \t]*=[ \t]*(\S+)[ \t]*\r?$", re.MULTILINE
).findall


@dataclass(frozen=True, slots=True)
class Definitions:
    """The operations and the fragments of all documents, in the order of their files."""

    operations: tuple[OperationDefinitionNode, ...]
    fragments: Mapping[str, FragmentDefinitionNode]
    scalars: Mapping[str, str]
    """The types of scalars that comments declare: `# scalar Money = decimal.Decimal`."""


@dataclass(frozen=True, slots=True, order=True)
class _Fault:
    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


def definitions_of(schema: GraphQLSchema, documents: Mapping[str, str]) -> Definitions:
    """Return the definitions of documents; raise `ConfigurationError` with all faults."""
    faults: list[_Fault] = []
    parsed = []
    for file, text in sorted(documents.items()):
        try:
            parsed.append(parse(Source(text, file)))
        except GraphQLError as error:
            if not _is_empty(text):
                faults.append(_fault(error))
    whole = DocumentNode(definitions=tuple(one for each in parsed for one in each.definitions))
    faults += [_fault(error) for error in validate(schema, whole, RULES, max_errors=None)]
    operations = [one for one in whole.definitions if isinstance(one, OperationDefinitionNode)]
    faults += _faults_of_names(operations)
    faults += _unsupported(operations)
    streamed = _Streamed()
    visit(whole, streamed)
    faults += streamed.faults
    if faults:
        raise ConfigurationError("\n".join(map(str, sorted(set(faults)))))
    fragments = [one for one in whole.definitions if isinstance(one, FragmentDefinitionNode)]
    declared = (pair for text in documents.values() for pair in _scalar(text))
    named = {one.name.value: one for one in fragments}
    return Definitions(tuple(operations), named, dict(declared))


def place_of(node: Node) -> str:
    """Return where a node is: file:line:column."""
    location = node.loc
    if location is None:
        return ""
    return f"{location.source.name}:{location.start_token.line}:{location.start_token.column}"


class _Streamed(Visitor):
    """Collects directives whose response would come in several pieces."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[_Fault] = []

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        """Note a directive that is not supported."""
        if node.name.value in {"defer", "stream"}:
            text = f"@{node.name.value} is not supported: remove it, or split the query"
            self.faults.append(_at(node, text))


def _is_empty(text: str) -> bool:
    """Whether a document has nothing but comments."""
    return all(
        line.strip(" \t,\ufeff").startswith("#") for line in text.splitlines() if line.strip()
    )


def _fault(error: GraphQLError) -> _Fault:
    source = error.source
    if source is None and error.nodes and error.nodes[0].loc is not None:
        source = error.nodes[0].loc.source
    at = error.locations[0] if error.locations else None
    name = "the documents" if source is None else source.name
    return _Fault(name, at.line if at else 1, at.column if at else 1, error.message)


def _at(node: Node, text: str) -> _Fault:
    location = node.loc
    if location is None:
        return _Fault("the documents", 1, 1, text)
    token = location.start_token
    return _Fault(location.source.name, token.line, token.column, text)


def _faults_of_names(operations: Sequence[OperationDefinitionNode]) -> Iterator[_Fault]:
    by_name: dict[str, list[OperationDefinitionNode]] = defaultdict(list)
    for operation in operations:
        if operation.name is None:
            kind = operation.operation.value
            yield _at(
                operation,
                f"this {kind} has no name: write `{kind} SomeName {{ … }}`; the method is named "
                "after it",
            )
        else:
            by_name[snake(operation.name.value)].append(operation)
    for method, same in by_name.items():
        for one in same[1:]:
            first = place_of(same[0])
            name = one.name.value if one.name else ""
            yield _at(
                one,
                f"{name} would be the method {method}, as the operation at {first} is: rename one "
                "of them",
            )


def _unsupported(operations: Sequence[OperationDefinitionNode]) -> Iterator[_Fault]:
    for operation in operations:
        if operation.operation is OperationType.SUBSCRIPTION:
            yield _at(
                operation,
                "subscriptions can't be called: read the values with a query, or remove this one",
            )
        for variable in operation.variable_definitions or ():
            text = print_ast(variable.type)
            if text.strip("[]!") == "Upload":
                yield _at(
                    variable,
                    "uploads can't be sent: multipart requests of GraphQL are not supported; send "
                    "the file through a REST upstream",
                )
