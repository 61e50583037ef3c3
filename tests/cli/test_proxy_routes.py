"""Proxied routes at the command line: `bff check`, `bff routes`, `bff explain`, `bff schema`."""

import json
from itertools import count
from pathlib import Path

import pytest

TABLE = """
[project]
name = "shop"
version = "1"

[tool.bff.gateways.shop]
app = "{module}:app"
port = 8001
env = {{ BFF_PROXY = "proxy.toml" }}
"""

MODULE = """
from bff_core import ANYONE, Upstream, Views, gateway
from bff_core.proxy import Match, Route
from bff_core.proxy.face import Proxy


class Catalog(Upstream):
    ...


views = Views()


@views.get("/supplier/me", access=ANYONE)
async def get_me() -> str:
    return "me"


everything = Route("everything", Match("/{rest:path}", order=1000), to=Catalog, access=ANYONE)
other = Route("supplier-other", Match("/supplier/{rest:path}"), to=Catalog, access=ANYONE)
app = gateway("shop", faces=[views, Proxy(routes=[everything, other])])
"""

FILE = """\
[upstreams.suppliers]
endpoints = ["https://a.internal:8443", { url = "https://b.internal", weight = 3, zone = "north" }]
timeout = 5.0
retry = { attempts = 2 }
breaker = false
health = { path = "/up", interval = 5 }
affinity = { by = "header" }
[upstreams]
suppliers-next = { endpoints = [] }
[[routes]]
id = "supplier-read"
match = { path = "/supplier/{rest:path}", methods = ["GET"] }
to = "suppliers"
access = { scopes = ["suppliers:read"] }
split = { to = "suppliers-next", percent = 5 }
mirror = { to = "suppliers-next", percent = 1 }
limits = [{ quota = 60 }]
transform.path = "/v2/{rest}"
transform.cookies = ["session"]
transform.query = { remove = ["debug"] }
transform.request_headers = { allow = ["accept"], set = { X-Tenant = "{claims.tenant}" } }
transform.response_headers = { allow = ["etag"] }
[[routes]]
id = "supplier-beta"
match = { path = "/supplier/{rest:path}", methods = ["GET"], headers = { X-Beta = "1" } }
to = "suppliers-next"
access = "anyone"
[[routes]]
id = "live"
match = { path = "/live" }
to = "suppliers"
access = "anyone"
websocket = true
max_body = 2_147_483_648
"""

_numbers = count()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project with a file of routes; it is the working directory."""
    module = f"proxied_shop_{next(_numbers)}"
    (tmp_path / "pyproject.toml").write_text(TABLE.format(module=module))
    (tmp_path / f"{module}.py").write_text(MODULE)
    (tmp_path / "proxy.toml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def edit(project: Path, old: str, new: str) -> None:
    """Replace a text of the file of routes, which is there once."""
    text = (project / "proxy.toml").read_text()
    assert text.count(old) == 1, old
    (project / "proxy.toml").write_text(text.replace(old, new))


def test_a_sound_file_has_no_errors(project, bff):
    """A gateway has the routes and the upstreams of its file."""
    done = bff("check", "--offline")

    assert done.status == 0, done.out
    assert "loads, with 3 services and 7 routes" in done.out


def test_all_faults_of_a_file_are_listed(project, bff):
    """Each in the compiler's form, so that an editor jumps to it; the status is 1."""
    edit(project, 'to = "suppliers"\naccess = {', 'to = "supliers"\naccess = {')
    edit(project, "percent = 5 ", "percent = 500 ")

    done = bff("check", "--offline")

    assert done.status == 1
    assert (
        'proxy.toml:13:6: routes[0].to = "supliers": is no upstream. Did you mean "su' in done.out
    )
    assert "proxy.toml:15:44: routes[0].split.percent = 500: must be 0 to 100" in done.out
    assert done.out.endswith("2 errors\n")


def test_faults_of_a_file_are_annotations_of_github(project, bff):
    """In a pull request each fault stands at its line."""
    edit(project, "attempts = 2", "attempts = 0")

    done = bff("check", "--offline", "--format", "github")

    assert "::error file=proxy.toml,line=4,col=22,title=bff check%3A gateway shop::" in done.out
    assert "upstreams.suppliers.retry.attempts = 0: must be 1 to 10" in done.out


def test_a_conflict_with_a_route_in_python_is_found(project, bff):
    """Nothing would decide between the two, and the error names both with their lines."""
    edit(
        project,
        'id = "live"\nmatch = { path = "/live" }\n',
        'id = "me"\nmatch = { path = "/supplier/me", methods = ["GET"] }\n',
    )

    done = bff("check", "--offline")

    assert done.status == 1
    assert "the route 'me' (proxy.toml:28) and GET /supplier/me" in done.out
    assert "take the same requests: give one an `order`" in done.out


