"""The routes of the pages: files, their headers, the configuration, and the proxied pictures."""

import json
from pathlib import Path

import pytest

from bff_core import NotFound, Settings, gateway
from bff_core.testing import running
from bffs.web.pages import router
from bffs.web.pages.configuration import CUSTOMERS, SERVICES, ShopConfiguration
from bffs.web.pages.files import AREAS, MEDIA_TYPES, static_file
from services_mock.data import users
from services_mock.pictures import picture_of
from tests.reference_project import PROJECT

FOLDER = Path("bffs/web/pages")
FRAMED = ("/store/", "/phone/", "/office/")
PAGES = ("/", *FRAMED)
PICTURE = "/pictures/products/tents/OLV/42-1/640w.svg"
BELOW = {"BFF_ENV": "development", "BFF_PUBLIC_URL": "http://localhost:8001/shop"}


def pages_alone():
    """Make a gateway that has the pages only."""
    app = gateway("pages", faces=[])
    app.include_router(router)
    return app


def policy_of(answer) -> dict[str, str]:
    """Return the content security policy of an answer, by directive."""
    policy = answer.headers["content-security-policy"]
    return dict(one.partition(" ")[::2] for one in policy.split("; "))


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_only_files_of_the_gateway(open_gateway, path):
    """Whatever gets into the text of a page, no browser runs it."""
    async with open_gateway("web", viewer=None) as client:
        answer = await client.get(path)
    policy = policy_of(answer)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("public", "host", "target"),
    [
        ("http://localhost:8001", "127.0.0.1:8001", "http://localhost:8001/store/cart?x=1"),
        ("http://localhost:8001", "[::1]:8001", "http://localhost:8001/store/cart?x=1"),
        ("http://127.0.0.1:8001", "localhost:8001", "http://127.0.0.1:8001/store/cart?x=1"),
        ("http://localhost:8001", "localhost:8001", ""),
        ("https://shop.example", "127.0.0.1:8001", ""),
        ("", "127.0.0.1:8001", ""),
    ],
)
async def test_a_page_is_shown_at_the_name_to_which_sign_in_returns(public, host, target):
    """At another name of this machine its pictures and the other gateways could not be used."""
    app = gateway("pages", faces=[], settings=Settings(env="development", public_url=public))
    app.include_router(router)
    async with running(app) as client:
        answer = await client.get("/store/cart?x=1", headers={"host": host})

    assert answer.headers.get("location", "") == target
    assert answer.status_code == (307 if target else 200)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_inline_script_or_style(path):
    """The policy would block them."""
    text = (FOLDER / (path.strip("/") or "start") / "index.html").read_text()

    assert "<style" not in text
    assert " style=" not in text
    assert text.count("<script") == text.count('<script type="module" src=')
    assert 'data-root="{root}"' in text


@pytest.mark.parametrize(
    ("path", "ancestors", "frame_options"),
    [("/", "'none'", "DENY"), *((one, "'self'", "SAMEORIGIN") for one in FRAMED)],
)
async def test_only_pages_of_the_shop_frame_its_clients(
    open_gateway, path, ancestors, frame_options
):
    """The start page itself is framed by none."""
    async with open_gateway("web", viewer=None) as client:
        answer = await client.get(path)

    assert policy_of(answer)["frame-ancestors"] == ancestors
    assert answer.headers.get_list("x-frame-options") == [frame_options]


@pytest.mark.parametrize("path", ["/store/", "/store/product/42", "/store/a/b/c.js"])
async def test_each_path_of_the_store_is_its_page(open_gateway, path):
    """A visitor who reloads a product page gets the store again."""
    async with open_gateway("web", viewer=None) as client:
        store, answer = await client.get("/store/"), await client.get(path)

    assert answer.status_code == 200
    assert answer.content == store.content


