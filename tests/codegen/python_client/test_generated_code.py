"""The code of Python clients: typed, the same in every run, safe whatever a document contains."""

import ast
import subprocess
import sys
from datetime import date
from importlib.resources import files
from pathlib import Path

import httpx
import msgspec
import pytest

from bff_core.codegen.client_options import ClientOptions
from bff_core.codegen.python_client import generate
from bff_core.codegen.python_client.sync_code import synchronous
from bff_core.contracts.openapi import parse
from tests.codegen.python_client.serving import imported, written

PROGRAM = """
from kiosk_client import AsyncKioskClient, CallSettings, GatewayAnswer, KioskClient, models


def show(client: KioskClient) -> str:
    answer: GatewayAnswer[models.Home] = client.get_home(down=True)
    points: int | None = answer.value.points
    with client.get_rows(count=2) as rows:
        ids: list[int] = [row.order_id for row in rows]
    pets: list[models.Cat | models.Dog] = client.get_pets().value
    nothing: None = client.delete_order(1, settings=CallSettings(timeout=1)).value
    return f"{points} {ids} {pets} {nothing} {answer.parts['points'].reason}"


async def order(client: AsyncKioskClient) -> int:
    async for line in client.get_home_progressive():
        if line.answer is not None:
            return len(line.answer.value.orders)
    return (await client.post_order(models.NewOrder(sku="a"))).value.order_id


def wrong(client: KioskClient) -> None:
    client.get_home(down="yes")  # wrong
    client.get_shelf()  # wrong
    client.post_order(models.NewOrder())  # wrong
    client.get_home().value.unknown  # wrong
"""


