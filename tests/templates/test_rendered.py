"""What the template of a gateway renders, for each combination of options."""

import ast
import tomllib
from pathlib import Path

import msgspec
import pytest
import yaml

from bff_core.cli.project import GatewayEntry, ServiceEntry
from bff_core.cli.scaffold.render import TEMPLATES, render_wiring
from bff_core.cli.scaffold.text_files import add_service
from tests.templates.combinations import Combination, bare_project, rendered, wanted

each_combination = pytest.mark.parametrize("combination", wanted(), ids=lambda one: one.name)
OF_AUTH = {
    "session": "authenticator=SessionAuthenticator()",
    "bearer": "authenticator=BearerAuthenticator()",
    "key": "authenticator=ApiKeyAuthenticator()",
    "none": "",
}


def files_of(client: str, *, auth: str = "none", graphql: bool = False) -> dict[str, str]:
    """Return the files of a gateway "shop" by their path below its folders."""
    found = rendered(Combination(client, auth, graphql), "shop")
    return {path.replace("/shop/", "/"): text for path, text in found.items()}


@each_combination
def test_files_are_named_after_the_gateway(combination) -> None:
    """No file of another gateway is overwritten, and nothing of the template is left."""
    found = rendered(combination, "shop")

    assert all(path.startswith(("bffs/shop/", "tests/shop/")) for path in found)
    assert {"bffs/shop/__init__.py", "bffs/shop/app.py", "bffs/shop/home.py"} <= found.keys()
    assert "tests/shop/test_home.py" in found
    assert not [path for path, text in found.items() if "{%" in text or "{{" in text]
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in found.values())
    assert not [path for path, text in found.items() if text.startswith("\n")]


@each_combination
def test_the_app_has_what_the_options_say(combination) -> None:
    """The authenticator is the chosen one, and GraphQL is served if it is wanted."""
    found = rendered(combination, "shop")
    app = found["bffs/shop/app.py"]

    assert OF_AUTH[combination.auth] in app
    assert ("authenticator=" in app) == (combination.auth != "none")
    assert ("GraphQL(schema)" in app) == combination.graphql
    assert ("bffs/shop/schema.py" in found) == combination.graphql
    assert ("tests/shop/test_graphql.py" in found) == combination.graphql


@each_combination
def test_the_wiring_fits_the_files_of_a_project(combination) -> None:
    """`[tool.bff]`, docker-compose.yml and .env.example accept what the gateway adds."""
    wiring = render_wiring("gateway", combination.values("shop", 8123))
    gateway = msgspec.convert(wiring.gateway, GatewayEntry)
    services = msgspec.convert(wiring.services, dict[str, ServiceEntry])
    compose = yaml.safe_load(
        add_service(bare_project()["docker-compose.yml"], "shop", wiring.compose)
    )
    program = compose["services"]["shop"]

    assert (gateway.app, gateway.port) == ("bffs.shop.app:app", 8123)
    assert services.keys() == ({"identity"} if combination.auth == "session" else set())
    assert program["command"][:3] == ["bff", "serve", "bffs.shop.app:app"]
    assert program["ports"] == ["127.0.0.1:${SHOP_PORT:-8123}:8123"]
    assert program["environment"]["BFF_UPSTREAM_CATALOG"]
    assert all(line.startswith("#") for line in wiring.env_example.split("\n") if line)


def test_a_session_gateway_can_sign_in_at_the_mock_provider() -> None:
    """Its registration there, issuer and addresses agree."""
    wiring = render_wiring(
        "gateway", Combination("web", "session", graphql=False).values(port=8005)
    )
    gateway = msgspec.convert(wiring.gateway, GatewayEntry).env
    identity = msgspec.convert(wiring.services["identity"], ServiceEntry)

    assert identity.command == "python -m services_mock identity --port {port}"
    assert gateway["BFF_ISSUER"] == f"http://localhost:{identity.port}"
    assert gateway["BFF_PUBLIC_URL"].format(port=8005) == identity.env["SERVICES_WEB_URL"]
    assert len(gateway["BFF_SESSION_KEYS"]) >= 32


@pytest.mark.parametrize(
    ("client", "path", "text"),
    [
        ("web", "bffs/home.py", "srcset"),
        ("web", "bffs/assets/page.js", "v1/home"),
        ("mobile", "bffs/home.py", "width // 2"),
        ("desktop", "bffs/home.py", "progressive=[early(Home.banner, early_banner)]"),
        ("ios", "bffs/images.py", "UIScreen.scale"),
        ("ios", "bffs/app.py", "log_headers=[APP_VERSION]"),
        ("ios", "bffs/links.py", "apple-app-site-association"),
        ("android", "bffs/images.py", 'XXXHDPI = "xxxhdpi"'),
        ("android", "bffs/app.py", "propagate_headers=[APP_VERSION]"),
        ("android", "bffs/links.py", "assetlinks.json"),
        ("partner", "bffs/app.py", "limits=QUOTAS"),
        ("partner", "bffs/app.py", "openapi_tags="),
        ("blank", "bffs/home.py", 'views = Views(prefix="/v1")'),
    ],
)
def test_each_kind_of_client_gets_its_own(client, path, text) -> None:
    """What a kind of client needs is in the file where a reader looks for it, and in no other's."""
    assert text in files_of(client)[path]
    others = {"ios", "android", "web", "mobile", "desktop", "partner", "blank"} - {client}
    shared = {("ios", "bffs/app.py"), ("android", "bffs/app.py")}
    if (client, path) not in shared:
        assert not [one for one in others if text in files_of(one).get(path, "")]


@pytest.mark.parametrize("client", ["web", "mobile", "desktop", "ios", "android", "partner"])
def test_tests_begin_with_a_failure_matrix(client) -> None:
    """The first test of a screen lets its services fail."""
    test_home = files_of(client)["tests/test_home.py"]
    names = [
        node.targets[0].id if isinstance(node, ast.Assign) else node.name
        for node in ast.parse(test_home).body
        if isinstance(node, ast.Assign | ast.AsyncFunctionDef)
    ]
    first = next(name for name in names if name.startswith("test"))

    assert f"{first} = failure_matrix(" in test_home


@pytest.mark.parametrize("graphql", [True, False])
@pytest.mark.parametrize("client", ["ios", "android"])
@pytest.mark.parametrize("name", ["a", "catalog", "home", "tablet_2", "zebra", "x" * 40])
def test_imports_are_sorted_whatever_the_name(name, client, graphql) -> None:
    """The order of imports follows the name of the gateway."""
    found = rendered(Combination(client, "none", graphql), name)

    for path, text in found.items():
        if path.endswith(".py"):
            own = [
                node.module
                for node in ast.parse(text).body
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("bffs.")
            ]
            assert own == sorted(own), path


def test_templates_are_in_the_wheel() -> None:
    """The build takes each template, hidden files and assets included."""
    root = TEMPLATES.parents[1]
    target = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    packages = target["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    hatchling = pytest.importorskip("hatchling.builders.wheel")
    builder = hatchling.WheelBuilder(str(root))
    built = {Path(file.path) for file in builder.recurse_included_files()}

    assert "bff_core" in packages
    assert {path for path in TEMPLATES.rglob("*") if path.is_file()} <= built
