"""Cache keys: two calls share a key only if they may share a reply."""

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bff_core.auth.viewer import ANONYMOUS, Viewer
from bff_core.cache.key import (
    MAX_KEY_LENGTH,
    canonical,
    is_one_viewer,
    joined,
    primary_key,
    secondary_key,
    varying_values,
)
from bff_core.call import Call
from tests.cache.exchanges import VIEWER, call, fields

BASE = call()


@pytest.mark.parametrize(
    "other",
    [
        call(audience=VIEWER),
        call(audience=""),
        call(audience="*"),
        call(audience="anonymous"),
        call("/products/8"),
        call("/products/7?"),
        call("/products/7/"),
        call("//products/7"),
        call("/Products/7"),
        call(upstream="catalogue"),
        call(method="POST"),
        call(method="DELETE"),
        call(body=b"{}"),
        call(headers={"authorization": "Bearer t"}),
        call(headers={"cookie": "a=1"}),
        replace(BASE, headers=((b"accept", b"text/csv"),)),
        replace(BASE, headers=()),
    ],
    ids=lambda one: f"{one.method} {one.upstream} {one.audience} {one.target} {one.headers[1:]}",
)
def test_everything_that_a_reply_may_depend_on_is_in_the_key(other: Call) -> None:
    """One detail differs, and neither call gets the other's reply."""
    assert primary_key(other) != primary_key(BASE)


@pytest.mark.parametrize(
    "other",
    [
        call(method="HEAD"),
        call(headers={"x-request-id": "1", "cache-control": "no-cache"}),
        replace(BASE, deadline=1.0, traceparent="00-1", tags=("a",), operation="GET /x"),
    ],
    ids=["HEAD", "other headers", "circumstances"],
)
def test_what_no_reply_depends_on_is_not_in_the_key(other: Call) -> None:
    """Calls that differ in circumstances only share a reply; HEAD shares that of GET."""
    assert primary_key(other) == primary_key(BASE)


def test_a_policy_adds_headers_to_the_key() -> None:
    """`vary` is for services whose Vary is incomplete; case does not matter."""
    german, english = (call(headers={"x-locale": one}) for one in ("de", "en"))

    keys = {primary_key(one, ("X-Locale",)) for one in (german, english, BASE)}

    assert len(keys) == 3
    assert primary_key(german) == primary_key(english)


def test_keys_are_short_printable_and_distinct() -> None:
    """A URL of kilobytes, or a subject in any script, becomes a key for Redis and logs."""
    long = [call("/search?q=" + "x" * size) for size in (1000, 1001)]
    strange = [call(audience=name) for name in ("0::Zoë\n", "0::\udcff", "0::" + "u" * 500)]

    keys = [primary_key(one) for one in (*long, *strange)]

    assert len(set(keys)) == 5
    assert all(len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable() for key in keys)


def test_replies_that_vary_have_a_key_for_each_variant() -> None:
    """RFC 9111, section 4.1: the secondary key is made of the request's values."""
    german, english = (fields({"accept-language": one}) for one in ("de", "en"))
    key, names = primary_key(BASE), (b"accept-language", b"x-width")

    keys = {secondary_key(key, varying_values(headers, names)) for headers in (german, english, ())}

    assert len(keys | {key}) == 4
    assert varying_values(german, names) == ((b"accept-language", b"de"), (b"x-width", None))


def test_fields_of_the_primary_key_make_no_variants() -> None:
    """`Vary: Accept-Encoding, Cookie`, as most services send it, costs no second look-up."""
    names = (b"accept", b"accept-encoding", b"authorization", b"cookie", b"x-locale")

    assert varying_values((), names, ("X-Locale",)) == ()
    assert varying_values((), names) == ((b"x-locale", None),)


