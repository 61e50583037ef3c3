"""Writes the docstrings of methods: summary, description, parameters, errors."""

import textwrap
from typing import Final

from bff_core.codegen.python_text import docstring, plain, sentence
from bff_core.codegen.upstream.method_plans import MethodPlan

_WIDTH: Final = 92
_MAX_PARAMETER_CHARACTERS: Final = 500


def method_doc(plan: MethodPlan) -> list[str]:
    """Return the lines of a method's docstring."""
    operation = plan.operation
    shown = plain(operation.name)
    call = f"Call {shown}."
    further: list[str] = []
    for one in plan.arguments:
        if one.description.strip():
            further += _parameter(one.name, one.description)
    text = _text(operation.summary, operation.description, call)
    if further and (text != call or plan.errors or operation.is_deprecated):
        further.append("")
    if text != call:
        further.append(f"Sends `{shown}`.")
    if plan.errors:
        further += textwrap.wrap(f"Raises {', '.join(plan.errors)}.", _WIDTH)
    if operation.is_deprecated:
        further.append("Deprecated by the service.")
    return docstring(text, 8, further)


def _text(summary: str, description: str, default: str) -> str:
    """Return a summary and a description that does not repeat it."""
    first = sentence(summary)
    if not first:
        return description if sentence(description) else default
    if not description.strip() or sentence(description) == first:
        return description if description.strip() else first
    return f"{first}\n\n{description}"


def _parameter(name: str, description: str) -> list[str]:
    text = plain(description)
    if len(text) > _MAX_PARAMETER_CHARACTERS:
        text = text[:_MAX_PARAMETER_CHARACTERS].rpartition(" ")[0] + " ..."
    return textwrap.wrap(
        f"- {name}: {text}",
        _WIDTH,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
