"""The mock provider: anybody signs in as anybody, and all else is as at a real one."""

import re
from base64 import urlsafe_b64encode
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from services_mock import identity
from services_mock.identity.clients import JOBS_SECRET, WEB_SECRET

ISSUER = "https://id.example"
WEB = "https://shop.example"
CALLBACK = f"{WEB}/bff/callback"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BASIC = httpx.BasicAuth("web", WEB_SECRET)
JOBS = httpx.BasicAuth("jobs", JOBS_SECRET)


class Wall:
    """The time of day, as the tests set it."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Provider:
    """The provider, and a client in front of it."""

    client: httpx.AsyncClient
    wall: Wall

    async def authorize(self, **changed) -> httpx.Response:
        """Request the page for choosing a user; None leaves a parameter out."""
        params = {
            "client_id": "web",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid offline_access",
            "state": "s1",
            "nonce": "n1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changed,
        }
        params = {name: value for name, value in params.items() if value is not None}
        return await self.client.get("/authorize", params=params)

    async def chosen(self, user: str = "2", **changed) -> dict[str, str]:
        """Choose a user; return what the browser is sent back with."""
        page = await self.authorize(**changed)
        form = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
        sent = page  # a user who is signed in gets no form
        if not page.is_redirect:
            sent = await self.client.post("/authorize", data={**form, "user": user})
        return {k: v[0] for k, v in parse_qs(urlsplit(sent.headers["location"]).query).items()}

    async def token(self, auth=BASIC, **form) -> httpx.Response:
        """Ask for tokens."""
        return await self.client.post("/token", data=form, auth=auth)

    async def redeemed(self, code: str, auth=BASIC, **changed) -> httpx.Response:
        """Redeem a code."""
        form = {"code_verifier": VERIFIER, "redirect_uri": CALLBACK, **changed}
        return await self.token(auth, grant_type="authorization_code", code=code, **form)

    async def signed_in(self) -> dict[str, str]:
        """Return the tokens of somebody who signed in."""
        return (await self.redeemed((await self.chosen())["code"])).json()

    async def claims(self, token: str) -> dict[str, object]:
        """Return what a token says, verified by the published keys."""
        keys = KeySet.import_key_set((await self.client.get("/jwks")).json())
        return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)


@asynccontextmanager
async def running():
    """Run the provider in process."""
    wall = Wall()
    app = identity.create_app(ISSUER, WEB, wall=wall)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield Provider(client, wall)


async def test_a_user_signs_in():
    """The code comes back with state and issuer; the tokens say who, for whom, and how."""
    async with running() as provider:
        back = await provider.chosen("2")
        tokens = (await provider.redeemed(back["code"])).json()
        access, who = [await provider.claims(tokens[name]) for name in ("access_token", "id_token")]
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        info = (await provider.client.get("/userinfo", headers=headers)).json()

    assert (back["state"], back["iss"]) == ("s1", ISSUER)
    assert (access["sub"], access["aud"], access["client_id"]) == (
        "2",
        "https://api.shop.example",
        "web",
    )
    assert (who["aud"], who["nonce"], who["sid"]) == ("web", "n1", access["sid"])
    assert info["sub"] == "2"
    assert info["email"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"client_id": "unknown"}, 400),
        ({"redirect_uri": "https://evil.example/"}, 400),
        ({"redirect_uri": f"{CALLBACK}/more"}, 400),
        ({"response_type": "token"}, 303),
        ({"code_challenge": None}, 303),
        ({"code_challenge_method": "plain"}, 303),
        ({"scope": "root"}, 303),
        ({"prompt": "none"}, 303),
    ],
)
async def test_a_request_that_is_wrong_is_refused(changed, status):
    """On a page where nothing says that the redirect is the client's, to the client else."""
    async with running() as provider:
        answer = await provider.authorize(**changed)

    assert answer.status_code == status
    if status == 303:
        assert "error=" in answer.headers["location"]
        assert answer.headers["location"].startswith(CALLBACK)


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "w" * 43},
        {"redirect_uri": f"{WEB}/"},
        {"auth": httpx.BasicAuth("web", "wrong")},
        {"auth": JOBS},
        {"code": "made-up"},
    ],
)
async def test_a_code_is_redeemed_by_whom_it_is_for(changed):
    """With the verifier, the address and the secret of the client that requested it."""
    async with running() as provider:
        code = (await provider.chosen())["code"]
        answer = await provider.redeemed(**{"code": code, **changed})

    assert answer.status_code in {400, 401}
    assert answer.json()["error"] in {"invalid_grant", "invalid_client"}


