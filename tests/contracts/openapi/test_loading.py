"""Documents are loaded from files and URLs, whole, within limits."""

import gzip
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi import fetching, load, normalised, parse, read_content
from bff_core.contracts.types import Array, Field, ObjectType, Ref, Scalar
from tests.contracts.openapi.documents import content, response

YAML = "openapi: 3.0.3\ninfo: {title: Shop, version: 1.0.0}\npaths: {}\n"
JSON = '{"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}, "paths": {}}'

Answer = tuple[int, dict[str, str], str | bytes]


class Service:
    """A server with answers by path; `requests` has the paths and headers of all requests."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.requests.append((self.path, dict(self.headers)))
                status, headers, text = service.answers.get(self.path, (404, {}, "none"))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(ConnectionError):  # a client may have read enough
                    self.wfile.write(text.encode() if isinstance(text, str) else text)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def start() -> Iterator[Callable[..., Service]]:
    """Start servers; stop them at the end."""
    started: list[Service] = []

    def one(context: ssl.SSLContext | None = None) -> Service:
        started.append(Service(context))
        return started[-1]

    yield one
    for service in started:
        service.close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach the servers of the tests directly."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    """Start a server."""
    return start()


def fault_of(source: str | Path) -> str:
    """Return why a document can't be loaded, without its source."""
    with pytest.raises(ContractError) as caught:
        load(source)
    return "\n".join(caught.value.faults)


def write(folder: Path, files: dict[str, Any]) -> Path:
    """Write files of JSON; return the first."""
    for name, value in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    return folder / next(iter(files))


