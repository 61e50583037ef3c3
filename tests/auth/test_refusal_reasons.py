"""Why credentials were refused: a fixed word in the line of the request, and nothing of them."""

import httpx
import pytest

from bff_core import FirstOf, gateway
from bff_core.auth import BearerAuthenticator, DPoP, Issuer
from bff_core.auth.api_keys.authenticator import ApiKeyAuthenticator
from bff_core.auth.api_keys.record import new_key
from bff_core.auth.certificate import CertificateAuthenticator
from bff_core.auth.demo import DemoAuthenticator
from bff_core.auth.introspection import IntrospectionAuthenticator
from bff_core.auth.session.csrf import CsrfProtection, Forged
from bff_core.errors import NotAuthenticated
from bff_core.testing.scripted import Scripted, fail, reply
from tests.auth.keys.test_certificates import certificate
from tests.auth.keys.test_certificates import header_of as sent_as
from tests.auth.keys.test_introspection import OPTIONS, active
from tests.auth.native.test_dpop import HERE, KEY, OTHER, bound, proof
from tests.auth.test_bearer_gateway import bearer, views
from tests.auth.tokens import AUDIENCE, ISSUER, NOW, STRANGER, claims, key_set, signed, wall
from tests.observe.failing_gateway import logged
from tests.shop_with_view_cache import by_script, in_production

TOKEN = bound()


def jwt(**options):
    """Return an authenticator for access tokens."""
    return BearerAuthenticator(Issuer(issuer=ISSUER, audience=(AUDIENCE,)), wall=wall, **options)


async def refused(authenticator, headers, *script, path="/v1/me"):
    """Send a request with credentials; return the line of the request, and all lines."""
    values = in_production(["identity"], trusted_proxies=("10.0.0.7",), api_keys_url="sqlite://")
    with logged() as (log, events):
        app = gateway(
            "shop",
            faces=[views],
            settings=values.model_copy(update={"public_url": HERE}),
            authenticator=authenticator,
            events=events,
            transport=by_script({"identity": Scripted(*script or [reply(200, key_set())])}),
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("10.0.0.7", 1))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=HERE) as client,
        ):
            answer = await client.get(path, headers=headers)
    (line,) = log.of("request.answered")
    assert answer.status_code == line["status"] == 401
    return line, log.text


def assert_refused(line, text, headers, reason, by):
    """Check the reason, and that no credential is in any line."""
    assert (line["reason"], line["refused_by"]) == (reason, by)
    assert line["route"] == line["path"] == "/v1/me"
    for _, value in headers.items() if isinstance(headers, dict) else headers:
        secret = value.split(" ")[-1]
        assert len(secret) < 8 or secret not in text


TOKENS = [
    (signed(claims(exp=NOW - 600)), "expired"),
    (signed(claims(nbf=NOW + 600)), "not_yet"),
    (signed(claims(iss="https://evil.example")), "issuer"),
    (signed(claims(aud="other")), "audience"),
    (signed(claims(sub=None)), "subject"),
    (signed(claims(exp="soon")), "exp"),
    (signed(key=STRANGER), "signature"),
    (signed(kid="unknown-key"), "key"),
    (signed(typ="nonsense"), "typ"),
    (signed(claims(cnf={"x5t#S256": "abc"})), "cnf"),
    ("not-a-token-at-all", "no_compact_form"),
    ("e30.e30.e30", "header"),
    (bound(), "proof_missing"),
]


@pytest.mark.parametrize(("token", "reason"), TOKENS, ids=[reason for _, reason in TOKENS])
async def test_a_refused_access_token_is_logged_with_a_reason(token, reason):
    """The caller does not learn the reason."""
    headers = bearer(token)

    line, text = await refused(jwt(dpop=DPoP()), headers)

    assert_refused(line, text, headers, reason, "Bearer")


async def test_an_unknown_scheme_is_logged_as_reason():
    """The caller sent Basic credentials where tokens are expected."""
    headers = {"authorization": "Basic dXNlcjpzM2NyM3QtcGFzcw=="}

    line, text = await refused(jwt(), headers)

    assert_refused(line, text, headers, "no_bearer_token", "Bearer")


PROOFS = [
    ([], "proof_count"),
    ([proof(TOKEN), proof(TOKEN, jti="2")], "proof_no_compact_form"),
    ([proof(TOKEN, header={"typ": "jwt"})], "proof_type"),
    ([proof(TOKEN, key=OTHER)], "proof_thumbprint"),
    ([proof(TOKEN, jwk=KEY.as_dict(private=False), key=OTHER)], "proof_signature"),
    ([proof(TOKEN, iat=NOW - 600)], "proof_iat"),
    ([proof(TOKEN, htm="POST")], "proof_request"),
    ([proof(TOKEN, ath="other")], "proof_ath"),
    ([proof(TOKEN, jti=None)], "proof_jti"),
    (["no-proof-at-all"], "proof_no_compact_form"),
]


@pytest.mark.parametrize(("proofs", "reason"), PROOFS, ids=[str(one[1]) for one in PROOFS])
async def test_a_refused_proof_is_logged_with_a_reason(proofs, reason):
    """The reason differs from those of the token itself."""
    headers = [("authorization", f"DPoP {TOKEN}"), *(("dpop", one) for one in proofs)]

    line, text = await refused(jwt(dpop=DPoP()), headers)

    assert_refused(line, text, headers, reason, "Bearer")


