"""The files of a new service that are the user's: its class, its mock, its test."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bff_core.cli.scaffold.examples import literal
from bff_core.cli.scaffold.names import class_name
from bff_core.cli.scaffold.python_edit import import_block
from bff_core.cli.scaffold.service_contract import FILES, Kind, ServiceCode
from bff_core.codegen.names import words
from bff_core.contracts.document import HttpOperation
from bff_core.contracts.types import Json
from bff_core.mocks.values import ValueMaker

EXAMPLES: Final[Mapping[str, Json]] = {
    "str": "1",
    "int": 1,
    "float": 1.5,
    "bool": True,
    "list[str]": ["1"],
    "list[int]": [1],
    "Sequence[str]": ["1"],
    "Sequence[int]": [1],
}
"""Annotations of parameters that a literal can be given for, each with one."""

SHOWN: Final = re.compile(r"[A-Za-z0-9 /{}._~-]{1,70}")
"""A route that a docstring may have."""

MAX_TITLE: Final = 60


@dataclass(frozen=True, slots=True)
class TriedCall:
    """A call of a generated method, for a test; `is_open` if it needs no credentials."""

    method: str
    arguments: str
    route: str
    is_open: bool


def plain(text: str, default: str) -> str:
    """Return a text of a contract that may stand in a docstring: of plain letters, short."""
    found = " ".join(re.sub(r"[^A-Za-z0-9 .,:()/&+-]", " ", text).split())
    return found[:MAX_TITLE].strip(" .:") or default


def class_module(name: str, code: ServiceCode) -> str:
    """Return the module of the user's class."""
    cls = class_name(name)
    names = {("bff_core", one) for one in code.imports}
    names.add((f"bffs.services.{name}.operations", f"{cls}Operations"))
    address = f"`BFF_UPSTREAM_{name.upper()}`"
    lines = [
        *(f'"""The {name} service: {plain(code.title, name)}."""', ""),
        *(import_block(names), "", ""),
        f"class {cls}({cls}Operations):",
        f'    """The service at {address}, with methods of your own."""',
    ]
    if "_".join(re.findall(r"[A-Z][a-z0-9_]*", cls)).lower() != name:
        lines += ["", f'    name = "{name}"']
    if code.policy:
        lines += ["", *(f"    {one}".rstrip() for one in code.policy)]
    return "\n".join([*lines, ""])


def mock_module(name: str, kind: Kind, port: int) -> str:
    """Return the module of the mock."""
    factory = "mock_service" if kind == "openapi" else "mock_graphql"
    contract = FILES[kind]
    return f'''\
"""A mock of the {name} service: `python -m mocks.{name} --port {port}`.

It answers from the contract: with its examples, else with values of its types. A handler replaces
the answers of one operation:

    {_HANDLERS[kind]}
"""

import argparse
from importlib.resources import files

import uvicorn

from bff_core.mocks import {factory}

CONTRACT = files("bffs.services") / "{name}" / "{contract}"

app = {factory}(CONTRACT)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default={port})
    options = parser.parse_args()
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")
'''


_HANDLERS: Final = {
    "openapi": """@app.get("/pets/{id}")
    def pet(call: MockCall) -> object:
        return {**call.answer, "name": "Rex"}""",
    "graphql": """@app.field("Pet.name")
    def name(pet: dict[str, object]) -> object:
        return f"Pet {pet['id']}\"""",
}


