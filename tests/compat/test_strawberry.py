"""What `bff_core/compat/strawberry.py` needs of Strawberry; each test is one promise."""

import asyncio
from typing import Annotated

import strawberry
from graphql import GraphQLSchema, NoSchemaIntrospectionCustomRule, parse
from strawberry.extensions import AddValidationRules, FieldExtension, SchemaExtension
from strawberry.schema_directive import Location

from bff_core.compat import strawberry as compat


@strawberry.schema_directive(locations=[Location.FIELD_DEFINITION])
class Weight:
    """A directive of a field."""

    value: int


@strawberry.type
class Query:
    """A root with a field that has a resolver, and one that has none."""

    plain: str = "attribute"

    @strawberry.field(directives=[Weight(value=3)])
    def product(self, info: strawberry.Info, product_id: int = 1, other: int = 2) -> str:
        """Return something."""
        return f"{product_id} {other} {info.schema is SCHEMA}"


SCHEMA = strawberry.Schema(
    query=Query, extensions=[lambda: AddValidationRules([NoSchemaIntrospectionCustomRule])]
)


def field(name):
    """Return a field of the root."""
    return compat.graphql_schema(SCHEMA).query_type.fields[name]


def test_a_schema_has_a_schema_of_graphql_core():
    """`Schema._schema` is the schema of graphql-core that is executed."""
    assert isinstance(compat.graphql_schema(SCHEMA), GraphQLSchema)


def test_a_field_knows_its_resolver():
    """The definition of a field has the author's function, or none."""
    assert compat.resolver_of(field("product")).__qualname__ == "Query.product"
    assert compat.resolver_of(field("plain")) is None


def test_a_type_knows_its_class():
    """The definition of a type has the author's class; a scalar has none."""
    types = compat.graphql_schema(SCHEMA).type_map

    assert compat.class_of(types["Query"]) is Query
    assert compat.class_of(types["String"]) is None
    assert compat.get_object_definition(Query) is not None
    assert compat.get_object_definition(int) is None


def test_a_field_has_the_python_names_of_its_arguments():
    """The definition of a field has the names of its arguments, in GraphQL and in Python."""
    assert dict(compat.argument_names(field("product"))) == {
        "productId": "product_id",
        "other": "other",
    }
    assert list(compat.argument_names(field("plain"))) == []


def test_a_field_has_its_directives():
    """The definition of a field has its schema directives."""
    assert [one.value for one in compat.directives_of(field("product"))] == [3]
    assert list(compat.directives_of(field("plain"))) == []


def test_the_rules_of_extensions_are_found():
    """`AddValidationRules.validation_rules` are the rules that a schema adds."""
    assert compat.added_rules(SCHEMA) == (NoSchemaIntrospectionCustomRule,)


async def test_another_schema_of_graphql_core_is_executed():
    """A copy with another `_schema` executes that one, and resolvers see the author's schema."""
    other = strawberry.Schema(query=Query)
    made = compat.with_graphql_schema(SCHEMA, compat.graphql_schema(other))

    result = await made.execute("{ product(productId: 4) }")

    assert result.data == {"product": "4 2 True"}
    assert compat.graphql_schema(SCHEMA) is not compat.graphql_schema(made)


async def test_an_extension_spares_parsing_and_validating():
    """With `graphql_document` set, the text is not parsed; errors of before are forgotten."""
    document, texts = parse("{ plain }"), []

    class Parsed(SchemaExtension):
        def on_operation(self):
            texts.append(self.execution_context.query)
            compat.skip_parsing(self, document)
            yield

    made = compat.with_extension(strawberry.Schema(query=Query), Parsed)

    result = await made.execute("no query at all", root_value=Query())

    assert (result.data, result.errors) == ({"plain": "attribute"}, None)
    assert texts == ["no query at all"]


async def test_errors_are_processed_by_a_method_of_the_schema():
    """`process_errors` is inherited unless an author overrides it, and is called on the copy."""
    errors_of = []
    made = compat.with_extension(strawberry.Schema(query=Query), SchemaExtension)
    made.process_errors = lambda errors, execution_context=None: errors_of.append(errors)

    await made.execute("{ nothing }")

    assert "process_errors" not in vars(strawberry.Schema)
    assert len(errors_of) == 1


