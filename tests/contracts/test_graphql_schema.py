"""Reading the schema of a GraphQL service, to pin it: from a file, and from the service."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from graphql import build_schema, graphql_sync, introspection_from_schema

from bff_core.contracts.graphql import load, normalized
from bff_core.errors import ConfigurationError

SDL = '''
"""Products."""
type Query { b(x: Int = 3): Status @key(fields: "id") a: String! @deprecated(reason: "old") }
enum Status { SOLD AVAILABLE }
'''

PINNED = '''\
"""Products."""
type Query {
  a: String! @deprecated(reason: "old")
  b(x: Int = 3): Status
}

enum Status {
  AVAILABLE
  SOLD
}
'''


@contextmanager
def service(*answers: tuple[int, object]) -> Iterator[tuple[str, list[tuple[dict, dict]]]]:
    """Yield the address of a service, and the headers and bodies that it received.

    It answers in turn, or else executes what it receives against the schema.
    """
    received: list[tuple[dict, dict]] = []
    script = list(answers)
    schema = build_schema(SDL.replace('@key(fields: "id")', ""))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            received.append(({k.lower(): v for k, v in self.headers.items()}, body))
            status, answer = script.pop(0) if script else (200, None)
            if answer is None:
                answer = graphql_sync(schema, body["query"]).formatted
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/graphql", received
    finally:
        server.shutdown()
        server.server_close()


def refused(*answers: tuple[int, object]) -> str:
    """Return why the schema of a service that answers so can't be read."""
    with service(*answers) as (url, _), pytest.raises(ConfigurationError) as failure:
        load(url.replace("//", "//user:secret@") + "?key=secret")
    return str(failure.value)


@pytest.mark.parametrize("kind", ["sdl", "introspection", "response"])
def test_a_file_is_read_in_each_form(tmp_path, kind):
    """SDL, the data of an introspection and its whole response are the same schema."""
    data = introspection_from_schema(build_schema(SDL.replace('@key(fields: "id")', "")))
    texts = {"sdl": SDL, "introspection": json.dumps(data), "response": json.dumps({"data": data})}
    path = tmp_path / "schema.graphql"
    path.write_text(f"\ufeff{texts[kind]}")

    assert load(path) == load(str(path)) == PINNED


def test_slips_of_published_schemas_are_accepted():
    """A field that is defined twice, or deprecated unlike that of its interface, is harmless."""
    sdl = """
    interface Node { id: ID! }
    type Query implements Node { id: ID! @deprecated(reason: "old") id: ID! a: Int a: Int }
    """

    assert "  a: Int\n  id: ID!\n" in normalized(sdl)


def test_a_pinned_schema_is_read_as_itself():
    """A second run changes nothing."""
    assert normalized(PINNED) == PINNED


def test_a_service_is_called():
    """The schema comes from the introspection query, with the headers that permit it."""
    with service() as (url, received):
        assert load(url, headers={"authorization": "Bearer x"}) == PINNED

    [(headers, body)] = received
    assert headers["authorization"] == "Bearer x"
    assert headers["accept"].startswith("application/graphql-response+json")
    assert body["operationName"] == "IntrospectionQuery"


def test_the_user_of_an_address_is_a_header():
    """An address with a user works as with curl."""
    with service() as (url, received):
        load(url.replace("//", "//ada:p%40ss@"))

    assert received[0][0]["authorization"] == "Basic YWRhOnBAc3M="


def test_an_older_service_gets_the_older_query():
    """A service that does not know newer members of introspection gets the older query."""
    unknown = {"errors": [{"message": "Cannot query field 'specifiedByURL' on type '__Type'."}]}
    with service((400, unknown)) as (url, received):
        assert load(url) == PINNED

    assert [("specifiedBy" in body["query"]) for _, body in received] == [True, False]


def test_a_service_without_introspection_says_what_to_do():
    """The message has the service's reason, and other ways to the schema; and no secrets."""
    why = refused(*[(400, {"errors": [{"message": "introspection is not allowed\x1b"}]})] * 2)

    assert "refuses introspection (introspection is not allowed )" in why
    assert "enable it for this address" in why
    assert "as SDL, and pass that file" in why
    assert "secret" not in why


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, {}, "answers 401: pass the headers that permit introspection"),
        (404, b"<html>", "answers 404 without a GraphQL response: pass the whole address"),
        (302, b"", "answers 302, a redirect"),
        (200, {"data": {"__schema": {"kind": 1}}}, "the introspection is incomplete"),
        (200, b"[]", "answers 200 without a GraphQL response"),
        (200, {"data": {"__schema": {"types": []}}}, "graphql: has no type Query"),
    ],
)
def test_a_wrong_answer_is_explained(status, body, why):
    """Each reason has what to do about it."""
    assert why in refused((status, body))


def test_a_service_that_does_not_run_is_named():
    """A connection that is refused is an error of one line."""
    with service() as (url, _):
        pass

    with pytest.raises(ConfigurationError, match="can't be called"):
        load(url)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Syntax Error"),
        (b"type Query { a: Colour b: Size }", ":1:17: Unknown type 'Colour'.\n"),
        (b"type Product { a: Int }", "has no type Query: pass the whole schema"),
        (b"{", "is not JSON"),
        (b"{}", "has no __schema"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path, content, why):
    """All mistakes of a file are listed, with their places."""
    path = tmp_path / "schema.graphql"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError) as failure:
        load(path)

    assert why in str(failure.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    """A wrong path is an error with the path."""
    with pytest.raises(ConfigurationError, match=r"nothing\.graphql: can't be read: No such file"):
        load(tmp_path / "nothing.graphql")