def test_module(name: str, call: TriedCall) -> str:
    """Return a test that calls the mock with the client."""
    cls = class_name(name)
    mock = "app" if call.is_open else "mock_service(CONTRACT, needs_credentials=False)"
    names = {
        *(("bff_core", one) for one in ("ANYONE", "Composition", "Gateway", "Views", "gateway")),
        *(("bff_core.testing", one) for one in ("asgi", "client")),
        (f"bffs.services.{name}", cls),
        (f"mocks.{name}", "app" if call.is_open else "CONTRACT"),
        *(() if call.is_open else (("bff_core.mocks", "mock_service"),)),
    }
    return f'''\
"""The client of the {name} service, against its mock."""

{import_block(names, "pytest")}

pytestmark = pytest.mark.virtual_time

views = Views(prefix="/v1", access=ANYONE)


class Screen(Composition):
    """A screen that calls the service."""

    {name}: {cls}


@views.get("/call")
async def call(screen: Screen) -> str:
    """Call the service, and name the type of what it returns."""
    found = await screen.{name}.{call.method}({call.arguments})
    return type(found).__name__


def make_app() -> Gateway:
    """Return a gateway with the service."""
    return gateway("test", faces=[views])


async def test_the_client_understands_the_mock() -> None:
    """What the mock answers to {call.route} has the type that the client expects."""
    async with client(make_app, services={{"{name}": asgi({mock})}}) as c:
        answer = await c.get("/v1/call")

    assert answer.status_code == 200, answer.text
    assert [one.status for one in c.calls["{name}"]] == [200]
'''


def tried_call(name: str, code: ServiceCode) -> TriedCall | None:
    """Return the call of a method that reads and takes plain values; None if there is none.

    Methods without credentials and with few parameters come first.
    """
    document = code.document
    operations = {one.name: one for one in document.operations} if document else {}
    values = ValueMaker(document.types if document else {})
    module = code.files.get("operations.py", "")
    found = [
        call
        for method in _methods(module, f"{class_name(name)}Operations")
        for route in _routes_in(method)
        if (call := _call(method, route, operations.get(route), values)) is not None
    ]
    return min(found, key=lambda one: (not one.is_open, len(one.arguments)), default=None)


def _methods(module: str, cls: str) -> Iterator[ast.AsyncFunctionDef]:
    for node in ast.parse(module).body:
        if isinstance(node, ast.ClassDef) and node.name == cls:
            yield from (one for one in node.body if isinstance(one, ast.AsyncFunctionDef))


def _routes_in(method: ast.AsyncFunctionDef) -> list[str]:
    """Return what a method with a single call, which reads, requests."""
    calls = [
        one
        for one in ast.walk(method)
        if isinstance(one, ast.Call)
        and isinstance(one.func, ast.Attribute)
        and ast.unparse(one.func.value) == "self"
    ]
    if len(calls) != 1 or not isinstance(calls[0].func, ast.Attribute) or not calls[0].args:
        return []
    verb, first = calls[0].func.attr, calls[0].args[0]
    if verb == "query":
        return [f"the query {ast.unparse(first)}"]
    is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return [f"GET {ast.literal_eval(first)}"] if is_text and verb == "get" else []


def _call(
    method: ast.AsyncFunctionDef, route: str, operation: HttpOperation | None, values: ValueMaker
) -> TriedCall | None:
    """Return the call of a method; `operation` is that of OpenAPI."""
    if operation is None and route.startswith("GET "):
        return None
    parameters = operation.parameters if operation is not None else ()
    known = {" ".join(words(one.name)): one for one in parameters}
    given: dict[str, str] = {}
    for name, annotation in _required(method).items():
        if annotation not in EXAMPLES:
            return None
        parameter = known.get(" ".join(words(name)))
        example: Json = EXAMPLES[annotation]
        if parameter is not None:
            made = values.make(parameter.type, f"test/{name}", name)
            example = next(iter(parameter.examples), made)
        given[name] = literal(example, "")
    arguments = ", ".join(f"{name}={value}" for name, value in given.items())
    needs = (operation.security or ()) if operation is not None else ()
    shown = route if SHOWN.fullmatch(route) else f"`{method.name}`"
    return TriedCall(method.name, arguments, shown, not needs or any(not one for one in needs))


def _required(method: ast.AsyncFunctionDef) -> dict[str, str]:
    arguments = method.args
    positional = [*arguments.posonlyargs, *arguments.args][1:]
    without = positional[: len(positional) - len(arguments.defaults)]
    named = [
        one
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return {
        one.arg: ast.unparse(one.annotation) if one.annotation else "" for one in [*without, *named]
    }
