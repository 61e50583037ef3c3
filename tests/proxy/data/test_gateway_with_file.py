"""A gateway serves the routes of its file, beside those in Python."""

from pathlib import Path

import pytest

from bff_core import Upstream, Views, gateway
from bff_core.auth import ANYONE
from bff_core.errors import ConfigurationError
from bff_core.proxy import Match, Proxy, ProxyFileError, Route
from bff_core.testing import client, reply

FILE = """
[upstreams.suppliers]
endpoints = ["http://suppliers.internal"]
retry = false
[upstreams]
suppliers-next = { endpoints = ["http://next.internal"] }
[[routes]]
id = "read"
match = { path = "/suppliers/{rest:path}", methods = ["GET"] }
to = "suppliers"
access = "anyone"
transform.path = "/v2/{rest}"
[[routes]]
id = "beta"
match = { path = "/suppliers/{rest:path}", methods = ["GET"], headers = { X-Beta = "1" } }
to = "suppliers-next"
access = "anyone"
[[routes]]
id = "write"
match = { path = "/suppliers/{rest:path}", methods = ["POST"] }
to = "suppliers"
access = "signed-in"
"""

views = Views()


@views.get("/suppliers/me", access=ANYONE)
async def get_me() -> str:
    """Return a text that no service has."""
    return "me"


class Catalog(Upstream):
    """A service in Python."""


CATALOG = '[[routes]]\nid = "c"\nmatch = { path = "/c" }\nto = "catalog"\naccess = "anyone"\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a file of routes."""
    monkeypatch.setenv("BFF_ENV", "development")
    monkeypatch.setenv("BFF_UPSTREAM_SUPPLIERS", "http://suppliers.test")
    monkeypatch.setenv("BFF_UPSTREAM_SUPPLIERS_NEXT", "http://next.test")
    monkeypatch.setenv("BFF_UPSTREAM_CATALOG", "http://catalog.test")
    path = tmp_path / "proxy.toml"
    path.write_text(f"{FILE}{CATALOG}")
    return path


def make_without_face():
    """Return a gateway whose variable names the file."""
    return gateway("shop", faces=[views], services=[Catalog])


async def test_a_variable_names_the_file(file: Path):
    """Without a line of Python the gateway serves the file's routes; the most specific one wins."""
    scripts = {
        "suppliers": reply(200, b"suppliers"),
        "suppliers_next": reply(200, b"next"),
        "catalog": reply(200, b""),
    }
    async with client(make_without_face, environ={"BFF_PROXY": str(file)}, **scripts) as c:
        read = await c.get("/suppliers/a%2Fb")
        beta = await c.get("/suppliers/a", headers={"X-Beta": "1"})
        python = await c.get("/suppliers/me")
        refused = await c.post("/suppliers/a", json={})

    assert (read.text, beta.text, python.json()) == ("suppliers", "next", "me")
    assert refused.status_code == 401
    assert [one.operation for one in c.calls] == ["GET read", "GET beta"]


async def test_a_face_names_the_file_and_has_further_routes(file: Path):
    """A route in Python may name an upstream of the file, and the other way round."""

    def make():
        own = Route("own", Match("/own"), to="suppliers", access=ANYONE)
        return gateway("shop", faces=[Proxy(routes=[own], file=file)], services=[Catalog])

    scripts = {"suppliers": reply(200, b"suppliers"), "catalog": reply(200, b"catalog")}
    async with client(make, suppliers_next=reply(200, b""), **scripts) as c:
        texts = [(await c.get(path)).text for path in ("/own", "/c")]

    assert texts == ["suppliers", "catalog"]


def test_two_gateways_may_have_one_file(file: Path):
    """Each reads the file for itself; nothing is shared."""
    one, other = (
        gateway(name, faces=[Proxy(file=file)], services=[Catalog]) for name in ("one", "other")
    )

    assert [kind.name for kind in one.services] == ["catalog", "suppliers", "suppliers_next"]
    assert set(one.services) & set(other.services) == {Catalog}


def test_a_wrong_file_prevents_the_start(file: Path, monkeypatch: pytest.MonkeyPatch):
    """The error is the list of faults, as `bff check` prints it."""
    monkeypatch.setenv("BFF_PROXY", str(file))
    file.write_text(FILE.replace('"GET"] }\nto = "suppliers"\n', '"GET"] }\nto = "supplier"\n'))

    with pytest.raises(ProxyFileError, match=r'proxy\.toml:10:6  routes\[0\]\.to = "supplier"'):
        make_without_face()


def test_an_id_in_python_and_in_the_file_is_refused(file: Path):
    """Logs and limits go by ids, so that each is there once."""
    own = Route("read", Match("/own"), to=Catalog)

    with pytest.raises(ConfigurationError, match="two routes have the id 'read'"):
        gateway("shop", faces=[Proxy(routes=[own], file=file)])
