"""What the source of a part shows: its calls, the parts it awaits, and what is unknown."""

from pathlib import Path

import pytest

from bff_core.inspection.explanation import in_stages, requests_of, unknowns_of
from bff_core.inspection.reader import parts_of, steps_of_function
from bff_core.inspection.steps import (
    InOrder,
    Maybe,
    PartStart,
    PartWait,
    Repeated,
    Request,
    Step,
    Together,
    Unknown,
)
from tests.inspection import shop
from tests.inspection.shop import Orders, Screen


def text(step: Step) -> str:  # noqa: PLR0911 # one branch for each kind of step
    """Return a step as a short text: `a; b` in order, `a & b` together, `a? b?` maybe."""
    match step:
        case InOrder():
            return "; ".join(map(text, step.steps))
        case Together():
            return f"({' & '.join(map(text, step.steps))})"
        case Maybe():
            return f"[{' | '.join(map(text, step.steps))}]"
        case Repeated():
            return f"{'all' if step.at_once else 'each'}({text(step.step)})"
        case PartStart():
            return f"+{step.part.name}"
        case PartWait():
            return f"{step.part.name}"
        case Request():
            return str(step)
        case Unknown():
            return f"?{step.reason}"
    return type(step).__name__


LIST, ONE = "GET /v2/orders", "GET /orders/{id}"


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ("first", ONE),
        ("replaced", ""),
        ("after_first", f"+first; first; {ONE}"),
        ("both", f"({LIST} & {ONE})"),
        ("started_early", f"+first; {LIST}; first"),
        ("in_branches", f"+first; first; [{LIST}]; [{ONE}]"),
        ("in_loop", f"{LIST}; each({ONE})"),
        ("all_at_once", f"{LIST}; all({ONE})"),
        ("in_group", f"({LIST} & {ONE})"),
        ("by_function", f"{ONE}; {LIST}"),
        ("by_method", LIST),
        ("directly", "GET /direct"),
        ("tried", f"{LIST}; [{ONE}]"),
        ("picked", "+first; first"),
        ("chosen", "?calls getattr(...)"),
        ("from_table", "?calls table[name](...)"),
        ("sleeps", "?awaits asyncio.sleep(0)"),
        ("recurses", f"{LIST}; [?_again calls itself, or is too deep]"),
        ("by_asyncio", f"({LIST} & {ONE}); {LIST}; {ONE}"),
        ("matched", f"[{LIST} | {ONE}]"),
        ("polls", f"each({LIST})"),
        ("by_lambda", ONE),
        ("short_circuit", f"{LIST}; [{ONE}]"),
        ("in_dictionary", f"{LIST}; each({ONE})"),
        ("renamed", ONE),
        ("cleaned", "+first; first; POST /orders; DELETE /orders/{id}"),
        ("wrapped", f"{LIST}; {LIST}"),
        ("passed_on", "?calls asyncio.wait(...)"),
        ("streamed", "GET /rows"),
        ("one", LIST),
        ("with_loader", "+one; one; +one; one"),
        ("change", "POST /orders; DELETE /orders/{id}"),
    ],
)
def test_the_source_of_a_part_is_read(part, shown):
    """Calls and awaited parts appear in the order in which they run; what is dynamic is unknown."""
    assert text(parts_of(Screen)[part].step) == shown


@pytest.mark.parametrize(
    ("method", "shown"),
    [
        ("by_constant", "GET /orders/{id}"),
        ("by_attribute", "GET /v2/orders"),
        ("by_helper", "GET /helped/{id}"),
        ("by_text", "GET (a path made at run time)"),
        ("with_mapping", "GET /orders/{id}"),
        ("by_request", "PURGE /orders"),
        ("by_known_method", "PUT /orders"),
        ("by_unknown_method", "any method /orders"),
        ("raw", "POST /raw"),
    ],
)
def test_a_method_of_a_client_shows_its_request(method, shown):
    """The verb and the path template are those of the client's method, also through helpers."""
    step = steps_of_function(VIEWS[method])
    (request,) = requests_of(step)

    assert str(request) == shown
    assert request.service is Orders
    assert request.via == ("by_chosen_method" if "_method" in method else method)


async def by_constant(orders: Orders) -> None:
    await orders.by_constant("1")


async def by_attribute(orders: Orders) -> None:
    await orders.by_attribute()


async def by_helper(orders: Orders) -> None:
    await orders.by_helper("1")


async def by_text(orders: Orders) -> None:
    await orders.by_text("1")


async def with_mapping(orders: Orders) -> None:
    await orders.with_mapping("1")


async def by_request(orders: Orders) -> None:
    await orders.by_request()


async def by_known_method(orders: Orders) -> None:
    await orders.by_chosen_method("put")


async def by_unknown_method(orders: Orders, method: str) -> None:
    await orders.by_chosen_method(method)


async def raw(orders: Orders) -> None:
    await orders.raw()


VIEWS = {
    one.__name__: one
    for one in (
        *(by_constant, by_attribute, by_helper, by_text),
        *(with_mapping, by_request, by_known_method, by_unknown_method, raw),
    )
}


def test_parts_of_a_view_run_in_stages():
    """Parts that are gathered have one stage; a helper's call and later parts have the next."""
    uses = [
        (one.stage, getattr(one.what, "name", str(one.what)))
        for one in in_stages(steps_of_function(shop.view))
    ]

    assert uses == [
        (1, "first"),
        (1, "replaced"),
        (2, "GET /orders/{id}"),
        (3, "after_first"),
        (3, "one"),
    ]


def test_a_client_of_the_app_is_known_by_its_class():
    """`app.services[Orders]` is the client of that class."""
    assert text(steps_of_function(shop.plain)) == ONE


def test_a_part_declares_what_replaces_it():
    """A plan has the kind, the timeout and the fallback of the declaration."""
    plans = parts_of(Screen)

    assert (plans["first"].kind, plans["first"].fallback, plans["first"].runs_once) == (
        "critical",
        "",
        True,
    )
    assert (plans["replaced"].kind, plans["replaced"].timeout, plans["replaced"].fallback) == (
        "optional",
        0.5,
        "None",
    )
    assert (plans["one"].kind, plans["one"].timeout, plans["one"].fallback) == (
        "loader",
        0.3,
        "None",
    )
    assert plans["change"].kind == "bulk"
    assert not plans["from_table"].runs_once


def test_an_unknown_names_its_line():
    """What the source does not show is reported with its file and line."""
    (found,) = unknowns_of(parts_of(Screen)["from_table"].step)
    source = shop.__file__

    assert found.where.startswith(f"{source}:")
    line = int(found.where.rpartition(":")[2])
    assert "table[name](self" in Path(source).read_text().splitlines()[line - 1]


def test_a_function_without_source_is_unknown():
    """A function that was made by exec, or is compiled, is unknown rather than empty."""
    names: dict = {}
    exec("async def made(screen): await screen.first()", names)  # no file has it

    assert isinstance(steps_of_function(names["made"]), Unknown)
    assert isinstance(steps_of_function(len), Unknown)
