"""Generated clients for tests: the modules of a document, imported, over a scripted service."""

import importlib
import itertools
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from bff_core import Policy
from bff_core.codegen.upstream import Generated, Options, generate
from bff_core.contracts.openapi import parse
from bff_core.events import Events
from bff_core.testing.scripted import Scripted

_numbers = itertools.count()


def document(
    paths: Mapping[str, Any], schemas: Mapping[str, Any] | None = None, **members: Any
) -> dict[str, Any]:
    """Return an OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": paths,
        "components": {"schemas": dict(schemas or {}), **members},
    }


def answers(schema: Any, *, status: str = "200", media_type: str = "application/json") -> Any:
    """Return the responses of an operation with one success."""
    return {status: {"description": "Done", "content": {media_type: {"schema": schema}}}}


def get(schema: Any, *parameters: Any, name: str = "read", **members: Any) -> dict[str, Any]:
    """Return a path item with a GET that answers with a schema."""
    operation = {"operationId": name, "parameters": list(parameters), "responses": answers(schema)}
    return {"get": {**operation, **members}}


def query(name: str, schema: Any, **members: Any) -> dict[str, Any]:
    """Return a query parameter."""
    return {"name": name, "in": "query", "schema": schema, **members}


def ref(name: str) -> dict[str, str]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def thing(required: str = "", **properties: Any) -> dict[str, Any]:
    """Return the schema of an object; `required` are the names of properties, with spaces."""
    return {"type": "object", "required": required.split(), "properties": properties}


TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def code_of(content: Mapping[str, Any], package: str = "shop", **options: Any) -> Generated:
    """Return the code for a document."""
    chosen = Options(service="shop", class_name="Shop", package=package, **options)
    return generate(parse(content), chosen)


def write(generated: Generated, folder: Path) -> None:
    """Write the modules of a client into the folder of its package."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text('"""A client."""\n')
    for name, text in generated.files.items():
        (folder / name).write_text(text)


@dataclass
class Client:
    """A generated client with its modules."""

    operations: ModuleType
    models: ModuleType
    errors: ModuleType | None
    generated: Generated

    def over(self, script: Scripted, policy: Policy | None = None, scope: Any = None) -> Any:
        """Return an instance that calls a scripted service."""
        kind = type("Shop", (self.operations.ShopOperations,), {"policy": policy or Policy()})
        origins = ["http://shop.internal:8080"]
        stack = SimpleNamespace(
            policy=kind.policy, handler=script, events=Events(), steering=None, origins=origins
        )
        made = kind(stack)
        return made if scope is None else made.bind(scope)


@contextmanager
def client(content: Mapping[str, Any], **options: Any) -> Iterator[Client]:
    """Generate a client, and import it for the time of the context."""
    name = f"generated_client_{next(_numbers)}"
    generated = code_of(content, name, **options)
    with tempfile.TemporaryDirectory() as folder:
        write(generated, Path(folder) / name)
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            errors = None
            models = importlib.import_module(f"{name}.models")
            if "errors.py" in generated.files:
                errors = importlib.import_module(f"{name}.errors")
            operations = importlib.import_module(f"{name}.operations")
            yield Client(operations, models, errors, generated)
        finally:
            sys.path.remove(folder)
            for module in [one for one in sys.modules if one.partition(".")[0] == name]:
                del sys.modules[module]


async def items(iterator: Any) -> list[Any]:
    """Return what an iterator yields."""
    return [one async for one in iterator]


def targets(script: Scripted) -> list[str]:
    """Return method and target of the calls of a script."""
    return [f"{call.method} {call.target}" for call in script.calls]
