"""Forged ID tokens through the whole sign-in: none begins a session, all are refused alike.

The provider is the mock one, but for its keys and the ID tokens that it answers codes with: those
are made here, out of the claims of the genuine one.
"""

import asyncio
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256, sha512
from hmac import digest
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc.jwk import RSAKey

from bff_core.call import Call, Reply
from bff_core.events import SessionChanged
from services_mock.identity.signing import encoded as text_of
from services_mock.identity.signing import half
from tests.auth.browser.site import GOES, HERE, ISSUER, Browser, Site, Wall, open_site
from tests.auth.identity import CRYPT, OTHER_CURVE, SIGNER, WEAK
from tests.auth.tokens import EC, ED, RSA, STRANGER, assembled, encoded

NOW = Wall().now
EVIL = "https://evil.example/keys"
KEYS = [
    *(key.as_dict(private=False) for key in (RSA, EC, ED, WEAK, OTHER_CURVE)),
    {**SIGNER.as_dict(private=False), "key_ops": ["sign"]},
    {**CRYPT.as_dict(private=False), "use": "enc"},
    {"kty": "oct", "kid": "shared", "k": encoded(b"secret").decode()},
]

Claims = dict[str, Any]


@dataclass
class Given:
    """The provider's reply to a code: an access token, and the claims of the ID token."""

    access: str
    claims: Claims
    genuine: str


Forge = Callable[[Given], str]


def changed(**news: Any) -> Callable[[Given], Claims]:
    """Return what changes claims; None takes one away."""

    def change(given: Given) -> Claims:
        merged = {**given.claims, **news}
        return {name: value for name, value in merged.items() if value is not None}

    return change


def unchanged(given: Given) -> Claims:
    """Return the claims as they are."""
    return given.claims


def signed(
    change: Callable[[Given], Claims | bytes] = unchanged,
    *,
    key: Any = RSA,
    algorithm: str = "RS256",
    **header: Any,
) -> Forge:
    """Return what signs claims with a key; the header names the key unless it says otherwise."""
    head = {"alg": algorithm, "typ": "JWT", "kid": key.kid, **header}
    head = {name: value for name, value in head.items() if value is not None}

    def forge(given: Given) -> str:
        claims = change(given)
        body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        return assembled(head, body, key=key, algorithm=algorithm)

    return forge


def claiming(**news: Any) -> Forge:
    """Return what signs genuine claims with some of them changed."""
    return signed(changed(**news))


def unsigned(**header: Any) -> Forge:
    """Return what leaves the signature out."""

    def forge(given: Given) -> str:
        parts = [json.dumps({"typ": "JWT", **header}).encode(), json.dumps(given.claims).encode()]
        return b".".join([*map(encoded, parts), b""]).decode()

    return forge


def by_hmac(secret: bytes, **header: Any) -> Forge:
    """Return what signs with a shared secret."""

    def forge(given: Given) -> str:
        head = json.dumps({"alg": "HS256", "typ": "JWT", **header}).encode()
        started = encoded(head) + b"." + encoded(json.dumps(given.claims).encode())
        return (started + b"." + encoded(digest(secret, started, sha256))).decode()

    return forge


def cut(edit: Callable[[str, str, str], str], make: Forge | None = None) -> Forge:
    """Return what edits the parts of a good token."""
    return lambda given: edit(*(make or signed())(given).split("."))


def of_another_access_token(given: Given) -> Claims:
    """Bind the ID token to another access token than the one beside it."""
    return {**given.claims, "at_hash": half(given.access + "x")}


def with_a_whole_hash(given: Given) -> Claims:
    """Take the whole digest in place of its first half."""
    return {**given.claims, "at_hash": text_of(sha256(given.access.encode()).digest())}


def twice(name: str) -> Callable[[Given], bytes]:
    """Name a claim twice, the wrong value last."""
    return lambda given: json.dumps(given.claims).encode()[:-1] + b', "%b": "x"}' % name.encode()


