"""Methods of generated clients: parameters, bodies and replies."""

import datetime as dt
import inspect
from uuid import UUID

import pytest

from bff_core import FilePart, ServerSentEvent, TypedReply
from bff_core.contracts.openapi import parse
from bff_core.errors import BadStatus
from bff_core.testing.scripted import Scripted, reply, stream
from tests.codegen.upstream.generated import (
    NUMBER,
    TEXT,
    answers,
    client,
    code_of,
    document,
    get,
    query,
    ref,
    targets,
    thing,
)

LIST = {"type": "array", "items": TEXT}
FILTER = thing("", minPrice=NUMBER, by=thing("", brand=TEXT))
DONE = {"204": {"description": "Done"}}


async def sent(parameters, path="/x", **values):
    """Return the only call that a method with some parameters makes."""
    item = get({}, *parameters)
    with client(document({path: item})) as made:
        script = Scripted(reply(200, {}))
        await made.over(script).read(**values)
        return script.calls[0]


@pytest.mark.parametrize(
    ("members", "value", "expected"),
    [
        ({"schema": LIST}, ["a", "b"], "a=1&q=a&q=b"),
        ({"schema": LIST, "explode": False}, ["a", "b"], "a=1&q=a%2Cb"),
        ({"schema": LIST, "style": "spaceDelimited", "explode": False}, ["a", "b"], "a=1&q=a+b"),
        ({"schema": LIST, "style": "pipeDelimited", "explode": False}, ["a", "b"], "a=1&q=a%7Cb"),
        ({"schema": {"type": "boolean"}}, True, "a=1&q=true"),
        ({"schema": {**TEXT, "format": "date"}}, dt.date(2026, 1, 2), "a=1&q=2026-01-02"),
        ({"schema": {**TEXT, "format": "uuid"}}, UUID(int=1), f"a=1&q={UUID(int=1)}"),
        ({"schema": TEXT}, None, "a=1"),
        ({"content": {"application/json": {"schema": LIST}}}, ["a"], "a=1&q=%5B%22a%22%5D"),
    ],
)  # fmt: skip
async def test_query_parameters_are_written_in_their_style(members, value, expected):
    """A list is repeated or joined, and a document of its own is JSON."""
    parameter = {"name": "q", "in": "query", **members}

    call = await sent([query("a", NUMBER), parameter], a=1, q=value)

    assert call.target == f"/x?{expected}"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"style": "deepObject"}, "/x?filter%5BminPrice%5D=3&filter%5Bby%5D%5Bbrand%5D=b"),
        ({"style": "form", "explode": False, "flat": 1}, "/x?filter=minPrice%2C3"),
        ({"style": "form", "flat": 1}, "/x?minPrice=3"),
    ],
)
async def test_objects_in_a_query(members, expected):
    """An object is written with brackets, as properties of their own, or as one text."""
    is_flat = members.pop("flat", 0)
    schema = thing("", minPrice=NUMBER) if is_flat else FILTER
    with client(document({"/x": get({}, query("filter", schema, **members))})) as made:
        kind = made.models.ReadFilter
        value = kind(min_price=3) if is_flat else kind(
            min_price=3, by=made.models.ReadFilterBy(brand="b")
        )  # fmt: skip
        script = Scripted(reply(200, {}))
        await made.over(script).read(filter=value)

        assert script.calls[0].target == expected


async def test_path_header_and_cookie_parameters():
    """A path parameter of any name is one segment; headers and cookies have their names."""
    parameters = [
        {"name": "user-id", "in": "path", "required": True, "schema": TEXT},
        {"name": "query", "in": "path", "required": True, "schema": TEXT},
        {"name": "X-Trace-Id", "in": "header", "schema": TEXT},
        {"name": "session", "in": "cookie", "schema": TEXT},
    ]
    call = await sent(
        parameters,
        "/users/{user-id}/{query}/{undeclared}",
        user_id="a/b", query="c", undeclared="d", x_trace_id="t", session="s",
    )  # fmt: skip

    assert call.target == "/users/a%2Fb/c/d"
    headers = dict(call.headers)
    assert (headers[b"x-trace-id"], headers[b"cookie"]) == (b"t", b"session=s")


