"""`GraphQL`: serves a Strawberry schema over HTTP, as one face of a gateway."""

from collections.abc import Collection, Iterable, Iterator
from functools import cache, partial

import strawberry
from fastapi import FastAPI
from graphql import DocumentNode, OperationDefinitionNode
from starlette.routing import Route

from bff_core.answer_cacheability import Sharing
from bff_core.auth.access import ANYONE
from bff_core.compat.strawberry import graphql_schema, with_graphql_schema
from bff_core.composition.composition import Composition
from bff_core.edge.shedding.criticality import criticality as ranked
from bff_core.errors import ConfigurationError
from bff_core.graphql.access import access_rules, guard_fields
from bff_core.graphql.cache_sharing import SharedFields
from bff_core.graphql.direct_resolvers import resolve_directly
from bff_core.graphql.finite_numbers import refuse_infinite
from bff_core.graphql.http_handler import GraphQLView, MakeViewCache
from bff_core.graphql.idempotency import name_writes
from bff_core.graphql.mutation_reads import read_after_writes
from bff_core.graphql.null_errors import add_null_errors
from bff_core.graphql.query_limits import QueryLimits
from bff_core.graphql.schema import check_fields, schema_hash, screens_of
from bff_core.graphql.schema_copy import copy_schema
from bff_core.graphql.served_fields import served_fields
from bff_core.keywords import checks_keywords
from bff_core.policy.edge.shedding import DEFAULT_CRITICALITY, Criticality
from bff_core.routing.access import RouteAccess, guarded
from bff_core.routing.fast_path import FastPath
from bff_core.routing.route_table import READS_ONLY
from bff_core.view_cache.cache import ViewCache


@checks_keywords
class GraphQL:
    """Serves a schema over HTTP; `gateway(..., faces=[GraphQL(schema)])` mounts it.

        @strawberry.type
        class Query:
            @strawberry.field
            def product(self, info: Info, id: strawberry.ID) -> WebProduct:
                return WebProduct(page=info.context.compose(ProductPage, product_id=id))

    POST takes application/json; GET takes queries only. Resolvers build compositions with
    `info.context.compose(...)`. Compositions are shared within a request and closed at its end, and
    only the parts of selected fields run. `extensions.parts` and the header `Part-Status` report
    how each part ended. A field that is null because its part failed has an error at its path.
    Every error has `extensions.code`; unexpected errors are masked, and emitted as events.

    `introspection` is off in production unless it is set; without it, validation errors suggest no
    names. The answer to a GET is cached per viewer if everything that it depends on is cacheable;
    `cache=False` disables that. All viewers share the answer to a query whose root fields are all
    in `public`. Viewers of a tenant share an answer whose root fields are in `public` or
    `per_tenant`. An answer that depends on a viewer, or on a reply that is a viewer's, is not
    shared. `criticality` decides which requests are rejected first under overload. Batches, uploads
    and subscriptions are not served. The face serves a copy of `schema` and does not change it.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        path: str = "/graphql",
        *,
        limits: QueryLimits | None = None,
        introspection: bool | None = None,
        criticality: Criticality = DEFAULT_CRITICALITY,
        cache: bool = True,
        public: Collection[str] = (),
        per_tenant: Collection[str] = (),
    ) -> None:
        if not isinstance(schema, strawberry.Schema):
            raise ConfigurationError("GraphQL(...) takes a strawberry.Schema(query=Query)")
        if not isinstance(path, str) or not path.startswith("/"):
            raise ConfigurationError(
                f"GraphQL(path={path!r}): a path starts with a slash: /graphql"
            )
        if limits is not None and not isinstance(limits, QueryLimits):
            raise ConfigurationError(
                "GraphQL(limits=...) bounds queries: give QueryLimits(...) of bff_core.graphql; "
                "how often callers send them is gateway(..., limits=[Limit(...)])"
            )
        if introspection is not None and not isinstance(introspection, bool):
            raise ConfigurationError(
                f"GraphQL(introspection={introspection!r}): give True or False"
            )
        check_fields(schema)
        self.schema = schema
        self.path = path
        self.limits = limits or QueryLimits()
        self.introspection = introspection
        self._rank = ranked(criticality)
        self._is_cached = cache
        self._shared = SharedFields(graphql_schema(schema), public=public, per_tenant=per_tenant)

    def sharing_of(self, field: str) -> Sharing | None:
        """Return which viewers may share the answer to a root field; None if none is cached."""
        return self._shared.of_field(field) if self._is_cached else None

    @property
    def compositions(self) -> Iterable[type[Composition]]:
        """The compositions that types hold, and those of `part()` and `screen()`."""
        return screens_of(self.schema)

    def install(self, app: FastAPI, fast_path: FastPath, *, is_development: bool) -> None:
        """Add the face to an app; a gateway calls it."""
        served = copy_schema(graphql_schema(self.schema))
        add_null_errors(served)
        resolve_directly(served, self.schema)
        name_writes(served)
        read_after_writes(served)
        guard_fields(served)
        refuse_infinite(served)
        view = GraphQLView(
            with_graphql_schema(self.schema, served),
            self.limits,
            with_introspection=is_development if self.introspection is None else self.introspection,
            with_timing=is_development,
            make_view_cache=self._view_caches(app.title),
        )
        guarded(view, ANYONE, has_inner_rules=True)  # of its fields, one by one
        setattr(view, READS_ONLY, served.mutation_type is None)
        app.router.routes.append(Route(self.path, self._rank(view), methods=["GET", "POST"]))
        fast_path.add(view, self.path, view)

    def access(self, by: tuple[str, ...]) -> Iterator[RouteAccess]:
        """Yield the access rules of the fields."""
        return access_rules(graphql_schema(self.schema), self.path, by)

    def fields(self) -> Iterator[tuple[str, str, str]]:
        """Yield the fields of query and mutation: label, screen and objective, or empty texts."""
        return served_fields(graphql_schema(self.schema))

    def _view_caches(self, gateway: str) -> MakeViewCache:
        shape = cache(partial(schema_hash, self.schema))

        def make(document: DocumentNode, operation: OperationDefinitionNode) -> ViewCache:
            declared = self._shared.sharing(document, operation)
            name = f"GET {self.path}"
            return ViewCache(gateway, name, shape, enabled=self._is_cached, declared=declared)

        return make
