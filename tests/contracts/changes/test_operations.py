"""Operations of two documents: their paths, statuses, media types and credentials."""

import pytest

from bff_core.contracts.changes import openapi_changes
from bff_core.contracts.openapi import parse
from tests.contracts.changes.shop import REMOVED, SHOP, edited

PAGE = "paths /pets get responses 200"
ADD = "paths /pets post"
TEXT = {"schema": {"type": "string"}}
NUMBER = {"schema": {"type": "integer"}}


def changes(before, after=None):
    """Return the changes between the shop with some edits, and with further ones."""
    old = edited(SHOP, before)
    return openapi_changes(parse(old), parse(edited(old, after or {})))


def rules(before, after):
    """Return the rules of these changes."""
    return [one.rule for one in changes(before, after)]


def test_a_parameter_of_a_path_has_the_name_that_it_had_before():
    """Reports speak of the contract that the client was written for."""
    get = SHOP["paths"]["/pets/{id}"]["get"]
    renamed = get | {
        "parameters": [
            {"name": "pet", "in": "path", "required": True, "schema": {"type": "integer"}}
        ]
    }

    found = changes({}, {"paths /pets/{id}": REMOVED, "paths /pets/{pet}": {"get": renamed}})

    assert [(one.rule, one.operation, one.field) for one in found] == [
        ("path-parameter-renamed", "GET /pets/{id}", ()),
        ("parameter-type-changed", "GET /pets/{id}", ("id",)),
        ("operation-removed", "PATCH /pets/{id}", ()),
    ]


def test_the_path_of_the_server_may_move_into_the_paths():
    """https://api.example.com/v1 with /visits is https://api.example.com with /v1/visits."""
    visits = SHOP["paths"]["/visits"]

    found = rules(
        {},
        {
            "servers 0 url": "https://api.example.com",
            "paths": {"/v1/visits": visits},
        },
    )

    assert sorted(set(found)) == ["operation-removed", "server-added", "server-removed"]
    assert found.count("operation-removed") == 4  # those of /pets


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("200", "2XX", ["response-status-added"]),  # perhaps a 204
        ("2xx", "2XX", []),
        ("2XX", "200", []),
        ("200", "default", ["response-status-removed", "response-error-status-added"]),
        ("default", "200", ["response-error-status-removed", "response-status-added"]),
        ("default", "default", []),
    ],
)
def test_statuses_of_a_range_belong_together(before, after, expected):
    """A range of statuses stands for each of them; `default` stands for errors."""
    page = SHOP["paths"]["/pets"]["get"]["responses"]["200"]
    responses = "paths /pets get responses"

    found = rules({responses: {before: page}}, {responses: {after: page}})

    assert found == expected


def test_a_status_is_compared_with_its_range():
    """What changes in a body is found if 200 becomes 2XX, and the other way round."""
    responses = "paths /pets get responses"

    def body(of):
        return {"description": "", "content": {"application/json": of}}

    narrow = {responses: {"200": body(TEXT), "201": body(TEXT)}}
    wide = {responses: {"2XX": body(NUMBER)}}

    assert rules(narrow, wide) == [
        "response-type-changed",
        "response-type-changed",
        "response-status-added",
    ]
    assert rules(wide, narrow) == ["response-type-changed"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("application/json", "application/json; charset=utf-8", []),
        ("Application/JSON", "application/json", []),
        ("application/json;charset=utf-8", "application/json; charset=utf-8", []),
        ("application/json", "application/*", ["response-media-type-added"]),
        ("application/json", "*/*", ["response-media-type-added"]),
        (
            "application/json",
            "text/*",
            ["response-media-type-removed", "response-media-type-added"],
        ),
    ],
)
def test_media_types_are_compared_without_parameters(before, after, expected):
    """A charset or a wildcard takes nothing away."""
    content = f"{PAGE} content"

    assert rules({content: {before: TEXT}}, {content: {after: TEXT}}) == expected


def test_the_type_of_a_wildcard_is_compared():
    """What was JSON is now anything, of another type."""
    content = f"{PAGE} content"

    found = rules({content: {"application/json": TEXT}}, {content: {"*/*": NUMBER}})

    assert found == ["response-type-changed", "response-media-type-added"]


