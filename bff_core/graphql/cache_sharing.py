"""`public=` and `per_tenant=` of a GraphQL face: the root fields whose answers viewers share."""

from collections.abc import Collection, Iterable

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

from bff_core.answer_cacheability import PER_TENANT, PER_VIEWER, PUBLIC, Sharing
from bff_core.errors import ConfigurationError
from bff_core.graphql.field_rules import selected_fields


class SharedFields:
    """The root fields whose answers viewers may share; others are cached per viewer."""

    def __init__(
        self, schema: GraphQLSchema, *, public: Collection[str], per_tenant: Collection[str]
    ) -> None:
        root = schema.query_type
        fields = {} if root is None else root.fields
        self._sharing: dict[str, Sharing] = {"__typename": PUBLIC}
        self._add(fields, "public", public, PUBLIC)
        self._add(fields, "per_tenant", per_tenant, PER_TENANT)

    def _add(
        self, fields: Iterable[str], option: str, names: Collection[str], sharing: Sharing
    ) -> None:
        if isinstance(names, str):
            raise ConfigurationError(f"GraphQL({option}={names!r}): give a list of field names")
        for name in names:
            if name not in fields:
                raise ConfigurationError(
                    f"GraphQL({option}=[{name!r}]): the query type has no such field"
                )
            if name in self._sharing:
                raise ConfigurationError(f"GraphQL({option}=[{name!r}]): it is declared twice")
            self._sharing[name] = sharing

    def of_field(self, name: str) -> Sharing:
        """Return which viewers may share the answer to a root field of the query."""
        return self._sharing.get(name, PER_VIEWER)

    def sharing(self, document: DocumentNode, operation: OperationDefinitionNode) -> Sharing:
        """Return which viewers all root fields of an operation allow to share its answer."""
        narrowest: Sharing = PUBLIC
        for node in selected_fields(document, operation):
            narrowest = max(narrowest, self.of_field(node.name.value))
        return narrowest
