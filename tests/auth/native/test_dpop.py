"""Access tokens that are bound to a key are refused without a proof of the key (RFC 9449)."""

import json
from base64 import urlsafe_b64encode
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest
from fastapi import WebSocket
from joserfc.jwk import ECKey, OctKey

from bff_core import gateway
from bff_core.auth import BearerAuthenticator, DeviceSessions, DPoP, Issuer
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, reply
from tests.auth.test_bearer_gateway import views
from tests.auth.tokens import AUDIENCE, ISSUER, NOW, assembled, claims, key_set, signed, wall
from tests.shop_with_view_cache import by_script, client_of, in_production

HERE = "http://testserver"
KEY = ECKey.generate_key("P-256", private=True)
OTHER = ECKey.generate_key("P-256", private=True)
REFUSAL = "The access token is not valid."


def bound(key=KEY, **more) -> str:
    """Return an access token that is bound to a key."""
    return signed(claims(cnf={"jkt": key.thumbprint(), **more}))


def proof(token: str, *, key=KEY, jwk=None, header=None, algorithm="ES256", **changed) -> str:
    """Return a proof of a key for GET /v1/me; None leaves a claim out."""
    values = {
        "jti": "proof-1",
        "htm": "GET",
        "htu": f"{HERE}/v1/me",
        "iat": NOW,
        "ath": urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode(),
        **changed,
    }
    values = {name: value for name, value in values.items() if value is not None}
    head = {
        "typ": "dpop+jwt",
        "alg": algorithm,
        "jwk": jwk or key.as_dict(private=False),
        **(header or {}),
    }
    return assembled(head, json.dumps(values).encode(), key=key, algorithm=algorithm)


@asynccontextmanager
async def open_shop(dpop=None, *, overrides=None, devices=None, clock=None):
    """Run a gateway that requires or accepts proofs."""
    settings = in_production(["identity"]).model_copy(
        update={"public_url": HERE, **(overrides or {})}
    )
    issuer = Issuer(issuer=ISSUER, audience=(AUDIENCE,))
    more = {} if clock is None else {"clock": clock}
    auth = BearerAuthenticator(issuer, dpop=dpop or DPoP(), devices=devices, wall=wall, **more)
    app = gateway(
        "shop",
        faces=[views],
        settings=settings,
        authenticator=auth,
        events=Events(),
        transport=by_script({"identity": Scripted(reply(200, key_set()))}),
    )
    async with client_of(app) as client:
        yield client


def sent(token: str, *proofs: str) -> list[tuple[str, str]]:
    """Return the headers of a request with proofs."""
    return [("authorization", f"DPoP {token}"), *(("dpop", one) for one in proofs)]


@pytest.mark.parametrize("path", ["/v1/me", "/store/v1/me"])
@pytest.mark.parametrize(
    ("htu", "status"),
    [(f"{HERE}/store/v1/me", 200), (f"{HERE}/v1/me", 401), (f"{HERE}/store/store/v1/me", 401)],
)
async def test_a_proof_names_the_address_below_a_path(path, htu, status):
    """It is the URL that clients use, whether a proxy strips the path or not."""
    token = bound()
    async with open_shop(overrides={"public_url": f"{HERE}/store"}) as client:
        answer = await client.get(path, headers=sent(token, proof(token, htu=htu)))

    assert answer.status_code == status


async def test_a_bound_token_is_accepted_with_its_proof():
    """Each proof is accepted once."""
    token = bound()
    async with open_shop() as client:
        first = await client.get("/v1/me", headers=sent(token, proof(token)))
        second = await client.get("/v1/me", headers=sent(token, proof(token, jti="proof-2")))
        replayed = await client.get("/v1/me", headers=sent(token, proof(token)))

    assert (first.status_code, second.status_code) == (200, 200)
    assert replayed.status_code == 401
    assert replayed.headers["www-authenticate"].startswith('DPoP algs="ES256')


@pytest.mark.parametrize(
    "url",
    [
        *("HTTP://TestServer/v1/me", f"{HERE}:80/v1/me", f"{HERE}:/v1/me", f"{HERE}/v1/%6De"),
        *(f"{HERE}/v1/me?as=a@b", f"{HERE}/v1/me#a@b", f"{HERE}/v1/me?a#b"),
    ],
)
async def test_equivalent_urls_of_a_proof_are_accepted(url):
    """Case, default port, encoded letters, query and fragment make no difference."""
    token = bound()
    async with open_shop() as client:
        answer = await client.get("/v1/me", headers=sent(token, proof(token, htu=url)))

    assert answer.status_code == 200


SYMMETRIC = OctKey.generate_key(256)

