"""Recorded traffic: what services answer is recorded without secrets, and replayed in tests."""

import asyncio
import json
import re
import stat
from pathlib import Path

import pytest

from bff_core import ConfigurationError, FilePart, Settings, StreamedBody, Upstream, Views, gateway
from bff_core.call import find_header
from bff_core.errors import TransportFailed
from bff_core.testing import (
    Scripted,
    ScriptedTransport,
    UnscriptedCall,
    client,
    fail,
    hang,
    record,
    replay,
    reply,
    running,
    stream,
)
from bff_core.testing.redacted_bodies import pieces_of
from bff_core.testing.redaction import Redaction
from tests.testing.kit_shop import SUMMARY, TENT, make_app

pytestmark = pytest.mark.virtual_time

PAGE = "/v1/products/8"
ADDRESS = "10.0.0.1"
ENVIRON = {"BFF_ENV": "development", "BFF_UPSTREAM_PLAIN": f"http://{ADDRESS}", "BFF_LOG": "off"}


class Plain(Upstream):
    """A service that is called in every way."""


def plain_app(script=None, monkeypatch=None):
    """Make a gateway over a service; with a script for what is recorded."""
    options = {}
    if monkeypatch is not None:
        for name, value in ENVIRON.items():
            monkeypatch.setenv(name, value)
        transport = ScriptedTransport({ADDRESS: script})
        options["transport"] = lambda policy, runtime: transport
    return gateway("plain", services=[Plain], faces=[Views()], **options)


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Record what a function does with a service that answers by steps; return the lines."""

    async def run(use, *steps, **options):
        path = tmp_path / "traffic.jsonl"
        app = record(plain_app(Scripted(*steps), monkeypatch), path, **options)
        async with running(app):
            await use(app.services[Plain])
        return [json.loads(line) for line in path.read_text().splitlines()]

    run.path = tmp_path / "traffic.jsonl"
    return run


@pytest.fixture
def replayed(recorded):
    """Do the same with the recording."""

    async def run(use):
        async with client(plain_app, replay(recorded.path)) as c:
            return await use(c.app.services[Plain])

    return run


async def test_a_recording_replaces_all_services(tmp_path):
    """The same answer, without the services."""
    path = tmp_path / "traffic.jsonl"
    async with client(make_app, catalog=reply(200, TENT), reviews=reply(200, SUMMARY)) as c:
        app, transport, config = c.app, c.app.config.transport, c.app.config
    app.configure(config)
    async with running(record(app, path)) as served:
        assert transport is not app.config.transport
        first = await served.get(PAGE)

    async with client(make_app, replay(path)) as c:
        again = await c.get(PAGE)
    async with client(make_app, replay(path), reviews=hang()) as c:
        without = await c.get(PAGE)

    assert again.json() == first.json() == {"title": "Tent", "stars": 4.5}
    assert without.json()["stars"] is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_call_that_was_not_recorded_fails_the_test(recorded, replayed):
    """The error lists what was recorded, and says what to do."""
    await recorded(lambda plain: plain.request("GET", "/a", query={"q": "x y"}), reply())

    with pytest.raises(UnscriptedCall) as caught:
        await replayed(lambda plain: plain.request("GET", "/b"))

    assert str(caught.value) == (
        f"plain: GET /b was not recorded in {recorded.path}, which has GET /a?q=x y: replay with "
        "the viewer that recorded, record the traffic again, or script the service beside the "
        "recording, as in client(app, replay(...), plain=...)"
    )


async def test_a_call_with_another_body_says_what_differs(recorded, replayed):
    """Such as that of another viewer."""
    body = {"who": "7", "seats": [{"row": 1}], "note": "x", "token": "hunter2"}
    await recorded(lambda plain: plain.post("/bookings", int, json=body), reply(200, 1))

    other = {"who": "ann", "seats": [{"row": 2}], "token": "hunter3"}
    with pytest.raises(UnscriptedCall) as caught:
        await replayed(lambda plain: plain.post("/bookings", int, json=other))

    assert (
        f"plain: POST /bookings was recorded in {recorded.path} with another body, "
        '$.who is "ann", recorded "7"; $.seats[].row is 2, recorded 1; $.note is missing, recorded '
        '"x": replay with the viewer that recorded'
    ) in str(caught.value)
    with pytest.raises(
        UnscriptedCall, match=r"which is a body that is not compared, recorded b'\{"
    ):
        await replayed(lambda plain: plain.post("/bookings", int, content=b"text"))


async def test_paths_begin_at_the_file_that_names_them(tmp_path, monkeypatch):
    """Wherever pytest was started; the error has the absolute path."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigurationError) as caught:
        replay("no-such-file.jsonl")
    assert str(Path(__file__).parent / "no-such-file.jsonl") in str(caught.value)


