"""Equal subjects of two issuers are two viewers, for all that is counted, stored or shared."""

from base64 import b64encode
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import Depends

from bff_core import (
    Composition,
    FirstOf,
    Limit,
    NotAuthenticated,
    Policy,
    Relay,
    Upstream,
    Viewer,
    Views,
    compose,
    critical,
    gateway,
)
from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.auth.bearer import BearerAuthenticator
from bff_core.auth.bearer_token import BearerToken
from bff_core.auth.certificate import CertificateAuthenticator
from bff_core.auth.demo import DemoAuthenticator
from bff_core.auth.introspection import Introspection, IntrospectionAuthenticator
from bff_core.auth.issuer_config import Issuer
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth_routes.session_start import session_of
from bff_core.call import Reply, find_header
from bff_core.events import Events
from bff_core.oauth.tokens import Grant
from bff_core.policy.upstream.cache import Cache
from bff_core.scope import Scope
from bff_core.testing.scripted import Scripted, reply
from tests.auth.tokens import AUDIENCE, ISSUER, claims, key_set, signed, wall
from tests.shop_with_view_cache import by_script, client_of, in_production

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


class Named:
    """An authenticator that reads the subject and the scopes from a header."""

    challenge = "Bearer"

    def __init__(self, header: str, issuer: str = "") -> None:
        self._header = header.encode()
        self._issuer = issuer

    async def authenticate(self, scope: Scope) -> Viewer | None:
        sent = find_header(scope.headers, self._header)
        if sent is None:
            return None
        subject, *scopes = sent.decode().split()
        scope.token = BearerToken(sent.replace(b" ", b"."))
        return Viewer(subject, scopes=frozenset(scopes), issuer=self._issuer)


class Other(Named):
    """Does the same, and is another class."""


class Accounts(Upstream):
    """Each viewer's own, for a minute; it sees the viewer's token."""

    policy = Policy(cache=Cache(ttl=60), credentials=Relay(), retry=None)

    async def mine(self) -> int:
        return await self.get("/mine", int)


@dataclass(frozen=True)
class Number:
    """The number of the reply that an answer is made of."""

    number: int


class Mine(Composition):
    """A screen with a number of the viewer."""

    accounts: Accounts

    @critical
    async def number(self) -> int:
        return await self.accounts.mine()


def views() -> Views:
    """Return a view that is stored, and one that changes something."""
    views = Views(prefix="/v1")

    @views.get("/mine")
    async def get_mine(mine: Annotated[Mine, Depends(compose(Mine))]) -> Number:
        return Number(await mine.number())

    @views.post("/mine")
    async def post_mine(mine: Annotated[Mine, Depends(compose(Mine))]) -> Number:
        return Number(await mine.number())

    return views


def counting() -> Scripted:
    """Return a service that answers each call with the next number."""
    service = Scripted()

    async def step(_) -> Reply:
        return Reply(200, ((b"content-type", b"application/json"),), b"%d" % len(service.calls))

    service.then(*[step] * 50)
    return service


@asynccontextmanager
async def opened(authenticator, **options):
    """Run a gateway, with a client in front of it."""
    service = counting()
    app = gateway(
        "shop",
        services=[Accounts],
        faces=[views()],
        settings=in_production(["accounts"]),
        authenticator=authenticator,
        events=Events(),
        transport=by_script({"accounts": service}),
        **options,
    )
    async with client_of(app) as client:
        yield client


PAIRS = {
    "two classes": (FirstOf(Named("a"), Other("b")), {"a": "7"}, {"b": "7"}),
    "two of one class": (FirstOf(Named("a"), Named("b")), {"a": "7"}, {"b": "7"}),
    "one within another": (FirstOf(FirstOf(Named("a")), Named("b")), {"a": "7"}, {"b": "7"}),
    "two issuers": (FirstOf(Named("a", "x"), Named("b", "y")), {"a": "7"}, {"b": "7"}),
    "an issuer and none": (FirstOf(Named("a", "x"), Named("b")), {"a": "7"}, {"b": "7"}),
}


@pytest.mark.parametrize("pair", PAIRS)
async def test_equal_subjects_of_two_issuers_share_nothing(pair):
    """They share no cached replies, composed answers, limits or stored answers."""
    both, one, other = PAIRS[pair]
    async with opened(both, limits=[Limit(quota=3, per=60)]) as client:
        read = [(await client.get("/v1/mine", headers=who)).json() for who in (one, other, one)]
        write = [
            await client.post("/v1/mine", headers={**who, "idempotency-key": KEY})
            for who in (one, other)
        ]
        left = [
            (await client.get("/v1/mine", headers=who)).status_code for who in (one, other, other)
        ]

    assert [one["number"] for one in read] == [1, 2, 1]
    assert [one.json()["number"] for one in write] == [1, 2]
    assert "idempotency-replayed" not in write[1].headers
    assert left == [429, 200, 429]


class Suspicious(FirstOf):
    """Refuses every caller whom it finds."""

    async def authenticate(self, scope: Scope) -> Viewer | None:
        await super().authenticate(scope)
        raise NotAuthenticated("Refused.")


async def test_a_subclass_of_first_of_runs_its_own_checks():
    """They run when it is a member of another `FirstOf`, too."""
    async with opened(FirstOf(Named("a"), Suspicious(Named("b")))) as client:
        statuses = [
            (await client.get("/v1/mine", headers={name: "7"})).status_code for name in "ab"
        ]

    assert statuses == [200, 401]


