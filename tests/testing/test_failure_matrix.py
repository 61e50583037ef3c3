"""The failure matrix: a case for each failure of each service, and which answers pass."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from bff_core.testing import (
    ALL_FAULTS,
    assert_complete,
    check_outcome,
    client,
    failure_matrix,
    failures,
    outcome,
    reply,
)
from bff_core.testing.outcomes import Snapshot
from tests.testing.kit_shop import (
    HAPPY,
    QUERY,
    STOVE,
    SUMMARY,
    TENT,
    Guided,
    Me,
    ProductPage,
    make_app,
)

FAILED = httpx.Response(
    500, headers={"content-type": "application/problem+json"}, json={"code": "internal_error"}
)

test_product_page = failure_matrix(
    make_app,
    ProductPage,
    request="GET /v1/products/8",
    services=HAPPY,
    expect={
        "reviews-slow": "200 rating=missing;reason=timeout",
        "catalog-slow": 504,
        "catalog-down": lambda answer: answer.json()["part"] == "product",
    },
)

test_product_page_over_graphql = failure_matrix(
    make_app, ProductPage, request=lambda c: c.graphql(QUERY, id="8"), services=HAPPY
)

test_product_page_without_screen = failure_matrix(
    make_app,
    request="GET /v1/products/8",
    services=HAPPY,
    faults=ALL_FAULTS | {"busy": reply(503, headers={"retry-after": "30"})},
    expect={"reviews": {"rating": "missing"}},
)


test_product_page_over_a_recording = failure_matrix(
    make_app,
    ProductPage,
    request="GET /v1/products/8",
    traffic={"catalog": reply(404), "identity": reply(404), "reviews": reply(200, SUMMARY)},
    services={"catalog": reply(200, TENT)},
)


def test_each_service_of_a_screen_fails_in_each_way():
    """The cases have names that a reader understands."""
    assert [case.id for case in failures(ProductPage)] == [
        *("catalog-down", "catalog-slow", "catalog-garbage", "catalog-empty"),
        *("reviews-down", "reviews-slow", "reviews-garbage", "reviews-empty"),
    ]


@pytest.mark.virtual_time
@pytest.mark.parametrize("failure", failures(ProductPage))
async def test_failures_may_be_used_alone(failure):
    """A test of one's own puts a failure among its scripts."""
    async with client(make_app, services=failure.within(HAPPY)) as c:
        answer = await c.get("/v1/products/8")

    is_critical = failure.service == "catalog"
    assert answer.status_code == ({"slow": 504}.get(failure.kind, 502) if is_critical else 200)
    with pytest.raises(AssertionError):
        assert_complete(answer)


async def run(matrix, case: str):
    """Run one case of a matrix."""
    [parametrize] = [mark for mark in matrix.pytestmark if mark.name == "parametrize"]
    [failure] = [one.values[0] for one in parametrize.args[1] if one.id == case]

    class Config:
        def getoption(self, name, default):
            return default

    await matrix(failure, Config())


@pytest.mark.virtual_time
async def test_an_answer_that_hides_a_failure_is_found():
    """A view that swallows the error answers 200 with less than it should."""
    matrix = failure_matrix(make_app, ProductPage, request="GET /v1/careless/8", services=HAPPY)

    with pytest.raises(AssertionError) as caught:
        await run(matrix, "reviews-garbage")

    assert str(caught.value) == (
        "the answer is not complete, and does not say so: each of its parts is reported as ok\n"
        "stars is None, and 4.5 without the failure\n"
        'if that is right: allow=["reviews-garbage"]'
    )


@pytest.mark.virtual_time
async def test_a_report_excuses_only_what_its_part_has():
    """A view that drops the title as well, because the rating is missing."""
    matrix = failure_matrix(make_app, ProductPage, request="GET /v1/wasteful/8", services=HAPPY)

    with pytest.raises(AssertionError) as caught:
        await run(matrix, "reviews-down")

    assert str(caught.value) == (
        "the answer lacks more than it reports (rating): parts that are ok have this data\n"
        "title is lost, which was 'Tent'\n"
        'if that is right: allow=["reviews-down"]'
    )


RELATED = {"catalog": {"/products/8": reply(200, TENT), "/products/9": reply(200, STOVE)},
           "reviews": reply(200, SUMMARY)}  # fmt: skip