FORGED = {
    "no proof": lambda token: [],
    "two proofs": lambda token: [proof(token), proof(token, jti="b")],
    "another key": lambda token: [proof(token, key=OTHER)],
    "another's jwk": lambda token: [proof(token, key=OTHER, jwk=KEY.as_dict(private=False))],
    "a private jwk": lambda token: [proof(token, jwk=KEY.as_dict(private=True))],
    "a symmetric key": lambda token: [
        proof(token, key=SYMMETRIC, jwk=SYMMETRIC.as_dict(), algorithm="HS256")
    ],
    "no signature": lambda token: [proof(token, header={"alg": "none"})],
    "another type": lambda token: [proof(token, header={"typ": "JWT"})],
    "a critical header": lambda token: [proof(token, header={"crit": ["x"]})],
    "another method": lambda token: [proof(token, htm="POST")],
    "another path": lambda token: [proof(token, htu=f"{HERE}/v1/other")],
    "another host": lambda token: [proof(token, htu="http://evil.example/v1/me")],
    "another scheme": lambda token: [proof(token, htu="https://testserver/v1/me")],
    "another port": lambda token: [proof(token, htu="http://testserver:81/v1/me")],
    "no URL": lambda token: [proof(token, htu="http://[")],
    "another path's code": lambda token: [proof(token, htu=f"{HERE}/v1%252Fme")],
    **{
        f"the URL {url!r}": lambda token, url=url: [proof(token, htu=url)]
        for url in (
            *("http://u@testserver/v1/me", "http://u:p@testserver/v1/me"),
            *("http://@testserver/v1/me", "http://testserver@/v1/me", "http://:@testserver/v1/me"),
            *("http://evil.example@testserver/v1/me", "http://testserver@evil.example/v1/me"),
            *("http://evil.example\\@testserver/v1/me", "http://testserver\\@evil.example/v1/me"),
            *("http://testserver\\/v1/me", "http://testserver/v1\\me", "http://testserver/v1/me\\"),
            *(" http://testserver/v1/me", "http://testserver/v1/me\n", "http://test\tserver/v1/me"),
            *(
                "http://testserver/v1/ me",
                "ht\ntp://testserver/v1/me",
                "\x00http://testserver/v1/me",
            ),
            *("http://testserver:0/v1/me", "http://testserver:65536/v1/me", "http://:80/v1/me"),
            *("http:///v1/me", "//testserver/v1/me", "/v1/me", "", "http:testserver/v1/me"),
            *("ftp://testserver/v1/me", "http://testserver./v1/me", "http://testserver/v1/me/"),
        )
    },
    "an old one": lambda token: [proof(token, iat=NOW - 61)],
    "one of the future": lambda token: [proof(token, iat=NOW + 61)],
    "no instant": lambda token: [proof(token, iat=None)],
    "a text for an instant": lambda token: [proof(token, iat=str(NOW))],
    "four hundred digits for an instant": lambda token: [proof(token, iat=10**400)],
    "true for an instant": lambda token: [proof(token, iat=True)],
    "another token's": lambda token: [proof(bound(OTHER))],
    "no token's": lambda token: [proof(token, ath=None)],
    "no id": lambda token: [proof(token, jti=None)],
    "a long id": lambda token: [proof(token, jti="x" * 300)],
    "nonsense": lambda token: ["a.b.c"],
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_proof_is_refused_like_any_other(name):
    """The message is the same for each fault."""
    token = bound()
    async with open_shop() as client:
        answer = await client.get("/v1/me", headers=sent(token, *FORGED[name](token)))

    assert answer.status_code == 401
    assert answer.json()["detail"] == REFUSAL


async def test_a_web_socket_is_opened_with_a_proof_for_get():
    """Its handshake is one (RFC 6455, section 4.1)."""
    token, found = bound(), []
    async with open_shop() as client:
        app = client._transport.app  # the gateway itself

        @app.websocket("/v1/me")
        async def talk(socket: WebSocket) -> None:
            await socket.accept()
            await socket.close()

        for method in ("GET", "POST"):
            given = sent(token, proof(token, htm=method, jti=method))
            headers = [(name.lower().encode(), value.encode()) for name, value in given]
            found.append(await shake(app, "/v1/me", headers))

    assert found == ["websocket.accept", "websocket.close"]


async def shake(app, path: str, headers) -> str:
    """Send a handshake as a server does, and return what the gateway makes of it."""
    kinds = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        kinds.append(message["type"])

    scope = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "root_path": "",
        "scheme": "ws", "query_string": b"", "headers": [(b"host", b"testserver"), *headers],
        "subprotocols": [],
    }  # fmt: skip
    await app(scope, receive, send)
    return kinds[0]


async def test_a_bound_token_needs_its_proof():
    """A bound token is no bearer token, and a bearer token has no proof."""
    token, plain = bound(), signed()
    async with open_shop() as client:
        bare = await client.get("/v1/me", headers={"authorization": f"Bearer {token}"})
        proved = await client.get("/v1/me", headers=sent(plain, proof(plain)))
        usual = await client.get("/v1/me", headers={"authorization": f"Bearer {plain}"})
    async with open_shop(DPoP(required=True)) as client:
        refused = await client.get("/v1/me", headers={"authorization": f"Bearer {plain}"})

    assert [one.status_code for one in (bare, proved, usual, refused)] == [401, 401, 200, 401]


