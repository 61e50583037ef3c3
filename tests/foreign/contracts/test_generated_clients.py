"""Clients generated from documents of others work: `make test-contracts`.

They import, pass mypy and ruff, and decode each example of a reply that fits its own schema.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from bff_core import Policy, TypedReply
from bff_core.codegen.names import UniqueNames
from bff_core.codegen.upstream import Options, generate
from bff_core.codegen.upstream.operation_names import operation_names, taken_names
from bff_core.contracts.document import Document
from bff_core.contracts.openapi import load, read_content
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, reply
from bff_core.upstream.reading.options import ReadingOptions
from bff_core.upstream.reading.reply_type_checks import check_reply_types
from bff_core.upstream.reading.reply_types import ReplyType
from tests.cpu_time import cpu_seconds
from tests.foreign.contracts.documents import examples, github, nest, springdoc
from tests.foreign.contracts.referee import Referee

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not os.environ.get("CONTRACT_TOOLS"), reason="CONTRACT_TOOLS=1 is not set"),
]

SOURCES = {
    "github": lambda: [github()],
    "examples": examples,
    "nest": lambda: [nest()],
    "springdoc": lambda: [springdoc()],
}
MAX_SECONDS_PER_MEGABYTE = 5.0

LINT = """
[project]
name = "clients"
version = "1"
requires-python = ">=3.11"

[tool.ruff]
line-length = 100

[tool.ruff.lint]
select = ["ALL"]
ignore = ["COM812", "CPY", "D105", "D107", "D203", "D213", "EM", "ISC001", "TC", "TRY003"]

[tool.ruff.lint.isort]
known-first-party = ["bff_core"]

[tool.mypy]
strict = true
explicit_package_bases = true
"""


class Clients:
    """The clients of the documents of one source, in the folder of a project."""

    def __init__(self, folder: Path, paths: list[Path]) -> None:
        self.folder = folder
        self.documents: dict[str, tuple[Path, Document]] = {}
        (folder / "pyproject.toml").write_text(LINT)
        for path in paths:
            name = f"client_{len(self.documents)}"
            document = load(path)
            self.documents[name] = path, document
            made = generate(document, Options(service="shop", class_name="Shop", package=name))
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text('"""A client."""\n')
            for module, text in made.files.items():
                (folder / name / module).write_text(text)

    def imported(self) -> Iterator[tuple[Path, Document, type[Any]]]:
        """Yield the documents, each with the class of its client."""
        for name, (path, document) in self.documents.items():
            yield path, document, importlib.import_module(f"{name}.operations").ShopOperations

    def report(self, *command: str) -> str:
        """Return what a tool reports of the code."""
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return "" if done.returncode == 0 else (done.stdout + done.stderr)[-4000:]


@pytest.fixture(scope="module", params=SOURCES)
def clients(request, tmp_path_factory):
    """Return the clients of one source, which can be imported."""
    folder = tmp_path_factory.mktemp(request.param)
    sys.path.insert(0, str(folder))
    yield Clients(folder, SOURCES[request.param]())
    sys.path.remove(str(folder))
    for name in [one for one in sys.modules if one.startswith("client_")]:
        del sys.modules[name]


def test_clients_import(clients):
    """Each module imports, and each declared reply can be decoded."""
    count = 0
    for _, document, kind in clients.imported():
        check_reply_types(kind, kind.decoders)
        count += len(document.operations)

    assert count


def test_clients_pass_the_rules_of_a_project(clients):
    """Ruff finds nothing and would format nothing, and mypy --strict accepts all types."""
    assert clients.report("ruff", "check", "--no-cache", ".") == ""
    assert clients.report("ruff", "format", "--no-cache", "--diff", ".") == ""
    assert clients.report("mypy", ".") == ""


def replies(document: Document, kind: type[Any]) -> Iterator[tuple[str, Any, str, str, Any]]:
    """Yield the operations' examples: name, type of the method, pointer, name, value."""
    names = operation_names(document.operations, UniqueNames(taken_names()))
    for operation in document.operations:
        method = getattr(kind, names[operation.method, operation.path])
        declared = method.__annotations__["return"]
        if get_origin(declared) is TypedReply:
            [declared] = get_args(declared)
        for response in operation.responses:
            if not response.status.startswith("2"):
                continue
            for content in response.contents:
                if "json" in content.media_type:
                    for name, value in content.examples.items():
                        yield operation.name, declared, content.pointer, name, value


def decodes(declared: Any, value: Any) -> str:
    """Return why a value can't be decoded, or nothing."""
    try:
        ReplyType(declared, ReadingOptions()).decode(json.dumps(value).encode())
    except ValueError as error:
        return str(error)
    return ""


def test_clients_decode_the_examples_of_replies(clients):
    """An example that fits its own schema is decoded; the others are listed by name."""
    decoded, wrong, missed = 0, [], []
    for path, document, kind in clients.imported():
        referee = Referee(read_content(path))
        for name, declared, pointer, example, value in replies(document, kind):
            why = decodes(declared, value)
            decoded += not why
            if why and referee.accepts(f"{pointer}/schema", value):
                missed.append(f"{path.name} {name} {example}: {why}")
            elif why:
                wrong.append(f"{path.name} {name} {example}: {why}")
    print(  # noqa: T201 - the report of this test
        f"\n{decoded} decoded, {len(wrong)} contradict their own schemas:", *wrong, sep="\n"
    )

    assert decoded > 0 or not wrong
    assert missed == []


def test_a_megabyte_takes_seconds(clients):
    """Reading and generating take no more than five seconds of CPU time a megabyte."""
    for path, document in clients.documents.values():
        seconds = cpu_seconds(partial(_generated, path))
        megabytes = max(path.stat().st_size / 1e6, 1.0)

        assert seconds < MAX_SECONDS_PER_MEGABYTE * megabytes, document.title


async def test_methods_reach_their_service(clients):
    """The first operation without required parameters sends the path of the contract."""
    sent = candidates = 0
    for _, document, kind in clients.imported():
        names = operation_names(document.operations, UniqueNames(taken_names()))
        for operation in document.operations:
            if operation.method != "GET" or operation.parameters or "{" in operation.path:
                continue
            candidates += 1
            script = Scripted(reply(500))
            shop = kind(_Stack(script), clock=lambda: 0.0)
            with pytest.raises(Exception, match="answered 500"):
                await _awaited(getattr(shop, names["GET", operation.path])())
            sent += script.calls[0].target.split("?")[0].endswith(operation.path.split("?")[0])
            break

    assert sent == candidates


def _generated(path: Path) -> None:
    generate(load(path), Options(service="shop", class_name="Shop", package="shop"))


class _Stack:
    """Layers that are nothing but a script."""

    def __init__(self, handler: Scripted) -> None:

        self.policy, self.handler, self.events, self.origins = Policy(), handler, Events(), ()
        self.steering = None


async def _awaited(result: Any) -> Any:
    if hasattr(result, "__aiter__"):
        return [one async for one in result]
    return await result