FORGED: dict[str, Forge] = {
    # signatures
    "none": unsigned(alg="none"),
    "none, in capitals": unsigned(alg="nOnE", kid="rsa-1"),
    "none, with a signature": signed(alg="none"),
    "public key as a shared secret": by_hmac(RSA.as_pem(private=False), kid="rsa-1"),
    "client secret as the key": by_hmac(b"web-secret", kid=None),
    "published secret": by_hmac(b"secret", kid="shared"),
    "signed by a stranger": signed(key=STRANGER),
    "signed by a stranger, key in the header": signed(
        key=STRANGER, jwk=STRANGER.as_dict(private=False)
    ),
    "signed by a stranger, keys named in the header": signed(key=STRANGER, jku=EVIL, x5u=EVIL),
    "a key of no name": signed(key=STRANGER, kid=None),
    "a key of no published name": signed(kid="unheard-of"),
    "a weak key": signed(key=WEAK),
    "a key that only signs": signed(key=SIGNER),
    "a key for encryption": signed(key=CRYPT),
    "a key of another curve": signed(key=OTHER_CURVE, algorithm="ES384"),
    "another algorithm than that of the key": signed(alg="ES256"),
    "an algorithm that is not accepted": signed(algorithm="RS512"),
    "signature of another token": lambda given: ".".join(
        [*claiming(sub="1")(given).split(".")[:2], signed()(given).split(".")[2]]
    ),
    "signature of nothing": cut(
        lambda head, body, _: f"{head}.{body}.{encoded(bytes(64)).decode()}",
        signed(key=EC, algorithm="ES256"),
    ),
    "signature cut short": cut(lambda head, body, signature: f"{head}.{body}.{signature[:-8]}"),
    "no signature": cut(lambda head, body, _: f"{head}.{body}."),
    # forms
    "two parts": cut(lambda head, body, _: f"{head}.{body}"),
    "four parts": cut(lambda head, body, signature: f"{head}.{body}.{signature}.{signature}"),
    "padded": cut(lambda head, body, signature: f"{head}=.{body}.{signature}"),
    "a line in it": cut(lambda head, body, signature: f"{head}.\n{body}.{signature}"),
    "no token at all": lambda _: "",
    "words": lambda _: "genuine, I swear",
    "not ASCII": cut(lambda head, body, _: f"{head}.{body}.ünsigned"),
    "no JSON": signed(lambda _: b"{"),
    "a list of claims": signed(lambda _: b"[]"),
    "no claims": signed(lambda _: b"{}"),
    "critical": signed(crit=["exp"]),
    "detached": signed(b64=False),
    # kinds
    "an access token": signed(typ="at+jwt"),
    "a logout token": signed(changed(events={}), typ="logout+jwt"),
    "events of a logout token": claiming(events={}),
    "the access token itself": lambda given: given.access,
    # whose, for whom
    "another issuer": claiming(iss="https://evil.example"),
    "the issuer with a slash": claiming(iss=f"{ISSUER}/"),
    "the issuer in capitals": claiming(iss=ISSUER.upper()),
    "a list of issuers": claiming(iss=[ISSUER]),
    "no issuer": claiming(iss=None),
    "another audience": claiming(aud="another-client"),
    "an audience that begins alike": claiming(aud="web2"),
    "an audience in capitals": claiming(aud="WEB"),
    "a list of other audiences": claiming(aud=["mobile", {"web": "web"}]),
    "no audience": claiming(aud=None),
    "an empty list of audiences": claiming(aud=[]),
    "several audiences, none authorized": claiming(aud=["web", "evil"]),
    "several audiences, another authorized": claiming(aud=["web", "evil"], azp="evil"),
    "another party authorized": claiming(azp="evil"),
    "an empty party authorized": claiming(azp=""),
    "null authorized": signed(lambda given: {**given.claims, "azp": None}),
    "a list of authorized parties": claiming(azp=["web"]),
    "no subject": claiming(sub=None),
    "an empty subject": claiming(sub=""),
    "a number for a subject": claiming(sub=7),
    "a list of subjects": claiming(sub=["2"]),
    # when
    "expired": claiming(exp=NOW - 61),
    "never expires": claiming(exp=None),
    "expiry in words": claiming(exp="tomorrow"),
    "true for an expiry": claiming(exp=True),
    "expires at infinity": signed(
        lambda given: json.dumps({**given.claims, "exp": 0}).replace('"exp": 0', '"exp": 1e999')
        .encode()
    ),
    "not valid yet": claiming(nbf=NOW + 61),
    "of the future": claiming(iat=NOW + 61),
    "issued at no time": claiming(iat=None),
    "issued at null": signed(lambda given: {**given.claims, "iat": None}),
    "issued in words": claiming(iat="now"),
    # which sign-in
    "another nonce": claiming(nonce="x" * 43),
    "no nonce": claiming(nonce=None),
    "an empty nonce": claiming(nonce=""),
    "a number for a nonce": claiming(nonce=7),
    "the nonce in a list": signed(lambda given: {**given.claims, "nonce": [given.claims["nonce"]]}),
    "the nonce cut short": signed(
        lambda given: {**given.claims, "nonce": given.claims["nonce"][:-1]}
    ),
    "the nonce and more": signed(
        lambda given: {**given.claims, "nonce": given.claims["nonce"] + "x"}
    ),
    "a nonce that is not ASCII": claiming(nonce="ü"),
    "a nonce that is half a letter": claiming(nonce="\ud83d"),
    "a null for a nonce": signed(lambda given: {**given.claims, "nonce": None}),
    "two nonces": signed(twice("nonce")),
    "two audiences by two claims": signed(twice("aud")),
    # which access token
    "hash of another access token": signed(of_another_access_token),
    "the whole hash": signed(with_a_whole_hash),
    "an empty hash": claiming(at_hash=""),
    "a null for a hash": signed(lambda given: {**given.claims, "at_hash": None}),
    "a number for a hash": claiming(at_hash=7),
    "hash by the algorithm of another key": signed(key=ED, algorithm="EdDSA"),
}  # fmt: skip