test_related_products = failure_matrix(
    make_app, Guided, request="GET /v1/related/8", services=RELATED
)
test_a_guide_that_may_be_missing = failure_matrix(
    make_app, Guided, request="GET /v1/guided/8", services=HAPPY, expect={"reviews-empty": 200}
)


@pytest.mark.virtual_time
async def test_another_status_of_a_success_is_found():
    """A client may handle a 202 in another way."""
    matrix = failure_matrix(make_app, ProductPage, request="GET /v1/accepted/8", services=HAPPY)

    with pytest.raises(AssertionError, match="the failure became 202, and the status is 200 with"):
        await run(matrix, "reviews-down")


@pytest.mark.virtual_time
async def test_a_service_that_is_not_called_is_found():
    """Its failures show nothing; without cases for it, it must not be called."""
    options = {"request": "GET /v1/accepted/8", "services": HAPPY}
    wrong = failure_matrix(make_app, ProductPage, **{**options, "request": "GET /v1/title/8"})
    with pytest.raises(AssertionError, match=r'call reviews, so .* not_called=\["reviews"\]'):
        await run(wrong, "reviews-down")

    right = failure_matrix(
        make_app, ProductPage, request="GET /v1/title/8", services={"catalog": reply(200, TENT)},
        not_called=["reviews"],
    )  # fmt: skip
    [parametrize] = [mark for mark in right.pytestmark if mark.name == "parametrize"]
    assert {case.values[0].service for case in parametrize.args[1]} == {"catalog"}
    await run(right, "catalog-down")

    called = failure_matrix(make_app, ProductPage, **options, not_called=["reviews"])
    with pytest.raises(AssertionError, match="the request calls reviews: remove it from not_c"):
        await run(called, "catalog-down")


@pytest.mark.virtual_time
async def test_what_is_expected_comes_beside_the_rule():
    """A status that is expected and hides a failure is allowed by name only."""
    options = {"request": "GET /v1/careless/8", "services": HAPPY, "expect": {"reviews": 200}}

    with pytest.raises(AssertionError, match="the answer is not complete"):
        await run(failure_matrix(make_app, ProductPage, **options), "reviews-down")
    allowing = failure_matrix(make_app, ProductPage, **options, allow=["reviews"])
    await run(allowing, "reviews-down")
    with pytest.raises(AssertionError, match="the outcome is 502, not 200"):
        await run(
            failure_matrix(
                make_app, ProductPage, **options | {"expect": {"catalog": 200}}, allow=["catalog"]
            ),
            "catalog-down",
        )


@pytest.mark.virtual_time
async def test_a_matrix_without_a_viewer_says_so():
    """A screen that needs one."""
    matrix = failure_matrix(make_app, request="GET /v1/me", services=HAPPY)

    with pytest.raises(AssertionError, match="the request is anonymous: pass viewer="):
        await run(matrix, "reviews-down")


@pytest.mark.virtual_time
async def test_a_bug_that_a_failure_reveals_is_found():
    """A 500 is never the right answer to a service that is down."""
    matrix = failure_matrix(make_app, ProductPage, request="GET /v1/buggy/8", services=HAPPY)

    with pytest.raises(AssertionError, match=r"the failure became 500: it has to become an"):
        await run(matrix, "reviews-down")


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (502, "the outcome is 200, not 502"),
        ("200 complete", "the outcome is 200 rating=missing;reason=unavailable, not 200 complete"),
        ({"rating": "fallback"}, "rating is missing;reason=unavailable, not fallback"),
    ],
)
async def test_an_outcome_that_is_not_expected_fails(expected, message):
    """As a status, as a line, or as states of parts."""
    matrix = failure_matrix(
        make_app,
        ProductPage,
        request="GET /v1/products/8",
        services=HAPPY,
        expect={"reviews-down": expected},
    )

    with pytest.raises(AssertionError, match=message):
        await run(matrix, "reviews-down")


@pytest.mark.virtual_time
async def test_replies_that_make_no_complete_answer_are_a_mistake():
    """Without a failure the answer has to be complete."""
    services = {**HAPPY, "reviews": reply(404)}
    matrix = failure_matrix(make_app, ProductPage, request="GET /v1/products/8", services=services)

    with pytest.raises(AssertionError, match="incomplete without a failure, too: rating is miss"):
        await run(matrix, "catalog-down")


