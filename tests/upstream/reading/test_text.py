"""Which text a reply is: byte order marks, declared charsets, UTF-8; and names that come twice."""

import json
import tracemalloc
from dataclasses import dataclass
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core.call import Call, Reply
from bff_core.errors import BadPayload
from bff_core.upstream.decoding import (
    FULLY_SEARCHED_REPLIES,
    SEARCH_INTERVAL_REPLIES,
    Decoding,
    decoding,
    problem_detail,
)
from bff_core.upstream.reading.charset import _CODECS
from bff_core.upstream.reading.plain_json import repeated_name

CALL = Call("users", "GET", "/users/7", "GET /users/{id}", inf)
MIB = 1024 * 1024


@dataclass(frozen=True)
class Person:
    """What the tests decode."""

    name: str


def read(body, content_type="application/json", model=Person, status=200):
    """Return the typed value of a reply."""
    headers = ((b"server", b"x"), (b"content-type", content_type.encode()))
    return decoding(model).value(Reply(status, headers, body), CALL)


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("declared", ["", "; charset=utf-8", "; charset=iso-8859-1"])
def test_a_byte_order_mark_decides(charset, declared):
    """.NET and Windows programs write one, whatever the head says."""
    body = '{"name": "Zoë 🐈"}'.encode(charset)

    assert read(body, f"application/json{declared}") == Person("Zoë 🐈")


@pytest.mark.parametrize(
    "mark", [b"\xfe\xff", b"\xff\xfe", b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00"]
)
def test_a_byte_order_mark_of_either_order_is_read(mark):
    """Big-endian text as well as little-endian."""
    charset = f"utf-{len(mark) * 8}-{'be' if mark[-1] == 0xFF else 'le'}"
    body = mark + '{"name": "Ægir"}'.encode(charset)

    assert read(body) == Person("Ægir")


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("is_declared", [True, False])
def test_wide_text_without_a_mark_is_read(charset, is_declared):
    """The charset says which, or else the zeros of the first characters (RFC 4627, section 3)."""
    label = charset.replace("-le", "LE").replace("-be", "BE")
    content_type = f"application/json; charset={label}" if is_declared else "application/json"

    assert read('{"name": "Zoë"}'.encode(charset), content_type) == Person("Zoë")


SAMPLES = {
    "iso-8859-1": "Zoë", "latin1": "Zoë", "windows-1252": "5 €", "CP1252": "5 €",
    "iso-8859-15": "5 €", "iso-8859-2": "Łódź", "windows-1251": "Её", "koi8-r": "Зоя",
    "shift_jis": "日本", "Windows-31J": "①", "euc-jp": "日本", "iso-2022-jp": "日本", "gbk": "模",
    "gb18030": "模", "GB2312": "模", "big5": "中文", "euc-kr": "한국", "us-ascii": "Zoe",
}  # fmt: skip


@pytest.mark.parametrize("charset", SAMPLES)
def test_a_declared_charset_is_obeyed(charset):
    """Also where its bytes happen to be UTF-8 of something else, as those of 模 in GBK."""
    body = f'{{"name": "{SAMPLES[charset]}"}}'.encode(charset.replace("Windows-31J", "cp932"))

    assert read(body, f"application/json;charset={charset}") == Person(SAMPLES[charset])


def test_every_charset_that_is_accepted_is_one_of_python():
    """The list holds no name that would fail when a reply comes."""
    assert {"{}".encode(charset).decode(charset) for charset in _CODECS} == {"{}"}


@pytest.mark.parametrize(
    "parameter",
    [
        'charset="UTF-8"',
        "CHARSET=utf8",
        "charset=utf_8;",
        "a=b; charset='utf-8'",
        "charset = utf-8",
    ],
)
def test_utf8_is_known_by_all_its_spellings(parameter):
    """Quotes, capitals, underscores, white space."""
    assert read('{"name": "Zoë"}'.encode(), f"application/json; {parameter}") == Person("Zoë")


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "us-ascii"])
def test_utf8_that_a_server_declares_as_its_default_charset_is_read(charset):
    """Servlet containers add their default to bodies that were written as UTF-8."""
    content_type = f"application/json;charset={charset}"

    assert read('{"name": "Zoë"}'.encode(), content_type) == Person("Zoë")
    assert read('["Zoë", 1.0]'.encode(), content_type, tuple[str, int]) == ("Zoë", 1)


@pytest.mark.parametrize("charset", ["klingon", "zlib", "unicode_escape", "punycode", "x" * 500])
def test_an_unknown_charset_is_a_clear_bad_payload(charset):
    """Python's other codecs are none that a service may choose."""
    with pytest.raises(BadPayload, match=r"its charset '.{4,40}' is unknown") as caught:
        read(b'{"name": "\xeb"}', f"application/json; charset={charset}")

    assert caught.value.reply.status == 200
    assert "application/json" in str(caught.value)


def test_an_ascii_body_needs_no_charset():
    """Whatever a service calls it."""
    assert read(b'{"name": "Zoe"}', "application/json; charset=klingon") == Person("Zoe")


