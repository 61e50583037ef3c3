"""The kit's assertions: states of parts in REST and GraphQL, and the size of answers."""

import json

import httpx
import pytest

from bff_core.testing import (
    assert_complete,
    assert_parts,
    assert_size,
    client,
    fail,
    parts_of,
    reply,
)
from tests.testing.kit_shop import HAPPY, QUERY, TENT, make_app

PARTS = "product=ok, rating=missing;reason=timeout, stock=stale;age=3"
REST = httpx.Response(200, headers={"part-status": PARTS}, json={"title": "Tent"})
GRAPHQL = httpx.Response(
    200,
    json={
        "data": None,
        "extensions": {
            "parts": {
                "product": {"status": "ok"},
                "rating": {"status": "missing", "reason": "timeout"},
                "stock": {"status": "stale", "age": 3},
            }
        },
    },
)
PROGRESSIVE = httpx.Response(
    200,
    headers={"content-type": "application/x-ndjson"},
    content=b'{"part": "product", "status": "ok"}\n'
    + json.dumps({"answer": 1, **GRAPHQL.json()["extensions"]}).encode()
    + b"\n",
)
ANSWERS = {"rest": REST, "graphql": GRAPHQL, "progressive": PROGRESSIVE}
each_answer = pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)


@each_answer
def test_parts_are_read_from_the_answer(answer):
    """REST has them in a header, GraphQL in its extensions, a stream of parts at its end."""
    assert parts_of(answer) == {
        "product": "ok",
        "rating": "missing;reason=timeout",
        "stock": "stale;age=3",
    }


@each_answer
@pytest.mark.parametrize(
    ("states", "exact"),
    [
        ({"rating": "missing"}, False),
        ({"Rating": "missing; reason=timeout"}, False),
        ({"product": "ok", "rating": "missing", "stock": "stale"}, True),
    ],
)
def test_states_that_are_right_pass(answer, states, exact):
    """With or without the reason, and with or without the other parts."""
    assert_parts(answer, states, exact=exact)


@pytest.mark.parametrize(
    ("states", "exact", "message"),
    [
        ({"rating": "ok"}, False, "rating is missing;reason=timeout, not ok"),
        ({"rating": "missing;reason=shed"}, False, "rating is missing;reason=timeout, not missing"),
        ({"reviews": "ok"}, False, "reviews is not reported"),
        ({"reviews": ""}, False, "reviews is not reported"),
        ({"rating": "missing", "stock": "stale"}, True, "product is ok, and not expected"),
        ({}, False, "no states are given"),
    ],
)
def test_states_that_are_wrong_fail(states, exact, message):
    """The error says which, and shows the answer."""
    with pytest.raises(AssertionError, match=message) as caught:
        assert_parts(REST, states, exact=exact)

    assert f'the answer: 200, {PARTS}\n{{"title":"Tent"}}' in str(caught.value)


@pytest.mark.virtual_time
async def test_answers_of_a_gateway_are_complete_or_not():
    """Over REST and over GraphQL."""
    async with client(make_app, services=HAPPY) as c:
        assert_complete(await c.get("/v1/products/8"))
        assert_complete(await c.graphql(QUERY, id="8"))
    async with client(make_app, catalog=reply(200, TENT), reviews=fail()) as c:
        for answer in (await c.get("/v1/products/8"), await c.graphql(QUERY, id="8")):
            assert_parts(answer, product="ok", rating="missing;reason=unavailable", exact=True)
            with pytest.raises(AssertionError, match=r"^rating is missing;reason=unavail"):
                assert_complete(answer)
    async with client(make_app, catalog=fail(), reviews=fail()) as c:
        with pytest.raises(AssertionError, match="the answer: 502"):
            assert_complete(await c.get("/v1/products/8"))
        with pytest.raises(AssertionError, match=r"^the query has the error"):
            assert_complete(await c.graphql("{ nonsense }"))
    error = {"path": ["a", 0], "extensions": {"code": "timeout"}}
    with pytest.raises(AssertionError, match=r"^a\.0 has the error timeout\n"):
        assert_complete(httpx.Response(200, json={"data": {}, "errors": [error]}))


def test_size_is_bounded():
    """The body as it is, and as it is sent compressed."""
    answer = httpx.Response(200, json={"title": "a" * 1000})

    assert_size(answer, at_most=1012, compressed_at_most=60)
    with pytest.raises(AssertionError, match="the body has 1_012 bytes, more than 1_011\n"):
        assert_size(answer, at_most=1011)
    with pytest.raises(AssertionError, match="bytes compressed, more than 20\n"):
        assert_size(answer, compressed_at_most=20)
    with pytest.raises(TypeError, match="needs a number of bytes"):
        assert_size(answer)


def test_large_answers_name_their_largest_members():
    """Elements of a list count together."""
    items = [{"id": number, "text": "x" * 100} for number in range(20)]
    answer = httpx.Response(200, json={"items": items, "next": None})

    with pytest.raises(AssertionError) as caught:
        assert_size(answer, 100)

    assert str(caught.value).splitlines() == [
        "the body has 2_413 bytes, more than 100",
        "   2_200 bytes in 20 values: items[].text",
        "     150 bytes in 20 values: items[].id",
        "      12 bytes: next",
    ]


def test_a_body_that_is_no_json_has_a_size():
    """The error says what it is."""
    with pytest.raises(AssertionError, match=r"more than 2\nthe body is no JSON: text/plain"):
        assert_size(httpx.Response(200, text="hello"), 2)
