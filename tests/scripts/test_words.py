"""`python -m scripts.words`: which words the project does without."""

import pytest

from scripts.words import banned_in, classes_of_one_name

# Written in two halves, so that this file passes the check itself.
HALVES = (
    ("to", "ld"), ("te", "lls"), ("ke", "pt"), ("ke", "eps"), ("ke", "eper"), ("as", "ks"),
    ("as", "ked"), ("se", "en"), ("who", "ever"), ("no", "body"), ("er", "rand"),
    ("is h", "ad"), ("be h", "ad"),
)  # fmt: skip


@pytest.mark.parametrize("word", ["".join(halves) for halves in HALVES])
def test_each_word_is_found_however_it_is_written(word):
    """At the start of a sentence as well as inside one, with the line and its number."""
    text = f"A service.\n    It {word} the gateway.\n{word.capitalize()}!\n"

    assert list(banned_in(text)) == [
        (2, f"It {word} the gateway.", word),
        (3, f"{word.capitalize()}!", word.capitalize()),
    ]


@pytest.mark.parametrize("name", ["is_{}", "{}_at", "_{}", "is{Word}", "{WORD}_NAMES"])
def test_words_are_found_within_names(name):
    """In snake_case, camelCase and names of constants."""
    word = "".join(HALVES[0])
    text = name.format(word, Word=word.capitalize(), WORD=word.upper())

    assert [line for _, line, _ in banned_in(text)] == [text]


@pytest.mark.parametrize("text", ["unasked_for", "keepsake", "seeing", "tell", "ask", "taskset"])
def test_other_words_pass(text):
    """Parts of words and other forms are not judged."""
    assert list(banned_in(text)) == []


def test_no_two_classes_of_the_framework_have_one_name():
    """A name in an error or a log line leads to one class."""
    assert list(classes_of_one_name()) == []
