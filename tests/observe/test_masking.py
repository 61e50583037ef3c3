"""Credentials in messages of exceptions are masked, kind by kind."""

import time

import pytest

from bff_core.auth.api_keys.record import new_key
from bff_core.observe.masking import masked, redacted, words_of

SECRET = "s3cr3t.Part-of_it~1+2/3="
API_KEY = new_key()


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "DPoP", "ApiKey"])
def test_a_credential_of_this_scheme_is_masked(scheme):
    """In any case, wherever it stands; the scheme itself stays readable."""
    for spelling in (scheme, scheme.lower(), scheme.upper()):
        text = f"refused: Authorization: {spelling} {SECRET} (twice: {spelling}  {SECRET})"

        assert masked(text) == f"refused: Authorization: {spelling} *** (twice: {spelling} ***)"


@pytest.mark.parametrize("name", ["Cookie", "Set-Cookie"])
def test_the_value_of_this_header_is_masked(name):
    """To the end of its line, and not further."""
    for spelling in (name, name.lower(), name.upper()):
        text = f"sent {spelling}: __Host-bff={SECRET}; other=1\nAccept: text/html"

        assert masked(text) == f"sent {spelling}: ***\nAccept: text/html"


@pytest.mark.parametrize(
    "token",
    ["eyJhbGciOi.eyJzdWIi.c2ln", "eyJhbGciOi.eyJzdWIi.", "eyJ0eXAiOiJKV1Qi.e30.c2ln-_"],
)
def test_a_token_is_masked_by_its_form(token):
    """Also without a scheme in front: in an address, in a form, in quotes."""
    for text in (f"?token={token}&x=1", f"id_token_hint={token}", f'"{token}"'):
        assert token not in masked(text)
        assert masked(text) == text.replace(token, "***")


@pytest.mark.parametrize("frame", ["X-API-Key: {}", "?key={}&x=1", "'{}' is no key", "{}"])
def test_an_api_key_is_masked_by_its_form(frame):
    """Wherever a message quotes it."""
    assert masked(frame.format(API_KEY)) == frame.format("***")


@pytest.mark.parametrize(
    "text",
    [
        "the basics of bearers",
        "cookie jar",
        "a.b.c",
        "bff_core.gateway.pipeline",
        "bff_12345678",
        "GET /users/{id}: 503",
    ],
)
def test_other_text_is_not_masked(text):
    """A message that is masked too much does not help."""
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"password": "hunter2", "name": "Ada"}', '{"password": ***, "name": "Ada"}'),
        ('{"access_token":"a.b","n":1}', '{"access_token":***,"n":1}'),
        ('{"accessToken": "a \\" b", "n": 1}', '{"accessToken": ***, "n": 1}'),
        ('{"client_secret": "cut off in the mid', '{"client_secret": ***'),
        ('{"cardNumber": 4111111111111111, "n": 1}', '{"cardNumber": ***, "n": 1}'),
        ('{"pin": 1234, "spinning": "ok"}', '{"pin": ***, "spinning": "ok"}'),
        ('{"tokens": ["a", "b"], "n": 1}', '{"tokens": ***, "n": 1}'),
        ("grant=code&client_secret=s3cr3t&n=1", "grant=code&client_secret=***&n=1"),
        ("Authorization: Bearer abc", "Authorization: *** ***"),
        ("<html><body>Sign in</body></html>", "<html><body>Sign in</body></html>"),
        ('{"id": 7, "title": "Tent"}', '{"id": 7, "title": "Tent"}'),
    ],
)
def test_a_piece_of_a_body_is_redacted(text, expected):
    """Members with secret-sounding names lose their values; the rest can be read."""
    assert redacted(text) == expected


def test_several_texts_of_one_field_are_read_as_text():
    """Not as Python writes a tuple."""
    places = ("$[1].stage: an unknown member", "$[2]: does not fit")

    line = words_of({"lost": places, "count": 2, "none": ()})

    assert line == 'lost="$[1].stage: an unknown member; $[2]: does not fit" count=2 none=""'


@pytest.mark.parametrize(
    "piece",
    [
        *("x", "eyJ-", "eyJ.", 'a"', "token", "bearer ", "a@", "-", "=", "'", "?a=", "key=", "//"),
        *("a:{", "token:{", "/aA1", "-----BEGIN PRIVATE KEY-----", '{"token":', "a: ", "4 ", "["),
    ],
)
def test_long_texts_take_linear_time(piece):
    """Whatever a service or a client sends, it is masked in milliseconds."""
    text = piece * (200_000 // len(piece))
    began = time.process_time()

    redacted(text)

    assert time.process_time() - began < 1.0
