"""The code that the API page shows calls the clients that `bff client` writes."""

import ast
import importlib
import inspect
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.npm import ROOT, run

pytestmark = [pytest.mark.slow, pytest.mark.needs("node")]

HERE = Path(__file__).parent

GENERATE = """
import contextlib, sys
from bff_core_cli import main
for gateway in ("mobile", "desktop"):
    for language in ("ts", "python"):
        with contextlib.suppress(SystemExit):
            main(["client", language, "--gateway", gateway, "--out", sys.argv[1]])
"""
"""`bff client` four times in one process: it loads the gateways once."""


@pytest.fixture(scope="module", params=["mobile", "desktop"])
def gateway(request: pytest.FixtureRequest) -> str:
    """Return the name of a gateway with REST views."""
    return str(request.param)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate both clients of both gateways; return their folder."""
    folder = tmp_path_factory.mktemp("clients")
    subprocess.run([sys.executable, "-c", GENERATE, str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def snippets(gateway: str) -> list[dict[str, str]]:
    """Return the snippets of all operations, as the page makes them."""
    contract = ROOT / "contracts" / f"{gateway}.openapi.json"
    found = run("node", str(HERE / "snippets.mjs"), str(contract), gateway, cwd=ROOT)
    return json.loads(found)


def test_python_calls_fit_the_generated_client(gateway, clients, snippets, monkeypatch):
    """Each import exists, and the arguments are those that the method takes."""
    monkeypatch.syspath_prepend(clients / f"{gateway}-client")
    package = importlib.import_module(f"{gateway}_client")

    assert len(snippets) >= 8
    for snippet in snippets:
        tree = ast.parse(snippet["python"])
        imported = next(node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
        assert imported.module == package.__name__
        names = {alias.name: getattr(package, alias.name) for alias in imported.names}
        call = next(node for node in ast.walk(tree) if is_call_of_client(node))
        method = getattr(names[f"{gateway.title()}Client"], call.func.attr)
        values = [evaluated(one, names) for one in call.args]
        keywords = {str(one.arg): evaluated(one.value, names) for one in call.keywords}
        inspect.signature(method).bind("client", *values, **keywords)


def is_call_of_client(node: ast.AST) -> bool:
    """Whether a node is `client.method(…)`."""
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_method and isinstance(node.func.value, ast.Name) and node.func.value.id == "client"


def evaluated(node: ast.expr, names: dict[str, object]) -> object:
    """Return the value of an argument: models are created with their fields."""
    return eval(compile(ast.Expression(node), "snippet", "eval"), names)


def test_typescript_calls_fit_the_generated_client(gateway, clients, snippets):
    """Each method is one of the client, and its parameters are those of its arguments."""
    client = (clients / f"{gateway}.ts").read_text()

    for snippet in snippets:
        method = re.search(r"await api\.(\w+)\(", snippet["typescript"])
        made = re.search(r"import \{ (\w+) \}", snippet["typescript"])
        assert method
        assert made
        assert f"export function {made[1]}(" in client
        assert re.search(rf"^  {method[1]}\(given", client, re.MULTILINE)
        arguments = f"export interface {method[1][0].upper()}{method[1][1:]}Arguments"
        given = re.findall(r"[{,] (\w+): ", call_of(snippet["typescript"]).split("body:")[0])
        declared = client.partition(arguments)[2].partition("\n}")[0]
        assert [name for name in given if f"readonly {name}" not in declared] == []


def call_of(snippet: str) -> str:
    """Return the line with the call."""
    return next(line for line in snippet.splitlines() if "await api." in line)


def test_curl_commands_are_words_of_a_shell(snippets):
    """Quotes in values stay values, and the body is JSON."""
    for snippet in snippets:
        words = shlex.split(snippet["curl"].replace("\\\n", " "))
        assert words[0] == "curl"
        assert words[words.index("-H") + 1] == "Authorization: Bearer demo-1"
        assert "X-Note: it's" in words
        if "--json" in words:
            json.loads(words[words.index("--json") + 1])
