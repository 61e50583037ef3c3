"""Generates the reference of the command line from the command itself."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer

from bff_core_cli import app
from bff_core_cli.help_texts import argument_name, usage_of


def commands_text() -> str:
    """Return a section for each verb: how it is called, what it does, its options."""
    group: Any = typer.main.get_command(app)
    return "\n\n".join(_section(f"bff {name}", one) for name, one in _verbs(group))


def _verbs(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the verbs of a group in the order of `bff --help`, those of inner groups as well."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from _verbs(one, f"{prefix}{name} ")
        elif not one.hidden:
            yield f"{prefix}{name}", one


def _section(name: str, verb: Any) -> str:
    arguments = [one for one in verb.params if not one.opts[0].startswith("-")]
    options = [one for one in verb.params if one.opts[0].startswith("-") and not one.hidden]
    usage = " ".join([name, *map(usage_of, arguments), *(["[OPTIONS]"] if options else [])])
    blocks = [f"## {name}", f"    {usage}", verb.help or ""]
    rows = [*map(_argument_row, arguments), *map(_option_row, options)]
    if rows:
        head = "| argument or option | default | meaning |\n|---|---|---|"
        blocks.append("\n".join([head, *rows]))
    return "\n\n".join(blocks)


def _argument_row(one: Any) -> str:
    return _row(f"`{argument_name(one)}`", "required" if one.required else "—", one.help)


def _option_row(one: Any) -> str:
    names = ", ".join(f"`{name}`" for name in one.opts)
    if one.required:
        return _row(names, "required", one.help)
    default = one.default.value if isinstance(one.default, Enum) else one.default
    shown = "—" if default in {None, "", False, ()} or default == [] else f"`{default}`"
    return _row(names, shown, _with_choices(one))


def _with_choices(one: Any) -> str:
    """Return the help of an option, with the values that it accepts if they are few."""
    annotation = one.type_descriptor.annotation
    is_choice = isinstance(annotation, type) and issubclass(annotation, Enum)
    if not is_choice:
        bounds = f" From {one.min} to {one.max}." if one.max is not None else ""
        return f"{one.help or ''}{bounds}"
    return f"{one.help} One of {', '.join(f'`{choice.value}`' for choice in annotation)}."


def _row(*cells: str | None) -> str:
    """Return a row, in which bars are escaped, and brackets are not, unlike for rich."""
    texts = [(cell or "").replace("\\[", "[").replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(texts)} |"
