"""Every page against the code: links lead somewhere, examples run, tables are complete."""

import ast
import inspect
import re
import sys
from types import ModuleType

import pytest
from markdown_pages import DOCS, PLAYED, ROOT, page, pages, table

import bff_core
from bff_core import errors
from bff_core.cli.addresses import variable_of
from bff_core.gateway import pipeline
from scripts.docs.api import PACKAGES
from scripts.docs.tables import GROUPS, TABLES, TEXTS, names_of_tables, old_name, with_tables
from tests.public_api import COMMANDS, exported, private_imports
from tests.reference_project import FIRST_PORT, PROJECT, programs

PAGES = {one.name: one for one in pages()}
EXECUTED = [name for name in PAGES if name.startswith("docs/") and name not in PLAYED]

GENERATED = [name for name, one in PAGES.items() if names_of_tables(one.text)]

LONGEST = 420
"""Lines of a page; what is longer is not read to its end."""


def each_page(test):
    """Run a test for every page."""
    return pytest.mark.parametrize("name", PAGES)(test)


def test_caches_have_no_pages():
    """Tests are the same before and after tools have left a README in their caches."""
    assert [name for name in PAGES if name.startswith(".")] == []


@each_page
def test_links_lead_somewhere(name):
    """Files are there, and so are the headings that links name in them."""
    dead = []
    for link in PAGES[name].links:
        if re.match(r"\w+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (PAGES[name].path.parent / file).resolve() if file else PAGES[name].path
        is_there = target.exists() and target.is_relative_to(ROOT)
        if not is_there or (anchor and anchor not in page(target).anchors):
            dead.append(link)

    assert dead == []


@each_page
def test_examples_are_valid_python(name):
    """Each block compiles by itself; one that is added to a class, without its indent."""
    for block in PAGES[name].blocks:
        if block.language == "python":
            compile(block.code, f"{name}:{block.line}", "exec")


@pytest.mark.parametrize("name", EXECUTED)
def test_examples_run(name, monkeypatch):
    """The blocks of a page, one after another, as a reader would type them into one module."""
    module = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    for block in PAGES[name].blocks:
        if block.language == "python":
            exec(compile(block.text, f"{name}:{block.line}", "exec"), vars(module))


@each_page
def test_names_that_are_imported_exist(name):
    """Examples import what public packages list, and nothing else of the framework."""
    blocks = [block for block in PAGES[name].blocks if block.language == "python"]

    assert [one for block in blocks for one in private_imports(block.code)] == []


@each_page
def test_names_in_the_text_exist(name):
    """A dotted name of the framework that a reader meets is public, or a command."""
    public = {f"{package}.{one}" for package in PACKAGES for one in exported(package)}
    is_history = "/decisions/" in name or name == "CHANGELOG.md"
    names = set() if is_history else set(re.findall(r"\bbff_core(?:\.\w+)+", PAGES[name].text))

    assert names <= public | {*PACKAGES, *COMMANDS}


@pytest.mark.parametrize("name", sorted(PAGES.keys() - {"CHANGELOG.md"}))
def test_pages_are_short(name):
    """A page is something that one finishes; a changelog is searched."""
    assert len(PAGES[name].text.splitlines()) <= LONGEST


@each_page
def test_fences_are_closed_and_have_a_language(name):
    """Each fenced block says its language, so that no test passes it by."""
    fences = re.findall(r"^```(\w*)$", PAGES[name].text, re.MULTILINE)

    assert fences[1::2] == [""] * (len(fences) // 2)
    assert set(fences[::2]) <= {
        *("python", "console", "diff", "text", "nginx", "haproxy", "yaml"),
        *("json", "javascript", "typescript", "graphql", "kotlin", "swift", "toml"),
    }


def test_every_page_is_on_the_map():
    """Who starts at the index finds everything."""
    mapped = {
        str((DOCS / link.partition("#")[0]).resolve().relative_to(ROOT))
        for link in PAGES["docs/index.md"].links
    }
    there = {name for name in PAGES if name.startswith("docs/")} - {"docs/index.md"}

    assert there - mapped == set()


def test_decisions_have_their_three_sections():
    """A record is context, decision, consequences, and no more than a page."""
    records = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [record.name[:4] for record in records]

    assert numbers == [f"{number:04}" for number in range(1, len(records) + 1)]
    for record in records:
        decision = page(record)
        assert re.findall(r"^## (.+)$", decision.text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]
        assert decision.text.startswith(f"# {record.name[:4]} ")
        assert len(decision.text.splitlines()) <= 60


@pytest.mark.parametrize("name", GENERATED)
def test_generated_tables_are_current(name):
    """Settings, events, errors and commands are those of the code; `make docs` rewrites them."""
    assert with_tables(PAGES[name].text) == PAGES[name].text


def test_a_renamed_setting_has_its_old_name_beside_it():
    """A reader who upgrades finds the variable by the name in their configuration."""
    renamed = {"BFF_TRUSTED_HOPS": "BFF_TRUSTED_PROXIES"}

    assert "`BFF_TRUSTED_HOPS` still works" in old_name("`BFF_TRUSTED_PROXIES`", renamed)
    assert not old_name("`BFF_TIMEOUT`", renamed)


def test_every_table_of_the_code_is_on_a_page():
    """The reference has all settings, events, errors and statuses."""
    shown = {name for one in GENERATED for name in names_of_tables(PAGES[one].text)}
    options = {name.split()[1] for name in shown if name.startswith("options ")}
    fields = {name.split()[1] for name in shown if name.startswith("fields ")}

    settings = {name.split()[1] for name in shown if name.startswith("settings ")}

    rest = {name for name in shown if not name.startswith(("options ", "fields ", "settings "))}
    assert settings == GROUPS.keys()
    assert rest == {*TABLES, *TEXTS}
    assert fields >= {"Condition", "Files", "Match", "Mirror", "Route", "Socket", "Transform"}
    assert options >= {"Connection", "IdempotencyOptions", "Limit", "SagaPolicy", "ServerOptions"}


def test_the_index_lists_the_public_packages():
    """A reader learns which packages are public, and what each is for."""
    rows = table((DOCS / "index.md").read_text().partition("### Public packages")[2])

    assert [row[0].strip("`") for row in rows] == list(PACKAGES)


def test_every_page_is_in_the_navigation():
    """A reader of the site reaches every page from the menu."""
    places = set(re.findall(r"[\w/.-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    there = {name.removeprefix("docs/") for name in PAGES if name.startswith("docs/")}
    decisions = {name for name in there if name.startswith("decisions/")}  # added by the build

    assert there - decisions - places == set()


def test_statuses_of_services_are_those_of_the_code():
    """Each row says what a status becomes; each status that passes through has a row."""
    rows = table(page(DOCS / "how-to/service-responses.md").section("Status codes"))
    call = bff_core.Call("orders", "GET", "/", "GET /", 0.0)
    passed = set()
    for statuses, shown, code, _ in rows:
        for status in map(int, statuses.split(", ")):
            error = bff_core.BadStatus(bff_core.Reply(status), call=call)
            passed |= {status} if error.is_passed_through else set()
            assert (str(error.status), f"`{error.code}`") == (shown, code)

    assert passed == errors.PASSES_THROUGH


def test_states_of_parts_are_complete():
    """Each state that a client may get."""
    rows = table(page(DOCS / "how-to/partial-responses.md").section("Parts and their states"))
    degraded = {row[0].strip("`"): row[2] == "yes" for row in rows}

    assert degraded == {
        state: bff_core.PartStatus("any", state).is_degraded
        for state in ("ok", "stale", "partial", "fallback", "missing", "forbidden")
    }


def assigned(tree: ast.AST, name: str) -> list[ast.expr]:
    """Return what is assigned to a variable, in the order of the source."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.AnnAssign)]
    targets = [node.targets[0] if isinstance(node, ast.Assign) else node.target for node in found]
    pairs = zip(found, targets, strict=True)
    return [node.value for node, target in pairs if node.value and ast.unparse(target) == name]


def words_of(part: ast.expr) -> str:
    """Return the name of a part of the edge as the page writes it: `BodyLimit(…)`, body limit."""
    source = ast.unparse(part).removeprefix("*").removeprefix("parts.")
    name = re.split(r"\(", source)[0].strip("_").replace("_", " ")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def test_concerns_of_the_edge_are_in_order():
    """The table is what the pipeline does: what comes before the context, then the concerns."""
    tree = ast.parse(inspect.getsource(pipeline))
    first = [assigned(tree, name)[0] for name in ("health", "proxies", "admitted", "lifecycle")]
    [concerns] = assigned(tree, "order")

    assert [row[0] for row in table(page(DOCS / "concepts/request-pipeline.md").text)] == [
        "base path",
        *(words_of(one) for one in (*first, *concerns.elts)),
    ]


def test_the_reference_app_has_the_ports_of_make_run():
    """Variables and ports are those of the run."""
    defaults = page(DOCS / "reference-app.md").section("Defaults")
    ports = {f"`{variable_of(name)}`": str(one.port) for name, one in PROJECT.gateways.items()}

    assert {row[0]: row[1] for row in table(defaults)} == {
        **ports,
        "`SERVICES_PORT`": str(FIRST_PORT),
    }


def test_requests_of_the_readme_are_those_of_make_run():
    """What a newcomer reads is what the run prints."""
    readme = page(ROOT / "README.md").text

    for program in programs().values():
        assert program.example.partition(" --issuer")[0] in readme


def test_ratios_of_the_readme_are_those_of_the_benchmarks():
    """No figure is better on the front page than on the page that explains it."""
    begin, end = "| our CPU", "\n\n"
    tables = [
        page(path).text.partition(begin)[2].partition(end)[0].partition("\n<!--")[0]
        for path in (ROOT / "README.md", DOCS / "benchmarks.md")
    ]

    assert tables[0] == tables[1]
    assert "fastify-undici" in tables[0]


def test_glossary_is_sorted():
    """A word is found where one looks for it."""
    words = [row[0] for row in table(page(DOCS / "glossary.md").text)]

    assert words == sorted(set(words))
    assert len(words) > 30


def test_glossary_has_the_words_of_other_systems():
    """A reader who knows a thing by another name finds ours."""
    other_names = {row[0]: row[2] for row in table(page(DOCS / "glossary.md").text)}

    assert "circuit breaker" in other_names["breaker"]
    assert "single-flight" in other_names["coalesce"]
    assert "concurrency limiter" in other_names["bulkhead"]
    assert "admission control" in other_names["load shedding"]
    assert "partial response" in other_names["Part-Status"]
