"""What screens know of a request: the client's language and how wide its display is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core import Scope
from bffs.compositions.display import Display
from bffs.compositions.locale import OFFERED, ShopLocale


def locale_for(accepted: str) -> str:
    return ShopLocale.from_scope(scope(("accept-language", accepted))).code


def scope(*headers: tuple[str, str], query: str = "") -> Scope:
    encoded = tuple((name.encode(), value.encode("latin-1")) for name, value in headers)
    return Scope(deadline=0.0, headers=encoded, query=query.encode())


@pytest.mark.parametrize(
    ("accepted", "locale"),
    [
        ("de", "de"),
        ("fr-CA", "fr"),
        ("DE-at", "de"),
        ("nl, fr;q=0.4, de;q=0.8", "de"),
        ("en;q=0.5,de;q=0.5", "en"),
        ("fr;q=0.5,de;q=0.5", "fr"),
        ("fr;q=0, *", "en"),
        ("en;q=0, *;q=0.1", "de"),
        ("de ; Q = 0.2 , fr ; q=0.3", "fr"),
        ("nl", "en"),
        ("en;q=0", "en"),
        ("de;q=2, fr;q=0.1", "fr"),
        ("de;q=nan, fr;q=0.1", "fr"),
        ("", "en"),
    ],
)
def test_language_is_what_the_client_likes_best(accepted, locale):
    """Of the languages that the shop speaks, the one with the highest weight is spoken."""
    assert locale_for(accepted) == locale


@given(st.text(st.characters(max_codepoint=255), max_size=400))
def test_whatever_is_sent_a_language_is_found(accepted):
    """No header, however malformed, prevents an answer."""
    assert locale_for(accepted) in OFFERED


@pytest.mark.parametrize(
    ("headers", "query", "width"),
    [
        ([], "", 640),
        ([("sec-ch-viewport-width", "390")], "", 390),
        ([("viewport-width", "1024")], "", 1024),
        ([("sec-ch-viewport-width", "390"), ("viewport-width", "1024")], "", 390),
        ([("sec-ch-viewport-width", "390")], "width=800", 800),
        ([("sec-ch-viewport-width", "390")], "width=wide", 390),
        ([("sec-ch-viewport-width", "1")], "", 160),
        ([], "q=tent&width=99999", 640),
        ([], "width=9999", 4096),
        ([], "width=-5", 640),
        ([], "width=%D9%A3", 640),
    ],
)
def test_width_is_what_the_client_declares(headers, query, width):
    """The query says it, else a client hint; what is out of bounds is brought within or ignored."""
    assert Display.from_scope(scope(*headers, query=query)).width == width


def test_answer_varies_by_what_was_looked_at():
    """A cache may not give a German phone's answer to a French desktop."""
    request = scope()

    ShopLocale.from_scope(request)
    Display.from_scope(request)

    assert request.vary == ["accept-language", "sec-ch-viewport-width", "viewport-width"]
