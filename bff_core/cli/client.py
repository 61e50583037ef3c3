"""`bff client`: typed clients of gateways, and the schema of their GraphQL."""

import json
import re
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, Literal

from bff_core.cli.errors import CannotRun
from bff_core.cli.gateways import LoadedGateway, load_gateway
from bff_core.cli.output import counted, print_json
from bff_core.codegen import python_client, typescript
from bff_core.codegen.client_options import ClientOptions
from bff_core.codegen.graphql_client import schema_files
from bff_core.codegen.names import snake
from bff_core.codegen.openapi30 import for_generators
from bff_core.compat.fastapi import iter_route_contexts
from bff_core.contracts.document import Document
from bff_core.contracts.openapi import parse
from bff_core.inspection.reader import parts_of
from bff_core.inspection.routes import routes_of

Files = dict[str, str]
Generate = Callable[[Document, ClientOptions], Files]
FileState = Literal["created", "changed", "unchanged"]

LANGUAGES: Final[Mapping[str, Generate]] = {
    "python": python_client.generate,
    "ts": typescript.generate,
}
"""The function that writes the files of a client, by language: their names and their texts."""

WRITTEN: Final[Mapping[FileState, str]] = {
    "created": "created",
    "changed": "changed",
    "unchanged": "unchanged",
}
IN_CHECK: Final[Mapping[FileState, str]] = {
    "created": "missing",
    "changed": "out of date",
    "unchanged": "up to date",
}

WRITTEN_ONCE: Final = frozenset({"codegen.ts"})
"""Files that belong to the app once they are there."""

SLASHES: Final = re.compile(r"\{(\w+):path\}")
CONVERTOR: Final = re.compile(r"\{(\w+):\w+\}")


def write_client(language: str, gateway: str, out: Path, *, is_check: bool, as_json: bool) -> int:
    """Write the client of a gateway; return the exit status.

    With `is_check` nothing is written, and the status is 1 if a file is missing or out of date.
    Raises `CannotRun` if the gateway has no route that such a client could call.
    """
    loaded = load_gateway(gateway)
    texts = _texts(language, loaded, out)
    states = {path: _state(path, text) for path, text in texts.items()}
    for path, state in states.items():
        if state != "unchanged" and not is_check:
            _write(path, texts[path])
    stale = [path for path, state in states.items() if state != "unchanged"]
    if as_json:
        files = [{"path": str(path), "state": state} for path, state in states.items()]
        print_json({"gateway": loaded.name, "language": language, "files": files})
    else:
        command = f"bff client {language} --gateway {loaded.name} --out {out}"
        _report(states, command, is_check=is_check)
    return 1 if is_check and stale else 0


def _texts(language: str, loaded: LoadedGateway, out: Path) -> dict[Path, str]:
    """Return the files of a client, by their paths."""
    command = f"bff client {language} --gateway {loaded.name}"
    if language == "graphql":
        files = schema_files(sdl_of(loaded), gateway=loaded.app.config.name, command=command)
    elif language == "openapi":
        text = json.dumps(for_generators(content_of(loaded)), indent=2, ensure_ascii=False)
        files = {f"{snake(loaded.app.config.name)}.openapi.json": f"{text}\n"}
    elif language in LANGUAGES:
        files = LANGUAGES[language](document_of(loaded), options_of(command, loaded))
    else:
        raise CannotRun(f"there is no client in {language!r}: take {', '.join(LANGUAGES)}")
    if out.suffix and not out.is_dir():
        if len(files) > 1:
            raise CannotRun(f"--out {out}: these are {len(files)} files: name a folder")
        return dict.fromkeys([out], *files.values())
    return {out / name: text for name, text in files.items()}