async def test_a_proof_without_the_nonce_is_logged_as_such():
    """The client gets a nonce."""
    headers = [("authorization", f"DPoP {TOKEN}"), ("dpop", proof(TOKEN))]

    line, text = await refused(jwt(dpop=DPoP(nonces=True)), headers)

    assert_refused(line, text, headers, "proof_nonce", "Bearer")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(200, {"active": False}), "inactive"),
        (active(aud="other"), "audience"),
        (active(iss="https://evil.example"), "issuer"),
        (active(exp=NOW - 600), "expired"),
        (active(cnf={"jkt": "x"}), "bound"),
        (active(sub=None), "subject"),
    ],
)
async def test_a_refused_opaque_token_is_logged_with_a_reason(answer, reason):
    """The reason comes from the issuer's reply, and from the cached refusal after it."""
    headers = bearer("opaque-s3cret-token")

    line, text = await refused(IntrospectionAuthenticator(OPTIONS, wall=wall), headers, answer)

    assert_refused(line, text, headers, reason, "Introspection")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"client-cert": ":AAAA:"}, "malformed"),
        ({"client-cert": "nothing-like-it"}, "malformed"),
        (sent_as(certificate("jobs.evil.example")), "subject_not_allowed"),
    ],
)
async def test_a_refused_certificate_is_logged_with_a_reason(headers, reason):
    """Neither the subject nor the certificate is in the log."""
    auth = CertificateAuthenticator(by="dns", allowed=("*.shop.example",))

    line, text = await refused(auth, headers)

    assert_refused(line, text, headers, reason, "Certificate")
    assert "evil" not in text


@pytest.mark.parametrize(
    ("moment", "reason"), [(lambda: 1e12, "expired"), (lambda: 1.0, "not_yet")]
)
async def test_an_expired_or_early_certificate_is_logged_as_such(moment, reason):
    """The log distinguishes the two."""
    auth = CertificateAuthenticator(by="dns", allowed=("*.shop.example",), wall=moment)

    line, _ = await refused(auth, sent_as(certificate()))

    assert line["reason"] == reason


@pytest.mark.parametrize("key", ["nonsense", new_key()], ids=["malformed", "unknown"])
async def test_a_refused_api_key_is_logged_with_a_reason(key):
    """A key that was never issued, or was revoked, is unknown."""
    headers = {"x-api-key": key}

    line, text = await refused(ApiKeyAuthenticator(), headers)

    assert_refused(line, text, headers, "unknown_key", "ApiKey")


async def test_the_log_names_the_authenticator_that_refused():
    """No further authenticator is called."""
    several = FirstOf(ApiKeyAuthenticator(), DemoAuthenticator(env="development"))

    line, _ = await refused(several, bearer("mo-demo"))

    assert (line["reason"], line["refused_by"]) == ("malformed", "Demo")


class Grumpy:
    """An author's own, which gives no reason."""

    challenge = "Bearer"

    async def authenticate(self, scope):
        """Refuse."""
        raise NotAuthenticated("s3cr3t words of the author's own")


async def test_a_refusal_of_a_custom_authenticator_has_a_general_reason():
    """Its message is not logged, since it may contain anything."""
    line, text = await refused(Grumpy(), {})

    assert (line["reason"], line["refused_by"]) == ("refused", "Grumpy")
    assert "s3cr3t" not in text


async def test_missing_credentials_are_logged_as_reason():
    """The route requires a sign-in, and the request has no credentials."""
    line, _ = await refused(jwt(), {})

    assert line["reason"] == "no_credentials"
    assert "refused_by" not in line


HERE_ORIGIN = b"https://shop.example"


@pytest.mark.parametrize(
    ("method", "headers", "reason", "hint"),
    [
        ("POST", [(b"x-csrf", b"1")], "no_origin", "Send the header Origin"),
        ("POST", [], "no_csrf_header", "X-CSRF: 1 with requests of your pages, and Origin"),
        ("GET", [], "no_csrf_header", "X-CSRF: 1 with requests of your pages."),
        ("POST", [(b"origin", HERE_ORIGIN)], "no_csrf_header", "with requests of your pages."),
        ("POST", [(b"origin", b"https://evil.example")], "other_origin", "its Origin or"),
        ("WEBSOCKET", [], "origin_of_socket", "Send Origin"),
    ],
)
def test_a_forged_request_learns_what_to_send(method, headers, reason, hint):
    """The first answer to a developer with curl names the header to add."""
    with pytest.raises(Forged) as raised:
        CsrfProtection([HERE_ORIGIN.decode()]).check(method, tuple(headers))

    assert raised.value.reason == reason
    assert hint in raised.value.detail


@pytest.mark.parametrize(
    ("step", "cause"),
    [
        (fail(), ", caused by TransportFailed: identity: GET /"),
        (reply(500), ", caused by ProviderUnavailable: keys answered 500"),
        (reply(301, headers={"location": "/new"}), "keys answered 301, a redirect to '/new'"),
        (reply(200, b"<html>"), ", caused by ValueError: no JSON object"),
    ],
    ids=["outage", "500", "301", "page"],
)
async def test_unavailable_keys_are_logged_with_the_cause(step, cause):
    """The issuer did not answer, or returned something else."""
    with logged() as (log, events):
        app = gateway(
            "shop",
            faces=[views],
            settings=in_production(["identity"]),
            authenticator=jwt(),
            events=events,
            transport=by_script({"identity": Scripted(step)}),
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url=HERE) as client,
        ):
            answer = await client.get("/v1/me", headers=bearer(signed()))

    (line,) = log.errors
    assert answer.status_code == line["status"] == 503
    assert line["error"].startswith("ProviderUnavailable: no keys")
    assert cause in line["error"]
