"""Lines and columns in a file of routes point at the value that is meant."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core.proxy.data.places import Place, Places, UnreadableFile
from bff_core.proxy.data.toml_places import places_in

TEXT = '''\
# a comment with "quotes" and [brackets]
[upstreams.suppliers]
endpoints = ["https://a", { url = "https://b", weight = 3 }] # ]
"quoted.\\u0041" . 'x y'.z = """
] } " \\""" [no] """
literal = \'\'\'
[[routes]] it''s\'\'\'
date = 1979-05-27 07:32:00Z
empty = {}

[[routes]]
  match = { path = "/a", methods = [
    "GET", # the first
    'PUT',
  ], headers = { X-A = "=" } }
transform.path = "/b"
transform.query.set.a = ''
[routes.limits]
x = [[], [1, [2]]]
[[routes]]
id = -1.5e3
[[routes.split]]
to = "c"
[[routes.split]]
to = "d"
'''


def _leaves(
    value: object, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], object]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else []
    )
    for key, one in inner:
        yield from _leaves(one, (*path, key))
    if not isinstance(value, dict | list):
        yield path, value


def _read_at(text: str, place: Place) -> object:
    """Read the value that begins at a place, by the parser of Python."""
    rest = "\n".join(text.split("\n")[place.line - 1 :])[place.column - 1 :]
    for end in range(1, len(rest) + 1):
        try:
            found = tomllib.loads(f"x = {rest[:end]}\n")
        except tomllib.TOMLDecodeError:
            continue
        # More may follow: "-1" is one of "-1.5e3", and a date one of a time.
        is_end = end == len(rest) or rest[end] in ",]}\n #"
        is_time = rest[end : end + 1] == " " and rest[end + 1 : end + 2].isdigit()
        if is_end and not is_time and set(found) == {"x"}:
            return found["x"]
    raise AssertionError(f"no value at {place}")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_value_has_the_place_where_it_begins(newline: str):
    """Whatever way a value is written, the editor jumps to it."""
    text = TEXT.replace("\n", newline)
    data = tomllib.loads(text)

    places = places_in(text)

    for path, value in _leaves(data):
        assert path in places.values, path
        assert _read_at(text.replace("\r", ""), places.of_value(path)) == value, path
        if isinstance(path[-1], str):
            assert path in places.keys


def test_places_are_those_that_editors_count():
    """Lines and columns begin with 1; a table has the place of its header, or of its brace."""
    places = places_in(TEXT)

    assert places.of_value(("upstreams", "suppliers")) == (2, 1)
    assert places.of_value(("upstreams", "suppliers", "endpoints", 1, "weight")) == (3, 57)
    assert places.of_key(("upstreams", "suppliers", "endpoints", 1, "weight")) == (3, 48)
    assert places.of_value(("routes", 0, "match")) == (12, 11)
    assert places.of_value(("routes", 0, "transform", "query", "set", "a")) == (17, 25)
    assert places.of_value(("routes", 0, "limits", "x", 1, 1, 0)) == (19, 15)
    assert places.of_value(("routes", 1, "split", 1, "to")) == (25, 6)
    assert places.of_value(("routes", 1, "split", 1, "absent", "deeper")) == (24, 1)
    assert Places().of_value(("absent",)) == (1, 1)


keys = st.text(alphabet='abz09_-".é \\\t', min_size=0, max_size=4)
scalars = (
    st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.text(alphabet="ab\"'\\{}[]=,#\n é", max_size=6)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "a").isalnum() else _quoted(name)


def _quoted(text: str) -> str:
    escaped = "".join(f"\\u{ord(one):04X}" if one in '"\\\n\t' else one for one in text)
    return f'"{escaped}"'


def _written(value: object, space: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{space}" + f",{space}".join(_written(one, space) for one in value) + f"{space}]"
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {_written(one, space)}" for key, one in value.items())
        return "{ " + " , ".join(pairs) + " }" if value else "{}"
    return repr(value)


@settings(deadline=None)
@given(st.dictionaries(keys, values, max_size=3), st.sampled_from(["", " ", "\n", " # ]\n"]))
def test_generated_texts_have_the_places_of_their_values(data: dict[str, object], space: str):
    """Nested arrays and tables, odd keys and odd texts: each leaf is where it is written."""
    text = "".join(f"{_key(key)} = {_written(value, space)}\n" for key, value in data.items())
    assert tomllib.loads(text) == data

    places = places_in(text)

    for path, value in _leaves(data):
        assert _read_at(text, places.of_value(path)) == value


@given(st.text(alphabet="[]{}=.,\"'#\n\\ab1 ", max_size=40))
def test_no_text_breaks_the_scanner(text: str):
    """A text that is no TOML has the places up to where it goes wrong."""
    assert isinstance(places_in(text), Places)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{a=" * 100_000,
        "a." * 100_000 + "b = 1",
        "[" + "a." * 9999 + "b]",
    ],
)
def test_deep_nesting_is_refused_before_it_is_parsed(text: str):
    """A file can't exhaust the stack, or take time that is quadratic in its length."""
    with pytest.raises(UnreadableFile):
        places_in(text)
