"""Types that are shared, recursive or large: where their changes are reported."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.contracts.change import Change
from bff_core.contracts.changes import affected, change_location, openapi_changes
from bff_core.contracts.changes.reached import MAX_PLACES, DifferencePlaces
from bff_core.contracts.changes.rules import OPENAPI_RULES
from bff_core.contracts.changes.schemas import SchemaComparison
from bff_core.contracts.document import (
    Body,
    Content,
    Document,
    HttpOperation,
    HttpParameter,
    NamedType,
    Response,
)
from bff_core.contracts.types import (
    Anything,
    Array,
    Discriminator,
    Enum,
    Field,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Union,
)
from bff_core.contracts.usage import OperationUse
from tests.contracts.changes.cases import CASES

TEXT, INTEGER, NUMBER = Scalar("string"), Scalar("integer"), Scalar("number")


def content(of):
    """Return a body of JSON."""
    return (Content("application/json", of),)


def returning(of, types=None, *, sends=None, parameters=(), headers=()):
    """Return a document of one operation that returns a type."""
    operation = HttpOperation(
        "GET",
        "/it",
        parameters=parameters,
        body=Body(content(sends)) if sends else None,
        responses=(Response("200", contents=content(of), headers=headers),),
    )
    named = {name: NamedType(name, one) for name, one in (types or {}).items()}
    return Document("It", "1", "3.1.0", operations=(operation,), types=named)


def response_rules(before, after):
    """Return the rules of the changes of a type that is returned."""
    return {one.rule for one in openapi_changes(returning(before), returning(after))}


def request_rules(before, after):
    """Return the rules of the changes of a type that is sent."""
    old, new = returning(TEXT, sends=before), returning(TEXT, sends=after)
    return {one.rule for one in openapi_changes(old, new)}


def required(**types):
    """Return an object with required properties."""
    return ObjectType(tuple(Field(name, one, is_required=True) for name, one in types.items()))


def test_a_recursive_type_is_reported_once_with_its_loop():
    """A category has categories; its name is gone at every depth."""
    before = {"Category": required(name=TEXT, children=Array(Ref("Category")))}
    after = {"Category": required(children=Array(Ref("Category")))}
    root = required(top=Ref("Category"))

    changes = openapi_changes(returning(root, before), returning(root, after))

    assert changes == [
        Change(
            "response-property-removed",
            "breaking",
            "the property name was removed",
            "GET /it",
            "response",
            ("top", "name"),
            "200",
            loops=((1, ("children", "[]")),),
        )
    ]


def test_types_that_contain_each_other_are_reported_at_the_shortest_paths():
    """A pet has an owner who has pets: the way back may have any fields."""
    pet = required(name=TEXT, owner=Ref("Owner"))
    before = {"Pet": pet, "Owner": required(pets=Array(Ref("Pet")), phone=TEXT)}
    after = {"Pet": pet, "Owner": required(pets=Array(Ref("Pet")))}

    [change] = openapi_changes(returning(Ref("Pet"), before), returning(Ref("Pet"), after))

    assert change.field == ("owner", "phone")
    assert change.loops == ((0, ("owner", "**")),)


def test_a_shared_type_is_reported_at_each_field_that_has_it():
    """Buyer and seller are people; both lose their phone."""
    root = required(buyer=Ref("Person"), seller=Ref("Person"))
    before = {"Person": required(name=TEXT, phone=TEXT)}
    after = {"Person": required(name=TEXT)}

    changes = openapi_changes(returning(root, before), returning(root, after))

    assert [one.field for one in changes] == [("buyer", "phone"), ("seller", "phone")]


def test_many_places_of_a_type_are_listed_up_to_a_bound():
    """Types that multiply their places do not multiply the report."""
    names = [f"T{number}" for number in range(12)]
    types = {
        above: required(a=Ref(below), b=Ref(below), c=Ref(below))
        for above, below in pairwise(names)
    }
    before = types | {names[-1]: required(end=TEXT)}
    after = types | {names[-1]: required(end=INTEGER)}

    changes = openapi_changes(returning(Ref("T0"), before), returning(Ref("T0"), after))

    assert 1 <= len(changes) <= MAX_PLACES
    assert changes[0].loops == ((0, ("**",)),)
    assert all(one.loops == () for one in changes[1:])


def test_a_type_is_compared_with_its_successor_whatever_it_is_called():
    """A renamed type is no change; that of a field in it is one."""
    before = returning(Ref("Pet"), {"Pet": required(name=TEXT, age=INTEGER)})
    same = returning(Ref("Animal"), {"Animal": required(name=TEXT, age=INTEGER)})
    inline = returning(required(name=TEXT, age=TEXT))

    assert openapi_changes(before, same) == []
    assert [one.field for one in openapi_changes(before, inline)] == [("age",)]


TYPE_PAIRS = [
    (INTEGER, NUMBER, "type-changed", "type-widened"),
    (NUMBER, INTEGER, "type-narrowed", "type-changed"),
    (TEXT, INTEGER, "type-changed", "type-changed"),
    (TEXT, Anything(), "type-changed", "type-widened"),
    (Anything(), TEXT, "type-narrowed", "type-changed"),
    (TEXT, Nullable(TEXT), "became-nullable", "became-nullable"),
    (Nullable(TEXT), TEXT, "became-not-nullable", "became-not-nullable"),
    (Array(TEXT), TEXT, "type-changed", "type-changed"),
    (Array(TEXT), Array(INTEGER), "type-changed", "type-changed"),
    (Map(TEXT), Map(INTEGER), "type-changed", "type-changed"),
    (Map(Anything()), ObjectType(), None, None),
    (ObjectType(), Map(TEXT), "type-narrowed", "type-changed"),
    (Tuple((TEXT, INTEGER)), Tuple((TEXT, NUMBER)), "type-changed", "type-widened"),
    (Tuple((TEXT,)), Tuple((TEXT, TEXT)), "type-changed", "type-changed"),
    (Tuple((TEXT,)), Array(TEXT), "type-changed", "type-changed"),
    (Enum((1, 2)), Enum((1, 2, 3)), "enum-value-added", "enum-value-added"),
    (Enum((1,)), Enum((True,)), "type-changed", "type-changed"),
    (Enum((2, 1)), Enum((2, True, 1)), "enum-value-added", "enum-value-added"),
    (Enum(("a",)), Enum((1,)), "type-changed", "type-changed"),
    (Enum(("a",)), TEXT, "enum-opened", "enum-opened"),
    (TEXT, Enum(("a",)), "became-enum", "became-enum"),
    (TEXT, Enum((1,)), "type-changed", "type-changed"),
    (TEXT, Scalar("string", "uuid"), "format-narrowed", "format-changed"),
    (Scalar("string", "uuid"), TEXT, "format-changed", "format-widened"),
    (
        Scalar("integer", "int32"),
        Scalar("integer", "int64"),
        "format-changed",
        "format-widened",
    ),
    (
        Scalar("integer", "int64"),
        Scalar("integer", "int32"),
        "format-narrowed",
        "format-changed",
    ),
    (TEXT, Union((TEXT, INTEGER)), "union-option-added", "union-option-added"),
    (Union((TEXT, INTEGER)), INTEGER, "union-option-removed", "union-option-removed"),
    (Union((TEXT, INTEGER)), Union((INTEGER, TEXT)), None, None),
    (Union((TEXT, INTEGER)), Scalar("boolean"), "type-changed", "type-changed"),
    (
        ObjectType(is_closed=True),
        ObjectType(),
        "additional-properties-allowed",
        "additional-properties-allowed",
    ),
    (
        ObjectType(),
        ObjectType(is_closed=True),
        "additional-properties-forbidden",
        "additional-properties-forbidden",
    ),
]
"""Types before and after, and the rules in a response and in a request."""


@pytest.mark.parametrize(("before", "after", "in_response", "in_request"), TYPE_PAIRS)
def test_what_widens_a_response_narrows_a_request(before, after, in_response, in_request):
    """Each difference of types has the rule of its direction."""
    assert response_rules(before, after) == ({f"response-{in_response}"} if in_response else set())
    assert request_rules(before, after) == ({f"request-{in_request}"} if in_request else set())


LIMIT_PAIRS = [
    ({"minimum": 1}, {"minimum": 2}, "limit-narrowed"),
    ({"minimum": 2}, {"minimum": 1}, "limit-widened"),
    ({"exclusiveMaximum": 5}, {"exclusiveMaximum": 4.5}, "limit-narrowed"),
    ({"maxLength": 5}, {"maxLength": 9}, "limit-widened"),
    ({}, {"maxLength": 9}, "limit-added"),
    ({"maxLength": 9}, {}, "limit-removed"),
    ({}, {"minLength": 0}, None),
    ({"uniqueItems": False}, {}, None),
    ({}, {"uniqueItems": True}, "limit-added"),
    ({"multipleOf": 10}, {"multipleOf": 5}, "limit-widened"),
    ({"multipleOf": 5}, {"multipleOf": 10}, "limit-narrowed"),
    ({"multipleOf": 5}, {"multipleOf": 7}, "limit-narrowed"),
    ({"pattern": "a"}, {"pattern": "b"}, "pattern-changed"),
    ({"maximum": 1}, {"maximum": 1.0}, None),
]
"""Limits before and after, and the kind of change."""


@pytest.mark.parametrize(("before", "after", "kind"), LIMIT_PAIRS)
def test_limits_are_compared_by_what_they_allow(before, after, kind):
    """A greater minimum is closer, a greater maximum is wider."""
    old, new = Scalar("string", limits=before), Scalar("string", limits=after)

    assert request_rules(old, new) == ({f"request-{kind}"} if kind else set())


OPTIONAL, REQUIRED = ObjectType((Field("a", TEXT),)), required(a=TEXT)
NAMED = {"A": required(kind=TEXT, a=TEXT), "B": required(kind=TEXT, b=TEXT)}


def named_by(of, **mapping):
    """Return a union of the named types, with what names them."""
    return Union((Ref("A"), Ref("B")), Discriminator(of, mapping))


FIELD_PAIRS = [
    (ObjectType(), OPTIONAL),
    (ObjectType(), REQUIRED),
    (OPTIONAL, REQUIRED),
    (OPTIONAL, ObjectType((Field("a", TEXT, is_deprecated=True),))),
    (OPTIONAL, ObjectType((Field("a", TEXT, has_default=True, default="x"),))),
    (named_by("kind", a="A", b="B"), named_by("type", a="A", b="B")),
    (named_by("kind", a="A", b="B"), named_by("kind", a="B", b="A")),
    (named_by("kind", a="A", b="B"), named_by("kind", a="A", b="B", c="B")),
]
"""Objects and unions, each of which is compared in both directions."""


def everywhere(of):
    """Return a document that has a type in each place that a type can have."""
    parameter = HttpParameter("p", "query", of)
    header = HttpParameter("h", "header", of)
    return returning(of, NAMED, sends=of, parameters=(parameter,), headers=(header,))


def test_every_rule_is_found():
    """The table of rules has what is reported, and nothing else."""
    limits = [[Scalar("string", limits=one) for one in pair[:2]] for pair in LIMIT_PAIRS]
    pairs = [(*pair[:2],) for pair in TYPE_PAIRS] + limits + FIELD_PAIRS
    found = {
        change.rule
        for one, other in pairs
        for before, after in ((one, other), (other, one))
        for change in openapi_changes(everywhere(before), everywhere(after))
    }
    found |= set().union(*(case.rules for case in CASES))

    assert found | NEEDS_A_TEST_OF_ITS_OWN == set(OPENAPI_RULES)


NEEDS_A_TEST_OF_ITS_OWN = {
    "parameter-media-type-changed",
    "response-header-became-required",
    "response-header-deprecated",
}


def test_headers_and_parameters_have_rules_of_their_own():
    """A parameter that becomes JSON, a header that is always sent, one that will go."""
    json = HttpParameter("p", "query", TEXT, media_type="application/json")
    header = HttpParameter("h", "header", TEXT, is_required=True, is_deprecated=True)
    before = returning(
        TEXT,
        parameters=(HttpParameter("p", "query", TEXT),),
        headers=(HttpParameter("H", "header", TEXT),),
    )
    after = returning(TEXT, parameters=(json,), headers=(header,))

    found = {one.rule for one in openapi_changes(before, after)}

    assert found == NEEDS_A_TEST_OF_ITS_OWN


def test_a_parameter_that_becomes_a_text_accepts_what_it_did():
    """In an address everything is a text; a list of one value is that value."""

    def document(of):
        return returning(TEXT, parameters=(HttpParameter("a", "query", of),))

    def rules(before, after):
        return [one.rule for one in openapi_changes(document(before), document(after))]

    assert rules(INTEGER, TEXT) == ["parameter-type-widened"]
    assert rules(TEXT, Array(TEXT)) == ["parameter-type-widened"]
    assert rules(TEXT, INTEGER) == ["parameter-type-changed"]
    assert rules(Array(TEXT), TEXT) == ["parameter-type-changed"]


def test_options_of_a_union_are_matched_by_what_they_are():
    """An option that gains a property is the same option."""
    cat = required(kind=Enum(("cat",)), lives=INTEGER)
    dog = required(kind=Enum(("dog",)), lives=INTEGER)
    new_dog = required(kind=Enum(("dog",)), lives=TEXT, size=INTEGER)

    changes = openapi_changes(returning(Union((cat, dog))), returning(Union((new_dog, cat))))

    assert [(one.rule, one.field) for one in changes] == [
        ("response-type-changed", ("lives",)),
        ("response-property-added", ("size",)),
    ]


def test_options_with_other_constants_are_others():
    """A bird is no dog, though it has the same properties."""
    dog, bird = (required(kind=Enum((kind,)), lives=INTEGER) for kind in ("dog", "bird"))
    new_dog = required(kind=Enum(("dog",)), lives=TEXT)

    changes = openapi_changes(
        returning(Union((dog, TEXT))), returning(Union((bird, new_dog, TEXT)))
    )

    assert sorted(one.rule for one in changes) == [
        "response-type-changed",
        "response-union-option-added",
    ]


def test_options_with_other_properties_are_others():
    """An option is replaced if little of it is left."""
    old, new = required(a=TEXT, b=TEXT, c=TEXT), required(c=TEXT, d=TEXT, e=TEXT)

    assert response_rules(Union((old, TEXT)), Union((new, TEXT))) == {
        "response-union-option-removed",
        "response-union-option-added",
    }


def test_options_are_matched_by_name_first():
    """Two types of one shape may change places."""
    types = {"A": required(x=INTEGER), "B": required(x=TEXT)}
    before, after = Union((Ref("A"), Ref("B"))), Union((Ref("B"), Ref("A")))

    assert openapi_changes(returning(before, types), returning(after, types)) == []


def test_names_of_types_follow_their_types():
    """An option that is renamed has the same value; one that is gone takes its value along."""
    types = {"Cat": required(type=TEXT, lives=INTEGER), "Dog": required(type=TEXT, barks=TEXT)}
    pets = Union((Ref("Cat"), Ref("Dog")), Discriminator("type", {"cat": "Cat", "dog": "Dog"}))
    renamed = Union(
        (Ref("Kitty"), Ref("Dog")), Discriminator("type", {"cat": "Kitty", "dog": "Dog"})
    )
    alone = Union((Ref("Cat"),), Discriminator("type", {"cat": "Cat"}))
    before = returning(pets, types)

    same = openapi_changes(before, returning(renamed, types | {"Kitty": types["Cat"]}))
    fewer = openapi_changes(before, returning(alone, types))

    assert same == []
    assert [one.rule for one in fewer] == ["response-union-option-removed"]


def test_a_reference_to_nothing_is_any_value():
    """Documents that were made by hand may lack a type."""
    assert response_rules(Ref("Missing"), Ref("Gone")) == set()
    assert response_rules(Ref("Missing"), TEXT) == {"response-type-narrowed"}


def test_read_only_properties_are_no_part_of_requests():
    """A property that the service makes itself may become required."""
    old = ObjectType((Field("id", TEXT, is_read_only=True), Field("name", TEXT)))
    new = ObjectType((Field("id", INTEGER, is_required=True, is_read_only=True), *old.fields[1:]))

    assert request_rules(old, new) == set()
    assert response_rules(old, new) == {
        "response-property-became-required",
        "response-type-changed",
    }


def test_a_hostile_name_does_not_reach_the_terminal():
    """Names with control characters or characters that turn the text round are escaped."""
    name = "\x1b[31mred\u202e\n"

    [change] = openapi_changes(returning(required(**{name: TEXT})), returning(required()))

    assert change.field == (name,)
    for text in (change.text, change_location(change)):
        assert text.isascii()
        assert text.isprintable()
        assert "\\u001b[31mred\\u202e\\n" in text


def test_the_place_of_a_change_is_one_line():
    """Reports show the operation, the part of it, and the field."""
    gone = Change("response-property-removed", "breaking", "", "GET /pets", "response")
    field = Change("r", "info", "", "GET /pets", "response", ("items", "[]", "price"), "200")
    parameter = Change("r", "info", "", "GET /pets", "parameter", ("limit",))
    argument = Change("r", "info", "", "Query", "type", ("pets", "limit"))

    assert change_location(gone) == "GET /pets, response"
    assert change_location(field) == "GET /pets, response 200, items[].price"
    assert change_location(parameter) == "GET /pets, parameter, limit"
    assert change_location(argument) == "Query.pets.limit"
    assert change_location(Change("server-added", "info", "")) == ""


def schemas(names):
    """Return types of some names, as deep as documents have them."""
    leaves = st.one_of(
        st.sampled_from([TEXT, INTEGER, Anything(), Scalar("string", "uuid", {"maxLength": 5})]),
        st.lists(st.sampled_from("abc"), min_size=1, unique=True).map(tuple).map(Enum),
        st.sampled_from(names).map(Ref),
    )
    return st.recursive(leaves, _composed, max_leaves=8)


def _composed(inner):
    fields = st.lists(
        st.builds(Field, st.sampled_from("abcd"), inner, is_required=st.booleans()),
        unique_by=lambda one: one.name,
        max_size=4,
    )
    return st.one_of(
        inner.map(Array),
        inner.map(Map),
        inner.map(Nullable),
        st.lists(inner, min_size=2, max_size=3).map(tuple).map(Union),
        st.builds(ObjectType, fields.map(tuple), is_closed=st.booleans()),
    )


TYPES = schemas(["A", "B"])
DOCUMENTS = st.builds(
    lambda of, a, b, sent: returning(of, {"A": a, "B": b}, sends=sent), TYPES, TYPES, TYPES, TYPES
)


@given(DOCUMENTS)
def test_no_document_differs_from_itself(document):
    """Whatever a document contains, references to itself included, it is the same as itself."""
    assert openapi_changes(document, document) == []


@given(DOCUMENTS, DOCUMENTS)
def test_any_two_documents_are_compared(before, after):
    """Each change has a field path of texts and an operation, and comparing ends."""
    for change in openapi_changes(before, after):
        assert change.operation == "GET /it"
        assert change.rule.startswith(("request-", "response-"))
        assert change.text


@given(
    st.lists(st.builds(Field, st.sampled_from("abcd"), TYPES), unique_by=lambda one: one.name),
    st.builds(Field, st.just("new"), TYPES, is_required=st.just(True)),
)
def test_an_addition_to_a_response_is_breaking_the_other_way_round(fields, new):
    """What a service may add, it may not take away again."""
    old = returning(ObjectType(tuple(fields)), {"A": TEXT, "B": TEXT})
    more = returning(ObjectType((*fields, new)), {"A": TEXT, "B": TEXT})

    assert {one.level for one in openapi_changes(old, more)} == {"info"}
    assert {one.level for one in openapi_changes(more, old)} == {"breaking"}


def unrolled(root, pairs, steps):
    """Yield the rules and paths of differences, through loops too, up to a number of references."""
    yield from ((one.rule, one.path) for one in root.differences)
    if steps:
        for path, pair in root.references:
            for rule, below in unrolled(pairs[pair], pairs, steps - 1):
                yield rule, (*path, *below)


@given(TYPES, DOCUMENTS, DOCUMENTS)
def test_each_place_of_a_difference_is_reported_or_within_a_loop(root, before, after):
    """Whichever way leads to a changed field, a view that reads it there is affected."""
    comparison = SchemaComparison(before.types, after.types)
    top = comparison.compare(root, root, "response")

    found = DifferencePlaces(comparison.pairs).find(top)

    for rule, path in set(unrolled(top, comparison.pairs, steps=4)):
        changes = [
            Change("r", "breaking", "", "GET /it", "response", one.path, "200", loops=one.loops)
            for one in found
            if one.difference.rule == rule
        ]
        use = OperationUse("it", "GET", "/it", frozenset({path}), None, ("web: GET /home",))
        assert affected(changes, [use]), (rule, path)
