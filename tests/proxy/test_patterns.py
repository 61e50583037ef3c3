"""Regexes of routes match whole values, in linear time, and rewrite paths."""

import pytest

from bff_core.errors import ConfigurationError
from bff_core.proxy.patterns import MAX_VALUE, path_rewriter, value_pattern


@pytest.mark.parametrize(
    ("pattern", "accepted", "refused"),
    [
        ("a+", ["a", "aaa"], ["", "b", "ab", "ba", "a\n", "A"]),
        ("a|bc", ["a", "bc"], ["ac", "ab", "abc"]),
        ("(?i)ios", ["iOS", "IOS"], ["ios "]),
        ("", [""], ["a"]),
        (".*", ["", "a", "é"], ["a\nb"]),
        (r"\d{2}", ["42"], ["4", "423"]),
        ("^a$", ["a"], ["a\n", "aa"]),
        ("[^/]+", ["a b"], ["a/b", ""]),
    ],
)
def test_a_regex_matches_a_whole_value(pattern: str, accepted: list[str], refused: list[str]):
    """A part of a value is not enough, and a line's end at its end is a part of it."""
    matches = value_pattern(pattern)

    assert [one for one in accepted if not matches(one)] == []
    assert [one for one in refused if matches(one)] == []


def test_a_value_that_is_too_long_does_not_match():
    """The server's limits are larger; a condition reads 1 KiB."""
    matches = value_pattern("a*")

    assert matches("a" * MAX_VALUE)
    assert not matches("a" * (MAX_VALUE + 1))


@pytest.mark.parametrize(
    "pattern", ["(a*)*b", "(a|aa)+b", "(a|a)*b", "(.*)(.*)(.*)(.*)b", "(a+)+$x"]
)
def test_no_regex_takes_long(pattern: str):
    """Patterns that take Python's engine years are answered at once."""
    matches = value_pattern(pattern)
    rewrite = path_rewriter(pattern, "")

    assert not matches("a" * MAX_VALUE)
    assert rewrite("/" + "a" * 10_000) == "/" + "a" * 10_000


@pytest.mark.parametrize(
    ("pattern", "replacement", "path", "rewritten"),
    [
        ("^/api/(.*)$", r"/\1", "/api/a/b", "/a/b"),
        ("^/api/(.*)$", r"/\1", "/a%2Fpi/b", "/a%2Fpi/b"),
        ("/(?P<id>[0-9]+)/(x)?", r"/\1-\2/", "/7/", "/7-/"),
        ("a", "b", "/aXa", "/bXb"),
        ("a", r"\\\0", "/a", "/\\a"),
        ("é", "e", "/é/é", "/e/e"),
        ("b*", "-", "/a", "-/-a-"),
    ],
)
def test_a_path_is_rewritten(pattern: str, replacement: str, path: str, rewritten: str):
    """Each match is replaced; what does not match stays as the client sent it."""
    assert path_rewriter(pattern, replacement)(path) == rewritten


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [("(", ""), ("(?=a)", ""), (r"(a)\1", ""), ("a{1001}", ""), ("(a)", r"\2"), ("a", "\\"),
     ("a", r"\g<0>"), ("a" * 257, ""), ("a", "b" * 257)],
)  # fmt: skip
def test_a_wrong_rewrite_is_refused(pattern: str, replacement: str):
    """At start, with what is wrong about it."""
    with pytest.raises(ConfigurationError):
        path_rewriter(pattern, replacement)
