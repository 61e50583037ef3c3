"""Forged tokens: each attack of RFC 8725, section 2, and more; all are refused alike."""

import base64
import hmac
import json
from hashlib import sha256

import pytest

from bff_core.auth.issuer_config import Issuer
from bff_core.auth.jwt import MAX_TOKEN_BYTES
from bff_core.auth.refusal_reasons import REFUSAL
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.scope import Scope
from bff_core.testing.scripted import reply
from tests.auth.identity import CRYPT, OTHER_CURVE, SIGNER, WEAK, Identity
from tests.auth.tokens import (
    AUDIENCE,
    EC,
    ED,
    ISSUER,
    NOW,
    RSA,
    STRANGER,
    assembled,
    claims,
    encoded,
    key_set,
    signed,
)

pytestmark = pytest.mark.virtual_time

FRIEND = "https://friend.example.com"


def unsigned(**header) -> str:
    head = json.dumps({"typ": "at+jwt", **header}).encode()
    return b".".join([encoded(head), encoded(json.dumps(claims()).encode()), b""]).decode()


def hmac_with(secret: bytes, **header) -> str:
    head = {"alg": "HS256", "typ": "at+jwt", **header}
    started = encoded(json.dumps(head).encode()) + b"." + encoded(json.dumps(claims()).encode())
    return (started + b"." + encoded(hmac.digest(secret, started, sha256))).decode()


def tampered(**changed) -> str:
    head, _, signature = signed().split(".")
    return ".".join([head, encoded(json.dumps(claims(**changed)).encode()).decode(), signature])


GOOD = signed()
HEAD, BODY, SIGNATURE = GOOD.split(".")
EVIL = "https://evil.example.com/keys"

FORGED = {
    "none": unsigned(alg="none", kid="rsa-1"),
    "none in capitals": unsigned(alg="nOnE"),
    "none with a signature": assembled(
        {"alg": "none", "typ": "at+jwt", "kid": "rsa-1"},
        json.dumps(claims()).encode(), key=RSA, algorithm="RS256",
    ),
    "public key as a secret": hmac_with(RSA.as_pem(private=False), kid="rsa-1"),
    "published secret": hmac_with(b"secret", kid="shared"),
    "signed by a stranger": signed(key=STRANGER),
    "key in the header": signed(key=STRANGER, jwk=STRANGER.as_dict(private=False)),
    "key set in the header": signed(key=STRANGER, jku=EVIL),
    "certificate in the header": signed(key=STRANGER, x5u=EVIL, x5c=["MIIB"]),
    "another's subject": tampered(sub="user-1"),
    "more scopes": tampered(scope="admin"),
    "unknown key": signed(key=STRANGER, kid="../../etc/passwd"),
    "key of no name": signed(key=STRANGER, kid=None),
    "another algorithm than that of the key": signed(algorithm="RS256", key=RSA, alg="ES256"),
    "algorithm that is not accepted": signed(algorithm="RS512"),
    "weak key": signed(key=WEAK),
    "key that only signs": signed(key=SIGNER),
    "key for encryption": signed(key=CRYPT),
    "key of another curve": signed(key=OTHER_CURVE, algorithm="ES384"),
    "signature of nothing": f"{signed(key=EC, algorithm='ES256').rpartition('.')[0]}."
    + encoded(bytes(64)).decode(),
    "signature cut short": GOOD[:-8],
    "no signature": f"{HEAD}.{BODY}.",
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "padded": f"{HEAD}=.{BODY}.{SIGNATURE}",
    "standard base64": GOOD.replace("-", "+").replace("_", "/") + "+",
    "loose bits": GOOD[:-1] + chr(ord(GOOD[-1]) + 1),
    "line in it": f"{HEAD}.\n{BODY}.{SIGNATURE}",
    "nothing": ".",
    "words": "demo-1",
    "too long": signed({**claims(), "x": "y" * MAX_TOKEN_BYTES}),
    "no JSON": signed(b"{"),
    "list of claims": signed(b"[]"),
    "number for an algorithm": signed(alg=7),
    "critical": signed(crit=["exp"]),
    "detached": signed(b64=False),
    "id token": signed(typ="JWT"),
    "no type": signed(typ=None),
    "another's audience": signed(claims(aud="https://other.example.com")),
    "no audience": signed(claims(aud=None)),
    "audience in a list of others": signed(claims(aud=["a", {"b": AUDIENCE}])),
    "another issuer": signed(claims(iss="https://evil.example.com")),
    "issuer with a slash": signed(claims(iss=f"{ISSUER}/")),
    "no issuer": signed(claims(iss=None)),
    "expired": signed(claims(exp=NOW - 61)),
    "never expires": signed(claims(exp=None)),
    "expiry in words": signed(claims(exp="tomorrow")),
    "expiry in digits": signed(claims(exp=str(int(NOW + 600)))),
    "expiry of four hundred digits": signed(claims(exp=10**400)),
    "true for an expiry": signed(claims(exp=True)),
    "infinite": signed(json.dumps(claims()).replace(str(NOW + 600), "1e999").encode()),
    "not yet": signed(claims(nbf=NOW + 61)),
    "of the future": signed(claims(iat=NOW + 61)),
    "no subject": signed(claims(sub="")),
    "number for a subject": signed(claims(sub=7)),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_token_is_refused_like_any_other(forgery: str) -> None:
    """All get the same answer; the gateway calls only the issuer, for its keys."""
    identity = Identity()

    with pytest.raises(NotAuthenticated) as refused:
        await identity.authenticate(FORGED[forgery])

    assert str(refused.value) == REFUSAL
    assert {call.target for call in identity.service.calls} <= {"/.well-known/jwks.json"}
    assert len(identity.service.calls) <= 1
    assert identity.others.calls == []


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        signed(algorithm="PS256"),
        signed(key=EC, algorithm="ES256"),
        signed(key=ED, algorithm="EdDSA"),
        signed(key=ED, algorithm="Ed25519"),
        signed(typ="application/AT+JWT"),
        signed(claims(aud=["https://other.example.com", AUDIENCE])),
        signed(claims(exp=NOW - 59)),
        signed(claims(nbf=NOW + 59)),
        signed(jku=EVIL),
    ],
)
async def test_a_valid_token_gives_its_viewer(good: str) -> None:
    """Any accepted algorithm, and clocks that differ by less than a minute."""
    viewer = await Identity().authenticate(good)

    assert (viewer.subject, viewer.client) == ("user-7", "app")
    assert viewer.scopes == {"orders:read", "cart"}


