"""The page of problem codes: it lists each code that the package has, and no other."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from http.client import responses
from pathlib import Path

import pytest
from fastapi import HTTPException
from markdown_pages import DOCS, page, table

import bff_core
from bff_core.edge.problem_details import members_of, problem
from bff_core.errors import BFFError, code_of
from bff_core.http_statuses import CLIENT_ERROR_TITLES, PASSES_THROUGH

PAGE = page(DOCS / "reference/problem-codes.md")
OWN = [
    [cell.strip("`") for cell in row]
    for section in ("Codes of the gateway", "Codes of services and parts")
    for row in table(PAGE.section(section))
]
GRAPHQL = [row[0].strip("`") for row in table(PAGE.section("Codes of GraphQL"))]
STATUSES = {
    int(status): (code.strip("`"), title)
    for status, code, title in table(PAGE.section("Codes of HTTP statuses"))
}
DOCUMENTED = {row[0] for row in OWN} | set(GRAPHQL)


def modules() -> Iterator[str]:
    """Yield the names of all modules of the package."""
    for one in pkgutil.walk_packages(bff_core.__path__, "bff_core."):
        if not one.name.endswith("__main__"):
            yield one.name


def texts_of(node: ast.expr, module: str) -> Iterator[str]:
    """Yield the texts that an expression can be; a name is looked up in its module."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if name.isupper():
            value = getattr(importlib.import_module(module), name)
            yield from [value] if isinstance(value, str) else []
        case ast.IfExp(body=one, orelse=other):
            yield from texts_of(one, module)
            yield from texts_of(other, module)


def expressions(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what a piece of code says a code is."""
    match node:
        case ast.ClassDef(body=body):
            for one in body:
                match one:
                    case ast.Assign(targets=[ast.Name(id="code")], value=value):
                        yield value
                    case ast.AnnAssign(target=ast.Name(id="code"), value=ast.expr() as value):
                        yield value
        case ast.Call(func=ast.Name(id="RequestRefused" | "Reason"), args=[first, *_]):
            yield first
        case ast.Call(keywords=keywords):
            yield from (one.value for one in keywords if one.arg == "code")
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    yield value


def codes_in(module: str) -> set[str]:
    """Return the codes that stand in the source of a module."""
    path = importlib.import_module(module).__file__
    tree = ast.parse(Path(path or "").read_text())
    found = (one for node in ast.walk(tree) for one in expressions(node))
    return {text for one in found for text in texts_of(one, module) if text}


def errors() -> Iterator[type[BFFError]]:
    """Yield all errors of the package."""
    for module in modules():
        importlib.import_module(module)
    waiting = [BFFError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("bff_core"):
            yield kind


def title_in(node: ast.AST) -> tuple[str, str] | None:
    """Return the code and the title that a call is given."""
    given = {
        one.arg: one.value.value
        for one in (node.keywords if isinstance(node, ast.Call) else ())
        if isinstance(one.value, ast.Constant)
    }
    return (given["code"], given["title"]) if {"code", "title"} <= given.keys() else None


def titles_in(module: str) -> set[tuple[str, str]]:
    """Return the codes that calls in a module are given, with their titles."""
    path = importlib.import_module(module).__file__
    nodes = ast.walk(ast.parse(Path(path or "").read_text()))
    return {found for node in nodes if (found := title_in(node)) is not None}


TITLES = {row[0]: row[2] for row in OWN}
OWN_CODES = [kind for kind in errors() if "code" in vars(kind) and kind.code in TITLES]
IN_SOURCE = {code: name for name in modules() for code in codes_in(name)}


def test_each_code_of_the_package_is_on_the_page():
    """A client finds every code that it can meet, GraphQL's and the sign-in's included."""
    missing = {code: name for code, name in IN_SOURCE.items() if code not in DOCUMENTED}

    assert missing == {}


def test_the_page_lists_no_code_that_is_gone():
    """What cannot happen any more is not handled for ever."""
    assert DOCUMENTED - IN_SOURCE.keys() == set()


def test_each_code_is_on_the_page_once():
    """One code has one meaning."""
    named = [row[0] for row in OWN] + GRAPHQL

    assert sorted(named) == sorted(set(named))


@pytest.mark.parametrize("kind", sorted(OWN_CODES, key=lambda kind: kind.__name__))
def test_errors_have_the_status_and_the_title_of_the_page(kind):
    """One title for each code, whichever error has it: programs may compare it."""
    _, statuses, title, _ = next(row for row in OWN if row[0] == kind.code)

    assert str(kind.status) in statuses
    assert kind.title == title


def test_failures_of_sagas_have_the_titles_of_the_page():
    """They are no errors of their own."""
    given = {one for name in modules() for one in titles_in(name)}

    assert given
    assert given - set(TITLES.items()) == set()


def test_each_status_has_the_code_and_the_title_of_the_page():
    """All that HTTP knows, since an author may raise any of them."""
    shown = {status: members_of(HTTPException(status)) for status in responses if status >= 400}

    assert {one: (members["code"], members["title"]) for one, members in shown.items()} == STATUSES


def test_statuses_that_services_may_pass_on_have_the_codes_of_those_statuses():
    """A conflict is a `conflict`, whether the gateway or a service says so."""
    assert set(PASSES_THROUGH) <= CLIENT_ERROR_TITLES.keys()
    for title in CLIENT_ERROR_TITLES.values():
        assert (code_of(title), title) in {*STATUSES.values(), *TITLES.items()}


@pytest.mark.parametrize("error", [HTTPException(404), HTTPException(400), HTTPException(429)])
def test_a_code_has_one_type_whatever_raised_it(error):
    """The router's 404 is of the same type as an author's `NotFound`."""
    members = members_of(error)

    assert members["type"] == f"/problems/{members['code']}"
    assert members["title"] == TITLES[members["code"]]
    assert b"about:blank" not in problem(error).body
