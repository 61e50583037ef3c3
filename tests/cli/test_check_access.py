"""`bff check` compares the access rules of routes with the pinned ones."""

import pytest

from bff_core import ANYONE, Require
from bff_core.cli.check.access_list import lost, read_pin, requirements_of, text_of
from tests.cli.contract_project import write_project
from tests.cli.test_check import edit, renamed, results, source_of

RULE = 'mobile_views = Views(prefix="/v1", access=ANYONE)'


@pytest.fixture
def project(tmp_path, monkeypatch, request):
    """Write the project, whose phone routes need a scope, and pin it."""
    module = f"shop_{abs(hash(request.node.name))}"
    monkeypatch.chdir(write_project(tmp_path, module))
    file = source_of(tmp_path)
    edit(file, RULE, 'mobile_views = Views(prefix="/v1", access=Require("shop", roles=("a",)))')
    edit(file, "import ANYONE,", "import ANYONE, Require,")
    return tmp_path


def test_a_route_that_becomes_open_is_an_error(project, bff):
    """The route, its rule before and its place are named; a new pin accepts it."""
    bff("check", "--pin")
    edit(renamed(project), 'access=Require("shop", roles=("a",))', "access=ANYONE")
    done = bff("check", "--offline", "--json")
    errors = [one for one in results(done) if one["step"] == "access"]

    assert done.status == 1
    assert errors[0]["what"] == (
        "GET /v1/products/{product_id} is open to anyone now: it required "
        "signed in, role a, scope shop"
    )
    assert errors[0]["place"].startswith(source_of(project).name)
    assert len(errors) == 4
    bff("check", "--pin")
    assert results(bff("check", "--offline", "--json")) == []


def test_a_lost_scope_is_an_error_and_a_new_one_is_not(project, bff):
    """Rules may become stricter."""
    bff("check", "--pin")
    edit(renamed(project), 'Require("shop", roles=("a",))', 'Require("shop", "buy", roles=("a",))')
    stricter = bff("check", "--offline", "--json")
    edit(renamed(project), 'Require("shop", "buy", roles=("a",))', 'Require("buy", roles=("a",))')
    weaker = bff("check", "--offline", "--json")

    assert [one for one in results(stricter) if one["step"] == "access"] == []
    assert {one["rule"] for one in results(weaker)} >= {"access-widened"}


def test_a_new_open_route_is_named(project, bff):
    """A new route that is open to anyone is a warning."""
    bff("check", "--pin")
    file = renamed(project)
    file.write_text(
        file.read_text().replace(
            "def mobile()",
            '@mobile_views.get("/new", access=ANYONE)\nasync def get_new() -> str:\n'
            '    return ""\n\n\ndef mobile()',
        )
    )
    done = bff("check", "--offline", "--json")

    assert done.status == 0
    warnings = [one["what"] for one in results(done, "warning") if one["step"] == "access"]
    assert warnings == ["GET /v1/new is new, and open to anyone"]


BOTH = Require("a", "b")


@pytest.mark.parametrize(
    ("before", "now", "gone"),
    [
        (BOTH, BOTH, []),
        (BOTH, Require("a"), ["scope b"]),
        (BOTH, Require("a", "b", "c"), []),
        (BOTH, ANYONE, ["signed in", "scope a", "scope b"]),
        (Require(), ANYONE, ["signed in"]),
        (ANYONE, Require(), []),
        (Require(roles=("x", "y")), Require(roles=("x",)), []),
        (Require(roles=("x",)), Require(roles=("x", "y")), ["role x"]),
        (Require(roles=("x",)), Require(), ["role x"]),
        (Require(acr=("m", "n")), Require(acr="m"), []),
        (Require(acr="m"), Require(acr=("m", "n")), ["acr m"]),
        (Require(max_age=300), Require(max_age=60), []),
        (Require(max_age=300), Require(max_age=900), ["sign-in within 300 s"]),
        (Require(max_age=300), Require(), ["sign-in within 300 s"]),
        (Require(when=lambda viewer, inputs: True), Require(), ["fitting inputs"]),
    ],
)
def test_what_a_rule_lost(before, now, gone):
    """A rule lost what it required before and does not require now."""
    assert lost(requirements_of([before]), requirements_of([now])) == gone


def test_the_pinned_file_is_read_as_it_was_written():
    """Titles of routes may have any character that a path may have."""
    known = {
        "mobile: GET /a|b/{id}": requirements_of([Require("x:y", roles=("a", "b"))]),
        "web: Query.home": requirements_of([ANYONE]),
    }

    assert read_pin(text_of(known)) == known