async def test_secrets_never_reach_the_disk(recorded):
    """Credentials, cookies, tokens, and what is named as a secret, in whatever form."""
    body = {
        "password": "hunter2",
        "cardNumber": "hunter3",
        "nested": [{"clientSecret": {"value": "hunter4", "pin": 4711}}],
        "note": "Bearer hunter5hunter5",
        "jwt_like": "eyJhunter6.eyJhunter6.hunter6",
        "street": "hunter7",
        "title": "Tent",
    }
    headers = {"set-cookie": "id=hunter8", "x-api-key": "hunter9", "x-name": "Ann"}

    async def use(plain):
        await plain.post(
            "/a", dict, json=body, headers={"authorization": "Bearer hunter0", "cookie": "hunterA"},
            query={"access_token": "hunterB", "page": 1},
        )  # fmt: skip
        await plain.post("/b", dict, form={"refresh_token": "hunterC", "name": "Ann"})

    lines = await recorded(
        use, reply(200, body, headers=headers), reply(200, body), redact=["street"]
    )

    assert lines[0] == {
        "format": "bff-traffic", "version": 1, "redacted": ["street"], "visible": [],
        "unredacted_types": [],
    }  # fmt: skip
    assert "hunter" not in json.dumps(lines)
    assert re.fullmatch(r"/a\?access_token=redacted-\d&page=1", lines[1]["target"])
    assert lines[1]["reply"]["headers"]["x-name"] == "Ann"
    assert lines[1]["body"]["json"]["title"] == "Tent"
    [nested] = lines[1]["body"]["json"]["nested"]
    assert re.fullmatch(r"redacted-\d", nested["clientSecret"].pop("value"))
    assert nested == {"clientSecret": {"pin": 0}}
    assert lines[2]["body"]["text"].endswith("&name=Ann")


async def test_secrets_do_not_have_to_match(recorded, replayed):
    """A test has other credentials than the recording; what a reply hands to a call fits."""

    async def use(plain, token="hunter2"):  # no password
        first = await plain.post("/login", dict, json={"password": token})
        found = await plain.get("/a", dict, query={"page_token": first["page_token"]})
        other = await plain.get("/a", dict, query={"page_token": found["page_token"]})
        return found["n"], other["n"]

    await recorded(
        use,
        reply(200, {"page_token": "p1"}),
        reply(200, {"n": 1, "page_token": "p2"}),
        reply(200, {"n": 2, "page_token": ""}),
    )

    assert await replayed(lambda plain: use(plain, "other")) == (1, 2)


async def test_names_may_be_declared_visible(recorded):
    """A token that is no secret."""
    lines = await recorded(
        lambda plain: plain.request("GET", "/a", query={"page_token": "p1"}),
        reply(200, {"next-page-token": "p2", "page_token": "p3"}),
        visible=["pageToken"],
    )

    assert lines[1]["target"] == "/a?page_token=p1"
    assert lines[1]["reply"]["body"] == {
        "json": {"next-page-token": "redacted-1", "page_token": "p3"}
    }


async def test_equal_calls_get_their_replies_in_order(recorded, replayed):
    """The last one repeats; a further client begins anew."""

    async def use(plain):
        return [(await plain.request("POST", "/a", body=b"x")).status for _ in range(3)]

    await recorded(use, reply(201), reply(409), reply(200))

    assert await replayed(use) == [201, 409, 200]
    assert await replayed(use) == [201, 409, 200]


