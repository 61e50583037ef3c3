"""CORS: only pages of configured origins may read answers."""

import pytest

from bff_core.edge.options import CorsOptions
from bff_core.errors import ConfigurationError

SHOP, OTHER = "https://shop.example", "https://evil.example"


def preflight(origin):
    """Return the headers of a browser's preflight."""
    return {"Origin": origin, "Access-Control-Request-Method": "PUT"}


async def test_no_origin_may_read_by_default(edged, answering):
    """Without settings there is no CORS header at all."""
    answer = await edged(answering()).get("/", headers={"Origin": SHOP})

    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_named_origin_may_read(edged, answering):
    """The answer names the origin exactly, and exposes the headers that pages read."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,)))

    answer = await gateway.get("/", headers={"Origin": SHOP})

    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "Part-Status" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", [OTHER, "null", "https://shop.example.evil", SHOP.upper(), ""])
async def test_another_origin_may_not(edged, answering, origin):
    """A similar origin gets no permission."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,), with_credentials=True))

    answer = await gateway.get("/", headers={"Origin": origin})

    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("headers", [{"Origin": SHOP}, {"Origin": OTHER}, {}])
async def test_caches_learn_that_answers_differ_by_origin(edged, answering, headers):
    """Also without Origin, so that a cache does not give that answer to a page later."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,)))

    answer = await gateway.get("/", headers=headers)

    assert answer.headers["vary"] == "Origin, Accept-Encoding"


async def test_credentials_are_allowed_only_if_configured(edged, answering):
    """Cookies cross origins by explicit choice."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,), with_credentials=True))

    answer = await gateway.get("/", headers={"Origin": SHOP})

    assert answer.headers["access-control-allow-credentials"] == "true"


async def test_a_preflight_is_answered_without_the_app(edged, answering):
    """The browser learns what it may send; no route is called, no viewer needed."""
    scopes = []
    gateway = edged(answering(scopes=scopes), cors=CorsOptions(origins=(SHOP,)))

    answer = await gateway.ask("OPTIONS", "/v1/cart", headers=preflight(SHOP))

    assert (answer.status_code, answer.content, scopes) == (204, b"", [])
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert answer.headers["vary"] == (
        "Access-Control-Request-Method, Access-Control-Request-Headers, Origin"
    )


async def test_a_preflight_of_another_origin_is_refused(edged, answering):
    """It gets problem details, and no permission."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,)))

    answer = await gateway.ask("OPTIONS", "/v1/cart", headers=preflight(OTHER))

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_an_options_request_that_is_no_preflight_reaches_the_app(edged, answering):
    """OPTIONS has other uses."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,)))

    answer = await gateway.ask("OPTIONS", "/", headers={"Origin": SHOP})

    assert (answer.status_code, answer.content) == (200, b"{}")