async def test_a_code_is_good_once_and_not_for_long():
    """A second use takes back what the first one gave."""
    async with running() as provider:
        code = (await provider.chosen())["code"]
        tokens = (await provider.redeemed(code)).json()
        again = await provider.redeemed(code)
        after = await provider.token(
            grant_type="refresh_token", refresh_token=tokens["refresh_token"]
        )
        late = (await provider.chosen())["code"]
        provider.wall.now += 61
        too_late = await provider.redeemed(late)

    assert [one.status_code for one in (again, after, too_late)] == [400, 400, 400]


async def test_refresh_tokens_are_rotated_and_reuse_is_noticed():
    """Who comes with one that was replaced ends the whole family."""
    async with running() as provider:
        first = (await provider.signed_in())["refresh_token"]
        grant = {"grant_type": "refresh_token"}
        second = (await provider.token(**grant, refresh_token=first)).json()["refresh_token"]
        stolen = await provider.token(**grant, refresh_token=first)
        ended = await provider.token(**grant, refresh_token=second)

    assert first != second
    assert (stolen.status_code, ended.status_code) == (400, 400)


async def test_parameters_can_be_pushed():
    """By the client itself, for itself."""
    async with running() as provider:
        form = {
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "state": "s2",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        pushed = await provider.client.post("/par", data=form, auth=BASIC)
        uri = pushed.json()["request_uri"]
        page = await provider.client.get(
            "/authorize", params={"client_id": "web", "request_uri": uri}
        )
        other = await provider.client.get(
            "/authorize", params={"client_id": "mobile", "request_uri": uri}
        )
        evil = await provider.client.post(
            "/par", data={**form, "redirect_uri": "https://evil.example"}, auth=BASIC
        )

    assert (pushed.status_code, page.status_code) == (201, 200)
    assert (other.status_code, evil.status_code) == (400, 400)


async def test_native_apps_listen_on_any_port():
    """Of the loopback interface, at the path that was registered."""
    async with running() as provider:
        statuses = [
            (await provider.authorize(client_id="desktop", redirect_uri=uri)).status_code
            for uri in (
                "http://127.0.0.1:51234/callback",
                "http://127.0.0.1/callback",
                "http://localhost:51234/callback",
                "http://127.0.0.1:51234/other",
                "http://evil.example:51234/callback",
            )
        ]

    assert statuses == [200, 200, 400, 400, 400]


async def test_services_get_tokens_of_their_own_and_in_exchange():
    """For their audience, with no more than the viewer's scopes."""
    async with running() as provider:
        own = (
            await provider.token(JOBS, grant_type="client_credentials", scope="cart:read")
        ).json()
        viewers = (await provider.signed_in())["access_token"]
        exchange = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": viewers,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "audience": "https://ledger.example",
        }
        given = (await provider.token(JOBS, **exchange)).json()
        more = await provider.token(JOBS, **exchange, scope="orders:write")
        public = await provider.token(None, grant_type="client_credentials", client_id="mobile")
        claims = [await provider.claims(one["access_token"]) for one in (own, given)]

    assert (claims[0]["sub"], claims[0]["scope"]) == ("jobs", "cart:read")
    assert (claims[1]["sub"], claims[1]["aud"]) == ("2", "https://ledger.example")
    assert claims[1]["act"] == {"sub": "jobs"}
    assert (more.status_code, public.status_code) == (400, 400)


LOOPBACK = "http://127.0.0.1:51234/callback"
ALL = "openid offline_access profile:read orders:read cart:write prices:write"


@pytest.mark.parametrize(
    ("client", "user", "requested", "granted"),
    [
        ("desktop", "2", ALL, ALL.replace(" prices:write", "")),
        ("desktop", "9", ALL, ALL),
        ("mobile", "9", ALL, ALL.replace(" prices:write", "")),
        ("mobile", "2", "openid", "openid"),
        ("desktop", "2", "openid prices:write", "openid"),
    ],
)
async def test_users_and_clients_are_granted_what_they_may_have(client, user, requested, granted):
    """Only staff may change prices, only in the desktop app; the answer names what was granted."""
    native = {"client_id": client, "redirect_uri": LOOPBACK}
    async with running() as provider:
        back = await provider.chosen(user, scope=requested, **native)
        tokens = (await provider.redeemed(back["code"], None, **native)).json()
        claims = await provider.claims(tokens["access_token"])

    assert set(tokens["scope"].split()) == set(granted.split())
    assert claims["scope"] == tokens["scope"]


