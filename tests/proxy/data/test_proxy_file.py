"""A file of routes makes the same objects as Python, and reports all of its faults at once."""

from dataclasses import replace
from pathlib import Path

import pytest

from bff_core.auth.access import ANYONE, SIGNED_IN, Require
from bff_core.edge.options import CorsOptions
from bff_core.errors import ConfigurationError
from bff_core.policy import Affinity, Balance, Cache, HealthCheck, Limit, Retry
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.proxy import (
    Condition,
    Files,
    Headers,
    Match,
    Mirror,
    PathRewrite,
    Query,
    Route,
    Socket,
    Split,
    Transform,
)
from bff_core.proxy.data.faults import ProxyFileError
from bff_core.proxy.data.proxy_file import ProxyFile, read_proxy
from bff_core.upstream.client import Upstream

TOML = """\
#:schema proxy.schema.json
[upstreams.suppliers]
endpoints = ["https://a.internal", { url = "https://b.internal", weight = 3, zone = "north", metadata = { rack = "7" } }]  # noqa: E501
timeout   = 5
retry     = { attempts = 2, statuses = [502, 503] }
breaker   = false
bulkhead  = true
cache     = { ttl = 30 }
balance   = { slow_start = 30.0 }
health    = { path = "/up", expect = [200, 204] }
affinity  = true
public    = true

[upstreams]
suppliers-next = { endpoints = "http://next.internal" }

[[routes]]
id = "supplier-read"
to = "suppliers"
access = { scopes = ["suppliers:read"], roles = ["buyer"], acr = ["mfa"], max_age = 300 }
limits = [{ quota = 60, per = 30 }]
cache = { ttl = 30 }
criticality = "sheddable"
max_body = 2_147_483_648
timeout = 7
idle_timeout = 20.0
idempotency = false
cors = { origins = ["https://shop.example"] }
split  = { to = "suppliers-next", percent = 5, by = "viewer" }
mirror = { to = "suppliers_next", percent = 1, ignore = ["$.servedAt"] }
[routes.match]
path = "/supplier/{rest:path}"
methods = ["GET"]
hosts = ["*.shop.example"]
headers = { X-Beta = "1", Accept = { prefix = "text/" } }
query = { q = { exists = true } }
cookies = { beta = { absent = true }, c = { regex = "a+" } }
client = "ios"
app_version = ">=4.2,<5"
order = -3
[routes.transform]
path = "/v2/suppliers/{rest}"
method = "POST"
query = { allow = ["q"], remove = ["r"], set = { a = "{route.rest}" }, append = { b = "1" } }
request_headers = { allow = ["accept"], set = { X-Tenant = "{claims.tenant}" } }
response_headers = { remove = ["server"] }
trailers = { append = { X-Sum = "1" } }
cookies = ["session"]
host = "client"
redirects = false
forwarded = "off"

[[routes]]
id = "live"
to = "suppliers"
access = "anyone"
cache = false
match = { path = "/live" }
websocket = { idle = 120, subprotocols = ["chat"] }

[[routes]]
id = "plain-socket"
to = "shop"
access = "signed-in"
match = { path = "/socket" }
websocket = true
split = [{ to = "suppliers", percent = 5 }, { to = "suppliers-next", percent = 1.5 }]
transform.path = { strip = "/socket", prefix = "/v1", regex = ["a+", "b"] }

[[routes]]
id = "shop"
match = { path = "/{rest:path}", order = 1000 }
files = { directory = "dist", fallback = "index.html", fallback_from = "shop", immutable = "/assets/*" }  # noqa: E501
"""  # noqa: E501

YAML = """\
upstreams:
  suppliers: &suppliers
    endpoints:
      - https://a.internal
      - {url: https://b.internal, weight: 3}
    timeout: 5
    retry: {attempts: 2}
  next:
    <<: *suppliers
    endpoints: [http://next.internal]
routes:
  - id: supplier-read
    match: {path: "/supplier/{rest:path}", methods: [GET]}
    to: suppliers
    access: anyone
    timeout: null
    split: {to: next, percent: 5}
"""


class Shop(Upstream):
    """An upstream in Python."""


