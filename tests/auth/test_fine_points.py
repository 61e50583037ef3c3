"""Fine points of authentication: bounds, instants, tenants and owners."""

import asyncio
import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import RSAKey

from bff_core import gateway
from bff_core.auth import DPoP
from bff_core.auth.access_tokens import MAX_VERIFIED
from bff_core.auth.api_keys.authenticator import MAX_WRONG_KEYS, ApiKeyAuthenticator
from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.auth.authenticator import Resources
from bff_core.auth.devices import MAX_DEVICES_PER_VIEWER, Device, MemoryDeviceStore
from bff_core.auth.dpop import NONCE_SECONDS, ProofVerifier
from bff_core.auth.issuer_config import Issuer
from bff_core.auth.jwt import MAX_KEYS, key_for, keys_of, parse, verify
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.session.interface import MAX_SESSIONS_PER_SUBJECT, Lifetimes
from bff_core.auth.session.memory import MemorySessionStore
from bff_core.auth.session.session import Session, owner_of
from bff_core.auth.viewer import Viewer
from bff_core.clock import chance
from bff_core.errors import NotAuthenticated
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from bff_core.scope import Scope
from tests.auth.identity import Identity
from tests.auth.keys.test_certificates import GOOD, header_of
from tests.auth.keys.test_certificates import open_shop as certified
from tests.auth.keys.test_introspection import active, bearer
from tests.auth.keys.test_introspection import open_shop as introspecting
from tests.auth.native.test_dpop import HERE, KEY, OTHER, bound, open_shop, proof, sent
from tests.auth.test_bearer_gateway import views
from tests.auth.tokens import AUDIENCE, ISSUER, NOW, RSA, claims, key_set, signed
from tests.shop_with_view_cache import client_of, in_production

pytestmark = pytest.mark.virtual_time

SECOND = RSAKey.generate_key(2048, {"kid": "rsa-2"}, private=True)


def issuer(**options) -> Issuer:
    """Return an issuer."""
    return Issuer(issuer=ISSUER, audience=(AUDIENCE,), **options)


def published(*keys) -> tuple:
    """Return keys as they are read of a document."""
    return keys_of(json.dumps(key_set(*keys)).encode())


def verified(token: str, wall: float = NOW, **options):
    """Return the claims of a token, or raise `CredentialsRefused`."""
    return verify(parse(token.encode()), published(RSA)[0], issuer(**options), wall)


# Tokens


@pytest.mark.parametrize(
    ("changed", "is_valid"),
    [
        ({"exp": NOW - 60}, False),
        ({"exp": NOW - 59.5}, True),
        ({"nbf": NOW + 60}, True),
        ({"nbf": NOW + 60.5}, False),
        ({"iat": NOW + 60}, True),
        ({"iat": NOW + 60.5}, False),
    ],
)
def test_clocks_may_differ_by_the_leeway_and_no_more(changed, is_valid):
    """At `exp` plus the leeway a token has expired (RFC 7519, section 4.1.4)."""
    token = signed(claims(**changed))
    if is_valid:
        assert verified(token)["sub"] == "user-7"
    else:
        with pytest.raises(CredentialsRefused):
            verified(token)


@pytest.mark.parametrize("present", [{}, {"jti": "1"}, {"acr": "1"}, {"jti": "1", "acr": "1"}])
def test_every_required_claim_has_to_be_present(present):
    """A token with one of two required claims is refused."""
    token = signed(claims(**present))
    if len(present) == 2:
        assert verified(token, required=("jti", "acr"))["jti"] == "1"
    else:
        with pytest.raises(CredentialsRefused, match="claim_missing"):
            verified(token, required=("jti", "acr"))


def test_a_token_without_a_key_id_needs_a_single_key():
    """If two keys fit, neither is used."""
    nameless = parse(signed(kid=None).encode())

    assert key_for(nameless, published(RSA)).key_id == "rsa-1"
    assert key_for(nameless, published(RSA, SECOND)) is None
    assert key_for(parse(signed().encode()), published(RSA, SECOND)).key_id == "rsa-1"