async def test_a_refresh_grants_what_was_granted_and_never_more():
    """All of it, or less where less is requested; what the user never had is refused."""
    native = {"client_id": "desktop", "redirect_uri": LOOPBACK}
    async with running() as provider:
        back = await provider.chosen("2", scope=ALL, **native)
        tokens = (await provider.redeemed(back["code"], None, **native)).json()
        refresh = {"grant_type": "refresh_token", "client_id": "desktop"}
        first = tokens["refresh_token"]
        more = await provider.token(None, **refresh, refresh_token=first, scope="prices:write")
        same = (await provider.token(None, **refresh, refresh_token=first)).json()
        second = same["refresh_token"]
        less = await provider.token(None, **refresh, refresh_token=second, scope="orders:read")
        third = less.json()["refresh_token"]
        again = (await provider.token(None, **refresh, refresh_token=third)).json()

    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    assert same["scope"] == again["scope"] == tokens["scope"]
    assert less.json()["scope"] == "orders:read"


async def test_a_service_is_granted_no_scope_of_staff():
    """Neither for itself nor in exchange for the token of somebody who has it."""
    native = {"client_id": "desktop", "redirect_uri": LOOPBACK}
    async with running() as provider:
        own = await provider.token(JOBS, grant_type="client_credentials", scope="prices:write")
        back = await provider.chosen("9", scope="openid prices:write", **native)
        staff = (await provider.redeemed(back["code"], None, **native)).json()
        exchange = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": staff["access_token"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        }
        given = (await provider.token(JOBS, **exchange)).json()

    assert (own.status_code, own.json()["error"]) == (400, "invalid_scope")
    assert given["scope"] == "openid"


async def test_tokens_are_introspected_and_revoked():
    """Opaque ones, too; only clients with a secret may ask."""
    async with running() as provider:
        tokens = await provider.signed_in()
        auth = httpx.BasicAuth("opaque", JOBS_SECRET)
        opaque = (await provider.token(auth, grant_type="client_credentials")).json()

        async def introspected(token: str):
            return (
                await provider.client.post("/introspect", data={"token": token}, auth=JOBS)
            ).json()

        before = [
            await introspected(tokens["access_token"]),
            await introspected(opaque["access_token"]),
        ]
        for name in ("access_token", "refresh_token"):
            await provider.client.post("/revoke", data={"token": tokens[name]}, auth=BASIC)
        after = [await introspected(tokens["access_token"]), await introspected("made-up")]
        stranger = await provider.client.post("/introspect", data={"token": "x"})
        refreshed = await provider.token(
            grant_type="refresh_token", refresh_token=tokens["refresh_token"]
        )

    assert [one["active"] for one in before] == [True, True]
    assert "." not in opaque["access_token"]
    assert after == [{"active": False}, {"active": False}]
    assert (stranger.status_code, refreshed.status_code) == (401, 400)


async def test_tokens_are_bound_to_a_key_that_is_proved():
    """`cnf.jkt` names it; a proof for another address is none."""
    key = ECKey.generate_key("P-256", private=True)

    def proof(url: str) -> str:
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
        claims = {"htm": "POST", "htu": url, "iat": int(Wall.now), "jti": "p1"}
        return jwt.encode(header, claims, key, algorithms=["ES256"])

    async with running() as provider:
        form = {"grant_type": "client_credentials"}
        good, bad = [
            await provider.client.post("/token", data=form, auth=JOBS, headers={"dpop": proof(url)})
            for url in (f"{ISSUER}/token", "https://evil.example/token")
        ]
        claims = await provider.claims(good.json()["access_token"])

    assert good.json()["token_type"] == "DPoP"
    assert claims["cnf"] == {"jkt": key.thumbprint()}
    assert bad.json()["error"] == "invalid_dpop_proof"


async def test_who_signs_out_is_sent_back_to_a_page_of_the_client():
    """And has to choose again the next time."""
    async with running() as provider:
        await provider.chosen()
        known = await provider.authorize()
        params = {"client_id": "web", "post_logout_redirect_uri": f"{WEB}/", "state": "x"}
        left = await provider.client.get("/end-session", params=params)
        evil = await provider.client.get(
            "/end-session", params={**params, "post_logout_redirect_uri": "https://evil.example/"}
        )
        again = await provider.authorize()

    assert known.status_code == 303
    assert left.headers["location"] == f"{WEB}/?state=x"
    assert evil.status_code == 200
    assert again.status_code == 200


