"""The JSON Schema of a file of routes: editors mark what the gateway would refuse."""

import json
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from bff_core.proxy.data.faults import ProxyFileError
from bff_core.proxy.data.json_schema import proxy_schema
from bff_core.proxy.data.proxy_file import read_proxy
from tests.proxy.data.test_proxy_file import TOML, YAML, Shop

VALIDATOR = jsonschema_rs.Draft202012Validator(proxy_schema())

BASE = """
[upstreams.a]
endpoints = ["https://a.internal"]
[[routes]]
id = "r"
match = { path = "/a/{b}", methods = ["GET"] }
to = "a"
"""

VALID = [
    "",
    "[upstreams]",
    "routes = []",
    "[upstreams.a]",
    BASE,
    BASE + "access = 'anyone'",
    BASE + "access = { scopes = [], roles = ['x'], acr = ['y'], max_age = 1 }",
    BASE + "cache = true",
    BASE + "cache = { ttl = 1 }",
    BASE + "timeout = 1",
    BASE + "websocket = { idle = 1 }",
    BASE + "split = { to = 'b-c', percent = 0.5 }\n[upstreams.b-c]",
    BASE + "split = [{ to = 'c', percent = 1, by = 'cookie:a' }]\n[upstreams.c]",
    BASE + "transform = { path = { regex = ['a', 'b'] }, trailers = { allow = [] } }",
    "[upstreams.a]\nretry = true\nbreaker = false\nbulkhead = { concurrent = 1 }",
    "[upstreams.a]\nendpoints = 'https://a'",
    "[upstreams.a]\nendpoints = [{ url = 'http://b', weight = 0, metadata = { a = 'b' } }]",
    "[upstreams.a]\nretry = { statuses = [503] }",
    BASE.replace('to = "a"', 'files = { directory = "dist", immutable = ["/a/*"] }'),
    BASE.replace("methods", "headers = { A = 'b', C = { regex = 'd' } }, methods"),
]  # fmt: skip

WRONG = [
    "apis = {}",
    "routes = {}",
    "upstreams = []",
    "[upstreams.'a b']",
    "[upstreams]\na = 1",
    "[upstreams.a]\nendpoints = 1",
    "[upstreams.a]\nendpoints = ['a.internal']",
    "[upstreams.a]\nendpoints = [{ weight = 1 }]",
    "[upstreams.a]\nendpoints = [{ url = 'https://a', weight = 1001 }]",
    "[upstreams.a]\nendpoints = [{ url = 'https://a', metadata = { a = 1 } }]",
    "[upstreams.a]\ntimeout = '1s'",
    "[upstreams.a]\ntimeout = 0",
    "[upstreams.a]\ntimeout = true",
    "[upstreams.a]\nretry = 3",
    "[upstreams.a]\nretry = { attempts = 0 }",
    "[upstreams.a]\nretry = { attempts = 1.5 }",
    "[upstreams.a]\nretry = { statuses = ['503'] }",
    "[upstreams.a]\nbalance = false",
    "[upstreams.a]\nbalance = { algorithm = 'best' }",
    "[upstreams.a]\ncredentials = { secret = 'a' }",
    "[upstreams.a]\nreading = 'loose'",
    "routes = [1]",
    "routes = [{}]",
    BASE.replace('id = "r"', ""),
    BASE.replace('id = "r"', "id = 1"),
    BASE.replace('id = "r"', "id = 'a b'"),
    BASE.replace('to = "a"', ""),
    BASE.replace('to = "a"', "to = 1"),
    BASE + "files = { directory = 'dist' }",
    BASE.replace('to = "a"', "files = { directory = '' }"),
    BASE.replace('to = "a"', "files = {}"),
    BASE.replace('path = "/a/{b}"', 'path = "a"'),
    BASE.replace('path = "/a/{b}"', 'path = "/a?b"'),
    BASE.replace('path = "/a/{b}", ', ""),
    BASE.replace('["GET"]', '"GET"'),
    BASE.replace('["GET"]', '["get"]'),
    BASE.replace('["GET"]', '["GET", "GET"]'),
    BASE.replace("methods", "hosts = 'a', methods"),
    BASE.replace("methods", "client = 'phone', methods"),
    BASE.replace("methods", "order = 10001, methods"),
    BASE.replace("methods", "order = 1.5, methods"),
    BASE.replace("methods", "headers = ['A'], methods"),
    BASE.replace("methods", "query = { a = 1 }, methods"),
    BASE.replace("methods", "query = { a = {} }, methods"),
    BASE.replace("methods", "query = { a = { equals = '1', prefix = '1' } }, methods"),
    BASE.replace("methods", "query = { a = { contains = '1' } }, methods"),
    BASE.replace("methods", f"query = {{ a = {{ regex = '{'a' * 257}' }} }}, methods"),
    BASE + "access = 'friends'",
    BASE + "access = { scope = 'a' }",
    BASE + "access = { scopes = 'a' }",
    BASE + "limits = { quota = 1 }",
    BASE + "limits = [{ quota = 0 }]",
    BASE + "limits = [{}]",
    BASE + "cache = 'yes'",
    BASE + "cache = { ttl = -1 }",
    BASE + "criticality = 'high'",
    BASE + "max_body = -1",
    BASE + "max_body = 1.5",
    BASE + "timeout = 0",
    BASE + "timeout = false",
    BASE + "cors = false",
    BASE + "transform = true",
    BASE.replace("methods", "query = { a = true }, methods"),
    BASE + "idle_timeout = 0",
    BASE + "idempotency = 1",
    BASE + "split = { to = 'a' }",
    BASE + "split = { to = 'a', percent = 101 }",
    BASE + "split = { to = 'a', percent = 1, by = 'user' }",
    BASE + "mirror = { to = 'a', methods = ['POST'] }",
    BASE + "mirror = { to = 'a', compare = ['xml'] }",
    BASE + "mirror = { to = 'a', ignore = ['a'] }",
    BASE + "websocket = 1",
    BASE + "websocket = { idle = 0 }",
    BASE + "transform = 1",
    BASE + "transform = { path = 1 }",
    BASE + "transform = { path = { regex = ['a'] } }",
    BASE + "transform = { method = 'post' }",
    BASE + "transform = { host = 'a.example' }",
    BASE + "transform = { forwarded = true }",
    BASE + "transform = { cookies = 'a' }",
    BASE + "transform = { request_headers = { set = ['A'] } }",
    BASE + "transform = { request_headers = { set = { A = 1 } } }",
    BASE + "transform = { headers = {} }",
    BASE + "max-body = 1",
]