def read(folder: Path, text: str | bytes, name: str = "proxy.toml") -> ProxyFile:
    """Read a text as a file of routes."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_proxy(path, [Shop])


def faults(folder: Path, text: str | bytes, name: str = "proxy.toml") -> list[str]:
    """Return the faults of a text, without the folder of its file."""
    with pytest.raises(ProxyFileError) as caught:
        read(folder, text, name)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def test_a_file_makes_the_routes_that_python_makes(tmp_path: Path):
    """Every field of every table: the file and Python describe one model."""
    file = read(tmp_path, TOML)
    suppliers, following = file.upstreams

    assert file.routes == (
        Route(
            "supplier-read",
            Match(
                "/supplier/{rest:path}",
                methods=("GET",),
                hosts=("*.shop.example",),
                headers={"X-Beta": "1", "Accept": Condition(prefix="text/")},
                query={"q": Condition(exists=True)},
                cookies={"beta": Condition(absent=True), "c": Condition(regex="a+")},
                client="ios",
                app_version=">=4.2,<5",
                order=-3,
            ),
            to=suppliers,
            access=Require("suppliers:read", roles=("buyer",), acr="mfa", max_age=300),
            limits=(Limit(quota=60, per=30),),
            cache=Cache(ttl=30),
            criticality="sheddable",
            max_body=2**31,
            timeout=7,
            idle_timeout=20.0,
            idempotency=False,
            cors=CorsOptions(origins=("https://shop.example",)),
            split=Split(to=following, percent=5),
            mirror=Mirror(to=following, percent=1, ignore=("$.servedAt",)),
            transform=Transform(
                path="/v2/suppliers/{rest}",
                method="POST",
                query=Query(
                    allow=("q",), remove=("r",), set={"a": "{route.rest}"}, append={"b": "1"}
                ),
                request_headers=Headers(allow=("accept",), set={"X-Tenant": "{claims.tenant}"}),
                response_headers=Headers(remove=("server",)),
                trailers=Headers(append={"X-Sum": "1"}),
                cookies=("session",),
                host="client",
                redirects=False,
                forwarded="off",
            ),
        ),
        Route(
            "live",
            Match("/live"),
            to=suppliers,
            access=ANYONE,
            cache=False,
            websocket=Socket(idle=120, subprotocols=("chat",)),
        ),
        Route(
            "plain-socket",
            Match("/socket"),
            to=Shop,
            access=SIGNED_IN,
            websocket=True,
            split=(Split(to=suppliers, percent=5), Split(to=following, percent=1.5)),
            transform=Transform(path=PathRewrite(strip="/socket", prefix="/v1", regex=("a+", "b"))),
        ),
        Route(
            "shop",
            Match("/{rest:path}", order=1000),
            files=Files(
                str(tmp_path / "dist"),
                fallback="index.html",
                fallback_from=Shop,
                immutable="/assets/*",
            ),
        ),
    )


def test_an_upstream_of_a_file_has_the_options_of_a_policy(tmp_path: Path):
    """Its service is not known to support Idempotency-Keys, unless the file says so."""
    suppliers, following = read(tmp_path, TOML).upstreams
    policy = suppliers.policy

    assert (suppliers.name, following.name) == ("suppliers", "suppliers_next")
    assert (policy.timeout, policy.breaker, policy.keyed, policy.public) == (5, None, False, True)
    assert policy.bulkhead is not None
    assert policy.retry == replace(Retry(), attempts=2, statuses=frozenset({502, 503}))
    assert policy.cache == Cache(ttl=30)
    assert policy.balance == Balance(slow_start=30.0)
    assert policy.health == HealthCheck("/up", expect=(200, 204))
    assert policy.affinity == Affinity()
    assert vars(suppliers)["endpoints"] == (
        "https://a.internal",
        EndpointOptions("https://b.internal", weight=3, zone="north", metadata={"rack": "7"}),
    )


def test_a_route_is_found_in_its_file(tmp_path: Path):
    """Errors and commands name the line in which a route begins."""
    file = read(tmp_path, TOML)

    assert file.place_of("live") == f"{tmp_path}/proxy.toml:53"
    assert file.place_of("of-python") == ""


def test_yaml_is_read_alike(tmp_path: Path):
    """Anchors and merge keys work; values have the types of YAML 1.2."""
    file = read(tmp_path, YAML, "proxy.yaml")

    assert [one.name for one in file.upstreams] == ["suppliers", "next"]
    assert file.upstreams[1].policy == file.upstreams[0].policy
    assert file.routes == (
        Route(
            "supplier-read",
            Match("/supplier/{rest:path}", methods=("GET",)),
            to=file.upstreams[0],
            access=ANYONE,
            split=Split(to=file.upstreams[1], percent=5),
        ),
    )
    assert file.place_of("supplier-read").endswith("proxy.yaml:12")


@pytest.mark.parametrize("name", ["proxy.toml", "proxy.yml"])
@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "\ufeff# with a mark\r\n"])
def test_an_empty_file_has_no_routes(tmp_path: Path, text: str, name: str):
    """A file may be empty, and begin with a byte order mark as some editors write it."""
    file = read(tmp_path, text, name)

    assert (file.routes, file.upstreams) == ((), ())


BAD = """\
[upstreams.suppliers]
endpoints = ["https://a.internal", { url = "https://b.internal", weight = -3 }, "b.internal", 7]
retry     = { attemps = 2 }
timeout = "5s"
credentials = { secret = "x" }
[upstreams.shop]
[upstreams."a b"]
[upstreams.Suppliers]
hedge = 3
[[routes]]
id = "supplier-read"
match  = { path = "/supplier/{rest:path}", methods = ["get"], headers = { "X A" = "1", X-B = { regex = "(a" } } }  # noqa: E501
to     = "supliers"
access = { scopes = "read" }
split  = { to = "suppliers", percent = 500 }
transform.path = "/{nation}"
transform.request_headers  = { set = { X-Tenant = "{claim.tenant}" } }
limits = [{ quota = 0 }, 7]
criticality = "high"
max-body = 1
[[routes]]
id = "supplier-read"
match = { path = "/b" }
to = "suppliers"
[[routes]]
id = "supplier-read"
match = { path = "/b" }
to = "suppliers"
files = { directory = "dist" }
[[routes]]
match = { path = "/c", query = { q = 1 } }
to = 7
access = "none"
[products]
"""  # noqa: E501

EXPECTED = [
    "2:75  upstreams.suppliers.endpoints[1].weight = -3: must be 0 to 1,000",
    '2:81  upstreams.suppliers.endpoints[2] = "b.internal"',
    "2:95  upstreams.suppliers.endpoints[3] = 7: must be an address, or a table with url",
    '3:15  upstreams.suppliers.retry.attemps: is no field of Retry. Did you mean "attempts"?',
    '4:11  upstreams.suppliers.timeout = "5s": must be a number',
    "5:1  upstreams.suppliers.credentials: is no field of Policy: only the code can set it",
    "6:12  upstreams.shop: is an upstream in Python already: rename one",
    '7:12  upstreams["a b"]: is no name of an upstream',
    "8:12  upstreams.Suppliers: is an upstream here already: rename one",
    "9:9  upstreams.Suppliers.hedge = 3: must be a table",
    "12:55  routes[0].match.methods[0] = \"get\": is no method: write 'GET'",
    '12:75  routes[0].match.headers["X A"]: is no name',
    '12:104  routes[0].match.headers.X-B.regex = "(a": is no regex',
    '13:10  routes[0].to = "supliers": is no upstream. Did you mean "suppliers"?',
    '14:21  routes[0].access.scopes = "read": must be a list of texts',
    "15:40  routes[0].split.percent = 500: must be 0 to 100",
    '17:51  routes[0].transform.request_headers.set.X-Tenant = "{claim.tenant}": has {claim.tenant}',  # noqa: E501
    "18:21  routes[0].limits[0].quota = 0: must be 1 to 10,000,000",
    "18:26  routes[0].limits[1] = 7: must be a table",
    '19:15  routes[0].criticality = "high": must be "sheddable" or',
    '20:1  routes[0].max-body: is no field of Route. Did you mean "max_body"?',
    "25:1  routes[2]: needs exactly one of to and files",
    "30:1  routes[3]: lacks id",
    "31:38  routes[3].match.query.q = 1: must be text or a table",
    "32:6  routes[3].to = 7: must be the name of an upstream",
    '33:10  routes[3].access = "none": must be "anyone", "signed-in" or a table',
    '34:2  products: is no table of a file of routes. Did you mean "routes"?',
]


def test_all_faults_are_reported_at_once(tmp_path: Path):
    """Each has its line and column, the value as the file has it, and what to write instead."""
    found = faults(tmp_path, BAD)

    begins = [line[: len(wanted) + 11] for line, wanted in zip(found, EXPECTED, strict=True)]
    assert begins == [f"proxy.toml:{wanted}" for wanted in EXPECTED]


def test_two_routes_of_a_file_are_checked_together(tmp_path: Path):
    """An id that is there twice, and two routes that take the same requests."""
    route = '[[routes]]\nid = "{}"\nmatch = {{ path = "{}" }}\nto = "shop"\n'

    found = faults(
        tmp_path,
        route.format("a", "/x/{b}") + route.format("b", "/x/{c}") + route.format("a", "/y"),
    )

    assert found == [
        "proxy.toml:7:9  routes[1].match: b and a (line 1) take the same requests: give one an `order`",  # noqa: E501
        'proxy.toml:10:6  routes[2].id = "a": is the id of the route in line 2, too',
    ]


def test_faults_of_yaml_have_their_places(tmp_path: Path):
    """The same faults in the same form, whatever the file is written in."""
    text = YAML.replace("to: suppliers", "to: supliers").replace("percent: 5", "percent: 101")
    text = text.replace("retry: {attempts: 2}", "retry: {attemps: 2}").replace(
        "timeout: null", "timeout: no"
    )

    assert faults(tmp_path, text, "proxy.yaml") == [
        'proxy.yaml:7:13  upstreams.suppliers.retry.attemps: is no field of Retry. Did you mean "attempts"?',  # noqa: E501
        'proxy.yaml:9:5  upstreams.next.retry.attemps: is no field of Retry. Did you mean "attempts"?',  # noqa: E501
        'proxy.yaml:14:9  routes[0].to = "supliers": is no upstream. Did you mean "suppliers"?',
        'proxy.yaml:16:14  routes[0].timeout = "no": must be a number',
        "proxy.yaml:17:32  routes[0].split.percent = 101: must be 0 to 100",
    ]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 10)}]\n"
    for before, after in zip("abcdefg", "bcdefgh", strict=True)
)

HOSTILE = [
    ("proxy.toml", b"\xff\xfe", "1:1  is no text in UTF-8"),
    ("proxy.toml", b'a = 1\nb = "\xe9"\n', "2:6  is no text in UTF-8"),
    ("proxy.toml", b"a = 1\na = 2\n", "2:6  is no TOML"),
    ("proxy.toml", b"[a]\n[a]\n", "2:3  is no TOML"),
    ("proxy.toml", b"a = \n", "1:5  is no TOML"),
    ("proxy.toml", b"a", "1:2  is no TOML"),
    ("proxy.toml", b"a = \x00", "1:5  is no TOML"),
    ("proxy.toml", b"a\x00 = 1", "1:2  is no TOML"),
    ("proxy.toml", b"a = [" + b"1," * 600_000 + b"]", "1:1000004  has more than 500,000 values"),
    ("proxy.toml", b"a = " + b"[" * 100_000, "1:25  values are nested deeper than 20 levels"),
    ("proxy.toml", b"a = " + b"{b=" * 100_000, "1:65  values are nested deeper than 20 levels"),
    ("proxy.toml", b"a." * 100_000 + b"b = 1", "1:41  a key has more than 20 parts"),
    ("proxy.toml", b"# " + b"x" * 4 * 1024 * 1024, "1:1  is larger than 4 MiB"),
    ("proxy.toml", b'a = "' + b"x" * 1000 + b'"\n', "1:1  a: is no table"),
    ("proxy.toml", b"[upstreams.x]\nendpoints = ['ftp://a']\n", "2:14  upstreams.x.endpoints[0] ="),
    ("proxy.toml", b"[upstreams.x]\nendpoints = ['srv://']\n", "2:14  upstreams.x.endpoints[0] ="),
    ("proxy.toml", b"[upstreams.x]\nhealth.expect = [1]\n", "2:17  upstreams.x.health.expect"),
    ("proxy.toml", b"routes = 7\n", "1:10  routes = 7: must be a list of tables"),
    ("proxy.toml", b"routes = [7]\n", "1:11  routes[0] = 7: must be a table"),
    ("proxy.toml", b"upstreams = []\n", "1:13  upstreams = []: must be tables"),
    ("proxy.toml", b"[upstreams]\nx = 1\n", "2:5  upstreams.x = 1: must be a table"),
    ("proxy.toml", b'"a\\u0000b" = 1\n', '1:1  ["a\\u0000b"]: is no table'),
    ("proxy.toml", b"[upstreams.x]\ntimeout = nan\n", "2:11  upstreams.x.timeout = nan: must be"),
    ("proxy.toml", b"[upstreams.x]\ntimeout = 1979-05-27\n", "2:11  upstreams.x.timeout = 1979-05-27: must be"),  # noqa: E501
    ("proxy.toml", b"[upstreams.x]\ntimeout = 1" + b"0" * 400 + b"\n", "2:11  upstreams.x.timeout = a very large number"),  # noqa: E501
    ("proxy.toml", b"[upstreams.x]\ntimeout = true\n", "2:11  upstreams.x.timeout = true: must be"),
    ("proxy.yaml", b"a: *b\n", "1:1  is no YAML: the alias *b"),
    ("proxy.yaml", b"a: 1\na: 2\n", "2:1  is no YAML: the key 'a' is there twice"),
    ("proxy.yaml", b"a: !!python/object/apply:os.system [x]\n", "1:1  is no YAML: the tag"),
    ("proxy.yaml", b"a: [\n", "2:1  is no YAML"),
    ("proxy.yaml", b"a: &a [*a]\n", "1:1  is no YAML: the alias *a"),
    ("proxy.yaml", BOMB.encode(), "6:1  is no YAML: aliases repeat more than 500,000 values"),
    ("proxy.yaml", b"[" * 100_000, "1:1  is no YAML: nested deeper"),
    ("proxy.yaml", b"- a\n", "1:1  must have tables at its top"),
    ("proxy.yaml", b"a: 1\n---\nb: 1\n", "2:1  is no YAML: another document"),
    ("proxy.yaml", b"\xff", "1:1  is no text in UTF-8"),
    ("proxy.json", b"{}", "1:1  is no file of routes: its name must end in .toml, .yaml or .yml"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "wanted"), HOSTILE)
def test_a_hostile_file_is_refused_with_a_place(
    tmp_path: Path, name: str, text: bytes, wanted: str
):
    """No text takes long, exhausts the stack, runs code, or gets an error without its line."""
    assert faults(tmp_path, text, name)[0].startswith(f"{name}:{wanted}")


def test_a_password_in_an_address_is_refused_and_not_shown(tmp_path: Path):
    """Errors are logged, and credentials belong in BFF_SECRET_ variables."""
    text = '[upstreams.x]\nendpoints = ["https://user:pa/ss@a.internal"]\n'

    assert faults(tmp_path, text)[0].startswith(
        'proxy.toml:2:14  upstreams.x.endpoints[0] = "https://…@a.internal": '
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    """A wrong path in BFF_PROXY is an error at start."""
    with pytest.raises(ConfigurationError, match=r"absent\.toml:1:1  can't be read: No such file"):
        read_proxy(tmp_path / "absent.toml")
    with pytest.raises(ConfigurationError, match="can't be read: Is a directory"):
        read_proxy(tmp_path)


def test_not_all_of_a_thousand_faults_are_listed(tmp_path: Path):
    """An error of a thousand lines is no help."""
    found = faults(tmp_path, "[[routes]]\n" * 1000)

    assert len(found) == 101
    assert found[-1] == "… and 900 more"