async def test_a_page_can_read_a_refusal(edged, answering):
    """Without CORS on errors, a page would see 'network error' and no Retry-After."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,)), max_body=1)

    answer = await gateway.ask("POST", "/", content=b"xx", headers={"Origin": SHOP})

    assert answer.status_code == 413
    assert answer.headers["access-control-allow-origin"] == SHOP


async def test_a_star_lets_every_page_read(edged, answering):
    """Public data without credentials; answers are the same for all, so they do not vary."""
    gateway = edged(answering(), cors=CorsOptions(origins=("*",)))

    answer = await gateway.get("/", headers={"Origin": OTHER})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "options",
    [
        {"origins": ("*",), "with_credentials": True},
        {"origins": ("*", SHOP)},
        {"origins": ("shop.example",)},
        {"origins": ("https://shop.example/",)},
        {"origins": ("https://*.example",)},
        {"origins": ("https://*",)},
        {"origins": ("*", "https://*.preview.example")},
        {"origins": ("null",)},
        {"origins": ("HTTPS://shop.example",)},
    ],
)
def test_a_dangerous_or_useless_origin_is_refused_at_start_up(options):
    """An origin that no browser sends, or that every page can have, is a mistake."""
    with pytest.raises(ConfigurationError, match="CORS origin"):
        CorsOptions(**options)


PREVIEWS = "https://*.preview.example"


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.preview.example", "https://pr-7.preview.example", "https://7.preview.example",
        "https://xn--bcher-kva.preview.example", "https://feature_x.preview.example",
        "https://" + "a" * 63 + ".preview.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("with_credentials", [False, True])
async def test_an_origin_of_a_pattern_may_read(edged, answering, origin, with_credentials):
    """Each branch has its own preview; the answer names its origin, never the pattern."""
    options = CorsOptions(origins=(SHOP, PREVIEWS), with_credentials=with_credentials)
    gateway = edged(answering(), cors=options)

    answer = await gateway.get("/", headers={"Origin": origin})
    answered = await gateway.ask("OPTIONS", "/", headers=preflight(origin))

    for one in (answer, answered):
        assert one.headers["access-control-allow-origin"] == origin
        assert ("access-control-allow-credentials" in one.headers) is with_credentials
        assert "Origin" in one.headers["vary"]
    assert answered.status_code == 204


@pytest.mark.parametrize(
    "origin",
    [
        "https://preview.example", "https://.preview.example", "https://a.b.preview.example",
        "https://evil.example/.preview.example", "https://evil.example#.preview.example",
        "https://evil.example?.preview.example", "https://evil.example:443.preview.example",
        "https://evil.example\\.preview.example", "https://evil@a.preview.example",
        "https://a:b@c.preview.example", "http://a.preview.example", "HTTPS://a.preview.example",
        "https://A.preview.example", "https://a.PREVIEW.example", "https://a.preview.example.",
        "https://a.preview.example:443", "https://a.preview.example:8443",
        "https://a.preview.example/", "https://a.preview.example.evil.example",
        "https://apreview.example", "https://evilpreview.example", "https://a-preview.example",
        "https://a.previewXexample", "https://-a.preview.example", "https://a-.preview.example",
        "https://*.preview.example", "https://a*.preview.example", "https://a%2eb.preview.example",
        "https://" + "a" * 64 + ".preview.example", "null", "", "https://a.preview.example null",
        "https://a.preview.example, https://b.preview.example", "wss://a.preview.example",
    ],
)  # fmt: skip
async def test_nothing_that_resembles_an_origin_of_a_pattern_may_read(edged, answering, origin):
    """The star stands for exactly one label; everything else must be equal."""
    options = CorsOptions(origins=(SHOP, PREVIEWS), with_credentials=True)
    gateway = edged(answering(), cors=options)

    answer = await gateway.get("/", headers={"Origin": origin})
    answered = await gateway.ask("OPTIONS", "/", headers=preflight(origin))

    for one in (answer, answered):
        assert not [name for name in one.headers if name.startswith("access-control")]
    assert answered.status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        b"https://a\xe4.preview.example", b"https://a.preview.example\n",
        b"https://a\x00.preview.example", "https://\u0430.preview.example".encode(),
    ],
)  # fmt: skip
async def test_bytes_that_no_name_has_are_of_no_pattern(edged, answering, origin):
    """Browsers send other alphabets in ASCII, so other bytes match no pattern."""
    gateway = edged(answering(), cors=CorsOptions(origins=(PREVIEWS,)))

    await gateway.speak([(b"host", b"testserver"), (b"origin", origin)])

    assert not [name for name, _ in gateway.sent[0]["headers"] if name.startswith(b"access-")]


async def test_a_pattern_may_have_a_port(edged, answering):
    """Only an origin with this port matches."""
    gateway = edged(answering(), cors=CorsOptions(origins=("http://*.dev.example:3000",)))

    ports = {":3000": "http://a.dev.example:3000", ":30000": None, "": None, ":3001": None}
    for port, permission in ports.items():
        answer = await gateway.get("/", headers={"Origin": f"http://a.dev.example{port}"})
        assert answer.headers.get("access-control-allow-origin") == permission
