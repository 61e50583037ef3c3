"""Renders the templates: a folder below `bff_core/templates` becomes paths and texts."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import jinja2
import msgspec

from bff_core.cli.errors import CannotRun

TEMPLATES = Path(__file__).parents[2] / "templates"
SUFFIX = ".jinja"

WIRING = "wiring.toml"
"""The file of a template that says what to add to the files of the project; it is not copied."""


class SharedEntries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a gateway adds to `[tool.bff]`, `.env.example` and docker-compose.yml."""

    gateway: dict[str, object]
    services: dict[str, dict[str, object]] = {}
    env_example: str = ""
    compose: str = ""


def render(
    template: str, values: Mapping[str, object], *, templates: Path = TEMPLATES
) -> dict[str, str]:
    """Return the text of each file of a template, by its path in the project.

    A file that renders to white space is left out, unless it is the `__init__.py` of others.
    """
    files = dict(_rendered(templates / template, values))
    files.pop(WIRING, None)
    written = {path: text for path, text in files.items() if text.strip()}
    folders = {PurePosixPath(path).parent for path in written}
    markers = {
        path: text
        for path, text in files.items()
        if path.endswith("__init__.py") and PurePosixPath(path).parent in folders
    }
    return written | markers


def render_wiring(
    template: str, values: Mapping[str, object], *, templates: Path = TEMPLATES
) -> SharedEntries:
    """Return what a template adds to the files of the project."""
    source = (templates / template / f"{WIRING}{SUFFIX}").read_text(encoding="utf-8")
    text = _render(_environment().from_string(source), values)
    return msgspec.convert(tomllib.loads(text), SharedEntries)


def _rendered(folder: Path, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    environment = _environment()
    for file in sorted(folder.rglob(f"*{SUFFIX}")):
        path = file.relative_to(folder).as_posix().removesuffix(SUFFIX)
        text = file.read_text(encoding="utf-8")
        yield (
            _render(environment.from_string(path), values),
            _render(environment.from_string(text), values),
        )


def _render(template: jinja2.Template, values: Mapping[str, object]) -> str:
    try:
        return template.render(values)
    except jinja2.UndefinedError as error:
        raise CannotRun(
            f".bff/scaffold.toml lacks a value ({error}): restore it from version control"
        ) from None


def _environment() -> jinja2.Environment:
    return jinja2.Environment(  # noqa: S701 # it renders source code, not HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