REFERENCE = "signed by a stranger"


def hashed_by_512(given: Given) -> Claims:
    """Bind it as EdDSA does: by the first half of SHA-512."""
    return {**given.claims, "at_hash": text_of(sha512(given.access.encode()).digest()[:32])}


GENUINE: dict[str, Forge] = {
    "as the provider signed it": lambda given: given.genuine,
    "signed again": signed(),
    "by PS256": signed(algorithm="PS256"),
    "by ES256": signed(key=EC, algorithm="ES256"),
    "by EdDSA": signed(hashed_by_512, key=ED, algorithm="EdDSA"),
    "without a type": signed(typ=None),
    "without a hash": claiming(at_hash=None),
    "with us authorized": claiming(azp="web"),
    "with a list of us": claiming(aud=["web"]),
    "for several, with us authorized": claiming(aud=["web", "api"], azp="web"),
    "just not expired": claiming(exp=NOW - 59),
    "just valid": claiming(nbf=NOW + 59, iat=NOW + 59),
    "with keys named in the header": signed(jku=EVIL),
    "with more claims": claiming(groups=["a", {"b": None}]),
}


@dataclass
class Provider:
    """The provider as the gateway calls it, with ID tokens of ours."""

    answer: Any
    forge: Forge
    given: list[Given] = field(default_factory=list)

    async def __call__(self, call: Call) -> Reply:
        """Answer a call, with other keys and another ID token."""
        reply: Reply = await self.answer(call)
        if call.target == "/jwks":
            published = json.loads(reply.body)["keys"]
            return Reply(200, reply.headers, json.dumps({"keys": [*published, *KEYS]}).encode())
        if call.target != "/token" or reply.status != 200:
            return reply
        content = json.loads(reply.body)
        given = Given(content["access_token"], claims_of(content["id_token"]), content["id_token"])
        self.given.append(given)
        content["id_token"] = self.forge(given)
        fields = tuple(one for one in reply.headers if one[0] != b"content-length")
        return Reply(200, fields, json.dumps(content).encode())


def claims_of(token: str) -> Claims:
    """Return the claims of a token, unverified."""
    body = token.split(".")[1]
    claims: Claims = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


