"""Query texts become checked documents, once per text."""

from collections import OrderedDict
from dataclasses import dataclass, field

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule
from strawberry.extensions import AddValidationRules
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from bff_core.edge.kept import Keeper
from bff_core.errors import BFFError
from bff_core.graphql.field_rules import FieldRule
from bff_core.graphql.limits import Limits, check_extent, check_length
from bff_core.graphql.schema import graphql_schema

UNPARSED = "query_not_parsed"

CACHED_CHARACTERS = 250_000
"""How much query text is remembered; a document weighs some hundred bytes per character."""


class RequestRefused(BFFError):
    """A request that is not executed, with what GraphQL tells of it (its "request errors")."""

    status = 400

    def __init__(self, code: str, *errors: GraphQLError) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Document:
    """A query that fits the schema and the limits; `keepers` look after its operations' answers."""

    text: str
    node: DocumentNode
    keepers: dict[str | None, Keeper] = field(default_factory=dict, compare=False)
    rules: dict[str | None, tuple[FieldRule, ...]] = field(default_factory=dict, compare=False)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation to execute; raise `RequestRefused` where it is not clear which."""
        found = [
            one
            for one in self.node.definitions
            if isinstance(one, OperationDefinitionNode)
            and (name is None or (one.name is not None and one.name.value == name))
        ]
        if len(found) == 1:
            return found[0]
        if name is not None:
            message = f"The query has no operation {name!r}."
        else:
            message = "The query has several operations, or none: name one as operationName."
        raise RequestRefused("operation_not_found", GraphQLError(message))


class Documents:
    """Parses and validates, and remembers what is valid: the least recently used goes first.

    What is invalid is not remembered, so that a flood of nonsense does not displace anything.
    """

    def __init__(
        self, schema: strawberry.Schema, limits: Limits, *, with_introspection: bool
    ) -> None:
        self._schema = graphql_schema(schema)
        self._limits = limits
        self._hides_names = not with_introspection
        self._rules = _rules(schema, with_introspection=with_introspection)
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0

    def find(self, query: str) -> Document:
        """Return the document of a query text; raise `RequestRefused` for one that is none."""
        known = self._known.get(query)
        if known is not None:
            self._known.move_to_end(query)
            return known
        document = Document(query, self._validated(self._parsed(query)))
        self._remember(document)
        return document

    def _parsed(self, query: str) -> DocumentNode:
        try:
            check_length(query, self._limits)
            document = parse(query, max_tokens=self._limits.tokens)
            check_extent(document, self._limits)
        except GraphQLError as error:
            # The parser has no type of its own for a document with too many tokens.
            code = "query_too_large" if "tokens. Parsing aborted" in error.message else UNPARSED
            raise RequestRefused(code, error) from error
        except RecursionError as error:
            raise RequestRefused("query_too_large", GraphQLError("Nested too deeply.")) from error
        return document

    def _validated(self, document: DocumentNode) -> DocumentNode:
        errors = validate(self._schema, document, self._rules, hide_suggestions=self._hides_names)
        if errors:
            raise RequestRefused("query_not_valid", *errors)
        return document

    def _remember(self, document: Document) -> None:
        self._known[document.text] = document
        self._characters += len(document.text)
        while self._characters > CACHED_CHARACTERS:
            forgotten, _ = self._known.popitem(last=False)
            self._characters -= len(forgotten)


def _rules(
    schema: strawberry.Schema, *, with_introspection: bool
) -> tuple[type[ASTValidationRule], ...]:
    """Return the specification's rules, Strawberry's own and those of the schema's extensions."""
    added = [
        rule
        for extension in schema.get_extensions()
        if isinstance(extension, AddValidationRules)
        for rule in extension.validation_rules
    ]
    hidden = () if with_introspection else (NoSchemaIntrospectionCustomRule,)
    own = (MaybeNullValidationRule, OneOfInputValidationRule)
    return (*specified_rules, *own, *added, *hidden)