@pytest.mark.parametrize("path", ["/store", "/phone", "/office"])
async def test_an_address_without_its_slash_leads_to_the_page(open_gateway, path):
    """The same below a path of the host."""
    async with open_gateway("web", viewer=None) as client:
        plain = await client.get(path)
    async with open_gateway(pages_alone, viewer=None, environ=BELOW) as client:
        nested = await client.get(f"/shop{path}")

    assert (plain.status_code, plain.headers["location"]) == (307, f"{path}/")
    assert (nested.status_code, nested.headers["location"]) == (307, f"/shop{path}/")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_knows_the_path_that_the_gateway_is_below(open_gateway, path):
    """Scripts read it, and build all addresses from it."""
    async with open_gateway("web", viewer=None) as client:
        plain = await client.get(path)
    async with open_gateway(pages_alone, viewer=None, environ=BELOW) as client:
        nested = await client.get(f"/shop{path}")

    assert 'data-root=""' in plain.text
    assert 'data-root="/shop"' in nested.text
    assert "{root}" not in plain.text + nested.text


@pytest.mark.parametrize("path", [*PAGES, "/sw.js", "/pages/shared/worker.js"])
async def test_a_file_is_sent_again_only_when_it_has_changed(open_gateway, path):
    """Browsers ask each time, and mostly get a 304 without a body."""
    # The length of a compressed body is not known before it is compressed.
    plain = {"accept-encoding": "identity"}
    async with open_gateway("web", viewer=None) as client:
        first = await client.get(path, headers=plain)
        tag = first.headers["etag"]
        known = await client.get(path, headers=plain | {"if-none-match": tag})
        changed = await client.get(path, headers=plain | {"if-none-match": '"another"'})
        head = await client.request("HEAD", path, headers=plain)

    assert first.headers["cache-control"] == "no-cache"
    assert (known.status_code, known.content) == (304, b"")
    assert (changed.status_code, changed.content) == (200, first.content)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(first.content))
    assert head.headers["etag"] == tag


async def test_the_service_worker_may_serve_all_pages(open_gateway):
    """Its scope is the root of the gateway, also below a path."""
    async with open_gateway("web", viewer=None) as client:
        plain = await client.get("/sw.js")
    async with open_gateway(pages_alone, viewer=None, environ=BELOW) as client:
        nested = await client.get("/shop/sw.js")

    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["service-worker-allowed"] == "/"
    assert nested.headers["service-worker-allowed"] == "/shop/"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.css", "text/css; charset=utf-8"),
        ("icons.svg", "image/svg+xml"),
        ("words.json", "application/json"),
        ("app.webmanifest", "application/manifest+json"),
        ("parts/list-row.js", "text/javascript; charset=utf-8"),
    ],
)
def test_a_file_has_its_media_type(tmp_path, name, media_type):
    """Browsers run no script of another type."""
    file = tmp_path / "shared" / name
    file.parent.mkdir(parents=True)
    file.write_text("content")

    found = static_file("shared", name, tmp_path)

    assert (found.body, found.media_type) == (b"content", media_type)
    assert Path(name).suffix in MEDIA_TYPES


def test_every_media_type_is_tested():
    """The table above has all of them."""
    assert {*MEDIA_TYPES} == {".js", ".css", ".svg", ".json", ".webmanifest"}
    assert AREAS == ("start", "store", "phone", "office", "shared")


@pytest.mark.parametrize(
    ("area", "path"),
    [
        ("shared", "missing.js"),
        ("shared", "secret.js/"),
        ("shared", "../secret.js"),
        ("shared", "x/../../secret.js"),
        ("shared", "..%2fsecret.js"),
        ("shared", "..\\secret.js"),
        ("shared", "/secret.js"),
        ("shared", ".hidden.js"),
        ("shared", "code.py"),
        ("shared", "index.html"),
        ("shared", "no-suffix"),
        ("shared", "linked.js"),
        ("shared", "folder.js"),
        ("shared", "worker.js\n"),
        ("shared", "worker.js\0"),
        ("shared", "WORKER.js"),
        ("shared", ""),
        ("..", "secret.js"),
        (".", "secret.js"),
        ("", "secret.js"),
        ("pictures", "symbol.svg"),
    ],
)
def test_nothing_else_is_a_file_of_the_pages(tmp_path, area, path):
    """Neither what is above or beside the folders, nor code, nor what a link leads to."""
    shared = tmp_path / "shared"
    (shared / "folder.js").mkdir(parents=True)
    (shared / "x").mkdir()
    (tmp_path / "pictures").mkdir()
    for name in ("secret.js", "pictures/symbol.svg"):
        (tmp_path / name).write_text("secret")
    for name in (".hidden.js", "code.py", "index.html", "no-suffix", "worker.js"):
        (shared / name).write_text("secret")
    (shared / "linked.js").symlink_to(tmp_path / "secret.js")

    with pytest.raises(NotFound):
        static_file(area, path, tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "/pages/shared/%2e%2e/files.py",
        "/pages/shared/..%2f..%2fapp.py",
        "/pages/shared%2f../files.py",
        "/pages/pictures/__init__.py",
        "/pages/shared/missing.js",
        "/pictures/../app.py",
        "/pictures/products/tents/OLV/42-1/640w.svg/..",
    ],
)
async def test_an_unknown_address_is_a_problem_that_says_so(open_gateway, path):
    """No content, and none that a cache stores."""
    async with open_gateway("web", viewer=None) as client:
        answer = await client.get(path)

    assert answer.status_code in {307, 404}
    assert "import" not in answer.text
    assert answer.headers["cache-control"] != "no-cache"