TOKEN, KEY = {"token": ["read"]}, {"key": []}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([TOKEN], [TOKEN], []),
        ([TOKEN, KEY], [KEY, TOKEN], []),
        ([TOKEN | KEY], [KEY], ["security-scheme-added"]),  # one of two is enough
        ([KEY], [TOKEN | KEY], ["security-scheme-removed", "security-scheme-added"]),
        ([TOKEN, KEY], [KEY], ["security-scheme-removed"]),
        ([{}], [TOKEN], ["security-added"]),
        ([TOKEN, {}], [TOKEN], ["security-added"]),
        ([TOKEN], [TOKEN, {}], ["security-removed"]),
        ([], [], []),
        ([TOKEN], [{"token": ["write"]}], ["security-scope-added", "security-scope-removed"]),
        ([TOKEN], [TOKEN, {"token": ["write"]}], ["security-scope-removed"]),  # either is enough
        ([TOKEN, {"token": ["write"]}], [TOKEN], ["security-scope-added"]),
        ([TOKEN, {"token": ["write"]}], [TOKEN, {"token": ["write"]}], []),
        ([{"token": []}], [{"token": ["read", "write"]}, TOKEN], ["security-scope-added"]),
    ],
)
def test_credentials_are_compared_by_what_is_enough(before, after, expected):
    """A client goes on if what it sends is still enough."""
    security = f"{ADD} security"

    assert rules({security: before}, {security: after}) == expected


def test_a_scheme_is_what_it_is_whatever_it_is_called():
    """A renamed scheme is the same; a key in another header is another."""
    schemes = "components securitySchemes"
    key = SHOP["components"]["securitySchemes"]["key"]
    renamed = {f"{schemes} apiKey": key, f"{ADD} security": [{"apiKey": []}]}
    elsewhere = {f"{schemes} key name": "X-Other-Key"}

    assert rules({f"{ADD} security": [KEY]}, renamed) == []
    assert rules({f"{ADD} security": [KEY]}, elsewhere) == [
        "security-scheme-removed",
        "security-scheme-added",
    ]


def test_bodies_of_several_media_types_that_share_a_type_are_reported_once():
    """JSON and XML of one schema lose one property."""
    found = changes({}, {"components schemas Draft properties code": REMOVED})

    assert [one.rule for one in found] == ["request-property-removed"]


def test_headers_are_the_same_in_upper_and_lower_case():
    """HTTP does not distinguish them."""
    headers = f"{PAGE} headers"
    total = SHOP["paths"]["/pets"]["get"]["responses"]["200"]["headers"]["X-Total"]
    lower = {f"{headers} X-Total": REMOVED, f"{headers} x-total": total}
    parameter = {"paths /pets get parameters 3 name": "x-shop"}

    assert rules({}, lower) == []
    assert rules({}, parameter) == []


def test_a_moved_parameter_is_not_written_differently_only():
    """A list in a header is written with commas, in a query with repeated names."""
    assert rules({}, {"paths /pets get parameters 2 in": "header"}) == ["parameter-moved"]


def test_the_default_of_a_required_parameter_or_property_does_not_matter():
    """All requests have it."""
    draft = "components schemas Draft"
    required = {
        "paths /pets get parameters 0 required": True,
        f"{draft} required": ["name", "price"],
    }
    changed = {
        "paths /pets get parameters 0 schema default": 5,
        f"{draft} properties price default": 5,
    }

    assert rules(required, changed) == []


def test_the_pointer_of_a_media_type_leads_to_it():
    """A report can show the line of the contract."""
    [found] = changes({}, {f"{PAGE} content text/csv": REMOVED})

    assert found.pointer.endswith("/responses/200/content/text~1csv")


def test_a_shared_schema_is_reported_at_each_operation():
    """The pet is in the list and by itself; its owner is two levels below."""
    found = changes({}, {"components schemas Owner properties name": {"type": "integer"}})

    assert [(one.operation, one.field, one.loops) for one in found] == [
        ("GET /pets", ("items", "[]", "owner", "name"), ((2, ("parent",)),)),
        ("GET /pets/{id}", ("owner", "name"), ((0, ("parent",)),)),
    ]
