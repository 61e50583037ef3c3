"""The payloads of the bench, and how answers are compared with them."""

import json

import pytest

from bench.harness.answers import compare
from bench.harness.load import WrongAnswer
from bench.harness.payloads import encode, generate


def test_payloads_have_the_sizes_that_the_budget_was_found_with() -> None:
    """0.2, 3.8 and 6.7 KB, within two percent or so."""
    sizes = {name: len(body) for name, body in generate().files.items()}

    assert sizes == {
        "users": pytest.approx(200, rel=0.05),
        "orders": pytest.approx(3800, rel=0.02),
        "recommendations": pytest.approx(6700, rel=0.02),
    }


def test_payloads_are_the_same_in_every_session() -> None:
    """Figures of two sessions stay comparable."""
    assert generate().files == generate().files


def test_the_screen_is_trimmed_to_what_its_client_shows() -> None:
    """A user, ten orders and twenty recommendations, of few fields each."""
    screen = json.loads(encode(generate().trimmed))

    assert set(screen["user"]) == {"id", "name"}
    assert [set(order) for order in screen["orders"]] == [{"id", "total", "status"}] * 10
    assert [set(each) for each in screen["recommendations"]] == [{"id", "title", "price"}] * 20


def test_the_right_screen_passes_in_any_spelling() -> None:
    """White space and the order of keys are the peer's own affair."""
    expected = generate().trimmed
    spelt = json.dumps(dict(reversed(expected.items())), indent=1).encode()

    compare(200, spelt, expected)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, encode(generate().trimmed)),
        (302, encode(generate().trimmed)),
        (200, encode(generate().trimmed)[:-1]),
        (200, encode(generate().spliced)),
        (200, encode(generate().trimmed | {"orders": []})),
    ],
    ids=["error", "redirect", "truncated", "untrimmed", "fallback"],
)
def test_any_other_answer_is_wrong(status: int, body: bytes) -> None:
    """A gateway that drops, degrades or forgets to trim gets no row."""
    with pytest.raises(WrongAnswer):
        compare(status, body, generate().trimmed)