def test_the_keys_of_an_issuer_are_bounded():
    """A JWK set of any length gives a bounded list of keys."""
    document = {"keys": [RSA.as_dict(private=False) | {"kid": f"{n}"} for n in range(MAX_KEYS + 9)]}

    assert [key.key_id for key in keys_of(json.dumps(document).encode())] == [
        f"{number}" for number in range(MAX_KEYS)
    ]


async def test_cached_tokens_are_bounded():
    """The token that was verified first is evicted."""
    identity = Identity()
    await identity.authenticate(signed())
    (digest, known), *_ = identity.bearer.running.tokens._verified.items()
    for number in range(MAX_VERIFIED - 1):
        identity.bearer.running.tokens._verified[sha256(b"%d" % number).digest()] = known

    await identity.authenticate(signed(claims(sub="late")))

    assert len(identity.bearer.running.tokens._verified) == MAX_VERIFIED
    assert digest not in identity.bearer.running.tokens._verified


@pytest.mark.parametrize("tenant", [None, "", 7, ["acme"], True])
async def test_a_token_without_a_tenant_is_refused_where_viewers_have_one(tenant):
    """An empty tenant would be shared by all viewers without one."""
    identity = Identity(issuers=[issuer(tenant="org")])

    assert (await identity.authenticate(signed(claims(org="acme")))).tenant == "acme"
    with pytest.raises(NotAuthenticated):
        await identity.authenticate(signed(claims(org=tenant)))


def test_no_two_pairs_of_tenant_and_subject_are_one_viewer():
    """Tenants and subjects may contain colons and digits."""
    pairs = [("a", "b:c"), ("a:b", "c"), ("", "a:b:c"), ("1:a", "b"), ("", "1:a:b")]

    assert len({Viewer(subject, tenant).audience for tenant, subject in pairs}) == len(pairs)
    assert len({owner_of(subject, tenant) for tenant, subject in pairs}) == len(pairs)


# Proofs


async def test_two_keys_may_use_the_same_proof_id():
    """The id of a proof is unique for its key only."""
    ours, theirs = bound(), bound(OTHER)
    async with open_shop() as client:
        first = await client.get("/v1/me", headers=sent(ours, proof(ours)))
        second = await client.get("/v1/me", headers=sent(theirs, proof(theirs, key=OTHER)))
        again = await client.get("/v1/me", headers=sent(ours, proof(ours)))

    assert [first.status_code, second.status_code, again.status_code] == [200, 200, 401]
    assert KEY.thumbprint() != OTHER.thumbprint()


@pytest.mark.parametrize(
    ("htu", "status"),
    [
        ("http://testserver/v1/me", 200),
        ("http://testserver:80/v1/me", 200),
        ("HTTP://TESTSERVER/v1/me", 200),
        ("http://testserver/v1/me?x=1#y", 200),
        ("http://testserver/v1/m%65", 200),
        ("http://testserver/v1/ME", 401),
        ("http://testserver/v1/me/", 401),
        ("http://testserver/v1/notes", 401),
        ("http://testserver", 401),
        ("https://testserver/v1/me", 401),
        ("http://testserver:8080/v1/me", 401),
        ("http://testserver.evil.example/v1/me", 401),
        ("//testserver/v1/me", 401),
        ("/v1/me", 401),
    ],
)
async def test_a_proof_names_the_address_of_its_request(htu, status):
    """Scheme, host, port and path; query and fragment do not count (RFC 9449, section 4.3)."""
    token = bound()
    async with open_shop() as client:
        answer = await client.get("/v1/me", headers=sent(token, proof(token, htu=htu)))

    assert answer.status_code == status


@pytest.mark.parametrize("skew", [-61, 61])
async def test_a_proof_of_long_ago_or_of_the_future_is_refused(skew):
    """A proof can't be made in advance."""
    token = bound()
    async with open_shop(DPoP(leeway=60)) as client:
        answer = await client.get("/v1/me", headers=sent(token, proof(token, iat=NOW + skew)))

    assert answer.status_code == 401


# Introspection


