"""Help texts: paragraphs of docstrings, each on one line, so that terminals break them."""

import inspect

import typer


def flow_paragraphs(app: typer.Typer) -> None:
    """Set the help of each verb to its docstring without the line breaks in paragraphs."""
    for command in app.registered_commands:
        if command.help is None and command.callback is not None:
            text = inspect.cleandoc(command.callback.__doc__ or "")
            command.help = "\n\n".join(" ".join(one.split()) for one in text.split("\n\n"))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            flow_paragraphs(group.typer_instance)
