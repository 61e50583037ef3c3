"""Placeholders in the values that a route sets: {route.id}, {claims.tenant}, {headers.accept}."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

from bff_core.proxy.value_checks import nearest, token_complaint

Source = Literal["route", "claims", "headers"]

SOURCES: Final = get_args(Source)

_PARTS: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_is_claim: Final = re.compile(r"[^\s{}.][^\s{}]{0,127}").fullmatch


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One value that is known only when a request arrives.

    `source` is "route" (a parameter of the path), "claims" (of the viewer's token) or "headers"
    (of the client's request; the name is in lower case).
    """

    source: Source
    name: str


class WrongPlaceholder(ValueError):
    """A placeholder that no request can fill; the message is the end of a sentence."""


def parts_of(text: str) -> tuple[str | Placeholder, ...]:
    """Return the texts and the placeholders of a value; "{{" is a brace.

    Raises `WrongPlaceholder` for a brace that belongs to none.
    """
    parts: list[str | Placeholder] = []
    literal, end = "", 0
    for found in _PARTS.finditer(text):
        literal += text[end : found.start()]
        end = found.end()
        if found[0] in {"{{", "}}"}:
            literal += found[0][0]
            continue
        if found[1] is None:
            raise WrongPlaceholder(f"has a single {found[0]}: write {found[0] * 2} for a brace")
        if literal:
            parts.append(literal)
        parts.append(_placeholder(found[1]))
        literal = ""
    literal += text[end:]
    return (*parts, literal) if literal else tuple(parts)


def _placeholder(text: str) -> Placeholder:
    source, dot, name = text.partition(".")
    if source not in SOURCES or not dot:
        shown = " or ".join(f"{{{one}.…}}" for one in SOURCES)
        raise WrongPlaceholder(f"has {{{text}}}, which is no placeholder: write {shown}")
    if source == "headers":
        if token_complaint(name):
            raise WrongPlaceholder(f"has {{{text}}}: {name!r} is no name of a header")
        return Placeholder("headers", name.lower())
    if source == "claims":
        if not _is_claim(name):
            raise WrongPlaceholder(f"has {{{text}}}: {name!r} is no name of a claim")
        return Placeholder("claims", name)
    return Placeholder("route", name)


def placeholder_complaint(text: str) -> str:
    """Return what is wrong with the placeholders of a value; empty if each can be filled."""
    try:
        parts_of(text)
    except WrongPlaceholder as error:
        return str(error)
    return ""


def unknown_values(text: str, parameters: Collection[str]) -> Iterator[str]:
    """Yield a complaint for each placeholder of a value that the path of the route has not."""
    for one in parts_of(text):
        if isinstance(one, Placeholder) and one.source == "route" and one.name not in parameters:
            known = nearest(one.name, sorted(parameters)) or "; the path has no parameters"
            yield f"has {{route.{one.name}}}, which is no parameter of the path{known}"