def sdl_of(loaded: LoadedGateway) -> str:
    """Return the GraphQL schema of a gateway in the language of GraphQL.

    Raises `CannotRun` if it has none, or several.
    """
    faces = [one for one in loaded.app.config.faces if hasattr(one, "schema")]
    if len(faces) != 1:
        hint = ": bff client ts writes a client of its views" if not faces else ": it has several"
        raise CannotRun(f"gateway {loaded.name} has no GraphQL schema of its own{hint}")
    return str(faces[0].schema)


def document_of(loaded: LoadedGateway) -> Document:
    """Return the OpenAPI document of a gateway, as `content_of` has it."""
    return parse(content_of(loaded), f"gateway {loaded.name}")


def content_of(loaded: LoadedGateway) -> dict[str, Any]:
    """Return the OpenAPI document of a gateway, without the member `_meta` of its answers.

    Clients read the states of parts from the header `Part-Status`. Raises `CannotRun` if the
    gateway has no views.
    """
    content = without_meta(loaded.app.openapi())
    if not content.get("paths"):
        has_graphql = _has_graphql(loaded)
        hint = ": bff client graphql writes its schema" if has_graphql else ": add a screen"
        raise CannotRun(f"gateway {loaded.name} has no views{hint}")
    return content


def _has_graphql(loaded: LoadedGateway) -> bool:
    return any(one.kind == "graphql" for one in routes_of(loaded.app))


def without_meta(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document whose answers are their models: `_meta` is taken out of them."""
    copied: dict[str, Any] = deepcopy(dict(content))
    for operations in copied.get("paths", {}).values():
        for operation in filter(lambda one: isinstance(one, dict), operations.values()):
            for response in operation.get("responses", {}).values():
                for body in response.get("content", {}).values():
                    body["schema"] = _without_meta(body.get("schema", {}))
    return copied


def _without_meta(schema: Any) -> Any:
    """Return a schema without the alternatives' `{"properties": {"_meta": …}}`, at any depth."""
    if isinstance(schema, list):
        return [_without_meta(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    match schema:
        case {"allOf": [model, {"properties": {"_meta": _, **others}}]} if not others:
            return model
    return {key: _without_meta(value) for key, value in schema.items()}


def options_of(command: str, loaded: LoadedGateway) -> ClientOptions:
    """Return what the gateway knows of its routes that OpenAPI lacks."""
    with_slashes = _with_slashes(loaded)
    parts: dict[str, tuple[str, ...]] = {}
    slashes: dict[str, frozenset[str]] = {}
    for route in routes_of(loaded.app):
        names = dict.fromkeys(part for screen in route.screens for part in parts_of(screen))
        for method in route.methods:
            parts[f"{method} {route.path}"] = tuple(names)
            slashes[f"{method} {route.path}"] = with_slashes.get(route.path, frozenset())
    return ClientOptions(
        gateway=loaded.app.config.name,
        command=command,
        parts=parts,
        slash_parameters={name: found for name, found in slashes.items() if found},
    )


def _with_slashes(loaded: LoadedGateway) -> dict[str, frozenset[str]]:
    """Return the parameters whose values may contain slashes (`:path`) by the path of the route."""
    paths = [context.path or "" for context in iter_route_contexts(loaded.app.routes)]
    return {CONVERTOR.sub(r"{\1}", path): frozenset(SLASHES.findall(path)) for path in paths}


def _state(path: Path, text: str) -> FileState:
    try:
        known = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return "created"
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRun(f"{path} can't be read: {error}") from None
    return "unchanged" if known == text or path.name in WRITTEN_ONCE else "changed"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CannotRun(f"{path} can't be written: {error}") from None


def _report(states: Mapping[Path, FileState], command: str, *, is_check: bool) -> None:
    words = IN_CHECK if is_check else WRITTEN
    for path, state in states.items():
        sys.stdout.write(f"{path}  {words[state]}\n")
    stale = sum(state != "unchanged" for state in states.values())
    if is_check and stale:
        sys.stdout.write(f"{counted(stale, 'file')} to write: run {command}\n")