@pytest.mark.parametrize(
    ("screens", "options", "message"),
    [
        ([ProductPage], {"services": {"catalog": reply()}}, "the screen calls reviews: add what"),
        ([ProductPage], {"services": {"catalog": reply(), "review": reply()}},
         "has 'review', which the screen does not call: it calls 'reviews'"),
        ([ProductPage], {"not_called": ["orders"]}, "no such service: the services are catalog, "),
        ([ProductPage], {"allow": ["orders"]}, "allow: 'orders' is no case: catalog, catalog-"),
        ([ProductPage], {"request": "v1/products"}, "write a method and a path"),
        ([ProductPage], {"expect": {"review-down": 502}}, "is no case: catalog, catalog-down"),
        ([Me], {}, r"failures\(Me\): these screens have no field that is a service"),
    ],
)  # fmt: skip
def test_a_wrong_matrix_is_refused_at_import(screens, options, message):
    """Before a test runs."""
    with pytest.raises(TypeError, match=message):
        failure_matrix(
            make_app, *screens, **{"request": "GET /v1/products/8", "services": HAPPY, **options}
        )


@pytest.mark.parametrize(
    ("status", "body", "headers", "line"),
    [
        (200, {"title": "Tent"}, {"part-status": "a=ok, b=stale;age=3"}, "200 complete"),
        (200, {}, {"part-status": "b=fallback;reason=shed, a=missing"},
         "200 a=missing b=fallback;reason=shed"),
        (504, {"code": "timeout", "part": "product"},
         {"content-type": "application/problem+json"}, "504 timeout product"),
        (200, {"data": None, "errors": [{"path": ["a", 0], "extensions": {"code": "timeout"}}]},
         {}, "200 a.0:timeout"),
    ],
)  # fmt: skip
def test_an_outcome_is_a_line(status, body, headers, line):
    """Short enough to be compared in a review."""
    assert outcome(httpx.Response(status, json=body, headers=headers)) == line


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (FAILED, "the failure became 500"),
        (httpx.Response(404, json={}), "the failure became 404"),
        (httpx.Response(502, text="Bad Gateway"), "the failure became 502"),
        (httpx.Response(200, text="Hello?"), r"the body is b'Hello\?', and b'Hello'"),
        (
            httpx.Response(
                200,
                json={"data": None, "errors": [{"path": ["a"], "extensions": {"status": 500}}]},
            ),
            "the failure became the error None at a",
        ),
    ],
)
def test_answers_on_which_no_client_can_rely(answer, message):
    """Neither complete, nor reported, nor a problem of a service."""
    with pytest.raises(AssertionError, match=message):
        check_outcome(answer, httpx.Response(200, text="Hello"))


@pytest.mark.virtual_time(on=False)
def test_processes_record_outcomes_in_one_file(tmp_path):
    """No outcome is lost if the cases run in parallel, as with pytest-xdist."""
    answer = httpx.Response(200, json={})
    names = {f"service{number}-down" for number in range(40)}

    def record(name):
        Snapshot(tmp_path / "outcomes.json", names).check(name, answer, records=True)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(record, names))

    found = json.loads((tmp_path / "outcomes.json").read_text())
    assert found == dict.fromkeys(names, "200 complete")


@pytest.mark.virtual_time(on=False)
def test_outcomes_of_failures_that_are_gone_are_found(tmp_path):
    """Recording removes them: the file has what a review needs, and no more."""
    path, answer = tmp_path / "outcomes.json", httpx.Response(200, json={})
    Snapshot(path, ["stock-down"]).check("stock-down", answer, records=True)
    without_stock = Snapshot(path, ["price-down"])

    with pytest.raises(AssertionError, match="if that is intended, run pytest"):
        without_stock.check("price-down", answer, records=False)
    path.write_text('{"price-down": "200 complete", "stock-down": "200 complete"}')
    with pytest.raises(AssertionError, match="this matrix does not have, stock-down: run pytest"):
        without_stock.check("price-down", answer, records=False)

    without_stock.check("price-down", answer, records=True)
    without_stock.check("price-down", answer, records=False)
    assert json.loads(path.read_text()) == {"price-down": "200 complete"}
