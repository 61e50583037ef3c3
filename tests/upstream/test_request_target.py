"""Request targets: parameters stay inside their segment, queries are encoded."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.errors import ConfigurationError, InvalidInput
from bff_core.upstream.request_target import encode_query, template


def test_parameters_are_filled_in():
    """A template becomes a path."""
    assert template("/users/{id}/orders/{order}").fill({"id": 7, "order": "a"}) == (
        "/users/7/orders/a"
    )


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a/b", "a%2Fb"),
        ("../admin", "..%2Fadmin"),
        ("%2e%2e", "%252e%252e"),
        ("a?b=c", "a%3Fb%3Dc"),
        ("a#b", "a%23b"),
        ("a\r\nHost: evil", "a%0D%0AHost%3A%20evil"),
        ("é", "%C3%A9"),
    ],
)
def test_parameter_can_not_leave_its_segment(value, encoded):
    """Whatever an id holds, it stays one segment."""
    assert template("/users/{id}").fill({"id": value}) == f"/users/{encoded}"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_segment_that_servers_would_take_out_is_refused(value):
    """Dot segments and empty ones change the path even when encoded."""
    with pytest.raises(InvalidInput, match="id must not be"):
        template("/users/{id}").fill({"id": value})


@given(st.text(min_size=1).filter(lambda text: text not in {".", ".."}))
def test_any_text_comes_back_as_the_same_single_segment(value):
    """Encoding loses nothing and adds no segment."""
    path = urlsplit("http://service" + template("/a/{id}/z").fill({"id": value})).path

    assert len(path.split("/")) == 4
    assert unquote(path.split("/")[2]) == value


@pytest.mark.parametrize(
    "path",
    ["users/{id}", "/users/{}", "/users/{0}", "/users/{a[0]}", "/users/{id:int}", "/users/{id!r}"],
)
def test_bad_template_is_refused(path):
    """A path begins with a slash and names its parameters."""
    with pytest.raises(ConfigurationError, match="begin with /"):
        template(path)


@pytest.mark.parametrize("values", [{}, {"user_id": "7"}, {"id": "7", "name": "Ada"}])
def test_wrong_parameters_are_named(values):
    """Forgetting or misspelling a parameter is an error of the author."""
    with pytest.raises(TypeError, match=r"takes id, not .*; others go into query="):
        template("/users/{id}").fill(values)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a", "a"),
        ("shoes/42", "shoes/42"),
        ("shoes/ä b/c?d", "shoes/%C3%A4%20b/c%3Fd"),
        ("a%2Fb/c", "a%252Fb/c"),
        ("..a/b..", "..a/b.."),
        (7, "7"),
    ],
)
def test_slashes_of_a_path_parameter_stay_where_it_says_path(value, encoded):
    """`{sku:path}` takes ids that are several segments long, and encodes each."""
    assert template("/stock/{sku:path}/level").fill({"sku": value}) == f"/stock/{encoded}/level"


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", "/", "/etc", "a/", "a//b", "../admin", "a/../../admin", "a/./b", "a/.."],
)
def test_path_parameter_can_not_leave_its_prefix(value):
    """Empty segments and dot segments would lead somewhere else."""
    with pytest.raises(InvalidInput, match="sku must not hold"):
        template("/stock/{sku:path}").fill({"sku": value})


@pytest.mark.parametrize("path", ["/users/{id}", "/users/{id:path}"])
@pytest.mark.parametrize("value", ["\ud83d", "a\udc00b"])
def test_half_a_surrogate_pair_in_a_path_is_the_clients_mistake(path, value):
    """Half of an emoji has no bytes in UTF-8; nothing is sent."""
    with pytest.raises(InvalidInput, match=r"id'? holds half of a surrogate pair"):
        template(path).fill({"id": value})


def test_query_is_encoded():
    """None is left out, sequences repeat, flags are lower case."""
    query = {"q": "a b&c", "ids": ["1", "2"], "none": None, "flag": True, "limit": 5}

    assert encode_query(query) == "?q=a+b%26c&ids=1&ids=2&flag=true&limit=5"


def test_empty_query_is_nothing():
    """No question mark without parameters."""
    assert encode_query(None) == encode_query({}) == encode_query({"a": None}) == ""


@pytest.mark.parametrize("query", [{"q": "\ud83d"}, {"\ud83d": "q"}, {"q": ["a", "\udc00"]}])
def test_half_a_surrogate_pair_in_a_query_is_the_clients_mistake(query):
    """Half of an emoji has no bytes in UTF-8; nothing is sent."""
    with pytest.raises(InvalidInput, match=r"query parameter.* holds half of a surrogate pair"):
        encode_query(query)