def test_parameters_are_keywords_with_defaults_and_a_docstring():
    """An editor shows what a method takes, and what the contract says of it."""
    parameters = [
        query("limit", {**NUMBER, "default": 20}, description="How many.\nAt most."),
        query("sort", {"type": "string", "enum": ["new", "old"], "default": "new"}),
        query("after", TEXT, deprecated=True),
        query("must", TEXT, required=True),
    ]
    item = get({}, *parameters, summary="List them", description="All of them.", deprecated=True)
    with client(document({"/x": item})) as made:
        method = made.operations.ShopOperations.read
        found = inspect.signature(method).parameters
        documented = inspect.getdoc(method)

    assert {name: one.default for name, one in found.items() if name != "self"} == {
        "limit": 20, "sort": "new", "after": None, "must": inspect.Parameter.empty,
    }  # fmt: skip
    assert {one.kind for name, one in found.items() if name != "self"} == {
        inspect.Parameter.KEYWORD_ONLY
    }
    assert documented == (
        "List them.\n\nAll of them.\n\n- limit: How many. At most.\n- after: Deprecated.\n\n"
        "Sends `GET /x`.\nDeprecated by the service."
    )


def writing(content, method="post", responses=None, *, is_required=True):
    """Return a document whose only operation `save` sends a body."""
    operation = {
        "operationId": "save",
        "requestBody": {"required": is_required, "content": content},
        "responses": responses or DONE,
    }
    return document({"/x": {method: operation}}, {"Pet": thing("name", name=TEXT, age=NUMBER)})


async def saved(made, **values):
    """Return the call of `save`."""
    script = Scripted(reply(204))
    await made.over(script).save(**values)
    return script.calls[0]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
async def test_a_json_body(method):
    """A body is an object of its class; what is None is left out, and merge patches say so."""
    kind = "application/merge-patch+json" if method == "patch" else "application/json"
    with client(writing({kind: {"schema": ref("Pet")}, "text/csv": {}}, method)) as made:
        call = await saved(made, body=made.models.Pet(name="Tom"))

    assert (call.method, call.body) == (method.upper(), b'{"name":"Tom"}')
    assert dict(call.headers)[b"content-type"] == kind.encode()


async def test_an_optional_body_is_left_out():
    """No body is not null."""
    content = {"application/json": {"schema": ref("Pet")}}
    with client(writing(content, is_required=False)) as made:
        assert (await saved(made)).body == b""
        assert (await saved(made, body=made.models.Pet(name="a"))).body == b'{"name":"a"}'


async def test_a_form():
    """The fields of a form are keywords."""
    schema = thing("grant_type", grant_type=TEXT, scope=LIST, extra=thing("", a=NUMBER))
    with client(writing({"application/x-www-form-urlencoded": {"schema": schema}})) as made:
        call = await saved(made, grant_type="x y", scope=["a", "b"], extra=None)

    assert call.body == b"grant_type=x+y&scope=a&scope=b"


async def test_files():
    """A multipart form takes `FilePart`s, optional ones too, and JSON for objects."""
    schema = thing(
        "photo",
        photo={"type": "string", "format": "binary"},
        more={"type": "array", "items": {"type": "string", "format": "binary"}},
        cover={"type": "string", "format": "binary"},
        title=TEXT,
        meta=thing("", a=NUMBER),
    )
    with client(writing({"multipart/form-data": {"schema": schema}})) as made:
        part = FilePart("a.jpg", b"JPEG", "image/jpeg")
        meta = made.models.SaveMeta(a=1)
        call = await saved(made, photo=part, more=[part, part], title="T", meta=meta)

    assert call.body.count(b"JPEG") == 3
    assert b'name="more"; filename="a.jpg"' in call.body
    assert b'name="cover"' not in call.body
    assert b'{"a":1}' in call.body


