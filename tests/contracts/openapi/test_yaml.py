"""YAML is read with the types of YAML 1.2, as OpenAPI prescribes."""

import pytest

from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi.text import decode

TAG = "tag:yaml.org,2002"
WEB_PAGE = "shop.yaml: found HTML or XML, expected JSON or YAML; is it the address of a web page?"


def fault_of(text: str) -> str:
    """Return why a text can't be read."""
    with pytest.raises(ContractError) as caught:
        decode(text.encode(), "shop.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("y", "y"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("0x", "0x"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.2.3", "1.2.3"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("=", "="),
        (".inf", ".inf"),
        ("9" * 400, "9" * 400),
    ],
)
def test_scalars(text: str, value: object) -> None:
    """`no` is a text, and so is a date; 010 is ten."""
    found = decode(f"a: {text}\n".encode(), "")

    assert found == {"a": value}
    assert type(found["a"]) is type(value)


def test_keys_are_texts() -> None:
    """A status is written as a number, a property may be named no."""
    text = "200: a\n'201': b\nno: c\nnull: d\n1.0: e\n"

    assert decode(text.encode(), "") == {"200": "a", "201": "b", "no": "c", "null": "d", "1.0": "e"}


def test_anchors_and_merge_keys() -> None:
    """Own members win, then those of the first."""
    text = """
base: &base {a: 1, b: 2}
more: &more {b: 3, c: 4}
it:
  <<: [*base, *more]
  a: 0
same: *base
quoted: {"<<": 1}
"""
    found = decode(text.encode(), "")

    assert found["it"] == {"a": 0, "b": 2, "c": 4}
    assert found["same"] == {"a": 1, "b": 2}
    assert found["quoted"] == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: 2\na: 3\n", "shop.yaml: line 3: the key 'a' is there twice"),
        ("a:\n  b: 1\n  b: 2\n", "shop.yaml: line 3: the key 'b' is there twice"),
        ("a: [1\n", "shop.yaml: line 2: did not find expected ',' or ']'"),
        ("a: *b\n", "shop.yaml: line 1: the alias *b has no anchor before it"),
        ("a: &a [*a]\n", "shop.yaml: line 1: the alias *a has no anchor before it"),
        ("? [a]\n: 1\n", "shop.yaml: line 1: a key is a list or an object, expected a text"),
        ("a: 1\n---\nb: 2\n", "shop.yaml: line 2: another document begins, expected one"),
        (
            "a: !!python/name:os.getcwd x\n",
            f"shop.yaml: line 1: the tag {TAG}:python/name:os.getcwd has no meaning in JSON",
        ),
        (
            "a: !!set {x: }\n",
            f"shop.yaml: line 1: the tag {TAG}:set has no meaning in JSON",
        ),
        ("a: {<<: 1}\n", "shop.yaml: line 1: the merge key << is for objects"),
        ("", "shop.yaml: it is empty"),
        ("  \n", "shop.yaml: it is empty"),
        (
            "<!doctype html>",
            WEB_PAGE,
        ),
        ("a:\n\t- b\n", "shop.yaml: line 2: found character that cannot start any token"),
    ],
)
def test_faults_have_their_line(text: str, fault: str) -> None:
    """What can't be JSON is refused."""
    assert fault_of(text) == fault


def test_aliases_are_bounded() -> None:
    """A few lines must not become billions of values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 12):
        repeated = ", ".join([f"*a{number - 1}"] * 10)
        lines.append(f"a{number}: &a{number} [{repeated}]")

    assert "aliases repeat more than 10,000,000 values" in fault_of("\n".join(lines))


def test_depth_is_bounded() -> None:
    """In YAML and in JSON."""
    assert "nested deeper than 200 levels" in fault_of("a: " + "[" * 300 + "]" * 300)
    for depth in (201, 5_000):
        assert fault_of("[" * depth + "]" * depth).startswith("shop.yaml: ")
        assert fault_of('{"a":' * depth + "0" + "}" * depth).startswith("shop.yaml: ")
    assert decode(b"[" * 200 + b"]" * 200, "shop.yaml")


@pytest.mark.parametrize(
    "text", [b'\xef\xbb\xbf{"a": 1}', b"\xef\xbb\xbfa: 1", b"{a: 1}", "a: 1".encode("utf-16")]
)
def test_encodings(text: bytes) -> None:
    """With a byte order mark, in UTF-16, in YAML's braces."""
    assert decode(text, "") == {"a": 1}


def test_broken_json_is_reported_as_json() -> None:
    """Not as what it would be in YAML."""
    assert fault_of('{"a": 1,, "b": }') == (
        "shop.yaml: it is no JSON: JSON is malformed: object keys must be strings (byte 8)"
    )