def test_values_on_several_lines_are_one() -> None:
    """RFC 9111, section 4.1: combining lines does not make another request."""
    lines, one_line = fields({"x-flags": ["a", "b"]}), fields({"x-flags": "a, b"})

    assert varying_values(lines, (b"x-flags",)) == varying_values(one_line, (b"x-flags",))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a%2fb", "/a%2Fb"),
        ("/%7euser/%41%2D%5f", "/~user/A-_"),
        ("/caf%c3%a9?q=%e2%82%ac", "/caf%C3%A9?q=%E2%82%AC"),
        ("/a+b?c=d+e&f=%20", "/a+b?c=d+e&f=%20"),
        ("/100%", "/100%"),
        ("/%zz%4", "/%zz%4"),
        ("/%2%44/%7e", "/%2%44/%7e"),
        ("/a/%2e%2e/b", "/a/../b"),
        ("/a?y=2&x=1", "/a?y=2&x=1"),
    ],
)
def test_equivalent_targets_have_one_key(target: str, expected: str) -> None:
    """RFC 3986, sections 6.2.2.1 and 6.2.2.2; the order of a query is significant."""
    assert canonical(target) == expected


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (None, False),
        ("", False),
        (ANONYMOUS.audience, False),
        ("unbound", False),
        ("tenant:4:acme:u-1", False),
        (Viewer("u-1").audience, True),
        (Viewer("tenant:x", tenant="acme").audience, True),
        (Viewer("anonymous").audience, True),
    ],
)
def test_only_a_signed_in_viewer_has_a_private_cache(audience, expected) -> None:
    """Everyone else shares a cache, which never stores private replies."""
    assert is_one_viewer(audience) is expected


# Properties

audiences = st.none() | st.text(max_size=12) | st.sampled_from(["anonymous", "1:*", "* /a", "0::x"])
pieces = ["/", "a", "%", "2", "4", "D", "f", "?", "=", "#", " ", "é", "%2f", "%2F", "%44", "%7e"]
targets = st.lists(st.sampled_from(pieces), max_size=6).map(lambda rest: "/" + "".join(rest))
calls = st.builds(
    Call,
    st.text("abc:*1 /", max_size=4),
    st.sampled_from(["GET", "HEAD", "POST"]),
    targets,
    st.just("GET /"),
    st.just(0.0),
    audiences,
    st.lists(
        st.tuples(st.sampled_from([b"accept", b"cookie", b"x-a"]), st.binary(max_size=3)),
        max_size=2,
        unique_by=lambda field: field[0],
    ).map(tuple),
    st.binary(max_size=2),
)


def identity(one: Call, vary: tuple[str, ...]) -> tuple[object, ...]:
    """Return what a reply may depend on, without any encoding."""
    names = {b"accept", b"cookie", b"authorization", *(name.encode() for name in vary)}
    method = "GET" if one.method == "HEAD" else one.method
    heads = tuple(sorted(field for field in one.headers if field[0] in names))
    return one.upstream, method, octets(one.target), one.audience, heads, one.body


def octets(target: str) -> tuple[tuple[bool, bytes], ...]:
    """Return the octets of a target, and whether each was escaped where that matters."""
    found, rest = [], target
    while rest:
        if len(rest) > 2 and rest[0] == "%" and set(rest[1:3]) <= set("0123456789abcdefABCDEF"):
            octet, rest = unquote_to_bytes(rest[:3]), rest[3:]
            found.append((quote(octet, safe="") != octet.decode("latin-1"), octet))
        else:
            letter, rest = rest[0], rest[1:]
            found.append((False, letter.encode("utf-8", "surrogatepass")))
    return tuple(found)


@given(calls, calls, st.sampled_from([(), ("x-a",)]))
def test_keys_are_equal_exactly_if_calls_are(one: Call, other: Call, vary) -> None:
    """No text in any place makes the key of another call."""
    are_same = identity(one, vary) == identity(other, vary)

    assert (primary_key(one, vary) == primary_key(other, vary)) == are_same


@given(calls, audiences, audiences)
def test_two_audiences_never_share_a_key(one: Call, first, second) -> None:
    """Whatever else the calls have in common."""
    keys = {primary_key(replace(one, audience=who)) for who in (first, second)}

    assert len(keys) == len({first, second})


@settings(max_examples=1000, deadline=None)
@given(targets)
def test_normalisation_is_idempotent_and_merges_no_resources(target: str) -> None:
    """A target stores its octets, and a canonical one stays as it is."""
    assert canonical(canonical(target)) == canonical(target)
    assert octets(canonical(target)) == octets(target)


texts = st.lists(st.none() | st.text("-:019a", max_size=4), max_size=4)


@given(texts, texts)
def test_joined_texts_are_unambiguous(one, other) -> None:
    """Neither lengths nor separators in a text can forge another list."""
    assert (joined(*one) == joined(*other)) == (one == other)