async def test_keys_are_rotated_and_the_last_ones_still_published():
    """What was signed before can be verified for a while."""
    async with running() as provider:
        before = await provider.signed_in()
        fresh = (await provider.client.post("/__keys__", headers={"host": "localhost"})).json()[
            "kid"
        ]
        keys = (await provider.client.get("/jwks")).json()["keys"]
        claims = await provider.claims(before["access_token"])

    assert keys[0]["kid"] == fresh
    assert len(keys) == 2
    assert all("d" not in one for one in keys)
    assert claims["sub"] == "2"


async def test_a_provider_that_restarts_signs_with_the_same_key():
    """Tokens of before and after a restart are signed by one key, so no gateway has to fetch it."""
    async with running() as provider:
        before = (await provider.client.get("/jwks")).json()["keys"]
        token = (await provider.signed_in())["access_token"]
    async with running() as provider:
        after = (await provider.client.get("/jwks")).json()["keys"]
        claims = await provider.claims(token)

    assert before == after
    assert claims["sub"] == "2"


async def test_everything_that_is_announced_is_there():
    """Each endpoint of the discovery document answers something."""
    async with running() as provider:
        metadata = (await provider.client.get("/.well-known/openid-configuration")).json()
        urls = [metadata[name] for name in metadata if name.endswith(("_endpoint", "_uri"))]
        statuses = [
            (await provider.client.request(method, url)).status_code
            for url in urls
            for method in ("GET", "POST")
        ]

    assert all(url.startswith(ISSUER) for url in urls)
    assert 404 not in statuses


async def test_the_page_can_not_be_framed_and_loads_nothing():
    """It says that it is a mock, and has no password field."""
    async with running() as provider:
        page = await provider.authorize(scope="openid", client_id="web")

    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "A mock" in page.text
    assert "password" not in page.text.replace("no password", "")
    assert "http" not in re.sub(r'value="[^"]*"', "", page.text)


async def introspected(provider: Provider, token: str) -> bool:
    """Return whether the provider calls a token active."""
    answer = await provider.client.post("/introspect", data={"token": token}, auth=BASIC)
    return answer.json()["active"]


@pytest.mark.parametrize("ending", ["revoked", "reused", "code used twice"])
async def test_sign_ins_of_one_session_share_a_grant(ending):
    """As at certified providers: what ends the tokens of one sign-in ends those of the other."""
    async with running() as provider:
        code = (await provider.chosen())["code"]
        first, second = (await provider.redeemed(code)).json(), await provider.signed_in()
        sids = [(await provider.claims(one["id_token"]))["sid"] for one in (first, second)]
        before = await introspected(provider, second["access_token"])
        if ending == "revoked":
            form = {"token": first["refresh_token"]}
            await provider.client.post("/revoke", data=form, auth=BASIC)
        elif ending == "reused":
            for _ in range(2):
                await provider.token(
                    grant_type="refresh_token", refresh_token=first["refresh_token"]
                )
        else:
            await provider.redeemed(code)
        answer = await provider.token(
            grant_type="refresh_token", refresh_token=second["refresh_token"]
        )
        after = await introspected(provider, second["access_token"])
        anew = await provider.signed_in()
        again = await provider.token(
            grant_type="refresh_token", refresh_token=anew["refresh_token"]
        )

    assert sids[0] == sids[1]
    assert (before, after) == (True, False)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert again.status_code == 200


async def test_sessions_of_two_browsers_share_nothing():
    """Revoking the tokens of one browser leaves those of another."""
    async with running() as provider:
        first = await provider.signed_in()
        provider.client.cookies.clear()
        second = await provider.signed_in()
        await provider.client.post("/revoke", data={"token": first["refresh_token"]}, auth=BASIC)
        answer = await provider.token(
            grant_type="refresh_token", refresh_token=second["refresh_token"]
        )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("demanded", "signs_in_again"),
    [
        ({}, False),
        ({"max_age": "100"}, False),
        ({"max_age": "99"}, True),
        ({"max_age": "0"}, True),
        ({"acr_values": "1"}, False),
        ({"acr_values": "9 2"}, True),
        ({"acr_values": "9"}, False),
        ({"prompt": "login"}, True),
    ],
)
async def test_a_user_signs_in_again_where_that_is_demanded(demanded, signs_in_again):
    """By `max_age`, `acr_values` and `prompt`; the session of before goes on, stronger."""
    async with running() as provider:
        await provider.chosen()
        provider.wall.now += 100
        page = await provider.authorize(**demanded)
        back = await provider.chosen(**demanded)
        who = await provider.claims((await provider.redeemed(back["code"])).json()["id_token"])

    assert (page.status_code == 200) is signs_in_again
    assert who["auth_time"] == provider.wall.now - (0 if signs_in_again else 100)
    assert who["acr"] == ("2" if "2" in demanded.get("acr_values", "") else "1")