async def test_a_token_that_is_bound_by_something_else_is_refused():
    """Such as a token that is bound to a client certificate which the request lacks."""
    token = bound(**{"x5t#S256": "x"})
    async with open_shop() as client:
        answers = [
            await client.get("/v1/me", headers={"authorization": f"Bearer {token}"}),
            await client.get("/v1/me", headers=sent(token, proof(token))),
        ]

    assert [one.status_code for one in answers] == [401, 401]


@pytest.mark.parametrize("skew", [-59, 59])
async def test_clocks_may_differ_by_a_minute(skew):
    """The clocks of phones are seldom exact."""
    token = bound()
    async with open_shop() as client:
        answer = await client.get("/v1/me", headers=sent(token, proof(token, iat=NOW + skew)))

    assert answer.status_code == 200


async def test_a_gateway_may_require_its_nonce():
    """The gateway sends a nonce with each answer, and an error if a proof lacks one."""
    token = bound()
    async with open_shop(DPoP(nonces=True)) as client:
        without = await client.get("/v1/me", headers=sent(token, proof(token)))
        nonce = without.headers["dpop-nonce"]
        with_it = await client.get(
            "/v1/me", headers=sent(token, proof(token, jti="b", nonce=nonce))
        )
        made_up = await client.get(
            "/v1/me", headers=sent(token, proof(token, jti="c", nonce="made-up"))
        )

    assert without.status_code == made_up.status_code == 401
    assert 'error="use_dpop_nonce"' in without.headers["www-authenticate"]
    assert with_it.status_code == 200
    assert with_it.headers["dpop-nonce"] == nonce


@pytest.mark.needs("redis-server")
async def test_a_proof_is_accepted_once_over_all_processes(redis_server):
    """Processes share used proofs in Redis; while Redis is frozen, every proof is refused."""
    token, overrides = bound(), {"session_url": redis_server.url}
    async with open_shop(overrides=overrides) as first, open_shop(overrides=overrides) as second:
        here = await first.get("/v1/me", headers=sent(token, proof(token)))
        there = await second.get("/v1/me", headers=sent(token, proof(token)))
        redis_server.freeze()
        frozen = await second.get("/v1/me", headers=sent(token, proof(token, jti="b")))
        redis_server.thaw()

    assert (here.status_code, there.status_code, frozen.status_code) == (200, 401, 503)


def test_dpop_needs_the_public_url():
    """Start-up is refused, with the variable that is missing."""
    issuer = Issuer(issuer=ISSUER, audience=(AUDIENCE,))
    with pytest.raises(ConfigurationError, match="BFF_PUBLIC_URL"):
        gateway(
            "shop",
            settings=in_production(["identity"]),
            authenticator=BearerAuthenticator(issuer, dpop=DPoP()),
        )
    with pytest.raises(ConfigurationError, match="algorithms"):
        DPoP(algorithms=("HS256",))
    with pytest.raises(ConfigurationError, match="leeway"):
        DPoP(leeway=3600)


class Ticking:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_a_device_is_listed_and_ended(kind, redis_server):
    """Its tokens are refused from then on; other devices, and other people's, are not."""
    overrides = {"session_url": redis_server.url} if kind == "redis" else {}
    phone = {"authorization": f"Bearer {signed(claims(sid='phone'))}", "user-agent": "Phone 1"}
    laptop = {"authorization": f"Bearer {signed(claims(sid='laptop'))}", "user-agent": "Laptop"}
    other = {"authorization": f"Bearer {signed(claims(sub='user-8', sid='theirs'))}"}
    async with open_shop(devices=DeviceSessions(wall=wall), overrides=overrides) as client:
        for headers in (phone, laptop, other):
            assert (await client.get("/v1/me", headers=headers)).status_code == 200
        listed = (await client.get("/bff/devices", headers=phone)).json()["devices"]
        (theirs,) = (await client.get("/bff/devices", headers=other)).json()["devices"]
        (lost,) = [one["id"] for one in listed if one["name"] == "Laptop"]
        foreign = await client.delete(f"/bff/devices/{theirs['id']}", headers=phone)
        ended = await client.delete(f"/bff/devices/{lost}", headers=phone)
        again = await client.delete(f"/bff/devices/{lost}", headers=phone)
        after = [
            (await client.get("/v1/me", headers=one)).status_code for one in (phone, laptop, other)
        ]
        anonymous = await client.get("/bff/devices")
        left = (await client.get("/bff/devices", headers=phone)).json()["devices"]

    assert {one["name"] for one in listed} == {"Phone 1", "Laptop"}
    assert (foreign.status_code, ended.status_code, again.status_code) == (404, 204, 404)
    assert after == [200, 401, 200]
    assert anonymous.status_code == 401
    assert [one["name"] for one in left] == ["Phone 1"]