@pytest.mark.parametrize(
    ("changed", "is_taken"),
    [
        ({}, True),
        ({"exp": NOW - 59.5}, True),
        ({"exp": NOW - 60}, False),
        ({"nbf": NOW + 60}, True),
        ({"nbf": NOW + 60.5}, False),
        ({"aud": None}, False),
        ({"aud": []}, False),
        ({"aud": ["x", AUDIENCE]}, True),
        ({"iss": None}, False),
        ({"iss": f"{ISSUER}/"}, False),
        ({"cnf": {"jkt": "x"}}, False),
        ({"active": False}, False),
        ({"sub": ""}, False),
        ({"sub": 7}, False),
    ],
)
async def test_an_introspection_reply_is_validated_like_a_token(changed, is_taken):
    """Audience, issuer and times are checked, although the issuer calls the token active."""
    async with introspecting(active(**changed)) as (client, _):
        answer = await client.get("/v1/me", headers=bearer())

    assert answer.status_code == (200 if is_taken else 401)


# API keys


def test_a_key_expires_at_its_expiry():
    """It is refused from that instant on; a key without an expiry never expires."""
    assert not ApiKeyRecord("p", "d", "n", "s", expires_at=NOW).has_ended(NOW - 0.001)
    assert ApiKeyRecord("p", "d", "n", "s", expires_at=NOW).has_ended(NOW)
    assert not ApiKeyRecord("p", "d", "n", "s").has_ended(NOW)


async def test_wrong_keys_take_bounded_memory():
    """Wrong keys have a cache of their own, since any client can send many."""
    loop, events = asyncio.get_running_loop(), Events()
    links = RedisClients(clock=loop.time, chance=chance, events=events)
    settings = in_production([], api_keys_url="sqlite://")
    authenticator = ApiKeyAuthenticator(wall=lambda: NOW)
    async with authenticator.open(
        Resources("shop", settings, {}, links, loop.create_task, loop.time, events)
    ):
        for number in range(MAX_WRONG_KEYS + 100):
            scope = Scope(1.0, headers=((b"x-api-key", b"wrong-%d" % number),))
            with pytest.raises(NotAuthenticated):
                await authenticator.authenticate(scope)

        assert len(authenticator.running._wrong) == MAX_WRONG_KEYS
        assert authenticator.running._valid == {}


# Devices and sessions


async def test_the_device_that_was_used_longest_ago_is_dropped():
    """The order in which devices were added does not matter."""
    devices = MemoryDeviceStore()
    for number in range(MAX_DEVICES_PER_VIEWER):
        used_at = 0.5 if number == 50 else float(number + 1)
        await devices.put("ann", Device(f"{number}", "app", "", 0.0, used_at))
    await devices.put("ann", Device("new", "app", "", 0.0, 1000.0))

    assert await devices.find("ann", "50") is None
    assert len(await devices.listed("ann")) == MAX_DEVICES_PER_VIEWER
    assert await devices.find("ann", "0") is not None


async def test_a_session_ends_however_often_it_is_used():
    """Each request renews the idle time, but not the total lifetime."""
    clock = [0.0]
    store = MemorySessionStore(lambda: clock[0])
    await store.add("key", Session("h", "1"), Lifetimes(idle=60, absolute=100))
    for now in (50.0, 99.0):
        clock[0] = now
        assert await store.get("key") is not None
        await store.touch("key", 60)
    clock[0] = 100.0

    assert await store.get("key") is None


async def test_the_sessions_of_a_subject_are_bounded():
    """One more ends the oldest; sessions of other subjects stay."""
    clock = [0.0]
    store = MemorySessionStore(lambda: clock[0])
    lifetimes = Lifetimes(idle=1e6, absolute=1e6)
    await store.add("other", Session("h", "2"), lifetimes)
    for number in range(MAX_SESSIONS_PER_SUBJECT + 1):
        clock[0] += 1
        session = Session(f"h{number}", "1", signed_in_at=float(number))
        await store.add(f"key-{number}", session, lifetimes)

    assert await store.get("key-0") is None
    assert await store.get("key-1") is not None
    assert await store.get("other") is not None
    assert len(await store.listed(owner_of("1", ""))) == MAX_SESSIONS_PER_SUBJECT