@pytest.mark.slow
def test_the_client_and_a_program_over_it_are_typed(kiosk_folder: Path, tmp_path: Path) -> None:
    """`mypy --strict` accepts the client, and finds each mistake of the program."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    mypy = (sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=/dev/null")
    package = kiosk_folder / "kiosk_client"

    done = subprocess.run(
        [*mypy, "--no-error-summary", str(package), str(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=kiosk_folder,
    )

    marked = [n for n, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# wrong")]
    errors = [one for one in done.stdout.splitlines() if ": error:" in one]
    assert [(one.split(":")[0], int(one.split(":")[1])) for one in errors] == [
        (str(program), number) for number in marked
    ]


def test_the_code_is_formatted(kiosk_folder: Path) -> None:
    """As ruff formats it: no commit of an app team changes generated lines."""
    ruff = (sys.executable, "-m", "ruff")
    options = ("--isolated", "--line-length", "100", str(kiosk_folder))

    formatted = subprocess.run(
        [*ruff, "format", "--diff", *options], capture_output=True, text=True, check=False
    )
    rules = (
        "--select",
        "E,F,I,UP,B,ASYNC",
        "--ignore",
        "UP028",
        "--per-file-ignores",
        "sync_*.py:I001",
    )
    checked = subprocess.run(
        [*ruff, "check", "--ignore-noqa", *rules, *options],
        capture_output=True,
        text=True,
        check=False,
    )

    assert formatted.stdout == ""
    assert checked.returncode == 0, checked.stdout


def test_the_rules_of_a_project_do_not_fail_for_its_client(
    kiosk_folder: Path, tmp_path: Path
) -> None:
    """A project may hold the client that it generates: its `make check` passes."""
    template = files("bff_core").joinpath("templates/project/pyproject.toml.jinja")
    text = template.read_text("utf-8")
    rules = tmp_path / "pyproject.toml"
    rules.write_text(text[text.index("[tool.ruff]") : text.index("[tool.mypy]")])
    command = (sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(rules))

    done = subprocess.run(
        [*command, str(kiosk_folder)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.strip()) == (0, "All checks passed!")


def test_the_package_says_that_it_is_typed(kiosk_files):
    """It needs httpx and msgspec, and no framework."""
    assert kiosk_files["kiosk-client/kiosk_client/py.typed"] == ""
    assert (
        'dependencies = ["httpx>=0.28", "msgspec>=0.19"]'
        in kiosk_files["kiosk-client/pyproject.toml"]
    )
    modules = {name: text for name, text in kiosk_files.items() if name.endswith(".py")}
    imports = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for text in modules.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    tops = {one.partition(".")[0] for one in imports} - sys.stdlib_module_names
    assert tops == {"httpx", "msgspec", "kiosk_client"}


def test_each_file_says_where_it_comes_from(kiosk_files):
    """The next run replaces what somebody mends there."""
    said = {text.partition("\n")[0] for name, text in kiosk_files.items() if text}

    assert said == {"# Generated by bff client python. Changes are lost."}


def test_the_synchronous_client_waits_for_nothing(kiosk_files):
    """It is made from the asynchronous one, without its keywords."""
    for name in ("sync_client", "runtime/sync_caller", "runtime/sync_streams"):
        tree = ast.parse(kiosk_files[f"kiosk-client/kiosk_client/{name}.py"])
        kinds = (ast.Await, ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith)
        assert not [node for node in ast.walk(tree) if isinstance(node, kinds)]


def test_asynchronous_code_becomes_synchronous():
    """Keywords, and the names that Python and httpx have for both forms."""
    code = (
        "async with aclosing(x) as y:\n    await z.aclose()\nasync def f() -> AsyncValues[int]: ..."
    )

    assert synchronous(code) == (
        "with closing(x) as y:\n    z.close()\ndef f() -> Values[int]: ..."
    )


HOSTILE = '"""\\\n"""); raise SystemExit("run") #\u2028\u202e ${x} */ {0} %s'


def hostile_document() -> dict:
    """Return a document whose texts and names try to break out of what is generated."""
    reply = {"200": {"description": HOSTILE, "content": {"application/json": {}}}}
    thing = {
        "type": "object",
        "description": HOSTILE,
        "required": ["class", "list", "it's {0}"],
        "properties": {
            "class": {"type": "string"},
            "list": {"type": "array", "items": {"type": "integer"}},
            HOSTILE: {"type": "string", "description": "Left out: Structs have no such names."},
            "it's {0}": {"type": "string", "description": HOSTILE},
            "kind": {"enum": [HOSTILE, "b", "B", "", "mro"], "default": HOSTILE},
            "__class__": {"type": "string"},
            "next": {"$ref": "#/components/schemas/AsyncThing"},
        },
    }
    reply["200"]["content"]["application/json"] = {
        "schema": {"$ref": "#/components/schemas/AsyncThing"}
    }
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string"}, "description": HOSTILE}
        for name in ("self", "settings", "body", "request", "None", HOSTILE, "a-b", "a_b")
    ]
    return {
        "openapi": "3.1.0",
        "info": {"title": HOSTILE, "version": HOSTILE},
        "paths": {
            "/await /aclose/{" + "id}/async def": {
                "get": {
                    "operationId": "close",
                    "summary": HOSTILE,
                    "description": HOSTILE,
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "schema": {}},
                        *parameters,
                    ],
                    "responses": reply,
                },
                "post": {"operationId": HOSTILE, "responses": reply},
                "put": {"operationId": "class", "responses": reply},
                "patch": {"responses": reply},
            }
        },
        "components": {"schemas": {"AsyncThing": thing, "Any": thing, "Struct": thing}},
    }


def test_texts_of_a_document_do_not_become_code(tmp_path: Path) -> None:
    """Quotes, line ends, marks of direction, keywords and names of our own stay texts."""
    options = ClientOptions(gateway="trap", parts={"GET /x": ("a",)})
    files = generate(parse(hostile_document()), options)
    package = imported("trap_client", written(files, tmp_path) / "trap-client")

    thing = {"class": "a", "list": [1], "it's {0}": "b", "kind": "B"}
    model = msgspec.convert({**thing, "next": thing}, package.models.AsyncThing)
    assert (model.class_, model.list_, model.next.list_) == ("a", [1], [1])
    assert len({one.value for one in package.models.AsyncThingKind}) == 5
    methods = {name for name in vars(package.TrapClient) if not name.startswith("_")}
    assert {"close", "close_2", "class_"} <= methods
    code = files["trap-client/trap_client/sync_client.py"]
    assert '"/await /aclose/" + _encoding.path_segment(id) + "/async def"' in code
    assert "\u202e" not in code
    assert "\u2028" not in code


def test_the_same_document_has_the_same_client():
    """A second run changes nothing, and so no review has to look at it."""
    document = parse(hostile_document())

    assert generate(document, ClientOptions(gateway="trap")) == generate(
        document, ClientOptions(gateway="trap")
    )


def test_names_of_operations_and_parameters_hide_nothing_that_the_client_uses(tmp_path: Path):
    """Methods called `list` or `models` stand beside annotations; `request` is a parameter."""
    dates = {"type": "array", "items": {"type": "string", "format": "date"}}
    parameters = [
        {"name": name, "in": "query", "schema": dates}
        for name in ("request", "settings", "models", "datetime", "list")
    ]
    answer = {"description": "", "content": {"application/json": {"schema": dates}}}
    paths = {
        f"/{number}": {
            "get": {
                "operationId": name,
                "parameters": parameters,
                "responses": {"200": answer},
            }
        }
        for number, name in enumerate(("list", "dict", "str", "models", "datetime", "request"))
    }
    content = {"openapi": "3.1.0", "info": {"title": "odd", "version": "1"}, "paths": paths}
    folder = written(generate(parse(content), ClientOptions(gateway="odd")), tmp_path)

    odd = imported("odd_client", folder / "odd-client")  # annotations are evaluated here
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, json=[request.url.params["request"]])
    )
    with (
        httpx.Client(transport=transport) as http,
        odd.OddClient("http://odd", http=http) as client,
    ):
        assert client.request(request=[date(2026, 1, 2)]).value == [date(2026, 1, 2)]

    methods = {name for name in vars(odd.OddClient) if not name.startswith("_")}
    assert len(methods) == len(paths) + 1  # and `close`
    assert methods.isdisjoint({"list", "dict", "str", "models", "datetime"})
