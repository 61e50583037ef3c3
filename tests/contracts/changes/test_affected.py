"""Which changes of a service touch what gateways use of it."""

import pytest

from bff_core.contracts.change import Change
from bff_core.contracts.changes import affected
from bff_core.contracts.changes.graphql import graphql_changes
from bff_core.contracts.document import Document, HttpOperation
from bff_core.contracts.usage import OperationUse

PET = "GET /pets/{id}"
CONTRACT = Document(
    "Pets",
    "1",
    "3.0.3",
    servers=("https://api.example.com/v1",),
    operations=(
        HttpOperation("GET", "/pets/{id}"),
        HttpOperation("GET", "/pets"),
        HttpOperation("POST", "/pets"),
        HttpOperation("GET", "/pets/mine"),
        HttpOperation("GET", "/shops/{shop}/pets"),
    ),
)


def use(reads=None, sends=None, path="/pets/{pet_id}", method="GET", views=("web: GET /home",)):
    """Return a use of the service; paths of fields are written with dots."""
    return OperationUse("pets", method, path, _paths(reads), _paths(sends), views)


def response(rule, field="", status="200", operation=PET, loops=()):
    """Return a change of a response."""
    path = tuple(field.split(".")) if field else ()
    return Change(rule, "breaking", "", operation, "response", path, status, loops=loops)


def request(rule, field="", place="request", operation=PET):
    """Return a change of a request."""
    path = tuple(field.split(".")) if field else ()
    return Change(rule, "breaking", "", operation, place, path)


def _paths(texts):
    return None if texts is None else frozenset(tuple(one.split(".")) for one in texts)


def is_affected(change, *uses):
    """Whether a change touches one of the uses."""
    return bool(affected([change], uses, CONTRACT))


def test_an_operation_that_no_one_calls_concerns_no_one():
    """A gateway that calls another path or another method is not affected."""
    removed = Change("operation-removed", "breaking", "", PET)

    assert affected([removed], [], CONTRACT) == []
    assert not is_affected(removed, use(path="/pets"))
    assert not is_affected(removed, use(method="PUT"))
    assert is_affected(removed, use(reads=[]))


def test_views_and_gateways_are_named():
    """Who reads the report sees which screens to look at, each once and in order."""
    change = response("response-property-removed", "name")
    home = use(["name"], views=("web: GET /home", "mobile: GET /v1/home"))
    pet = use(["name", "price"], views=("web: Query.pet", "web: GET /home"))
    other = use(["price"], views=("desktop: GET /all",))

    [found] = affected([change], [home, pet, other], CONTRACT)

    assert found.change is change
    assert found.uses == (home, pet)
    assert found.views == ("mobile: GET /v1/home", "web: GET /home", "web: Query.pet")
    assert found.gateways == ("mobile", "web")


@pytest.mark.parametrize(
    ("changed", "reads", "expected"),
    [
        ("name", ["name"], True),
        ("name", ["price"], False),
        ("name", [], False),
        ("name", None, True),
        ("owner", ["owner.name"], True),  # above
        ("owner.name", ["owner"], True),  # below: the owner is returned whole
        ("owner.name", ["owner.phone"], False),
        ("items.[].name", ["items.[].name"], True),
        ("items.[].name", ["items"], True),
        ("items.[].name", ["items.[].price"], False),
        ("", ["name"], True),  # the whole body
        ("prices.{}.net", ["prices.{}.net"], True),
        ("prices.eur.net", ["prices.{}.net"], True),  # a dictionary in the client
        ("prices.{}.net", ["prices.eur.net"], True),  # a class in the client
        ("prices.{}.net", ["prices.eur.gross"], False),
        ("prices.{}.net", ["prices.[].net"], False),
    ],
)
def test_a_field_counts_if_it_is_read_or_above_or_below(changed, reads, expected):
    """A field that no code reads may go; one above or below a read field may not."""
    change = response("response-property-removed", changed)

    assert is_affected(change, use(reads)) is expected


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        (["name"], True),
        (["children.[].name"], True),
        (["children.[].children.[].name"], True),
        (["children"], True),
        (["children.[].children.[]"], True),
        (["price"], False),
        (["children.[].price"], False),
        (["children.[].children.[].price"], False),
        (["other.[].name"], False),
    ],
)
def test_a_recursive_type_counts_at_any_depth(reads, expected):
    """A category's name is gone from its sub-categories as well."""
    loops = ((0, ("children", "[]")),)
    change = response("response-property-removed", "name", loops=loops)

    assert is_affected(change, use(reads)) is expected


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        (["a.b.name"], True),
        (["a.x.b.b.name"], True),  # any steps follow the first ones of a loop
        (["a.b.x"], True),
        (["c.name"], False),
        (["c.b.name"], False),
    ],
)
def test_loops_through_other_types_count_as_used(reads, expected):
    """Which fields lie on the way back is not followed, so all of them count."""
    change = response("response-property-removed", "name", loops=((0, ("a", "**")),))

    assert is_affected(change, use(reads)) is expected


