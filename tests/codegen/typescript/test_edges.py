"""A generated client over a scripted `fetch`, in Node: what a live gateway seldom does."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bff_core.codegen.client_options import ClientOptions
from bff_core.codegen.typescript import generate
from bff_core.contracts.openapi import parse
from tests.codegen.typescript.compilers import FOLDER, IN_NODE, compile_files
from tests.codegen.typescript.documents import document, returning

pytestmark = pytest.mark.needs("node", "npm")

NUMBERS = {"type": "object", "additionalProperties": {"type": "number"}}
KEY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}


FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
FORM = {
    "type": "object",
    "properties": {
        "file": FILE,
        "files": {"type": "array", "items": FILE},
        "note": {"type": "string"},
        "size": {"type": "integer"},
    },
}


def sending(*media_types: str, schema: Any) -> dict[str, Any]:
    content = {one: {"schema": schema} for one in media_types}
    return {"responses": {"200": {"description": "", "content": content}}}


PATHS = {
    "/value": {
        "get": {
            "operationId": "get_value",
            **sending("application/json", "application/x-ndjson", schema=NUMBERS),
        }
    },
    "/texts": {
        "get": {
            "operationId": "stream_texts",
            **sending("application/x-ndjson", schema={"type": "string"}),
        }
    },
    "/news": {
        "get": {"operationId": "watch", **sending("text/event-stream", schema={"type": "string"})}
    },
    "/file": {
        "get": {"operationId": "get_file", **sending("application/pdf", schema={"type": "string"})}
    },
    "/table": {
        "get": {"operationId": "get_table", **sending("text/csv", schema={"type": "string"})}
    },
    "/form": {
        "post": returning(
            {"type": "number"},
            operationId="post_form",
            requestBody={"content": {"multipart/form-data": {"schema": FORM}}, "required": True},
        )
    },
    "/versioned": {
        "get": returning(
            {"type": "number"},
            operationId="get_versioned",
            parameters=[{"name": "X-App-Version", "in": "header", "schema": {"type": "string"}}],
        )
    },
    "/plain": {"post": returning({"type": "number"}, operationId="post_plain")},
    "/optional": {
        "post": {
            **returning({"type": "number"}, operationId="post_optional"),
            "responses": {
                "200": {
                    "description": "",
                    "content": {"application/json": {"schema": {"type": "number"}}},
                },
                "204": {"description": ""},
            },
        }
    },
    "/names": {
        "get": returning(
            {"type": "number"},
            operationId="get_names",
            parameters=[
                {"name": name, "in": "query", "schema": {"type": "string"}}
                for name in ("constructor", "toString", "__proto__")
            ],
        )
    },
    "/keyed": {"post": returning({"type": "number"}, operationId="post_keyed", parameters=[KEY])},
}

NETWORK = "true network "

EXPECTED = {
    "lettersInSeveralChunks": [["äöü€😀", "b"], ""],
    "lineWithoutEnd": [["a"], NETWORK],
    "lineThatIsNoJson": [["a"], "true http "],
    "withoutStreams": [["a", "b"], ""],
    "events": [
        [
            {"event": "news", "id": "7", "data": "a\nb"},
            {"event": "message", "id": "7", "data": "c"},
        ],
        "",
    ],
    "streamsAreRepeatedBeforeTheirFirstLine": [2, [["a"], ""]],
    "progressive": [
        [
            {
                "type": "part",
                "part": "a",
                "status": {"status": "ok"},
                "partial": {"a": 1},
                "value": {"a": 1},
            },
            {
                "type": "part",
                "part": "b",
                "status": {"status": "stale", "age": 3},
                "partial": {"a": 1},
            },
            {
                "type": "part",
                "part": "c",
                "status": {"status": "ok"},
                "partial": {"a": 1, "c": 2},
                "value": {"c": 2},
            },
        ],
        "true problem bad_status",
    ],
    "progressiveTimeout": [1, "true timeout ", True],
    "storeThatFails": 1,
    "progressiveCutOff": [
        [{"type": "part", "part": "a", "status": {"status": "ok"}, "partial": {}}],
        NETWORK,
    ],
    "progressiveAsDocument": [
        [
            {
                "type": "answer",
                "data": {"a": 1},
                "parts": {"a": {"status": "ok"}},
                "isPartial": False,
            }
        ],
        "",
    ],
    "parts": [
        [
            ["a", {"status": "ok"}],
            ["b", {"status": "stale", "age": 12}],
            ["c", {"status": "fallback", "reason": "timeout"}],
            ["d", {"status": "partial", "reason": "x,y;z"}],
        ],
        True,
    ],
    "staleIsComplete": False,
    "repeated": [[429, 3], [500, 1], [501, 1], [502, 3], [503, 3], [504, 3], [409, 1], 3],
    "backoff": [0, 1, 2],
    "writesWithoutKey": ["network", 1, None],
    "writesUnderWay": [1, 2, 1],
    "keyOfTheCaller": [
        '"a\\"b\\\\c"',
        "TypeError: an idempotency key has 1 to 255 characters of ASCII",
        0,
    ],
    "longRetryAfter": [1, 3600],
    "retryAfterIsADate": [True, True],
    "deadline": ["problem", 1, True],
    "budget": 69,
    "wrongBodies": ["http", "http", "http", "http", "http", "http"],
    "cutBodies": ["network", "r1"],
    "errorOfTheGatewaysOwn": {"why": "gone"},
    "etags": {
        "plain": '"1"',
        "noStore": None,
        "varyAll": None,
        "vary": '"1"',
        "varied": None,
        "off": None,
    },
    "lateAnswerOfAnotherViewer": None,
    "boundedStore": [True, False, True, False],
    "versionOfACall": ["6", "5"],
    "headersThatCanNotBeSent": [
        'TypeError: header "x-a" can\'t be "a\\nb"',
        'TypeError: header "x-a" can\'t be "ü€"',
        0,
    ],
    "sessions": ["include", "1", "https://shop.example/api/value"],
    "downloads": [4, "%PDF", "*/*"],
    "texts": "a;b",
    "uploads": [
        [["file", "a.png"], ["files", "a.png"], ["files", "blob"], ["note", "n"], ["size", "3"]],
        None,
    ],
    "headersOfARequest": ["POST https://shop.example/api/plain t", "DPoP t", None],
    "tokenThatFails": "Error: locked",
    "abortedBefore": ["aborted", 0, 0],
    "signalsAreReleased": 0,
    "aTypeThatIsNotPromised": [
        "http: unexpected response 204 of application/json",
        [None],
        "http: unexpected response 200 of text/plain",
        "http: unexpected response 200 of application/json",
        [1],
        "http: unexpected response 200 of application/json",
        "http: unexpected response 200 of text/html",
        "http: unexpected response 200 of text/html",
        "http: unexpected response 200 of text/html",
    ],
    "oddProblems": ["problem: busy: no details", 3600, 1],
    "oddRetryAfter": [None, None, None, None, None, None, 0],
    "oddParts": [
        {"c": {"status": "ok"}},
        {},
        {"a": {"status": "stale"}},
        {"a": {"status": "stale"}},
    ],
    "refusedTogether": [[1, 1, 1], 1, 6],
    "tokenThatHangs": ["timeout: the call timed out", "timeout: the call timed out"],
    "slowHeadersOfAnotherViewer": [
        ["Bearer ben", None],
        ["Bearer anna", None],
        ["Bearer ben", '"1"'],
    ],
    "namesOfPrototypes": [
        "https://shop.example/api/names",
        "https://shop.example/api/names?constructor=a&toString=b&__proto__=c",
    ],
    "nothingInAList": "https://shop.example/api/names?toString=a&toString=b",
    "storesThatForgetUndefined": None,
    "eventsOfOtherServers": [
        [
            {"event": "message", "id": "", "data": "a"},
            {"event": "message", "id": "", "data": "b"},
        ],
        "",
    ],
    "aLongLine": [1, True, ""],
    "streamsThatAreLeft": [True, True],
    "linesThatAreNoLines": [[[], "true http "], NETWORK],
    "reasonsOfNode": [
        "network: no complete response: fetch failed: connect ECONNREFUSED 10.0.0.1:443",
        "network: no complete response: odd",
    ],
    "platformsWithoutCrypto": True,
}
"""What each scenario of `edges.ts` returns."""


def edges_client() -> str:
    """Return the client of `PATHS`, for a gateway with sessions."""
    described = document(PATHS)
    cookie = {"type": "apiKey", "in": "cookie", "name": "__Host-bff"}
    described["components"]["securitySchemes"] = {"Session": cookie}
    (text,) = generate(parse(described), ClientOptions(gateway="edges")).values()
    return text


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Generate a client, compile it with the program, run it."""
    folder: Path = tmp_path_factory.mktemp("edges")
    (folder / "edges_client.ts").write_text(edges_client(), encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}')
    shutil.copy(FOLDER / "edges.ts", folder)
    assert compile_files("7", folder, *IN_NODE, "edges.ts") == []
    done = subprocess.run(
        ("node", "compiled/edges.js"),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(done.stdout)
    return results


@pytest.mark.parametrize("name", EXPECTED)
def test_clients_behave_at_the_edges(found: dict[str, Any], name: str) -> None:
    """Chunks, repetitions, stored answers, wrong responses: each as its name says."""
    assert found[name] == EXPECTED[name]


def test_no_scenario_is_forgotten(found: dict[str, Any]) -> None:
    """The program and the table have the same scenarios."""
    assert found.keys() == EXPECTED.keys()
