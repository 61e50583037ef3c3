"""Secrets in bodies are masked, whatever form they have; what developers need is shown."""

import msgspec
import pytest

from bff_core.observe.body_masking import masked_bytes, masked_text
from bff_core.observe.request_redaction import shown_path, shown_query

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "name",
    [
        *("password", "newPassword", "passwd", "pwd", "pass", "user_pass", "passphrase"),
        *("secret", "client_secret", "clientsecret", "token", "accessToken", "csrftoken"),
        *("auth", "x-auth", "authorization", "jwt", "idJwt", "sid", "sig", "signature"),
        *("otp", "pin", "cvv", "cvc", "iban", "ssn", "session", "session_id", "PHPSESSID"),
        *("api_key", "apiKey", "privateKey", "cookie", "credentials", "code_verifier"),
        *("SAMLResponse", "client_assertion", "card_number", "security_code"),
    ],
)
def test_this_name_hides_its_value(name):
    """In JSON, forms, queries, GraphQL, XML, multipart bodies and paths, however it is nested."""
    for body in (
        {name: "hush"},
        {name: {"value": "hush", "list": [{"inner": "hush"}]}},
        {"a": [{name: ["hush"]}]},
        {"name": name, "value": "hush"},
        {"text": msgspec.json.encode({name: "hush"}).decode()},
        {"url": f"https://shop.example/a?x=1&{name}=hush"},
        {"url": f"/a#{name}=hush&state=1"},
    ):
        assert "hush" not in masked_text(msgspec.json.encode(body).decode(), JSON)
    assert masked_text(f"a=1&{name}=hush&b=2", FORM) == f"a=1&{name}=***&b=2"
    assert shown_query(f"a=1&{name}=hush".encode(), has_values=True) == f"a=1&{name}=***"
    assert shown_path("/a/hush/b", f"/a/{{{name}}}/b") == "/a/***/b"
    assert "hush" not in masked_text(f"<a><{name}>hush</{name}></a>", "application/xml")
    assert "hush" not in masked_text(f'data: {{"{name}":"hush"}}\n\n', "text/event-stream")
    assert "hush" not in masked_text(f'{{"{name}": {{"value": "hush", "cu', "text/plain")


@pytest.mark.parametrize(
    "body",
    [
        '{"key":"home","keyboard":"qwertz2","author":"Ada 2","passport_n":3,"code":"not_found"}',
        '{ "code": 404, "state": "out-of-stock", "card": {"title": "Tent 2"}, "monkey": "a1" }',
        '{"compass":"n1","assignment":"a1","spinning":"b2","secretary":"c3","tokenizer":"bpe-2"}',
        '{"id":"0f8fad5b-d9cb-469f-a165-70867728950e","size":17000000001234,"ean":4006381333931}',
        '{"image":"/img/0f8fad5bd9cb469fa16570867728950e.png","slug":"/p/lightweight-3-season-tent"}',
        '{"title":"Secret: a novel","token":null,"password":true,"price":1.10}',
    ],
)
def test_what_developers_need_is_shown(body):
    """Byte for byte: names that only contain such a word, words under `key` and `code`, ids."""
    assert masked_text(body, JSON) == body


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"no":4111111111111111}', '{"no":"***"}'),
        ('{"no":[378282246310005,1]}', '{"no":["***",1]}'),
        ('{"no":4111111111111111.0}', '{"no":"***"}'),
        ('{"note":"paid with 4111 1111 1111 1111."}', '{"note":"paid with ***."}'),
        ('{"code":"4f5a9"}', '{"code":"***"}'),
        ('{"code":123456}', '{"code":"***"}'),
        ('{"key":"AIzaSyA-1234"}', '{"key":"***"}'),
        ('{"password":"a","password":"***"}', '{"password":"***"}'),
        ('{"remi@shop.example":1,"ada@shop.example":2}', '{"***":1,"***1":2}'),
        ('{"tokens":{"4f5a9":true}}', '{"tokens":{"***":true}}'),
        (f'{{"a":"x_{JWT}"}}', '{"a":"x_***"}'),
        (f'{{"a":"see {JWT[:-4]} and {JWT}"}}', '{"a":"see *** and ***"}'),
        ('{"a":"redis://bff:hush@cache:6379/0"}', '{"a":"redis://***@cache:6379/0"}'),
        ('{"a":"https://a:p@ss@shop.example/x"}', '{"a":"https://***@shop.example/x"}'),
        ('{"a":"/reset/0f8fad5bd9cb469fa16570867728950e"}', '{"a":"/reset/***"}'),
    ],
)
def test_values_are_masked_by_their_form(body, shown):
    """Whatever their names are."""
    assert masked_text(body, JSON) == shown


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ('{login(password:"a b",id:"c"){id}}', '{login(password:"***",id:"c"){id}}'),
        ("{a(pin: 1234, n: 12)}", '{a(pin: "***", n: 12)}'),
        (
            '{a(in:{token:{value:"x"}}, t:["y"], otp:[1,2])}',
            '{a(in:{token:{value:"***"}}, t:["y"], otp:["***","***"])}',
        ),
        (
            'query($password: String! = "x", $n: Int = 7) { a }',
            'query($password: String! = "***", $n: Int = 7) { a }',
        ),
        ('{a(secret: """x "y" z""", b: "c")}', '{a(secret: """***""", b: "c")}'),
        (f'{{a(b: "{JWT}") # {JWT}\n}}', '{a(b: "***") # ***\n}'),
    ],
)
def test_literals_of_graphql_are_masked(document, shown):
    """In the body of a request, and in a body that is a document."""
    body = msgspec.json.encode({"query": document, "variables": {"jwt": "x", "id": 1}})

    assert msgspec.json.decode(masked_bytes(body, JSON)) == {
        "query": shown,
        "variables": {"jwt": "***", "id": 1},
    }
    assert masked_text(document, "application/graphql") == shown