@pytest.mark.parametrize(
    "rule", ["response-property-added", "response-header-added", "response-error-status-added"]
)
def test_what_is_only_added_to_responses_concerns_no_one(rule):
    """Unknown fields are skipped when replies are decoded."""
    assert not is_affected(response(rule, "name"), use(None))


def test_what_a_use_does_not_decide_counts_as_used():
    """Headers and the bodies of errors may be read by any caller."""
    assert is_affected(response("response-header-removed", "etag"), use(["name"]))
    assert is_affected(response("response-optional-header-removed", "etag"), use(["name"]))
    assert is_affected(response("response-property-removed", "code", status="404"), use(["name"]))
    assert is_affected(response("response-status-removed", status="200"), use([]))


@pytest.mark.parametrize(
    ("media_type", "reads", "expected"),
    [
        ("application~1json", ["name"], True),
        ("application~1vnd.pets+json", ["name"], True),
        ("*~1*", ["name"], True),
        ("text~1csv", ["name"], False),
        ("text~1csv", None, True),  # perhaps a download
        ("application~1json", [], False),
    ],
)
def test_a_gateway_that_reads_fields_needs_json_only(media_type, reads, expected):
    """A service may stop to return CSV if all callers read fields of JSON."""
    change = Change(
        "response-media-type-removed",
        "breaking",
        "",
        PET,
        "response",
        status="200",
        pointer=f"#/paths/~1pets/get/responses/200/content/{media_type}",
    )

    assert is_affected(change, use(reads)) is expected


@pytest.mark.parametrize(
    ("change", "sends", "expected"),
    [
        (request("parameter-added-required", "city", "parameter"), [], True),
        (request("parameter-became-required", "city", "parameter"), ["city"], True),
        (request("parameter-default-changed", "limit", "parameter"), [], True),
        (request("parameter-added-optional", "city", "parameter"), None, False),
        (request("parameter-removed", "city", "parameter"), ["city"], True),
        (request("parameter-removed", "city", "parameter"), ["limit"], False),
        (request("parameter-removed", "city", "parameter"), None, True),
        (request("parameter-removed", "X-Shop", "parameter"), ["x-shop"], True),
        (request("parameter-limit-narrowed", "filter.city", "parameter"), ["filter"], True),
        (request("parameter-type-changed", "id", "parameter"), [], True),  # in the path
        (request("request-body-added-required"), [], True),
        (request("request-media-type-removed"), [], True),
        (request("request-property-added-required", "city"), [], True),
        (request("request-property-added-required", "address.city"), ["address"], True),
        (request("request-property-added-required", "address.city"), ["address.zip"], True),
        (request("request-property-added-required", "address.city"), ["name"], False),
        (request("request-property-became-required", "city"), ["city"], True),
        (request("request-property-added-optional", "city"), None, False),
        (request("request-property-removed", "city"), ["name"], False),
        (request("request-enum-value-removed", "kind"), ["kind"], True),
        (request("request-type-changed", "address"), ["address.zip"], True),
        (Change("security-scope-added", "breaking", "", PET, "security"), [], True),
        (Change("operation-deprecated", "info", "", PET), [], True),
        (Change("server-removed", "info", ""), [], True),
    ],
)
def test_a_request_counts_if_it_sends_what_changed(change, sends, expected):
    """What becomes required concerns all callers; what narrows, those who send it."""
    assert is_affected(change, use([], sends)) is expected