@strawberry.input
class Wanted:
    """An input type."""

    text: str


@strawberry.type
class Leaf:
    """A type of a union."""

    name: str


@strawberry.type
class Other:
    """A type with fields of several kinds."""

    one: Annotated["Query", strawberry.lazy(__name__)]
    maybe: Annotated["Query", strawberry.lazy(__name__)] | None
    several: list[int | None]
    either: Annotated[Query | Leaf, strawberry.union("Either")] | None

    @strawberry.field
    def resolved(self) -> int:
        """Return a number."""
        return 1


def test_fields_without_a_resolver_have_types():
    """The definition of a type has its fields; they know whether they have a resolver."""
    assert [*compat.attribute_types(Other)] == ["one", "maybe", "several", "either"]
    assert compat.attribute_types(Query)["plain"] is str
    assert compat.attribute_types(int) == {}


def test_types_of_fields_can_be_taken_apart():
    """Optional types, lists, lazy types and unions are classes of Strawberry."""
    types = compat.attribute_types(Other)

    nullable = [name for name, kind in types.items() if compat.is_nullable(kind)]
    assert nullable == ["maybe", "either"]
    assert compat.non_null_type(types["one"]).__name__ == "Query"
    assert compat.non_null_type(types["maybe"]).__name__ == "Query"
    assert compat.non_null_type(compat.item_type(types["several"])) is int
    assert compat.item_type(types["one"]) is None
    assert compat.possible_types(compat.non_null_type(types["either"])) == (Query, Leaf)
    assert compat.possible_types(int) == (int,)


def test_input_types_are_known():
    """The definition of a class says whether it is an input type."""
    assert compat.is_input_class(Wanted)
    assert not compat.is_input_class(Query)
    assert not compat.is_input_class(int)


def test_arguments_have_metadata():
    """`strawberry.argument(...)` returns an object that has the name; names are in camel case."""
    assert isinstance(strawberry.argument(name="id"), compat.ArgumentMetadata)
    assert strawberry.argument(name="id").name == "id"
    assert compat.camel_case("product_id") == "productId"


def test_a_field_knows_its_attribute():
    """The definition of a field has its name in Python."""
    assert compat.python_name(field("product")) == "product"
    introspected = compat.graphql_schema(SCHEMA).type_map["__Schema"].fields["types"]
    assert compat.python_name(introspected) == ""


def test_extensions_of_a_field_are_found():
    """Extensions of a field, and exception handlers of a schema, decide with the resolver."""

    @strawberry.type
    class Extended:
        """A root with a field that has an extension."""

        @strawberry.field(extensions=[FieldExtension()])
        def extended(self) -> int:
            return 1

    schema = strawberry.Schema(query=Extended)
    extended = compat.graphql_schema(schema).query_type.fields["extended"]

    assert compat.is_plain(SCHEMA, field("product"))
    assert not compat.is_plain(schema, extended)
    assert schema.schema_converter.exception_handlers == ()


@strawberry.type
class Ordered:
    """A type whose fields take time."""

    @strawberry.field
    async def slow(self) -> int:
        await asyncio.sleep(0)
        ORDER.append("slow")
        return 1

    @strawberry.field
    def quick(self) -> int:
        ORDER.append("quick")
        return 2


ORDER: list[str] = []


async def test_fields_of_a_type_run_one_after_the_other():
    """`execution_context_class` is a class with `execute_fields` and `execute_fields_serially`."""

    @strawberry.type
    class Root:
        @strawberry.field
        def ordered(self) -> Ordered:
            return Ordered()

    made = compat.with_extension(strawberry.Schema(query=Root), SchemaExtension)
    await made.execute("{ ordered { slow quick } }")
    compat.execute_serially(made, frozenset({"Ordered"}))
    result = await made.execute("{ ordered { slow quick } }")

    assert result.data == {"ordered": {"slow": 1, "quick": 2}}
    assert ORDER == ["quick", "slow", "slow", "quick"]