async def test_bodies_of_calls_are_compared(recorded, replayed):
    """JSON by value; a body that is streamed, or has files, by the call."""

    def content():
        async def chunks():
            yield b"abc"

        return StreamedBody(chunks)

    async def use(plain):
        one = await plain.post("/a", int, json={"n": 1, "m": 2})
        two = await plain.post("/a", int, json={"n": 2})
        three = await plain.post("/a", int, content=content())
        four = await plain.post("/a", int, form={}, files={"f": FilePart("x.txt", b"x")})
        return one, two, three, four

    await recorded(use, reply(200, 1), reply(200, 2), reply(200, 3), reply(200, 4))

    assert await replayed(use) == (1, 2, 3, 4)


async def test_replies_that_vary_are_distinguished(recorded, replayed):
    """By the headers that the reply names in Vary."""

    async def of(plain, language):
        return await plain.get("/a", str, headers={"accept-language": language})

    async def use(plain):
        return [await of(plain, one) for one in ("de", "en", "de")]

    vary = {"vary": "Accept-Language"}
    await recorded(use, *(reply(200, one, headers=vary) for one in ("Zelt", "tent", "Zelt")))

    assert await replayed(use) == ["Zelt", "tent", "Zelt"]
    assert await replayed(lambda plain: of(plain, "en")) == "tent"


async def test_binary_bodies_and_failures_are_replayed(recorded, replayed):
    """Bytes as they are, and connections that broke."""

    async def use(plain):
        image = await plain.request("POST", "/image", body=b"\xff\xfe")
        found = [image.status, image.body, image.header("content-type")]
        for path in ("/broken", "/refused"):
            with pytest.raises(TransportFailed) as caught:
                await plain.request("POST", path)
            found.append(caught.value.is_sent)
        return found

    lines = await recorded(
        use,
        reply(200, b"\x89PNG\xff", headers={"content-type": "image/png"}),
        fail(),
        *[fail(is_sent=False)] * 3,
        unredacted_types=["image/png"],
    )

    assert lines[1]["reply"]["body"] == {"base64": "iVBOR/8="}
    assert await replayed(use) == [200, b"\x89PNG\xff", "image/png", True, False]