async def test_one_issuer_behind_two_authenticators_is_one_viewer():
    """A session and an access token of one provider belong to one viewer."""
    both = FirstOf(Named("a", "https://id.example"), Other("b", "https://id.example"))
    async with opened(both, limits=[Limit(quota=2, per=60)]) as client:
        answers = [await client.get("/v1/mine", headers={name: "7"}) for name in ("a", "b", "a")]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[0].json() == answers[1].json()


async def test_a_token_with_fewer_scopes_gets_no_cached_reply_of_one_with_more():
    """Services decide by the token; limits count the viewer."""
    async with opened(Named("a"), limits=[Limit(quota=3, per=60)]) as client:
        answers = [
            await client.get("/v1/mine", headers={"a": who})
            for who in ("7 read write", "7 read", "7 write read", "7")
        ]

    assert [one.json().get("number") for one in answers] == [1, 2, 1, None]
    assert answers[3].status_code == 429


WEB = {"issuer": ISSUER, "client_id": "web", "client_secret": "secret"}
CA = trustme.CA()


def in_session(**changed) -> str:
    """Return the identity of a session whose ID token has 7 in each claim that names users."""
    sign_in, values = OpenIDProvider(**WEB | changed), {"sub": "7", "email": "7"}
    grant = Grant("t", "", "", 60.0, frozenset())
    return session_of(grant, values, sign_in, browser="", wall=0.0).viewer.identity


async def by_token(authenticator, step, token="opaque", name="identity") -> str:
    """Return the identity of a token's viewer, of a gateway over an issuer that answers so."""
    views, upstreams = Views(), {name: Scripted(step)}

    @views.get("/who")
    async def get_who(who: Annotated[Who, Depends(compose(Who))]) -> list[str]:
        return [who.viewer.subject, who.viewer.identity]

    app = gateway(
        "shop",
        faces=[views],
        settings=in_production(upstreams),
        authenticator=authenticator,
        events=Events(),
        transport=by_script(upstreams),
    )
    async with client_of(app) as client:
        answer = await client.get("/who", headers={"authorization": f"Bearer {token}"})
    subject, identity = answer.json()
    assert subject == "7"
    return identity


class Who(Composition):
    """Who looks."""

    viewer: Viewer


async def opaque(*, iss=None, name="identity", **changed) -> str:
    """Return the identity of a token that its issuer calls 7's."""
    answer = {"active": True, "aud": AUDIENCE, "sub": "7"} | ({"iss": iss} if iss else {})
    known = {"client_id": "g", "client_secret": "s", "audience": (AUDIENCE,), "upstream": name}
    options = Introspection(**known, **changed)
    return await by_token(IntrospectionAuthenticator(options), reply(200, answer), name=name)


async def jwt(issuer: str) -> str:
    """Return the identity of an access token of 7's."""
    bearer = BearerAuthenticator(Issuer(issuer=issuer, audience=(AUDIENCE,)), wall=wall)
    token = signed(claims(sub="7", iss=issuer))
    return await by_token(bearer, reply(200, key_set()), token)


async def by_certificate(by: str) -> str:
    """Return the identity of a certificate that has 7 in each of its names."""
    issued = CA.issue_cert("7", common_name="7").cert_chain_pems[0].bytes()
    der = x509.load_pem_x509_certificate(issued).public_bytes(Encoding.DER)
    headers = ((b"client-cert", b":%b:" % b64encode(der)),)
    viewer = await CertificateAuthenticator(by=by, allowed=("7",)).authenticate(
        Scope(0.0, headers=headers)
    )
    return viewer.identity


OTHER = "https://b.example"


async def test_who_is_who_among_those_called_7():
    """Only a provider that vouches for both makes one viewer of two kinds of credentials."""
    found = {
        "JWT": await jwt(ISSUER),
        "session": in_session(),
        "opaque": await opaque(issuer=ISSUER, iss=ISSUER),
        "JWT of another": await jwt(OTHER),
        "session of another": in_session(issuer=OTHER),
        "session by another claim": in_session(subject="email"),
        "opaque, of an issuer that the gateway does not know": await opaque(iss=ISSUER),
        "opaque, of none": await opaque(),
        "opaque, elsewhere": await opaque(name="partner"),
        "API key": ApiKeyRecord("p", "d", "7", "7").viewer.identity,
        "certificate of a host": await by_certificate("dns"),
        "certificate by common name": await by_certificate("cn"),
    }
    named: dict[str, list[str]] = {}
    for kind, identity in found.items():
        named.setdefault(identity, []).append(kind)

    assert list(named.values()) == [
        ["JWT", "session", "opaque"],
        ["JWT of another", "session of another"],
        *([one] for one in list(found)[5:]),
    ]


async def test_a_demo_user_is_no_real_user():
    """A demo user shares no data with a real user of the same name."""
    both = FirstOf(DemoAuthenticator(env="development"), Named("a"))
    async with opened(both) as client:
        answers = [
            (await client.get("/v1/mine", headers=who)).json()["number"]
            for who in ({"authorization": "Bearer demo-7"}, {"a": "7"})
        ]

    assert answers == [1, 2]
