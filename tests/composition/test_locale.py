"""The language of an answer, negotiated by `Accept-Language`."""

import pytest

from bff_core import ConfigurationError, Locale, Scope


class Regional(Locale, offers=("en", "pt-BR", "pt", "zh-Hant")):
    """Languages, some of which differ by region or script."""


def choice(accepted: str, kind: type[Locale] = Regional) -> str:
    """Return the language for a field."""
    headers = ((b"accept-language", accepted.encode("latin-1")),) if accepted else ()
    return kind.from_scope(Scope(deadline=0.0, headers=headers)).code


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("pt-BR", "pt-BR"),
        ("PT-br", "pt-BR"),
        ("pt", "pt"),
        ("pt-PT", "pt-BR"),
        ("zh", "zh-Hant"),
        ("pt;q=0.5, zh-TW;q=0.9", "zh-Hant"),
        ("pt-BR;q=0, pt", "pt"),
        ("en;q=0.1, *;q=0.5", "pt-BR"),
        ("*", "en"),
        ("ja", "en"),
        ("", "en"),
        ("en;q=high, pt;q=0.1", "pt"),
    ],
)
def test_the_offer_that_the_client_prefers_is_chosen(accepted, code):
    """By weight, then by the order in the header; the first offer is the default."""
    assert choice(accepted) == code


def test_an_answer_varies_by_the_language_that_was_negotiated():
    """A cache separates answers in different languages."""
    scope = Scope(deadline=0.0)

    Regional.from_scope(scope)

    assert scope.vary == ["accept-language"]


def test_a_subclass_inherits_the_offers():
    """A subclass for another screen need not repeat the languages."""

    class Short(Regional):
        """The same languages."""

    assert choice("pt", Short) == "pt"


def test_a_locale_without_languages_is_refused():
    """The error says what to write."""
    with pytest.raises(ConfigurationError, match="class ShopLocale"):
        choice("de", Locale)


def test_languages_are_a_tuple():
    """A string would be read as one language per letter."""
    with pytest.raises(ConfigurationError, match="a tuple of languages"):
        type("Wrong", (Locale,), {}, offers="en")


@pytest.mark.parametrize(
    "offers", [["en", "de"], {"en"}, ("en", ""), ("en", 7), ("en", "日本"), ("en", "*"), ("en_US",)]
)
def test_what_is_no_language_is_refused_at_once(offers):
    """Not with the first request, and with what to write."""
    with pytest.raises(ConfigurationError, match="give a tuple of languages"):
        type("Wrong", (Locale,), {}, offers=offers)


def test_a_field_that_is_too_long_is_read_in_whole_members():
    """The member at the limit is left out: half of it would have another weight."""
    padding = "x-" + "y" * (200 - len("x-, pt;q=0"))

    assert choice(f"{padding}, pt;q=0.9") == "en"
    assert choice(f"pt;q=0.1, {padding}, zh") == "pt"