@pytest.mark.parametrize(
    ("path", "called"),
    [
        ("/pets/{id}", "/pets/{id}"),
        ("/pets/{anything}", "/pets/{id}"),
        ("/pets/{id}/", "/pets/{id}"),
        ("/v1/pets/{id}", "/pets/{id}"),  # the client has the path of the server
        ("/pets/mine", "/pets/mine"),
        ("/pets/7", "/pets/{id}"),  # a text where the contract has a parameter
        ("/pets", "/pets"),
        ("/v1/pets", "/pets"),
        ("/v1/pets/7", "/pets/{id}"),
        ("/shops/rome/pets", "/shops/{shop}/pets"),
        ("/shops/{shop:path}/pets", "/shops/{shop}/pets"),
        ("/api/v1/pets", "/pets"),  # a proxy before the service adds a path
        ("/owners", None),
        ("/v2/owners/{id}", None),
    ],
)
def test_calls_are_matched_with_the_paths_of_the_contract(path, called):
    """Names of parameters, the path of the server and a slash at the end don't matter."""
    changes = [
        Change("operation-removed", "breaking", "", one.name)
        for one in CONTRACT.operations
        if one.method == "GET"
    ]

    found = affected(changes, [use(path=path)], CONTRACT)

    assert [one.change.operation for one in found] == ([f"GET {called}"] if called else [])


def test_a_call_without_the_beginning_that_the_address_has_is_matched():
    """BFF_UPSTREAM_PETS=https://host/v1 and "/pets" reach the contract's "/v1/pets"."""
    paths = ("/v1/pets", "/v1/{kind}")
    operations = tuple(HttpOperation("GET", path) for path in paths)
    contract = Document("", "", "", operations=operations)
    changes = [Change("operation-removed", "breaking", "", one.name) for one in operations]

    [found] = affected(changes, [use(path="/pets")], contract)

    assert found.change.operation == "GET /v1/pets"
    assert affected(changes, [use(path="/{id}")], contract) == []  # it says too little


def test_without_the_contract_the_operations_that_changed_are_known():
    """The contract is only needed for the paths of its servers and its other operations."""
    change = response("response-property-removed", "name")

    assert affected([change], [use(["name"])])
    assert not affected([change], [use(["name"], path="/shops")])


SCHEMA = """
type Query { pet(id: ID!, size: Int): Pet, all: [Pet!]! }
type Pet { id: ID!, name: String!, price: Float!, kind: Kind!, found: Found }
enum Kind { CAT DOG }
union Found = Pet | Owner
type Owner { name: String! }
input Draft { name: String!, kind: Kind, owner: Owner2 }
input Owner2 { name: String }
type Mutation { add(draft: Draft!): Pet }
"""
READS = ["Query.pet", "Pet.name", "Pet.kind", "Kind", "Pet.found", "Found", "Owner.name"]
SENDS = ["Query.pet.id"]
"""What this operation uses: { pet(id: 1) { name kind found { ... on Owner { name } } } }"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("price: Float!, ", "", False),
        ("id: ID!, name: String!, price", "id: ID!, price", True),
        (", size: Int", "", False),
        (", size: Int", ", size: Int!", True),
        (", size: Int", ", size: Int, city: String!", True),
        ("pet(id: ID!,", "pet(id: Int!,", True),
        ("all: [Pet!]!", "all(city: String!): [Pet!]!", False),
        ("CAT DOG", "CAT", True),
        ("CAT DOG", "CAT DOG BIRD", True),
        ("Pet | Owner", "Pet", True),
        ("type Owner { name: String! }", "type Owner { name: String }", True),
        ("input Draft { name: String!,", "input Draft { name: String!, age: Int!,", False),
        ("type Owner {", "type Owner { age: Int", False),
    ],
)
def test_graphql_operations_are_affected_by_what_they_select(old, new, expected):
    """Other fields, arguments and inputs of the schema may change."""
    pets = use(READS, SENDS, "/graphql", "POST")

    changes = graphql_changes(SCHEMA, SCHEMA.replace(old, new))

    assert changes
    assert bool(affected(changes, [pets])) is expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("input Draft { name: String!,", "input Draft { name: String!, age: Int!,", True),
        ("input Draft { name: String!,", "input Draft { name: ID!,", True),
        ("kind: Kind, owner", "owner", False),
        ("CAT DOG", "CAT", False),
        ("input Owner2 { name: String }", "input Owner2 { name: String, age: Int! }", False),
    ],
)
def test_inputs_are_affected_by_what_is_sent(old, new, expected):
    """A new required field of an input concerns all that send one."""
    pets = use(["Mutation.add", "Pet.id"], ["Mutation.add.draft", "Draft.name"], "/graphql", "POST")

    changes = graphql_changes(SCHEMA, SCHEMA.replace(old, new))

    assert changes
    assert bool(affected(changes, [pets])) is expected