async def test_a_form_without_known_fields():
    """Where the contract names no field, a mapping holds them, and another one the files."""
    schema = {"type": "object", "additionalProperties": True}
    with client(writing({"multipart/form-data": {"schema": schema}})) as made:
        call = await saved(made, form={"a": "1"}, files={"b": FilePart("b.txt", b"TEXT")})

    assert b'name="a"' in call.body
    assert b'name="b"; filename="b.txt"' in call.body
    assert b"boundary=" in dict(call.headers)[b"content-type"]


@pytest.mark.parametrize(
    ("kind", "value", "body"),
    [("application/octet-stream", b"raw", b"raw"), ("text/plain", "hé", "hé".encode()),
     ("image/png", b"PNG", b"PNG")],
)  # fmt: skip
async def test_raw_bodies(kind, value, body):
    """Bytes, streams and texts are sent with their media type."""
    with client(writing({kind: {"schema": {"type": "string", "format": "binary"}}})) as made:
        call = await saved(made, content=value)

    assert call.body == body
    assert dict(call.headers)[b"content-type"] == kind.encode()


async def test_an_empty_success_is_none():
    """A 204 beside a 200 makes None possible, and a 204 alone the only result."""
    responses = {**answers(NUMBER), **DONE}
    with client(document({"/x": get({}, responses=responses)})) as made:
        shop = made.over(Scripted(reply(200, 5), reply(204)))

        assert [await shop.read(), await shop.read()] == [5, None]


async def test_two_successes_make_a_union():
    """A 200 and a 202 with other bodies return either."""
    responses = {**answers(thing("id", id=NUMBER)), **answers(thing("job", job=TEXT), status="202")}
    with client(document({"/x": get({}, responses=responses)})) as made:
        shop = made.over(Scripted(reply(200, {"id": 1}), reply(202, {"job": "j"})))

        assert (await shop.read()).id == 1
        assert (await shop.read()).job == "j"


@pytest.mark.parametrize(
    ("method", "header", "is_typed"),
    [("post", "Location", True), ("get", "X-Total-Count", True), ("get", "ETag", True),
     ("get", "X-RateLimit-Limit", False), ("get", "Location", False)],
)  # fmt: skip
async def test_headers_that_matter_come_with_the_value(method, header, is_typed):
    """The place of a result, a total and a validator for `If-Match` are part of the reply."""
    status = "201" if method == "post" else "200"
    responses = answers(NUMBER, status=status)
    responses[status]["headers"] = {header: {"schema": TEXT}}
    if_match = {"name": "If-Match", "in": "header", "schema": TEXT}
    paths = {
        "/x": {method: {"operationId": "read", "responses": responses}},
        "/y": {"put": {"operationId": "change", "parameters": [if_match], "responses": DONE}},
    }
    with client(document(paths)) as made:
        shop = made.over(Scripted(reply(int(status), 5, headers={header.lower(): "7"})))
        found = await shop.read()

    assert isinstance(found, TypedReply) is is_typed
    assert found.headers[header] == "7" if is_typed else found == 5


