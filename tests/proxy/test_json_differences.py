"""JSON documents of a route and its mirror are compared by what they mean."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core import ConfigurationError
from bff_core.proxy.json_differences import MAX_DIFFERENCES, differences
from bff_core.proxy.json_paths import json_path, json_paths

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def compare(one, other, *ignored):
    """Return the differences of two JSON texts."""
    return differences(one.encode(), other.encode(), json_paths(ignored))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}'),
        ('{"a": {"x": [1, {"p": 1, "q": 2}]}}', '{"a": {"x": [1, {"q": 2, "p": 1}]}}'),
        ("1", "1.0"),
        ("1", "1e0"),
        ("0", "-0.0"),
        ("0.1", "1.0e-1"),
        ("12345678901234567890123", "12345678901234567890123"),
        ('"\\u00e9"', '"é"'),
        ('"a\\/b"', '"a/b"'),
        (" [ ] ", "[]"),
        ('{"a": 1, "a": 2}', '{"a": 2}'),
        ("no json", "no json"),
    ],
)
def test_documents_with_one_meaning_are_the_same(one, other):
    """Order of members, spelling of numbers and texts, and white space do not count."""
    assert compare(one, other) == ()
    assert compare(other, one) == ()


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("[1, 2]", "[2, 1]", ("changed $[0]", "changed $[1]")),
        ("1", "true", ("type $",)),
        ("0", "false", ("type $",)),
        ('{"a": null}', "{}", ("missing $.a",)),
        ("{}", '{"a": null}', ("added $.a",)),
        ('{"a": null}', '{"a": 0}', ("type $.a",)),
        ("[]", "{}", ("type $",)),
        ('""', "null", ("type $",)),
        ('"1"', "1", ("type $",)),
        ("9007199254740993", "9007199254740992.0", ("changed $",)),
        ("12345678901234567890123", "12345678901234567890124", ("changed $",)),
        ("[1]", "[1, 2]", ("length $",)),
        ('{"a": [{"b": 1}, {"b": 2}]}', '{"a": [{"b": 1}, {"b": 3}]}', ("changed $.a[1].b",)),
        ('"é"', '"e\\u0301"', ("changed $",)),
        ("1e999", "null", ("syntax $",)),
        ("1e999", "2e999", ("syntax $",)),
        ("1.5", "1.50001", ("changed $",)),
        ("1e300", "1e301", ("changed $",)),
        ("{", "{}", ("syntax $",)),
        ("", "null", ("syntax $",)),
        ("[" * 50_000, "1", ("syntax $",)),
    ],
)
def test_documents_with_another_meaning_differ(one, other, found):
    """Each difference has a word and the place, and no value."""
    assert compare(one, other) == found


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("price", "$.price"),
        ("servedAt", "$.servedAt"),
        ("line_2", "$.line_2"),
        ("@type", "$.@type"),
        ("content-type", "$.content-type"),
        ("sha256", "$.sha256"),
        ("ada@example.org", "$.*"),
        ("Ada Lovelace", "$.*"),
        ("+491701234567", "$.*"),
        ("user-20261", "$.*"),
        ("a1b2c3d4-e5f6-4a90-8c11-5de2f0a1b2c3", "$.*"),
        ("2026-11-30", "$.*"),
        ("", "$.*"),
        ("a" * 65, "$.*"),
        ("名", "$.*"),
        ("a\nb", "$.*"),
    ],
)
def test_names_that_may_be_personal_are_not_shown(name, shown):
    """Ids, dates, addresses and what else is no name of a field are a star in logs."""
    assert differences(json.dumps({name: 1}).encode(), json.dumps({name: 2}).encode()) == (
        f"changed {shown}",
    )


def test_values_are_never_shown():
    """Of all that differs, the text is in no difference."""
    one = {"name": "Ada", "tags": ["secret-a", {"note": "secret-b"}], "n": 4711}
    other = {"name": "Eve", "tags": ["secret-c", {"note": "secret-d"}], "n": "secret-e"}
    found = " ".join(differences(json.dumps(one).encode(), json.dumps(other).encode()))

    assert not any(word in found for word in ("Ada", "Eve", "secret", "4711"))


def test_only_the_first_differences_are_found():
    """A document that differs everywhere does not fill the log."""
    found = compare(json.dumps(list(range(100))), json.dumps(list(range(1, 101))))

    assert found == tuple(f"changed $[{index}]" for index in range(MAX_DIFFERENCES))


def test_deep_documents_are_compared():
    """As deep as the decoder reads, and the path that is shown is short."""
    one, other = '{"a":' * 900 + "1" + "}" * 900, '{"a":' * 900 + "2" + "}" * 900
    (found,) = compare(one, other)

    assert found == "changed $" + ".a" * 20 + "…"


@given(VALUES)
def test_a_document_equals_itself_in_any_order(value):
    """With its members in reverse and other white space."""

    def reverse(one):
        if isinstance(one, dict):
            return {name: reverse(one[name]) for name in reversed(one)}
        return [reverse(item) for item in one] if isinstance(one, list) else one

    assert (
        differences(json.dumps(value).encode(), json.dumps(reverse(value), indent=1).encode()) == ()
    )


@given(VALUES, VALUES)
def test_documents_differ_in_both_directions(one, other):
    """Whether two documents differ does not depend on which is the mirror's."""
    first, second = json.dumps(one).encode(), json.dumps(other).encode()

    assert bool(differences(first, second)) == bool(differences(second, first))


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("$.servedAt", '{"servedAt": 1, "a": 1}', '{"servedAt": 2, "a": 1}'),
        ("$.servedAt", '{"servedAt": 1}', "{}"),
        ("$.servedAt", "{}", '{"servedAt": 1}'),
        ("$.a.b", '{"a": {"b": 1, "c": 1}}', '{"a": {"b": [], "c": 1}}'),
        ("$.a[*].b", '{"a": [{"b": 1}, {"b": 2}]}', '{"a": [{"b": 3}, {}]}'),
        ("$.a[1]", '{"a": [1, 2, 3]}', '{"a": [1, 9, 3]}'),
        ("$.a[2]", '{"a": [1, 2]}', '{"a": [1, 2, 3]}'),
        ("$.a[*]", '{"a": [1, 2]}', '{"a": [3]}'),
        ("$.*", '{"a": 1, "b": 2}', '{"a": 2, "c": 2}'),
        ("$[*].a", '[{"a": 1}]', '[{"a": 2}]'),
        ("$..id", '{"id": 1, "x": [{"id": 2, "y": {"id": 3}}]}', '{"x": [{"id": 4, "y": {}}]}'),
        ("$.x..id", '{"id": 1, "x": {"y": {"id": 2}}}', '{"id": 1, "x": {"y": {"id": 3}}}'),
        ("$..a.b", '{"c": {"a": {"b": 1}}}', '{"c": {"a": {"b": 2}}}'),
        ("$['a.b']", '{"a.b": 1}', '{"a.b": 2}'),
        ('$["a b"].c', '{"a b": {"c": 1}}', '{"a b": {"c": 2}}'),
        ("$.größe", '{"größe": 1}', '{"größe": 2}'),
        ("$.content-type", '{"content-type": 1}', '{"content-type": 2}'),
    ],
)
def test_ignored_places_may_differ(path, one, other):
    """In value, in type, and in whether they are there at all."""
    assert compare(one, other, path) == ()
    assert compare(other, one, path) == ()


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("$.a", '{"b": {"a": 1}}', '{"b": {"a": 2}}'),
        ("$.a.b", '{"a": 1}', '{"a": 2}'),
        ("$.a[*].b", '{"a": [{"c": 1}]}', '{"a": [{"c": 2}]}'),
        ("$.a[0]", '{"a": [1, 2]}', '{"a": [1, 3]}'),
        ("$.a[0]", '{"a": {"0": 2}}', '{"a": {"0": 3}}'),
        ("$.x..id", '{"id": 1, "x": {}}', '{"id": 2, "x": {}}'),
        ("$..id", '{"id2": 1}', '{"id2": 2}'),
        ("$.A", '{"a": 1}', '{"a": 2}'),
    ],
)
def test_places_beside_ignored_ones_count(path, one, other):
    """A path ignores what it names, and nothing else."""
    assert compare(one, other, path) != ()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "begins with \\$"),
        ("servedAt", "begins with \\$"),
        ("@.a", "begins with \\$"),
        ("$", "whole body"),
        ("$.", "a step is"),
        ("$..", "a step is"),
        ("$..*", "a step is"),
        ("$.a.", "a step is"),
        ("$a", "a step is"),
        ("$.a b", "a step is"),
        ("$.a\n", "a step is"),
        ("$.1a", "a step is"),
        ("$.a.length()", "a step is"),
        ("$[", "brackets have"),
        ("$[]", "brackets have"),
        ("$.a[-1]", "brackets have"),
        ("$.a[01]", "brackets have"),
        ("$.a[1:2]", "brackets have"),
        ("$.a[0,1]", "brackets have"),
        ("$['a','b']", "brackets have"),
        ("$['a", "brackets have"),
        ("$['']", "brackets have"),
        ("$.a[?(@.b == 1)]", "brackets have"),
        ("$.a[?@.b]", "brackets have"),
        ("$.a[(@.length-1)]", "brackets have"),
        ("$" + ".a" * 33, "32 steps"),
    ],
)
def test_other_paths_are_refused_at_start(path, reason):
    """The error shows the path, and what there is instead."""
    with pytest.raises(ConfigurationError, match=reason) as refused:
        json_path(path)

    assert repr(path) in str(refused.value)