@dataclass
class Outcome:
    """What became of one sign-in."""

    browser: Browser
    came_back: Any
    me: Any
    sessions: int
    changes: list[str]
    given: Given

    @property
    def refusal(self) -> tuple[Any, ...]:
        """The answer to the callback, without the ids of this request."""
        answer = self.came_back
        unique = {"x-request-id", "set-cookie", "date", "content-length"}
        fields = {name: value for name, value in answer.headers.items() if name not in unique}
        try:
            body = {**answer.json(), "request_id": "", "trace_id": ""}
        except ValueError:
            body = answer.text
        return answer.status_code, fields, body

    @property
    def given_away(self) -> list[str]:
        """Parts of the answer to the callback that its reader must not get."""
        sent = f"{self.came_back.headers}{self.came_back.text}"
        text = sent.lower()
        claims = self.given.claims
        secrets = [self.given.access, claims["nonce"], claims["email"], claims["at_hash"]]
        reasons = ["nonce", "azp", "at_hash", "signature", "audience", "algorithm", "expired"]
        # A reason is a word, and a token has dots: three letters may be in a random id.
        words = [one for one in reasons if re.search(rf"\b{one}\b", text)]
        tokens = re.findall(r"eyJ[\w-]+\.[\w-]+", sent)
        return [one for one in secrets if one.lower() in text] + words + tokens


async def signed_in_with(forge: Forge) -> Outcome:
    """Sign in from the login page to the callback, with an ID token that is forged."""
    async with open_site() as site:
        provider = Provider(site.answer, forge)
        site.provider.then(provider)
        browser = site.browser()
        page = await browser.go(f"{HERE}/bff/login?returnUrl=/v1/welcome")
        location = await chosen(browser, page)
        came_back = await browser.send("GET", location, headers=GOES)
        me = await browser.fetch("/v1/me")
        stored = await site.auth.sessions.of("2")
        return Outcome(browser, came_back, me, len(stored), changes_of(site), provider.given[0])


async def chosen(browser: Browser, page: Any) -> str:
    """Press the button of the second user; return where the provider sends the browser."""
    hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
    sent = await browser.send("POST", f"{ISSUER}/authorize", data={**hidden, "user": "2"})
    location: str = sent.headers["location"]
    assert urlsplit(location).path == "/bff/callback"
    return location


def changes_of(site: Site) -> list[str]:
    """Return what became of sessions."""
    return [event.change for event in site.events if isinstance(event, SessionChanged)]


@pytest.mark.mostly_slow
@pytest.mark.parametrize("good", GENUINE)
async def test_a_genuine_id_token_begins_a_session(good: str) -> None:
    """It shows that the table of forgeries can fail."""
    outcome = await signed_in_with(GENUINE[good])

    assert outcome.came_back.status_code == 303
    assert outcome.came_back.headers["location"] == "/v1/welcome"
    assert outcome.browser.cookie is not None
    assert outcome.me.json() == {"subject": "2"}
    assert (outcome.sessions, outcome.changes) == (1, ["begun"])


@pytest.fixture(scope="module")
def reference() -> Outcome:
    """Return what becomes of the forgery that all others are compared with."""
    return asyncio.run(signed_in_with(FORGED[REFERENCE]))


@pytest.mark.mostly_slow
@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_id_token_begins_no_session(forgery: str, reference: Outcome) -> None:
    """No one is signed in, no session is stored, and the refusal has no details.

    It is the same for all, with no claim, no token, and not which check it was that failed.
    """
    outcome = await signed_in_with(FORGED[forgery])

    assert outcome.browser.cookie is None
    assert outcome.me.status_code == 401
    assert (outcome.sessions, outcome.changes) == (0, [])
    assert outcome.refusal == reference.refusal
    assert outcome.given_away == []


async def test_an_endless_id_token_begins_no_session() -> None:
    """Its signature is right, and it is refused before its claims are used."""
    outcome = await signed_in_with(claiming(x="y" * 80_000))

    assert outcome.browser.cookie is None
    assert outcome.me.status_code == 401
    assert (outcome.sessions, outcome.changes) == (0, [])


def test_the_forgeries_differ() -> None:
    """Every forgery is different, and is signed with the intended key."""
    assert len(FORGED) >= 30
    assert isinstance(STRANGER, RSAKey)
    assert STRANGER.kid == RSA.kid
