"""Generated code as a project has it: formatted, typed, repeatable, safe from its texts."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import jinja2
import pytest

from tests.codegen.upstream.generated import (
    NUMBER,
    TEXT,
    answers,
    client,
    code_of,
    document,
    get,
    query,
    ref,
    thing,
    write,
)

ROOT = Path(__file__).parents[3]
PROJECT = ROOT / "bff_core/templates/project"

HOSTILE = (
    '"""\nimport os\nos.abort()\n"""\\',
    "'; import os #",
    "a\\nb\\",
    "*/ ${x} {y} %s",
    "\u202eevil\u2028\u2029\x00\x1b",
    "__class__",
    "def",
    "Прив\u0435т '''",
)


def hostile():
    """Return a document in which each text of a service tries to leave its place."""
    paths, schemas = {}, {}
    for number, text in enumerate(HOSTILE):
        name = f"{text}{number}"
        schemas[name] = {
            **thing(text, **{text: {**TEXT, "default": text, "description": text}}),
            "description": text,
        }
        schemas[f"enum {name}"] = {"type": "string", "enum": [text, "x"], "description": text}
        pointer = {"$ref": f"#/components/schemas/{_escaped(name)}"}
        kind = {"$ref": f"#/components/schemas/{_escaped(f'enum {name}')}"}
        paths[f"/{number}/{text}"] = get(
            {**thing("", a=pointer, b=kind, **{text: NUMBER})},
            query(text, {"type": "string", "enum": [text, "y"], "default": text}, description=text),
            {"name": f"h{text}", "in": "header", "schema": TEXT, "description": text},
            name=text,
            summary=text,
            description=text,
        )
        paths[f"/{number}/{text}"]["get"]["responses"]["404"] = {
            "description": text,
            "content": {"application/json": {"schema": pointer}},
        }
    content = document(paths, schemas)
    content["info"] = {"title": HOSTILE[0], "version": HOSTILE[1], "description": HOSTILE[0]}
    return content


def _escaped(name):
    return "".join(f"%{one:02X}" for one in name.replace("~", "~0").replace("/", "~1").encode())


def test_no_text_of_a_contract_becomes_code():
    """Names, descriptions, values and defaults of a stranger stay literals and docstrings."""
    generated = code_of(hostile())

    for text in generated.files.values():
        tree = ast.parse(text)
        calls = {ast.unparse(one.func) for one in ast.walk(tree) if isinstance(one, ast.Call)}
        imports = {
            name.name for one in ast.walk(tree) if isinstance(one, ast.Import) for name in one.names
        }
        assert not {one for one in calls if one.startswith(("os.", "__"))}
        assert imports <= {"datetime", "msgspec"}
        assert all(one.isprintable() for one in text.replace("\n", ""))
    with client(hostile()) as made:
        assert len([one for one in vars(made.operations.ShopOperations) if one[0] != "_"]) >= 8


MOMENT = {**TEXT, "format": "date-time"}
JSON = "application/json"
FILE = {**TEXT, "format": "binary"}


def rich():
    """Return a document with most of what a contract may have."""
    schemas = {
        "Pet": {
            "oneOf": [ref("Cat"), ref("Dog")],
            "discriminator": {
                "propertyName": "petType",
                "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
            },
        },
        "Cat": thing("petType", petType=TEXT, friend=ref("Pet"), bornAt=MOMENT),
        "Dog": thing("petType", petType=TEXT, owner=thing("id", id={**TEXT, "format": "uuid"})),
        "Shape": {"anyOf": [ref("Circle"), ref("Square"), TEXT]},
        "Circle": thing("r", r={"type": "number"}),
        "Square": thing("side", side={"type": "number", "format": "decimal"}),
        "State": {"type": "string", "enum": ["open", "closed"]},
        "Item": thing(
            "id state", id={**NUMBER, "readOnly": True}, state=ref("State"), shape=ref("Shape"),
            note={"type": ["string", "null"]}, extra={"type": "object", "additionalProperties": {}},
            day={**TEXT, "format": "date"},
        ),
        "Page": thing("items", items={"type": "array", "items": ref("Item")}, nextCursor=TEXT),
        "Error": thing("code", code=TEXT),
        "Problem": thing("", detail=TEXT),
    }  # fmt: skip
    ids = query("ids", {"type": "array", "maxItems": 50, "items": NUMBER}, explode=False)
    item = {"application/json": {"schema": ref("Item")}}
    failures = {
        "404": {"description": "None", "content": {JSON: {"schema": ref("Error")}}},
        "422": {"description": "Wrong", "content": {"application/problem+json": {}}},
        "default": {"description": "Other", "content": {JSON: {"schema": ref("Problem")}}},
    }  # fmt: skip
    paths = {
        "/items": {
            **get(ref("Page"), ids, query("cursor", TEXT), query("limit", {**NUMBER, "default": 5}),
                  query("filter", thing("", by=TEXT), style="deepObject"), name="list_items",
                  summary="Returns items", description="Note:\nsee.\n\n- a\n- b " + "word " * 90),
            "post": {"operationId": "addItem", "requestBody": {"content": item, "required": True},
                     "responses": {**answers(ref("Item"), status="201"), **failures}},
        },
        "/items/{item-id}": {
            "parameters": [{"name": "item-id", "in": "path", "required": True, "schema": NUMBER}],
            "patch": {"operationId": "change", "requestBody": {"content": item},
                      "responses": {**answers(ref("Item")), "204": {"description": "Same"}}},
            "delete": {"operationId": "drop", "responses": {"204": {"description": "Gone"}}},
        },
        "/pets": get({"type": "array", "items": ref("Pet")}, query("page", NUMBER), name="pets"),
        "/upload": {"post": {
            "operationId": "upload", "responses": {"204": {"description": "Done"}},
            "requestBody": {"content": {"multipart/form-data": {"schema": thing(
                "file", file=FILE, more={"type": "array", "items": FILE}, last=FILE, title=TEXT,
            )}}},
        }},
        "/events": get({}, name="events", responses=answers(TEXT, media_type="text/event-stream")),
        "/report": get({}, name="report", responses=answers(TEXT, media_type="application/pdf")),
        "/notes": get({}, name="notes", responses=answers(TEXT, media_type="text/plain")),
    }  # fmt: skip
    return document(paths, schemas)


@pytest.fixture
def project(tmp_path):
    """Return the folder of a project with the rules of a generated one, and two clients."""
    rules = jinja2.Template((PROJECT / "pyproject.toml.jinja").read_text())
    text = rules.render(project="shop", wheel="x.whl", sha256="0", sample=True, services={})
    (tmp_path / "pyproject.toml").write_text(_tools(text))
    for name, content in (("shop", rich()), ("hostile", hostile())):
        write(code_of(content, f"clients.{name}"), tmp_path / "clients" / name)
    (tmp_path / "clients/__init__.py").write_text('"""Clients."""\n')
    return tmp_path


def _tools(text):
    """Return the part of a pyproject.toml for ruff and mypy."""
    tools = text[text.index("[tool.ruff]") : text.index("[tool.pytest")]
    assert tomllib.loads(tools)["tool"]["mypy"]["strict"] is True
    return f'[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n\n{tools}'


def run(project, *command):
    """Run a tool in a project; return what it reports."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.slow
def test_code_passes_the_rules_of_a_generated_project(project):
    """Ruff finds nothing and would format nothing, and mypy --strict accepts the types."""
    assert run(project, "ruff", "check", "--no-cache", ".") == ""
    assert run(project, "ruff", "format", "--no-cache", "--diff", "clients") == ""
    assert run(project, "mypy", "clients") == ""


def test_code_is_the_same_for_the_same_document():
    """A second run changes no file."""
    assert code_of(rich()) == code_of(rich())