def accepts(folder: Path, text: str) -> bool:
    """Return whether the gateway accepts a text."""
    path = folder / "proxy.toml"
    path.write_text(text)
    try:
        read_proxy(path, [Shop])
    except ProxyFileError:
        return False
    return True


def test_the_schema_is_one():
    """It is valid in its dialect, and what it refers to is there."""
    schema = proxy_schema()

    jsonschema_rs.meta.validate(schema)
    assert json.loads(json.dumps(schema)) == schema
    references = {part.split('"')[0] for part in json.dumps(schema).split('"#/$defs/')[1:]}
    assert references == schema["$defs"].keys()


def test_every_field_has_a_sentence():
    """An editor shows what a field is for."""
    definitions = proxy_schema()["$defs"]
    ours = ("Condition", "Files", "Headers", "Match", "Mirror", "PathRewrite", "Query", "Route", "Socket", "Split", "Transform")  # noqa: E501 # fmt: skip
    without = [
        f"{name}.{field}"
        for name in ours
        for field, one in definitions[name]["properties"].items()
        if not one.get("description")
    ]

    assert without == []


@pytest.mark.parametrize("data", [tomllib.loads(TOML), yaml.safe_load(YAML)], ids=["toml", "yaml"])
def test_the_schema_accepts_a_file_with_every_field(data: dict[str, object]):
    """The file of the reader's own test is valid."""
    assert [one.message for one in VALIDATOR.iter_errors(data)] == []


@pytest.mark.parametrize("text", VALID)
def test_what_the_gateway_accepts_is_not_marked(tmp_path: Path, text: str):
    """An editor does not complain of a file that works."""
    assert accepts(tmp_path, text)
    assert [one.message for one in VALIDATOR.iter_errors(tomllib.loads(text))] == []


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_marked(tmp_path: Path, text: str):
    """An editor marks what the gateway refuses, before the file is saved."""
    assert not VALIDATOR.is_valid(tomllib.loads(text))
    assert not accepts(tmp_path, text)


def test_the_file_of_the_documentation_is_accepted(tmp_path: Path):
    """Who copies the example gets a gateway that starts."""
    page = (Path(__file__).parents[3] / "docs/reference/proxy-file.md").read_text()
    text = page.partition("```toml\n")[2].partition("```")[0]

    assert text.startswith("#:schema")
    assert accepts(tmp_path, text)
    assert VALIDATOR.is_valid(tomllib.loads(text))