async def test_a_missing_file_is_named(open_gateway):
    """Who forgot a file reads which."""
    async with open_gateway("web", viewer=None) as client:
        answer = await client.get("/pages/shared/missing.js")

    assert answer.json()["detail"] == "The pages have no file shared/missing.js."


async def test_a_picture_is_for_all_pages_and_never_changes(open_gateway):
    """A browser loads it once; opened as a page it runs nothing."""
    async with open_gateway("web", viewer=None) as client:
        answer = await client.get(PICTURE)
    policy = policy_of(answer)

    assert answer.content.startswith(b"<svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers.get_list("cross-origin-resource-policy") == ["cross-origin"]
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy


async def test_a_picture_has_the_bytes_that_the_catalog_draws(open_gateway, mocks):
    """Its address, its size and a HEAD of it are as at the service."""
    drawn = mocks.clients["catalog"].get(PICTURE)
    async with open_gateway("web", viewer=None) as client:
        answer, head = await client.get(PICTURE), await client.head(PICTURE)

    assert answer.content == drawn.content == picture_of(PICTURE.removeprefix("/pictures/"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(drawn.content))


async def test_a_picture_that_was_shown_survives_its_service(open_gateway, mocks):
    """The gateway stores it as long as the service says; another one says whose failure it is."""
    async with open_gateway("web", viewer=None) as client:
        first = await client.get(PICTURE)
        with mocks.fault("catalog", kind="error", status=503):
            again = await client.get(PICTURE)
            other = await client.get(PICTURE.replace("42-1", "43-1"))

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert other.status_code == 503
    assert "immutable" not in other.headers.get("cache-control", "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_pictures_are_only_read(open_gateway, method):
    """The answer says which methods there are."""
    async with open_gateway("web", viewer=None) as client:
        answer = await client.request(method, PICTURE)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_only_pictures_are_for_other_origins(open_gateway):
    """Pages of other origins may not embed the rest."""
    async with open_gateway("web", viewer=None) as client:
        answers = [await client.get(path) for path in (*PAGES, "/shop.json", "/sw.js")]

    assert {one.headers["cross-origin-resource-policy"] for one in answers} == {"same-origin"}


async def test_an_unknown_picture_is_not_found(open_gateway):
    """It is no placeholder that a browser would store for a year."""
    async with open_gateway("web", viewer=None) as client:
        answer = await client.get("/pictures/products/nonsense")

    assert answer.status_code == 404
    assert "immutable" not in answer.headers["cache-control"]


async def test_each_picture_of_the_services_is_drawn(open_gateway, mocks):
    """Products, customers, categories and reviews: an image of each is found where it says."""
    product = mocks.get("catalog", "/products/42").json()
    category = mocks.get("catalog", "/categories/outdoor").json()
    popular = mocks.get("catalog", "/products?limit=1").json()["items"][0]["id"]
    reviews = mocks.get("reviews", f"/reviews?product_id={popular}&limit=50").json()["items"]
    shown = [one for review in reviews for one in review["images"]]
    images = [*product["images"], category["image"], *shown]
    images.append(mocks.get("users", "/users/1").json()["avatar"])
    urls = [source["url"] for image in images for source in image["sources"]]
    paths = [url.removeprefix("https://images.shop.example/") for url in urls]

    async with open_gateway("web", viewer=None) as client:
        found = {path: (await client.get(f"/pictures/{path}")).status_code for path in paths}

    assert shown
    assert found == dict.fromkeys(paths, 200)


ADDRESSES = {
    "SHOP_MOBILE_URL": "http://localhost:8002",
    "SHOP_DESKTOP_URL": "http://localhost:8003/",
    "SHOP_IDENTITY_URL": "http://localhost:9010",
    "BFF_DEV_CONSOLE": "http://localhost:8500",
}
ORIGINS = ("http://localhost:8002", "http://localhost:8003", "http://localhost:9010")


def configured(env="development", auth="none", **environ) -> ShopConfiguration:
    """Return the configuration of a gateway."""
    return ShopConfiguration.of(Settings(env=env, auth=auth), environ)


def test_pages_call_the_origins_of_the_environment():
    """Addresses become origins; the console is one only in development."""
    assert configured(**ADDRESSES).called == (*ORIGINS, "http://localhost:8500")
    assert configured("production", **ADDRESSES).called == ORIGINS
    assert configured().called == ()
    assert configured().as_json()["mobile"] is None


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8002",
        "ftp://localhost",
        "http://",
        "http://a; script-src *",
        "http://a 'unsafe-inline'",
        "http://user:secret@host",
        "*",
        "'unsafe-eval'",
        "http://*",
        "http://[::1",
        "http://\uff48:80",
        "http://exämple",
        "http://h\u2028x",
        "http://h\x0bx",
        "http://h\\x",
        "http://h:99999",
        "http://h:0",
        "http://h/ x",
    ],
)
def test_an_address_that_is_no_origin_never_reaches_the_policy(address):
    """It could allow more than it names."""
    assert configured(SHOP_MOBILE_URL=address).mobile is None


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("http://localhost:8002", "http://localhost:8002"),
        ("HTTPS://API.Shop.Example/", "https://api.shop.example"),
        (" http://[::1]:8002/base ", "http://[::1]:8002"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_an_address_becomes_its_origin(address, origin):
    """Scripts and the policy need the origin alone."""
    assert configured(SHOP_MOBILE_URL=address).mobile == origin


async def test_the_configuration_is_json_that_the_policy_agrees_with(open_gateway, monkeypatch):
    """What scripts call is what the policy lets them call."""
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)
    async with open_gateway("web", viewer=None) as client:
        shop = (await client.get("/shop.json")).json()
        policies = [policy_of(await client.get(path)) for path in (*PAGES, "/sw.js")]
    called = [shop[name] for name in ("mobile", "desktop", "identity", "console")]

    assert {one["connect-src"] for one in policies} == {" ".join(["'self'", *called])}
    assert shop["auth"] == "session"
    assert [one["id"] for one in shop["customers"]] == ["1", "3", "9"]


@pytest.mark.parametrize("path", ["a" * 300 + ".js", "a/" * 3000 + "b.js"])
async def test_a_name_that_no_file_can_have_is_not_found(open_gateway, path):
    """The file system refuses it, which is no error of the gateway."""
    async with open_gateway("web", viewer=None) as client:
        answer = await client.get(f"/pages/shared/{path}")

    assert answer.status_code in {404, 414}


def test_demo_users_are_said_to_be_so():
    """With BFF_AUTH=demo there is no sign-in."""
    assert configured(auth="demo").auth == "demo"


def test_customers_and_services_are_those_of_the_mocks():
    """Names, and the order of the ports."""
    named = {one.id: one.name for one in CUSTOMERS}

    assert named == {one: users.user(one).name.full for one in named}
    assert len(set(named.values())) == len(named)
    assert str(users.STAFF) in named
    assert tuple(PROJECT.services) == SERVICES


def test_programs_of_make_run_know_each_other():
    """The pages call the gateways, which let them; pictures come from the web gateway."""
    env = {name: one.env for name, one in PROJECT.gateways.items()}
    pictured = {
        name for name, one in PROJECT.services.items() if "SERVICES_PICTURES_URL" in one.env
    }

    assert env["mobile"]["BFF_CORS_ORIGINS"] == env["desktop"]["BFF_CORS_ORIGINS"] == "{web}"
    assert json.dumps(env["web"]).count("SHOP_") == 3
    assert pictured == {"users", "catalog", "reviews"}