def test_other_commands_report_the_faults_of_a_file(project, bff):
    """No command ends with a traceback for a wrong file."""
    edit(project, "timeout = 5.0", "timeout = 0")

    done = bff("routes")

    assert done.status == 2
    assert (
        done.err
        == "bff: proxy.toml:3:11  upstreams.suppliers.timeout = 0: must be 0.001 to 3,600\n"
    )


def test_proxied_routes_are_listed(project, bff):
    """They stand among the others, with their id and their upstream."""
    lines = bff("routes").out.splitlines()
    read, live, everything = (
        next(line.split() for line in lines if name in line)
        for name in ("supplier-read", "live", "everything")
    )

    assert read[:2] == ["GET", "/supplier/{rest}"]
    assert live[:2] == ["any", "/live"]
    assert everything[-2:] == ["to", "catalog"]
    assert " ".join(read).endswith(
        "to suppliers 95 % · suppliers_next 5 % by viewer · mirror suppliers_next 1 %; "
        "60 requests a minute by viewer"
    )
    found = {one["route"]: one for one in json.loads(bff("routes", "--json").out)}
    assert found["live"]["kind"] == "proxy"
    assert found["live"]["to"] == "suppliers"


EXPLAINED = """\
GET /supplier/a%2Fb?q=1 → supplier-read (proxy.toml:10) · next best: supplier-other (/supplier/{rest:path})
  route       rest = "a%2Fb"
  not         supplier-beta: it needs header X-Beta is '1'
  access      signed in, with suppliers:read
  edge        deadline 10 s · body ≤ 1 MiB · 60 requests a minute by viewer
  to          suppliers 95 % · suppliers_next 5 % by viewer · mirror suppliers_next 1 %
  request     GET /v2/a%2Fb?q=1 · headers accept, X-Tenant = claims.tenant · without query debug · cookies session
  upstream    deadline 5 s → coalesce → retry 2 → no breaker → bulkhead 100 → credentials none → balance power-of-two + affinity by header
  endpoints   2: a.internal:8443, b.internal (weight 3, zone north) · probe GET /up every 5 s
  worst case  5 s until the head of the reply
  response    headers etag
  body        request and reply stream; the mirror compares up to 64 KiB
"""  # noqa: E501


def test_a_proxied_request_is_explained(project, bff):
    """Which route wins, which one would be next, and what the service gets."""
    done = bff("explain", "GET /supplier/a%2Fb?q=1")

    assert done.out == EXPLAINED


def test_headers_decide_between_routes(project, bff):
    """A header that is given may make another route win."""
    first = bff("explain", "GET /supplier/x", "-H", "X-Beta: 1").out.splitlines()[0]

    assert first == (
        "GET /supplier/x → supplier-beta (proxy.toml:23) · next best: "
        "supplier-read (/supplier/{rest:path})"
    )


def test_a_more_specific_route_in_python_wins(project, bff):
    """A proxied route behind it is not explained in its place."""
    assert bff("explain", "GET /supplier/me").out.startswith("GET /supplier/me  shop")
    assert "→ supplier-read" in bff("explain", "GET /supplier/me/").out


def test_a_route_is_explained_by_its_id(project, bff):
    """An id in the log is enough: the path need not be known."""
    done = bff("explain", "live", "--json")
    found = json.loads(done.out)

    assert found["request"] == "GET /live"
    assert found["details"]["edge"] == "deadline 10 s · body ≤ 2 GiB"
    assert found["details"]["body"] == "a web socket, passed on in both directions"


def test_addresses_of_the_environment_replace_those_of_the_file(project, bff, monkeypatch):
    """What is explained is what would be called."""
    monkeypatch.setenv("BFF_UPSTREAM_SUPPLIERS", "http://other.internal:9000")

    assert "endpoints   1: other.internal:9000" in bff("explain", "GET /supplier/x").out


@pytest.mark.parametrize("path", ["/supplier/../x", "/supplier/%2e%2e/x", "/supplier/a%00b"])
def test_a_path_that_is_refused_is_explained_as_refused(project, bff, path: str):
    """The command says what the gateway would answer."""
    out = bff("explain", f"GET {path}").out

    assert "refused" in out
    assert "400" in out


def test_a_wrong_header_is_refused(project, bff):
    """The message says how a header is written."""
    done = bff("explain", "GET /supplier/x", "-H", "X-Beta")

    assert (done.status, done.err) == (2, "bff: --header 'X-Beta': write NAME: VALUE\n")


def test_the_schema_of_a_file_is_written(project, bff):
    """An editor that reads it completes the names of fields."""
    done = bff("schema", "proxy")
    printed = bff("schema", "proxy", "-o", "-")

    assert done.out == "wrote proxy.schema.json\n"
    assert (project / "proxy.schema.json").read_text() == printed.out
    assert json.loads(printed.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_schema_that_can_not_be_written_is_an_error(project, bff):
    """The message has the reason of the system."""
    done = bff("schema", "proxy", "-o", str(project / "absent" / "x.json"))

    assert done.status == 2
    assert "can't be written: No such file or directory" in done.err