@pytest.mark.virtual_time(on=False)
async def test_services_are_recorded_over_their_sockets(tmp_path):
    """The default transport resolves names and pools connections as it does without recording."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDate: now\r\n\r\n995")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        upstreams = {"plain": (f"http://localhost:{port}",)}
        settings = Settings(env="development", upstreams=upstreams, log="off", gc_freeze=False)
        app = record(gateway("plain", services=[Plain], settings=settings), tmp_path / "t.jsonl")
        async with running(app):
            assert await app.services[Plain].get("/price", int) == 995

    async with client(plain_app, replay(tmp_path / "t.jsonl")) as c:
        assert await c.app.services[Plain].get("/price", int) == 995


@pytest.mark.parametrize("breaks", [False, True])
async def test_streams_are_replayed_in_pieces(recorded, replayed, breaks):
    """Lines of text without secrets, and whether the stream broke off."""

    async def use(plain):
        found = []
        try:
            async with plain.stream("/rows") as rows:
                async for chunk in rows:
                    found.append(chunk)  # noqa: PERF401 # what came before a failure counts
        except TransportFailed:
            found.append(b"broken")
        return b"".join(found)

    first, second = b'{"n": 1, "tok', b'en": "hunter2"}\n{"n": 2}\n'
    lines = await recorded(
        use, stream(first, 0.1, second, headers={"content-type": "x/y"}, breaks=breaks)
    )

    assert "hunter" not in json.dumps(lines)
    assert lines[1]["reply"]["pieces"][1] == {"text": '{"n": 2}\n'}
    expected = b'{"n": 1, "token": "redacted-1"}\n{"n": 2}\n' + b"broken" * breaks
    assert await replayed(use) == expected


def test_a_recording_is_refused_in_production(monkeypatch, tmp_path):
    """What services answer there stays there."""
    monkeypatch.setenv("BFF_ENV", "production")
    monkeypatch.setenv("BFF_ALLOWED_HOSTS", "shop.example")
    monkeypatch.setenv("BFF_UPSTREAM_PLAIN", "https://plain.example")

    with pytest.raises(ConfigurationError, match="set BFF_ENV=development"):
        record(plain_app, tmp_path / "traffic.jsonl")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'with "format": "bff-traffic" and "version": 1'),
        ('{"format": "bff-traffic", "version": 2}', 'and "version": 1: record the traffic again'),
        ('{"format": "bff-traffic", "version": 1}\n{"service": 7}', r"traffic\.jsonl:2: Expected"),
    ],
)
def test_another_file_is_refused(tmp_path, text, message):
    """The error names the file, and the line."""
    path = tmp_path / "traffic.jsonl"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=message):
        replay(path)
    with pytest.raises(ConfigurationError, match="no-such-file can't be read"):
        replay(tmp_path / "no-such-file")


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("password", True),
        ("newPassword", True),
        ("X-API-Key", True),
        ("session_id", True),
        ("IBAN", True),
        ("idToken", True),
        ("APIKey", True),
        ("authorization", True),
        ("cards", False),
        ("spinner", False),
        ("keyboard", False),
        ("tokenizer", False),
        ("session_count", False),
    ],
)
def test_names_of_secrets_are_recognised_by_their_words(name, is_secret):
    """In any spelling; words that only contain another word are none."""
    assert Redaction().is_secret(name) == is_secret


SECRET = "hunter2"


@pytest.mark.parametrize(
    "name",
    ["sessionid", "csrftoken", "accesstoken", "authtoken", "refreshtoken", "idtoken", "privatekey",
     "userpassword", "X-Auth", "auth", "session", "bearer", "assertion", "SAMLResponse", "token2",
     "PHPSESSID", "passwordhash", "X-Amz-Signature", "X-Forwarded-Access-Token", "useriban"],
)  # fmt: skip
def test_names_that_are_run_together_are_recognised(name):
    """In a header, in a query, in JSON and in JSON within JSON."""
    redaction = Redaction()

    assert redaction.headers({name: SECRET})[name] == "redacted-1"
    assert redaction.form(f"{name}={SECRET}") == f"{name}=redacted-1"
    nested = {"x": json.dumps({name: SECRET})}
    assert redaction.json(nested) == {"x": json.dumps({name: "redacted-1"})}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://a.example/cb?access_token=hunter2&x=1",
         "https://a.example/cb?access_token=redacted-1&x=1"),
        ("<https://a.example/?api_key=hunter2>; rel=next",
         "<https://a.example/?api_key=redacted-1>; rel=next"),
        ("https://ann:hunter2@a.example/", "https://ann:redacted-1@a.example/"),
        ("/a#id_token=hunter2", "/a#id_token=redacted-1"),
        ("/a;jsessionid=hunter2", "/a;jsessionid=redacted-1"),
        ("/a?next=%2Fb%3Ftoken%3Dhunter2", "/a?next=%2Fb%3Ftoken%3Dredacted-1"),
        ("/a?next=%2Fb%3Fthen%3D%252Fc%253Ftoken%253Dhunter2",
         "/a?next=%2Fb%3Fthen%3D%252Fc%253Ftoken%253Dredacted-1"),
        ('see {"password": "hunter2"}', 'see {"password": "redacted-1"}'),
        ("at 10:30, see https://a.example/?page=2", "at 10:30, see https://a.example/?page=2"),
    ],
)  # fmt: skip
def test_values_may_hold_urls_with_secrets(text, clean):
    """In any header, member or parameter."""
    assert Redaction().text(text) == clean


def test_a_parameter_may_hold_a_url_with_a_secret():
    """The sign-in of a provider redirects so, and sends a code that can be exchanged for tokens."""
    redaction = Redaction()

    assert redaction.target("/in?redirect=https%3A%2F%2Fa%2F%3Ftoken%3Dhunter2&page=1") == (
        "/in?redirect=https%3A%2F%2Fa%2F%3Ftoken%3Dredacted-1&page=1"
    )
    assert redaction.target("/cb?code=hunter3&state=x") == "/cb?code=redacted-2&state=x"
    assert redaction.target("/country?code=de") == "/country?code=de"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://a.example/cb?code=hunter2&state=x", "https://a.example/cb?code=redacted-1&state=x"),
        ("0; url=/cb?state=x&code=hunter2", "0; url=/cb?state=x&code=redacted-1"),
        ("/cb#code=hunter2&iss=https://a.example", "/cb#code=redacted-1&iss=https://a.example"),
        ("/in?to=%2Fcb%3Fcode%3Dhunter2%26state%3Dx",
         "/in?to=%2Fcb%3Fcode%3Dredacted-1%26state%3Dx"),
        ("/countries?code=de", "/countries?code=de"),
    ],
)  # fmt: skip
def test_redirects_with_an_authorization_code_lose_it(text, clean):
    """It can be exchanged for tokens; a header such as Location has it."""
    assert Redaction().text(text) == clean


@pytest.mark.parametrize(
    ("target", "operation", "clean"),
    [
        ("/resets/hunter2", "GET /resets/{token}", "/resets/redacted-1"),
        ("/resets/a%2Fb/ok?x=1", "PUT /resets/{resetToken}/ok", "/resets/redacted-1/ok?x=1"),
        ("/f/7/a/b", "GET /f/{id}/{secret:path}", "/f/7/redacted-1"),
        ("/carts/7", "GET /carts/{customer_id}", "/carts/redacted-1"),
        ("/carts/7", "GET /carts/{id}", "/carts/7"),
        ("/carts/7", "forward", "/carts/7"),
        ("/carts/7", "forward to {token", "/carts/7"),
        ("/carts/7", "GET /other/{token}", "/carts/7"),
    ],
)
def test_parameters_in_a_path_are_redacted_by_name(target, operation, clean):
    """By the template of the call, as those in a query are."""
    assert Redaction(["customer_id"]).target(target, operation) == clean


async def test_calls_with_a_secret_in_the_path_are_replayed(recorded, replayed):
    """A test has another token than the recording."""

    async def use(plain, token="hunter2"):  # no password
        return await plain.post("/resets/{token}", dict, token=token)

    lines = await recorded(use, reply(200, {"n": 1}))

    assert "hunter" not in json.dumps(lines)
    assert await replayed(lambda plain: use(plain, "other")) == {"n": 1}


CARD = "4111 1111 1111 1111"
KEY_FILE = "-----BEGIN {0}-----\nhunter2\n-----END {0}-----".format("RSA PRIVATE" + " KEY")


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ({"card": {"number": "1"}}, {"card": {"number": "redacted-1"}}),
        ({"cards": [{"number": "1"}]}, {"cards": [{"number": "redacted-1"}]}),
        ({"api": {"keyValue": "1"}}, {"api": {"keyValue": "redacted-1"}}),
        ({"house": {"number": "1"}}, {"house": {"number": "1"}}),
        ({"header": "X-API-Key", "value": "1"}, {"header": "X-API-Key", "value": "redacted-1"}),
        ({"header": "Accept", "value": "1"}, {"header": "Accept", "value": "1"}),
        ({"Basic dTpw": 1}, {"Basic ***": 1}),
        ({"note": f"paid with {CARD}."}, {"note": "paid with redacted-1."}),
        ({"no": 4111111111111111}, {"no": 0}),
        ({"no": 4111111111111112}, {"no": 4111111111111112}),
        ({"ean": "4006381333931"}, {"ean": "4006381333931"}),
        ({"pem": KEY_FILE}, {"pem": "redacted-1"}),
    ],
)
def test_secrets_are_found_by_what_surrounds_them_or_by_their_form(value, clean):
    """A name within another one, a name beside a value, cards, and files with keys."""
    assert Redaction().json(value) == clean


def test_what_is_visible_by_its_whole_name_is_not_redacted():
    """By the names of both members, or by that of the inner one."""
    value = {"card": {"number": "1"}}

    assert Redaction(visible=["card_number"]).json(value) == value
    assert Redaction(visible=["number"]).json(value) == value


@pytest.mark.parametrize("value", ["Jos\xe9".encode().decode("latin-1"), "Jos\xe9"])
async def test_headers_are_replayed_byte_by_byte(recorded, replayed, value):
    """Whatever their encoding is."""
    found = []

    async def use(plain):
        async with plain.stream("/a") as answer:
            found.append(find_header(answer.headers, b"x-name"))

    await recorded(use, reply(200, {}, headers={"x-name": value}))
    await replayed(use)

    assert found == [value.encode("latin-1")] * 2


async def test_only_the_owner_may_read_a_recording_that_replaces_another_file(recorded):
    """Of which all could read it."""
    recorded.path.touch(0o644)

    await recorded(lambda plain: plain.get("/a", dict), reply(200, {}))

    assert stat.S_IMODE(recorded.path.stat().st_mode) == 0o600


def test_a_recording_needs_a_folder(tmp_path):
    """A mistake in the path shows before the first call."""
    with pytest.raises(ConfigurationError, match="create the folder"):
        record(plain_app, tmp_path / "missing" / "traffic.jsonl")


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b'\xef\xbb\xbf{"password":"hunter2"}', "application/json"),
        ('{"password":"hunter2","x":"\xe9"}'.encode("latin-1"), "application/json"),
        ('{"password":"hunter2"}'.encode("utf-16"), "application/json"),
        (b'{"password": "hunter2", "n": NaN}', "application/json"),
        (b'{"password": "hunter2"', "application/json"),
        (b'cb({"password":"hunter2"})', "application/javascript"),
        (b"<password>hunter2</password>", "application/xml"),
        (b"password: hunter2", "application/yaml"),
        (b"password=hunter2", "text/plain"),
        (b"hunter2", None),
        (b"[" * 100_000 + b'"hunter2"' + b"]" * 100_000, "application/json"),
    ],
)
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_what_is_no_json_is_left_out(recorded, replayed, body, media, is_streamed):
    """Secrets can't be found in it; the replay says so, and how to record it."""

    async def use(plain):
        if not is_streamed:
            return (await plain.request("GET", "/a")).body
        async with plain.stream("/a") as chunks:
            return b"".join([chunk async for chunk in chunks])

    headers = {"content-type": media} if media else None
    step = (
        stream(body[:9], body[9:], headers=headers)
        if is_streamed
        else reply(200, body, headers=headers)
    )
    lines = await recorded(use, step)

    assert "hunter" not in json.dumps(lines)
    kind = media or "application/octet-stream"
    with pytest.raises(UnscriptedCall, match=rf'unredacted_types=\["{kind}"\]'):
        await replayed(use)