@pytest.mark.parametrize("scheme", ["Basic", "Bearer,", "bearer" * 9])
async def test_other_credentials_are_refused(scheme: str) -> None:
    """A caller with credentials does not get the answer to an anonymous one."""
    with pytest.raises(NotAuthenticated):
        await Identity().authenticate(GOOD, scheme)


async def test_without_credentials_a_caller_is_anonymous() -> None:
    """No service is called."""
    identity = Identity()

    assert await identity.bearer.authenticate(Scope(identity.bench.now + 5)) is None
    assert identity.service.calls == []


async def test_a_key_verifies_tokens_of_its_issuer_only() -> None:
    """The key of one issuer verifies no token of another."""
    friend = Issuer(issuer=FRIEND, audience=(AUDIENCE,), upstream="friend")
    ours = Issuer(issuer=ISSUER, audience=(AUDIENCE,))
    identity = Identity(reply(200, key_set(STRANGER)), issuers=[ours, friend])

    viewer = await identity.authenticate(signed(claims(iss=FRIEND)))
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(signed(claims(iss=ISSUER)))

    assert viewer.subject == f"user-7@{FRIEND}"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"audience": ()}, "audience"),
        ({"audience": AUDIENCE}, "audience"),
        ({"audience": ("",)}, "audience"),
        ({"algorithms": ("HS256",)}, "HS256"),
        ({"algorithms": ("none",)}, "none"),
        ({"algorithms": ()}, "algorithms"),
        ({"leeway": 3600}, "leeway"),
        ({"issuer": "id"}, "iss"),
    ],
)
def test_options_that_would_accept_too_much_do_not_start(wrong: dict, message: str) -> None:
    """The error says which option to change."""
    with pytest.raises(ConfigurationError, match=message):
        Issuer(**{"issuer": ISSUER, "audience": (AUDIENCE,), **wrong})


def test_base64_of_the_tests_is_that_of_tokens() -> None:
    """This checks the tools that make the forged tokens."""
    assert base64.urlsafe_b64decode(HEAD + "=" * (-len(HEAD) % 4)).startswith(b'{"alg"')