async def test_streams_are_iterators():
    """JSON lines are typed, events are events, and other media arrive in pieces."""
    paths = {
        "/lines": get({}, name="lines", responses=answers(
            thing("id", id=NUMBER), media_type="application/x-ndjson")),
        "/events": get({}, name="events", responses=answers(TEXT, media_type="text/event-stream")),
        "/file": get({}, name="file", responses=answers(TEXT, media_type="application/pdf")),
        "/text": get({}, name="text", responses=answers(TEXT, media_type="text/csv")),
    }  # fmt: skip
    with client(document(paths)) as made:
        lines = made.over(Scripted(stream(b'{"id":1}\n{"i', b'd":2}\n')))
        events = made.over(Scripted(stream(b"data: a\n\n")))
        file = made.over(Scripted(stream(b"a", b"b")))
        text = made.over(Scripted(reply(200, "é".encode("latin-1"), headers={
            "content-type": "text/csv; charset=iso-8859-1"})))  # fmt: skip

        assert [one.id async for one in lines.lines()] == [1, 2]
        assert [one async for one in events.events()] == [ServerSentEvent("a")]
        assert [one async for one in file.file()] == [b"a", b"b"]
        assert await text.text() == "é"
        with pytest.raises(BadStatus):
            await made.over(Scripted(reply(500))).text()
        with pytest.raises(BadStatus):
            await anext(made.over(Scripted(reply(500))).file())


def test_names_are_unique_and_stay():
    """A new operation takes no name from another one, nor from `Upstream`."""

    def paths(*ids):
        return {f"/{number}": get({}, name=name) for number, name in enumerate(ids)}

    names = ["get", "policy", "class", "getPet", "get_pet", "models", "get-pet", "all"]
    before = code_of(document(paths(*names))).files["operations.py"]
    after = code_of(document(paths(*names, "getPets", "GetPet"))).files["operations.py"]

    methods = [line.split("(")[0] for line in before.splitlines() if " def " in line]
    assert len(set(methods)) == len(names)
    assert [line.split("(")[0] for line in after.splitlines() if " def " in line][
        : len(names)
    ] == methods


def test_a_new_operation_before_others_takes_no_name():
    """The operations of the contract so far are named first, wherever a new one stands."""
    old = document({"/b": get(TEXT, name="getPet")})
    new = document({"/a": get(TEXT, name="get_pet"), "/b": get(TEXT, name="getPet")})

    source = code_of(new, previous=parse(old)).files["operations.py"]

    assert 'async def get_pet(self) -> str:\n        """Call GET /b."""' in source
    assert "async def get_a(self)" in source


@pytest.mark.parametrize(
    ("path", "operation_id", "name"),
    [
        ("/items/{item_id}", "read_item_items__item_id__get", "read_item"),
        ("/cats", "CatsController_findAll", "cats_find_all"),
        ("/cats/{id}", "", "get_cats_by_id"),
        ("/repos", "repos/list-for-org", "repos_list_for_org"),
        ("/x", "bind", "get_x"),
    ],
)
def test_names_of_methods(path, operation_id, name):
    """Methods are named by the operation, without what frameworks add, or by method and path."""
    item = get({})
    item["get"]["operationId"] = operation_id
    source = code_of(document({path: item})).files["operations.py"]

    assert f"    async def {name}(" in source


async def test_a_key_of_idempotency_is_the_framework_s_unless_it_is_given():
    """Keys derive from the request, so a contract that requires one does not burden callers."""
    key = {"name": "Idempotency-Key", "in": "header", "required": True, "schema": TEXT}
    item = {"post": {"operationId": "buy", "parameters": [key], "responses": DONE}}
    with client(document({"/x": item})) as made:
        script = Scripted(reply(204))
        await made.over(script).buy()
        await made.over(script).buy(idempotency_key="k")

        first, second = (dict(call.headers) for call in script.calls)
        assert b"idempotency-key" not in first
        assert second[b"idempotency-key"] == b"k"
        assert "policy = Policy()" in made.generated.policy


async def test_json_of_a_vendor_is_requested_by_its_name():
    """A service that answers with its own media type only gets that one as Accept."""
    responses = answers(thing("a", a=NUMBER), media_type="application/vnd.shop.v2+json")
    with client(document({"/x": get({}, responses=responses)})) as made:
        script = Scripted(reply(200, {"a": 1}))
        assert (await made.over(script).read()).a == 1

    assert dict(script.calls[0].headers)[b"accept"] == b"application/vnd.shop.v2+json"
    assert targets(script) == ["GET /x"]