@pytest.mark.parametrize(
    ("body", "charset"),
    [(b'{"name": "\xff"}', "utf-8"), (b"\xff\xfe{\x00x", "utf-16"), (b'{"name": "\x81"}', "gbk")],
)
def test_bytes_that_do_not_follow_their_charset_are_a_bad_payload(body, charset):
    """No character is replaced by a question mark."""
    with pytest.raises(BadPayload):
        read(body, f"application/json; charset={charset}")


@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf \r\n", b" \n"])
def test_only_a_mark_or_white_space_is_an_empty_body(body):
    """It is None where the type allows that, and else no answer."""
    assert read(body, model=Person | None) is None
    with pytest.raises(BadPayload):
        read(body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("Application/Problem+JSON", b'{"detail": "shipped"}'),
        ("application/problem+json; charset=utf-8", b'{"title": null, "detail": "shipped"}'),
        ("application/problem+json", b'\xef\xbb\xbf{"detail": "shipped", "status": null}'),
        ("application/problem+json", '{"detail": "shipped"}'.encode("utf-16")),
        ("application/problem+json ;charset=utf-8", b'{"detail": null, "title": "shipped"}'),
        ("application/problem+json", b'{"detail": ["no text"], "title": "shipped"}'),
        ("application/problem+json", b'{"detail": "", "title": "shipped", "type": 7}'),
    ],
)
def test_a_problems_detail_is_found(content_type, body):
    """Nulls, a mark, other capitals and parameters do not hide it."""
    headers = ((b"content-type", content_type.encode()),)

    assert problem_detail(Reply(409, headers, body)) == "shipped"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"detail": "x"}'),
        ("application/problem+jsonx", b'{"detail": "x"}'),
        ("application/problem+json", b"[1]"),
        ("application/problem+json", b'{"detail": null}'),
        ("application/problem+json", b"<html>"),
        ("application/problem+json; charset=klingon", b'{"detail": "x"}'),
        ("application/problem+json", b"[" * 100_000),
    ],
)
def test_other_bodies_have_no_detail(content_type, body):
    """Other types, other values and broken bodies say nothing to clients."""
    assert problem_detail(Reply(409, ((b"content-type", content_type.encode()),), body)) == ""


REPEATED = {
    "at the top": '{"name": "a", "name": "b"}',
    "the same value": '{"name": "a", "name": "a"}',
    "an escaped spelling": '{"name": "a", "n\\u0061me": "b"}',
    "both escaped": '{"n\\u00e4": 1, "n\\u00E4": 2, "name": "a"}',
    "an unknown field": '{"name": "a", "x": 1, "x": 2}',
    "deep inside": '{"name": "a", "x": [{"y": {"z": [0, {"q": 1, "q": 2}]}}]}',
    "the empty name": '{"name": "a", "": 1, "": 2}',
    "in UTF-16": '{"name": "ä", "name": "b"}',
    "beside a whole float": '{"name": "a", "name": "b", "n": 1.0}',
}


@pytest.mark.parametrize("what", REPEATED)
def test_a_name_that_an_object_has_twice_is_a_bad_payload(what):
    """Which of the two is meant can't be known (RFC 8259, section 4)."""
    body = REPEATED[what].encode("utf-16" if "UTF-16" in what else "utf-8")

    with pytest.raises(BadPayload, match="two members named"):
        Decoding(Person).value(Reply(200, (), body), CALL)


def test_equal_names_in_different_objects_are_not_repeated_names():
    """Lists of objects, nested objects, names in texts."""
    body = b'[{"name": "\\"name\\": 1"}, {"name": "b", "of": {"name": "c"}}]'

    assert read(body, model=list[Person]) == [Person('"name": 1'), Person("b")]


def test_a_repeated_name_in_later_replies_is_found_by_sample_and_then_always():
    """A service that writes a name twice does so often: it is found, and then each time."""
    decode = Decoding(Person)
    good, bad = (Reply(200, (), body) for body in (b'{"name": "a"}', b'{"name": "a", "name": "b"}'))
    for _ in range(FULLY_SEARCHED_REPLIES):
        decode.value(good, CALL)
    taken = 0
    for _ in range(SEARCH_INTERVAL_REPLIES):
        try:
            decode.value(bad, CALL)
        except BadPayload:
            break
        taken += 1

    assert 0 < taken < SEARCH_INTERVAL_REPLIES
    for _ in range(3):
        with pytest.raises(BadPayload, match="two members"):
            decode.value(bad, CALL)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(JSON, st.booleans())
def test_no_value_of_json_has_a_repeated_name_by_itself(value, is_ascii):
    """What a correct program writes is never refused."""
    assert repeated_name(json.dumps(value, ensure_ascii=is_ascii)) is None


def test_a_body_that_is_nested_too_deeply_does_not_crash():
    """Neither where it is skipped nor where it is searched."""
    body = b'{"name": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    with pytest.raises(BadPayload):
        read(body)


@pytest.mark.slow
def test_a_large_reply_in_another_charset_is_read_in_little_more_memory():
    """Text of some megabytes is decoded once, and its values are not looked at one by one."""
    body = json.dumps([{"name": "ä" * 100}] * 10_000, ensure_ascii=False).encode("iso-8859-1")

    tracemalloc.start()
    value = read(body, "application/json; charset=iso-8859-1", list[Person])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert value == [Person("ä" * 100)] * 10_000
    assert peak < 20 * MIB