async def test_a_lease_is_released_by_its_holder_only():
    """A process that was too slow must not release the lease of another."""
    store = MemorySessionStore(lambda: 0.0)
    assert await store.lease("refresh", "one", 30)
    await store.release("refresh", "two")

    assert not await store.lease("refresh", "two", 30)
    await store.release("refresh", "one")
    assert await store.lease("refresh", "two", 30)


# Proofs and certificates in time


class Hands:
    """A clock that is set by hand; the time of day goes with it."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def wall(self):
        """Return the time of day."""
        return NOW + self.now


def proving(made: str) -> Scope:
    """Return a request with a proof."""
    return Scope(1.0, "GET", "/v1/me", ((b"dpop", made.encode()),))


async def is_proved(proofs, token, made) -> bool:
    """Whether a request with this proof is let through."""
    try:
        await proofs.check(proving(made), token.encode(), KEY.thumbprint())
    except NotAuthenticated:
        return False
    return True


@pytest.mark.parametrize("later", [0, 59, 61, 110, 118])
async def test_a_proof_is_remembered_for_as_long_as_it_is_valid(later):
    """A proof by a clock that is ahead is valid for nearly twice the leeway."""
    hands, token = Hands(), bound()
    proofs = ProofVerifier(DPoP(leeway=60), origin=HERE, clock=hands, wall=hands.wall)
    early = proof(token, iat=NOW + 59)

    assert await is_proved(proofs, token, early)
    hands.now = later
    assert not await is_proved(proofs, token, early)
    assert await is_proved(proofs, token, proof(token, iat=NOW + 59, jti="another"))


@pytest.mark.parametrize(("later", "is_taken"), [(0, True), (299, True), (301, True), (601, False)])
async def test_a_nonce_is_valid_until_the_one_after_the_next(later, is_taken):
    """A client that got it just before the change has time to use it."""
    hands, token = Hands(), bound()
    hands.now = -(NOW % NONCE_SECONDS)  # the beginning of a nonce's time
    start = hands.now
    proofs = ProofVerifier(DPoP(nonces=True), origin=HERE, secret="s", clock=hands, wall=hands.wall)
    without = proving(proof(token, iat=hands.wall()))
    with pytest.raises(NotAuthenticated):
        await proofs.check(without, token.encode(), KEY.thumbprint())
    nonce = dict(without.added)[b"dpop-nonce"].decode()
    hands.now = start + later

    made = proof(token, iat=hands.wall(), nonce=nonce, jti="with a nonce")

    assert await is_proved(proofs, token, made) is is_taken


@pytest.mark.parametrize(
    ("seconds", "status"), [(-1, 401), (0, 200), (1, 200)], ids=["before", "at", "after"]
)
async def test_a_certificate_is_not_valid_before_its_start(seconds, status):
    """A certificate that starts tomorrow is refused today."""
    began = GOOD.not_valid_before_utc.timestamp()
    async with certified(wall=lambda: began + seconds) as client:
        answer = await client.get("/v1/me", headers=header_of(GOOD))

    assert answer.status_code == status


@pytest.mark.parametrize("spell", [str, str.upper, lambda one: one[:2] + ":" + one[2:]])
async def test_fingerprints_are_accepted_in_all_usual_forms(spell):
    """They may have colons, and upper or lower case."""
    fingerprint = spell(sha256(GOOD.public_bytes(Encoding.DER)).hexdigest())
    async with certified(fingerprints=(fingerprint,)) as client:
        answer = await client.get("/v1/me", headers=header_of(GOOD))

    assert answer.status_code == 200


# Custom authenticators


class Own:
    """An author's authenticator, with members whose names the framework's own have, too."""

    challenge = "Own"
    services = "a text"
    issuers = None

    def check(self, text: str, scheme: str) -> None:
        """Check something else than settings."""

    def open(self) -> None:
        """Open something else than resources."""

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the same viewer for every request."""
        del scope
        return Viewer("ann", scopes=frozenset({"orders:read"}))


async def test_a_custom_authenticator_may_have_members_of_any_name():
    """Only authenticators of the framework get settings and resources of the gateway."""
    app = gateway(
        "shop",
        faces=[views],
        settings=in_production(["identity"]),
        authenticator=Own(),
        events=Events(),
    )
    async with client_of(app) as client:
        answer = await client.get("/v1/me")

    assert answer.status_code == 200
