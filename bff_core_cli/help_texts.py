"""Help texts: groups of verbs, paragraphs that terminals break, arguments in capitals."""

import inspect
from collections.abc import Sequence
from typing import Any, Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

RUN: Final = "Run"
CREATE: Final = "Create"
INSPECT: Final = "Inspect"
CONTRACTS: Final = "Contracts and clients"
OPERATE: Final = "Operate"
"""The groups of verbs in `bff --help`."""


def flow_paragraphs(app: typer.Typer) -> None:
    """Set the help of each verb to its docstring without the line breaks in paragraphs."""
    for command in app.registered_commands:
        if command.help is None and command.callback is not None:
            text = inspect.cleandoc(command.callback.__doc__ or "")
            command.help = "\n\n".join(" ".join(one.split()) for one in text.split("\n\n"))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            flow_paragraphs(group.typer_instance)


class Verb(TyperCommand):
    """A verb whose help names arguments in capitals.

    Its flags have no type, since they take no value.
    """

    def get_params(self, ctx: Any) -> Any:  # the types are private in Typer
        """Return arguments and options, `--help` included."""
        found = _without_types_of_flags(super().get_params(ctx))
        _name_plain_types(found, ctx)
        for one in found:
            if isinstance(one, TyperArgument):
                one.metavar = argument_name(one)
        return found

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words; the errors have no words of the library that checks values."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line: `[OPTIONS] NAME`."""
        found = self.get_params(ctx)
        return ["[OPTIONS]", *(usage_of(one) for one in found if isinstance(one, TyperArgument))]


class Group(TyperGroup):
    """A group of verbs whose flags have no type in its help."""

    def get_params(self, ctx: Any) -> Any:  # the types are private in Typer
        """Return the options, `--help` included."""
        return _without_types_of_flags(super().get_params(ctx))


def hide_types_of_flags(app: typer.Typer) -> None:
    """Show no `<bool>` beside flags."""
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Verb
    for group in app.registered_groups:
        if group.typer_instance is not None:
            hide_types_of_flags(group.typer_instance)


def argument_name(argument: TyperArgument) -> str:
    """Return the name of an argument in help and documentation: `NAME`, `TAGS...`."""
    name = argument.metavar or argument.name.upper()
    return name if argument.nargs == 1 or name.endswith("...") else f"{name}..."


def usage_of(argument: TyperArgument) -> str:
    """Return an argument as a usage line has it, in brackets if it may be left out."""
    name = argument_name(argument)
    return name if argument.required else f"[{name}]"


PLAIN_TYPES: Final = {"<list[str]>": "<str>", "<int range>": "<int>", "<float range>": "<float>"}
"""What is shown in place of a type of Python; the range of a number follows in brackets."""


def _name_plain_types(parameters: Sequence[object], ctx: Any) -> None:
    for one in parameters:
        if isinstance(one, TyperOption) and one.metavar is None:
            one.metavar = PLAIN_TYPES.get(one.display_type(ctx))


def _without_types_of_flags(parameters: Sequence[object]) -> Sequence[object]:
    for one in parameters:
        if isinstance(one, TyperOption) and one.is_flag:
            one.metavar = ""
    return parameters