async def test_types_of_bodies_may_be_allowed(recorded, replayed):
    """A page that has no secrets is recorded as it is."""

    async def use(plain):
        return (await plain.request("GET", "/a")).body

    page = reply(200, b"<p>token=1</p>", headers={"content-type": "text/html; charset=utf-8"})
    await recorded(use, page, unredacted_types=["text/HTML"])

    assert await replayed(use) == b"<p>token=1</p>"


async def test_a_stream_of_indented_json_has_no_secrets(recorded, replayed):
    """The whole of it is read before it is split into lines."""
    body = json.dumps({"user": {"password": SECRET}, "n": 1}, indent=1).encode()

    async def use(plain):
        async with plain.stream("/a") as chunks:
            return json.loads(b"".join([chunk async for chunk in chunks]))

    lines = await recorded(use, stream(body[:20], body[20:]))

    assert "hunter" not in json.dumps(lines)
    assert await replayed(use) == {"user": {"password": "redacted-1"}, "n": 1}


async def test_half_a_line_is_left_out(recorded):
    """A stream that broke off within a secret."""

    async def use(plain):
        with pytest.raises(TransportFailed):
            async with plain.stream("/a") as chunks:
                _ = [chunk async for chunk in chunks]

    lines = await recorded(use, stream(b'{"n": 1}\n{"password": "hunt', breaks=True))

    assert lines[1]["reply"]["pieces"] == [{"text": '{"n": 1}\n'}]


def test_events_are_redacted_as_a_whole():
    """The lines of data of an event are one text."""
    headers = ((b"content-type", b"text/event-stream; charset=utf-8"),)
    known = b'event: login\ndata: {"password":\ndata: "hunter2"}\n\ndata: [DONE]\n\n'

    assert pieces_of([known[:30], known[30:]], headers, Redaction()) == [
        {"text": 'event: login\ndata: {"password": "redacted-1"}\n\n'},
        {"text": "data: [DONE]\n\n"},
    ]
    [first] = pieces_of([known[:-5]], headers, Redaction(), is_whole=False)
    assert first == {"text": 'event: login\ndata: {"password": "redacted-1"}\n\n'}
