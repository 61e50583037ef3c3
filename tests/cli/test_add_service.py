"""`bff add service`: a typed client from a contract, and what a second run changes."""

import ast
import copy
import json
import shutil
import threading
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.init import NewProject, init_project
from bff_core.cli.scaffold.outcome import Outcome
from bff_core.cli.scaffold.service_options import NewService
from bff_core.cli.scaffold.services import add_service
from bff_core.cli.scaffold.update import update
from bff_core_cli.completion import parts, services
from tests.cli.scaffold.projects import Scaffold, contents, make_scaffold

FOLDER = "bffs/services/ratings"


def reply(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the responses of an operation: a 200 of JSON."""
    return {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}


def of(name: str) -> dict[str, Any]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


ID = {"name": "product_id", "in": "path", "required": True, "schema": {"type": "string"}}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Ratings", "version": "1"},
    "servers": [{"url": "https://ratings.example"}],
    "paths": {
        "/ratings/{product_id}": {
            "get": {
                "operationId": "getRating",
                "tags": ["ratings"],
                "parameters": [ID],
                "responses": reply(of("Rating")),
            }
        },
        "/authors": {
            "get": {
                "operationId": "listAuthors",
                "tags": ["authors"],
                "responses": reply(of("Author")),
            }
        },
    },
    "components": {
        "schemas": {
            "Rating": {
                "type": "object",
                "required": ["average"],
                "properties": {"average": {"type": "number"}, "count": {"type": "integer"}},
            },
            "Author": {"type": "object", "properties": {"name": {"type": "string"}}},
            "Unused": {"type": "object", "properties": {"x": {"type": "string"}}},
        }
    },
}

Add = Callable[..., Outcome]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scaffold, dict[str, bytes]]:
    """Return the scaffold, and the files of a new project."""
    scaffold = make_scaffold(tmp_path_factory.mktemp("scaffold"))
    return scaffold, contents(scaffold.init(client="mobile"))


@pytest.fixture
def root(made: tuple[Scaffold, dict[str, bytes]], tmp_path: Path) -> Path:
    """Return the folder of a new project, with the contract beside it."""
    folder = tmp_path / "shop"
    for path, content in made[1].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    write(folder, DOCUMENT)
    return folder


@pytest.fixture
def add(root: Path) -> Add:
    """Return a function that adds the service `ratings` with these options."""

    def run(name: str = "ratings", **options: Any) -> Outcome:
        return add_service(NewService(name=name, **options), root)

    return run


def write(root: Path, document: dict[str, Any]) -> str:
    """Write the contract of the service; return its path."""
    path = root.parent / "ratings.json"
    path.write_text(json.dumps(document))
    return str(path)


def first(root: Path) -> str:
    """Return the path of the contract."""
    return str(root.parent / "ratings.json")


def changed_document() -> dict[str, Any]:
    """Return a contract that has lost a property, and has another one and another operation."""
    document = copy.deepcopy(DOCUMENT)
    rating = document["components"]["schemas"]["Rating"]["properties"]
    del rating["count"]
    rating["stars"] = {"type": "integer"}
    document["paths"]["/ratings"] = {
        "get": {"operationId": "listRatings", "tags": ["ratings"], "responses": reply(of("Rating"))}
    }
    return document


def entry(root: Path, name: str = "ratings") -> dict[str, Any]:
    """Return the table of a service."""
    table = tomllib.loads((root / "pyproject.toml").read_text())
    found: dict[str, Any] = table["tool"]["bff"]["services"][name]
    return found


def test_a_service_is_added_to_a_project(root: Path, add: Add) -> None:
    """The first run writes client, mock and test, and lists the service wherever services are."""
    outcome = add(openapi=first(root))

    assert outcome.created == [
        f"{FOLDER}/__init__.py",
        f"{FOLDER}/models.py",
        f"{FOLDER}/openapi.json",
        f"{FOLDER}/operations.py",
        "mocks/ratings.py",
        "tests/services/test_ratings.py",
    ]
    assert outcome.changed == [".env.example", "docker-compose.yml", "pyproject.toml"]
    assert outcome.next[:2] == ["make test", "bff add screen NAME --part ratings.list_authors"]
    assert entry(root) == {
        "command": "python -m mocks.ratings --port {port}",
        "port": 9002,
        "contract": f"{FOLDER}/openapi.json",
        "contract_url": "../ratings.json",
    }
    assert "# BFF_UPSTREAM_RATINGS=https://ratings.example" in (root / ".env.example").read_text()
    compose = (root / "docker-compose.yml").read_text()
    assert "BFF_UPSTREAM_RATINGS: ${BFF_UPSTREAM_RATINGS:-http://ratings:9002}" in compose
    assert "mocks.ratings, --host, 0.0.0.0" in compose
    assert '"bff-core[openapi] @' in (root / "pyproject.toml").read_text()


def test_a_second_run_without_changes_writes_nothing(root: Path, add: Add) -> None:
    """It finds the contract by itself, reports that nothing changed, and succeeds."""
    add(openapi=first(root))
    before = contents(root)

    again = add()

    assert "nothing changed" in again.summary
    assert (again.status, again.created, again.changed, again.diff) == (0, [], [], "")
    assert contents(root) == before


def test_a_changed_contract_is_shown_and_generated(root: Path, add: Add) -> None:
    """The second run says what changed, shows the diff, and writes generated files only."""
    add(openapi=first(root))
    own = (
        "bffs/services/ratings/__init__.py",
        "mocks/ratings.py",
        "tests/services/test_ratings.py",
    )
    for path in own:
        with (root / path).open("a") as file:
            file.write("\n# mine\n")
    before = contents(root)
    write(root, changed_document())

    outcome = add()

    assert outcome.changed == [
        f"{FOLDER}/{one}" for one in ("models.py", "openapi.json", "operations.py")
    ]
    assert "removed: Rating.count: int | None" in outcome.changes
    assert "new: Rating.stars: int | None" in outcome.changes
    assert any(one.startswith("new: RatingsOperations.list_ratings: (") for one in outcome.changes)
    assert f"--- a/{FOLDER}/models.py\n+++ b/{FOLDER}/models.py\n" in outcome.diff
    assert "-    count: int | None = None\n" in outcome.diff
    after = contents(root)
    different = {path for path in after if after[path] != before.get(path)}
    assert different == {*outcome.changed, ".bff/services/ratings.sha256"}


def test_a_dry_run_shows_and_writes_nothing(root: Path, add: Add) -> None:
    """`--dry-run` shows the same, for a new service and for a changed one."""
    before = contents(root)
    assert add(openapi=first(root), is_dry_run=True).created
    assert contents(root) == before
    add(openapi=first(root))
    before = contents(root)
    write(root, changed_document())

    outcome = add(is_dry_run=True)

    assert outcome.diff
    assert "no file was written" in outcome.summary
    assert contents(root) == before


def test_a_file_that_was_edited_by_hand_is_not_overwritten(root: Path, add: Add) -> None:
    """The error names the file and the option; `--force` drops the edit."""
    add(openapi=first(root))
    models = root / FOLDER / "models.py"
    generated = models.read_text()
    models.write_text(generated.replace("average: float", "average: int"))
    write(root, changed_document())

    with pytest.raises(CannotRun, match=rf"{FOLDER}/models.py was edited by hand.* --force"):
        add()
    assert "average: int" in models.read_text()
    add(is_forced=True)

    assert "average: float" in models.read_text()


def test_the_layout_of_generated_files_is_the_users(root: Path, add: Add) -> None:
    """Code that another formatter has laid out again is no edit, and it stays as it is."""
    add(openapi=first(root))
    for name in ("models.py", "operations.py"):
        path = root / FOLDER / name
        header, _, code = path.read_text().partition("\n")
        path.write_text(f"{header}\n{ast.unparse(ast.parse(code))}\n")
    contract = root / FOLDER / "openapi.json"
    contract.write_text(json.dumps(json.loads(contract.read_text())))
    before = contents(root / FOLDER)

    add()

    after = contents(root / FOLDER)
    assert {path for path in after if after[path] != before[path]} <= {"openapi.json"}


def test_only_some_operations_are_generated(root: Path, add: Add) -> None:
    """`--tag` and `--path` select operations with their types, and are remembered."""
    add(openapi=first(root), tags=["ratings"])
    pinned = json.loads((root / FOLDER / "openapi.json").read_text())
    assert [*pinned["paths"]] == ["/ratings/{product_id}"]
    assert [*pinned["components"]["schemas"]] == ["Rating"]
    assert entry(root)["tags"] == ["ratings"]
    assert "nothing changed" in add().summary

    other = add(paths=["/authors"])
    assert "removed: Rating" in other.changes
    assert "new: Author" in other.changes
    assert "tags" not in entry(root)
    assert entry(root)["paths"] == ["/authors"]

    add(is_whole=True)
    assert "paths" not in entry(root)
    assert {"Rating", "Author"} <= {
        *json.loads((root / FOLDER / "openapi.json").read_text())["components"]["schemas"]
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "there is no service 'ratings' yet: give its contract with --openapi"),
        ({"openapi": "a", "graphql": "b"}, "not both"),
        ({"graphql": "b", "tags": ["x"]}, "GraphQL has none"),
        ({"tags": ["rating"]}, r"no operation has the tag 'rating' \(did you mean 'ratings'\?\)"),
        ({"paths": ["/rating"]}, "no path is '/rating' or below it"),
        ({"headers": ["Authorization"]}, "write NAME:VALUE"),
        ({"headers": ["A b: c"]}, "write NAME:VALUE"),
        ({"openapi": "https://ann:pw@ratings.example/openapi.json"}, "would be stored"),
        ({"openapi": "nothing.json"}, "there is no such file"),
        ({"url": "ratings.example"}, "write an address"),
        ({"port": 9001}, "port 9001 is used by another program"),
        ({"name": "mobile"}, "'mobile' is a gateway of the project"),
        ({"name": "catalog"}, "bffs/services/catalog.py is written by hand.* such as catalog_api"),
        ({"name": "Ratings"}, "use lower-case letters"),
    ],
)
def test_what_cannot_be_added(root: Path, add: Add, options: dict[str, Any], message: str) -> None:
    """A wrong option is an error that says what to do, and nothing is written."""
    before = contents(root)
    if options and "openapi" not in options and "graphql" not in options:
        options = {"openapi": first(root), **options}

    with pytest.raises(CannotRun, match=message):
        add(**options)

    assert contents(root) == before


def test_a_broken_contract_changes_nothing(root: Path, add: Add) -> None:
    """A contract that can't be read leaves the project as it was."""
    add(openapi=first(root))
    before = contents(root)
    document = copy.deepcopy(DOCUMENT)
    document["paths"]["/authors"]["get"]["responses"] = reply(of("Autor"))
    write(root, document)

    with pytest.raises(CannotRun, match="Autor"):
        add()

    assert contents(root) == before


def test_options_of_the_first_run_are_refused_later(root: Path, add: Add) -> None:
    """Port and address of a service are in pyproject.toml once it is there."""
    add(openapi=first(root), port=9050, url="http://localhost:1")

    assert entry(root)["port"] == 9050
    with pytest.raises(CannotRun, match=r"change them in pyproject\.toml"):
        add(port=9051)
    with pytest.raises(CannotRun, match=r"is generated from openapi\.json"):
        add(graphql="schema.graphql")


def test_a_service_can_begin_anew(root: Path, add: Add) -> None:
    """Without its package a service is a new one; without its table the error says what to do."""
    add(openapi=first(root))
    before = contents(root)
    shutil.rmtree(root / FOLDER)

    outcome = add(openapi=first(root))

    assert f"{FOLDER}/__init__.py" in outcome.created
    assert contents(root) == before
    project = root / "pyproject.toml"
    text = project.read_text()
    project.write_text(text.replace("[tool.bff.services.ratings]", "[tool.other]"))
    with pytest.raises(CannotRun, match="is gone: restore it, or delete"):
        add(openapi=first(root))


@pytest.fixture
def protected() -> Iterator[tuple[str, list[str]]]:
    """Serve the contract to callers with a token; return its address, and the tokens received."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.append(self.headers.get("Authorization", ""))
            self.send_response(200 if received[-1] else 401)
            self.end_headers()
            self.wfile.write(json.dumps(DOCUMENT).encode() if received[-1] else b"")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/openapi.json", received
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_protected_document_is_fetched(
    root: Path, add: Add, protected: tuple[str, list[str]]
) -> None:
    """`--header` fetches it, and is stored nowhere; the address is."""
    address, received = protected
    with pytest.raises(CannotRun, match="401"):
        add(openapi=address)

    add(openapi=address, headers=["Authorization: Bearer s3cret"])

    assert received[-1] == "Bearer s3cret"
    assert entry(root)["contract_url"] == address
    assert not [path for path, content in contents(root).items() if b"s3cret" in content]


def test_a_service_of_init_gets_its_contract(made: Any, tmp_path: Path) -> None:
    """A service that `bff init --service` has listed has its address still, and gets a client."""
    scaffold = made[0]
    root = tmp_path / "shop"
    services_ = ("ratings=https://ratings.example",)
    init_project(
        NewProject("shop", root, wheels=scaffold.wheels, services=services_),
        templates=scaffold.templates,
    )
    contract = write(root, DOCUMENT)

    outcome = add_service(NewService(name="ratings", openapi=contract), root)

    assert entry(root)["url"] == "https://ratings.example"
    assert entry(root)["contract"] == f"{FOLDER}/openapi.json"
    assert "command" not in entry(root)
    assert any("The service runs already" in one for one in outcome.notes)


def test_an_update_leaves_generated_services_alone(made: Any, root: Path, add: Add) -> None:
    """`bff update` merges templates, and does not touch what `bff add service` wrote."""
    add(openapi=first(root))
    before = contents(root)

    update(root, templates=made[0].templates)

    assert contents(root) == before


def test_hostile_texts_stay_texts(root: Path, add: Add) -> None:
    """Titles, names and descriptions of others can't become code."""
    document = json.loads(
        json.dumps(DOCUMENT).replace(
            "Ratings", '\\"\\"\\"\\nimport os; os.abort()\\n# \\u202e\\u2028'
        )
    )
    document["servers"].insert(0, {"url": "https://x.example/${HOME}\nEVIL=1"})
    path = document["paths"].pop("/authors")
    document["paths"]['/authors"""\nimport os'] = path
    add(openapi=write(root, document))

    assert "EVIL" not in (root / ".env.example").read_text()
    assert "EVIL" not in (root / "docker-compose.yml").read_text()
    for path in [*root.rglob("tests/services/*.py"), *root.rglob("mocks/*.py")]:
        assert "import os" not in path.read_text()
    for path in root.rglob(f"{FOLDER}/*.py"):
        tree = ast.parse(path.read_text())
        imported = {
            alias.name
            for one in ast.walk(tree)
            if isinstance(one, ast.Import)
            for alias in one.names
        }
        assert "os" not in imported, path


def test_the_shell_completes_generated_methods(
    root: Path, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`bff add screen --part` completes methods that the class inherits."""
    add(openapi=first(root))
    monkeypatch.chdir(root)

    assert [name for name, _ in parts("ratings.")] == ["ratings.get_rating", "ratings.list_authors"]
    assert [name for name, _ in services("")] == ["ratings"]


SCHEMA = """
type Query { pet(id: ID!): Pet }
type Pet { id: ID! name: String! }
"""


def test_a_graphql_service(root: Path, add: Add) -> None:
    """A schema gets a starter of operations; an edit of it changes the client in the next run."""
    schema = root.parent / "pets.graphql"
    schema.write_text(SCHEMA)
    outcome = add("pets", graphql=str(schema))
    queries = root / "bffs/services/pets/operations/queries.graphql"

    assert "bffs/services/pets/operations/queries.graphql" in outcome.created
    assert entry(root, "pets")["contract"] == "bffs/services/pets/schema.graphql"
    assert "mock_graphql" in (root / "mocks/pets.py").read_text()
    assert "nothing changed" in add("pets").summary

    queries.write_text("query PetName($id: ID!) { pet(id: $id) { name } }\n")
    edited = add("pets")

    assert any(one.startswith("new: PetsOperations.pet_name") for one in edited.changes)
    assert queries.read_text().startswith("query PetName")
    queries.write_text("query PetName($id: ID!) { pet(id: $id) { nme } }\n")
    with pytest.raises(CannotRun, match="nme"):
        add("pets")