def test_parts_of_a_form_with_files_are_masked():
    """By their names and types; a file that is no text stays as it was."""
    head = b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n'
    body = (
        head % (b"password", b"") + b"hush\r\n"
        + head % (b"title", b"") + b"Tent\r\n"
        + head % (b"x", b'; filename="a.json"\r\nContent-Type: application/json')
        + b'{"token":"hush"}\r\n'
        + head % (b"image", b'; filename="a.png"') + b"\xff\x00\xfe\r\n--b--\r\n"
    )  # fmt: skip

    shown = masked_bytes(body, "multipart/form-data; boundary=b")

    assert shown == body.replace(b'"hush"', b'"***"').replace(b"hush", b"***")


def test_a_body_in_another_encoding_is_masked():
    """Latin-1 is no reason to show a password."""
    body = '{"título":"x","password":"hush"'.encode("latin-1")

    assert masked_bytes(body, JSON) == body.replace(b'"hush"', b"***")


@pytest.mark.parametrize(
    ("path", "route", "shown"),
    [
        ("/reset/" + "0f" * 32, "", "/reset/***"),
        ("/reset/Zm9vYmFyYmF6cXV4-1234_Zz", "", "/reset/***"),
        ("/products/lightweight-3-season-tent-for-two", "", None),
        ("/orders/0f8fad5b-d9cb-469f-a165-70867728950e", "", None),
        ("/v1/screens/home", "/v1/screens/{key}", None),
        ("/v1/invites/4f5a", "/v1/invites/{code}", "/v1/invites/***"),
        ("/p/größe", "", None),
        ("/\x1b[31m\r\n\u202e\x9b", "", "/%1B[31m%0D%0A%E2%80%AE%C2%9B"),
    ],
)
def test_paths_are_masked(path, route, shown):
    """By the names of their route's parameters, and long random segments without a route.

    Characters that would change a terminal are encoded.
    """
    assert shown_path(path, route) == (shown or path)


def test_a_query_is_shown_as_it_was_encoded():
    """So that it can be sent again; names that are secrets themselves are masked."""
    query = b"a=b%20c+d&e=%2F&f&g=&key=home&key=4f5a&q=remi%40shop.example&remi%40shop.example=1"

    assert shown_query(query, has_values=True) == (
        "a=b%20c+d&e=%2F&f&g=&key=home&key=***&q=***&***=1"
    )