@pytest.mark.parametrize("text", [YAML, JSON])
def test_a_file_is_json_or_yaml_by_its_content(tmp_path: Path, text: str) -> None:
    """Whatever its name is."""
    path = write(tmp_path, {"shop.txt": text})

    assert load(path).title == "Shop"
    assert load(str(path)).source == str(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """The error says what is there instead."""
    assert fault_of(tmp_path / "none.json") == "there is no such file"
    assert fault_of(tmp_path) == "it is a folder, expected a file"
    assert (
        fault_of(write(tmp_path, {"a.json": "[1]"})) == "found a list, expected an OpenAPI document"
    )


def test_a_url_is_fetched(service: Service) -> None:
    """Content types are not looked at; relative servers are those of the URL."""
    service.answers["/docs/openapi"] = (200, {"Content-Type": "text/plain"}, YAML)

    document = load(f"{service.url}/docs/openapi", headers={"Authorization": "Bearer x"})

    assert (document.title, document.servers) == ("Shop", (service.url,))
    assert service.requests[0][1]["Authorization"] == "Bearer x"


@pytest.mark.parametrize(
    ("status", "fault"), [(404, "404 Not Found"), (503, "503 Service Unavailable")]
)
def test_the_status_of_a_failure_is_named(service: Service, status: int, fault: str) -> None:
    """Not what the body says."""
    service.answers["/openapi.json"] = (status, {}, JSON)

    assert fault_of(f"{service.url}/openapi.json") == f"the server answered with status {fault}"


def test_servers_that_cannot_be_reached(service: Service) -> None:
    """A closed port, a name that does not exist, an address that is none."""
    service.close()

    assert fault_of(f"{service.url}/x").startswith("the server can't be reached: ")
    assert fault_of("http://shop.invalid/x").startswith("the server can't be reached: ")
    assert fault_of("http://[::1/x").startswith("the address can't be read: ")


def test_redirects_are_followed(service: Service) -> None:
    """Credentials go along to the same server."""
    service.answers["/old"] = (302, {"Location": "/new"}, "")
    service.answers["/new"] = (200, {}, JSON)

    load(f"{service.url}/old", headers={"X-Key": "secret"})

    assert [(path, headers["X-Key"]) for path, headers in service.requests] == [
        ("/old", "secret"),
        ("/new", "secret"),
    ]


def test_credentials_stay_with_their_server(start: Callable[..., Service]) -> None:
    """A redirect to another one takes none along."""
    first, second = start(), start()
    first.answers["/old"] = (307, {"Location": f"{second.url}/new"}, "")
    second.answers["/new"] = (200, {}, JSON)

    load(f"{first.url}/old", headers={"Authorization": "Bearer x", "X-Key": "secret"})

    assert {"authorization", "x-key"}.isdisjoint(map(str.lower, second.requests[0][1]))


def test_redirects_do_not_leave_https(
    start: Callable[..., Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to be protected stays so."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    secure, plain = start(context), start()
    secure.answers = {"/old": (302, {"Location": f"{plain.url}/new"}, ""), "/it": (200, {}, JSON)}

    assert load(f"{secure.url}/it").title == "Shop"
    assert "it redirects from https to http://" in fault_of(f"{secure.url}/old")
    assert plain.requests == []


def test_a_document_in_gzip(service: Service) -> None:
    """Some servers and files are compressed, though no client has accepted it."""
    body = gzip.compress(JSON.encode())
    service.answers["/a"] = (200, {"Content-Encoding": "gzip"}, body)
    service.answers["/cut"] = (200, {}, b"\x1f\x8b\x00 no gzip")
    service.answers["/bomb"] = (200, {}, gzip.compress(b" " * (fetching.MAX_BYTES + 1)))

    assert load(f"{service.url}/a").title == "Shop"
    assert "it is no gzip" in fault_of(f"{service.url}/cut")
    assert "larger than" in fault_of(f"{service.url}/bomb")


def test_a_document_that_breaks_off(service: Service) -> None:
    """The start of a YAML document is not taken for the document."""
    service.answers["/a"] = (200, {"Content-Length": "9999"}, YAML)

    assert "the connection ended before" in fault_of(f"{service.url}/a")


def test_a_document_after_empty_lines(service: Service) -> None:
    """Space before a document is no empty document."""
    service.answers["/a"] = (200, {}, "\n" * 500 + JSON)

    assert load(f"{service.url}/a").title == "Shop"


def test_redirects_have_an_end(service: Service) -> None:
    """A loop is an error."""
    service.answers["/a"] = (302, {"Location": "/a"}, "")

    assert "infinite loop" in fault_of(f"{service.url}/a")


def test_large_documents_are_refused(service: Service, tmp_path: Path) -> None:
    """From a file or a URL, whether the server says how large it is or not."""
    path = tmp_path / "shop.json"
    with path.open("wb") as file:
        file.truncate(fetching.MAX_BYTES + 1)
    service.answers["/said"] = (200, {"Content-Length": str(fetching.MAX_BYTES + 1)}, JSON)
    service.answers["/unsaid"] = (200, {}, " " * (fetching.MAX_BYTES + 1))

    assert fault_of(path) == "it is larger than 64 MiB"
    assert fault_of(f"{service.url}/said") == "it is larger than 64 MiB"
    assert fault_of(f"{service.url}/unsaid") == "it is larger than 64 MiB"


PET = {
    "$id": "https://shop.example/pet",
    "type": "object",
    "properties": {
        "mother": {"$ref": "pet.json"},
        "owner": {"$ref": "#/definitions/Owner"},
        "toy": {"$ref": "../common/types.yaml#/Toy%20Box"},
        "color": {"$ref": "../common/types.yaml#color"},
    },
    "definitions": {"Owner": {"type": "object", "properties": {"pets": {"items": {"$ref": "#"}}}}},
}
TYPES = """
Toy Box: {type: string}
Colors: {type: object, $defs: {c: {$anchor: color, type: integer}}}
limit: {name: limit, in: query, schema: {$ref: '#/Toy Box'}}
"""


def split_document() -> dict[str, Any]:
    """Return a document in several files; the first is the document."""
    found = response({"$ref": "schemas/pet.json"}, example={"$ref": "nowhere.json"})
    item = {
        "parameters": [{"$ref": "../common/types.yaml#/limit"}],
        "get": {
            "responses": {
                "200": {"$ref": "#/found"},
                "404": {"$ref": "../shop.json#/components/responses/No"},
            }
        },
        "found": response({"$ref": "../schemas/pet.json"}),
    }
    return {
        "shop.json": content(
            paths={
                "/pets": {"$ref": "paths/pets.json", "summary": "own"},
                "/dogs": {"get": {"responses": {"200": found}}},
            },
            components={
                "schemas": {"Animal": {"$ref": "schemas/pet.json"}, "Owner": {"type": "string"}},
                "responses": {"No": {"description": "none"}},
            },
        ),
        "paths/pets.json": item,
        "schemas/pet.json": PET,
        "common/types.yaml": TYPES,
    }


def test_files_become_one_document(tmp_path: Path) -> None:
    """Relative to the file that refers to them; each is there once, under a name of its own."""
    document = load(write(tmp_path, split_document()))

    animal = (
        Field("mother", Ref("Animal")),
        Field("owner", Ref("Owner2")),
        Field("toy", Ref("Toy_Box")),
        Field("color", Ref("color")),
    )
    assert document.types["Animal"].type == ObjectType(animal)
    assert document.types["Owner2"].type == ObjectType((Field("pets", Array(Ref("Animal"))),))
    assert document.types["color"].type == Scalar("integer")
    pets, dogs = document.operations
    assert [one.contents[0].type for one in (*pets.responses[:1], *dogs.responses)] == [
        Ref("Animal")
    ] * 2
    assert [one.name for one in pets.parameters] == ["limit"]
    assert pets.responses[1].description == "none"
    assert dogs.responses[0].contents[0].examples == {"example": {"$ref": "nowhere.json"}}


def test_the_pinned_document_is_whole(tmp_path: Path) -> None:
    """It reads as the document does, has the same order of keys, and pins to itself."""
    path = write(tmp_path, split_document())

    pinned = normalised(read_content(path))

    text = json.loads(pinned)
    assert list(text) == ["openapi", "info", "paths", "components"]
    assert parse(text, str(path)) == load(path)
    assert normalised(text) == pinned
    assert pinned.startswith(b'{\n  "openapi": "3.1.0",\n')


def test_a_document_may_refer_to_urls(service: Service) -> None:
    """Relative to its own; credentials go to its own server only."""
    schema = {"$ref": "types.json#/Pet"}
    service.answers["/docs/openapi.json"] = (
        200,
        {},
        json.dumps(content(components={"schemas": {"A": schema}})),
    )
    service.answers["/docs/types.json"] = (200, {}, '{"Pet": {"type": "string"}}')

    document = load(f"{service.url}/docs/openapi.json", headers={"X-Key": "k"})

    assert document.types["A"].type == Scalar("string")
    assert [headers["X-Key"] for _, headers in service.requests] == ["k", "k"]


def test_credentials_are_not_sent_to_other_servers(start: Callable[..., Service]) -> None:
    """Even if the document refers to them."""
    first, second = start(), start()
    schema = {"$ref": f"{second.url}/types.json#/Pet"}
    first.answers["/openapi.json"] = (
        200,
        {},
        json.dumps(content(components={"schemas": {"A": schema}})),
    )
    second.answers["/types.json"] = (200, {}, '{"Pet": {"type": "string"}}')

    load(f"{first.url}/openapi.json", headers={"X-Key": "k"})

    assert "X-Key" not in second.requests[0][1]


def test_a_document_of_the_network_cannot_read_files(service: Service, tmp_path: Path) -> None:
    """Neither by a URL of a file nor by a path."""
    secret = write(tmp_path, {"secret.json": '{"type": "string"}'})
    schemas = {"A": {"$ref": secret.as_uri()}, "B": {"$ref": str(secret)}, "C": {"$ref": "c:/x"}}
    service.answers["/openapi.json"] = (
        200,
        {},
        json.dumps(content(components={"schemas": schemas})),
    )

    fault = fault_of(f"{service.url}/openapi.json")

    assert f"{secret.as_uri()!r} is no address of http or https" in fault
    assert "'c:/x' is no address of http or https" in fault
    assert f"{service.url}{secret}: the server answered with status 404" in fault


PETT = "# has no member 'Pett'; did you mean #/Pet?"
NOTHING = "# has no member 'Nothing'"


def test_references_to_missing_files_are_errors(tmp_path: Path) -> None:
    """All of them, each with its place, that in another file included."""
    schemas = {
        "A": {"properties": {"a": {"$ref": "none.json"}}},
        "B": {"properties": {"b": {"$ref": "types.json#/Pett"}}},
        "C": {"properties": {"c": {"$ref": "types.json#/Pet"}}},
        "D": {"$ref": "types.json#gone"},
    }
    types = {"Pet": {"items": {"$ref": "#/Nothing"}}}
    path = write(
        tmp_path, {"shop.json": content(components={"schemas": schemas}), "types.json": types}
    )

    lines = fault_of(path).splitlines()

    place = "#/components/schemas"
    assert lines == [
        f"{place}/D/$ref: 'types.json#gone': there is no schema with $anchor 'gone'",
        f"{place}/A/properties/a/$ref: 'none.json': {tmp_path}/none.json: there is no such file",
        f"{place}/B/properties/b/$ref: 'types.json#/Pett': {PETT}",
        f"{place}/Pet/items/$ref (in {tmp_path}/types.json): '#/Nothing': {NOTHING}",
    ]


def test_a_mapping_may_name_files(tmp_path: Path) -> None:
    """A discriminator's values stand for schemas of other files."""
    union = {
        "oneOf": [{"$ref": "cat.json"}, {"$ref": "dog.json"}],
        "discriminator": {"propertyName": "kind", "mapping": {"c": "cat.json", "d": "dog.json"}},
    }
    one = {"type": "object", "properties": {"kind": {"type": "string"}}}
    path = write(
        tmp_path,
        {
            "shop.json": content(components={"schemas": {"Pet": union}}),
            "cat.json": one,
            "dog.json": {**one},
        },
    )

    kind = load(path).types["Pet"].type

    assert kind.discriminator.mapping == {"c": "cat", "d": "dog"}


def test_an_id_within_the_document_is_not_fetched() -> None:
    """It is a name, not an address."""
    schemas = {
        "A": {"$ref": "https://nowhere.invalid/pet"},
        "B": {"$id": "https://nowhere.invalid/pet", "type": "string"},
    }

    assert parse(content(components={"schemas": schemas})).types["A"].type == Ref("B")


def test_large_numbers_are_pinned_as_they_are() -> None:
    """Beyond 64 bits, too."""
    pinned = normalised(content(**{"x-large": 2**70}))

    assert json.loads(pinned)["x-large"] == 2**70
