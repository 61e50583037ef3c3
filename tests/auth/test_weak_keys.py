"""Published keys that are not accepted: too small, ROCA, of another use, or private."""

import json
import random
from hashlib import sha256
from math import prod

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from bff_core.auth.jwt import keys_of, public_key_of
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.weak_keys import is_roca, is_weak
from bff_core.errors import NotAuthenticated, ProviderUnavailable
from bff_core.testing.scripted import reply
from tests.auth.identity import WEAK, Identity
from tests.auth.tokens import EC, ED, RSA, STRANGER, encoded, signed

pytestmark = pytest.mark.virtual_time

PRIMES = [n for n in range(2, 702) if all(n % one for one in range(2, n))]
"""The first 126 primes: the faulty library used them for keys of 2048 bits, 39 for the shortest."""


def number(value: int, *, zeros: int = 0) -> str:
    """Return a Base64urlUInt, with so many octets of zero before it."""
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return encoded(bytes(zeros) + octets).decode()


def roca_prime(dice: random.Random, bits: int, primes: int = 126) -> int:
    """Return a prime as the faulty library made them, of so many small ones."""
    product = prod(PRIMES[:primes])
    while True:
        least, most = 3 * 2 ** (bits - 2) // product, 2**bits // product
        prime = dice.randrange(least + 1, most) * product
        prime += pow(65_537, dice.randrange(2**40), product)
        if pow(2, prime - 1, prime) == 1:
            return prime


@pytest.fixture(scope="module")
def roca() -> RSAKey:
    """Return a key of 2048 bits that can be factored."""
    dice = random.Random(20171031)
    p, q = roca_prime(dice, 1024), roca_prime(dice, 1024)
    d = pow(65_537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65_537, p * q)
    )
    return RSAKey.import_key(numbers.private_key(), {"kid": "roca"})


def published(key, **changed):
    """Return a key as its issuer publishes it; None leaves a member out."""
    jwk = {**key.as_dict(private=False), **changed}
    return {name: value for name, value in jwk.items() if value is not None}


def numbers_of(key: RSAKey) -> tuple[int, int]:
    """Return modulus and exponent."""
    found = key.public_key.public_numbers()
    return found.n, found.e


async def is_accepted(key, jwk, *, algorithm="RS256") -> bool:
    """Whether a token that is signed by a key is accepted, where its issuer publishes `jwk`."""
    identity = Identity(reply(200, {"keys": [jwk]}))
    try:
        await identity.authenticate(signed(key=key, algorithm=algorithm, kid=jwk.get("kid")))
    except (ProviderUnavailable, NotAuthenticated):
        return False
    return True


async def test_a_key_of_the_faulty_library_is_not_accepted(roca) -> None:
    """Anyone can compute its private part (CVE-2017-15361): not in a key set, not in a proof."""
    jwk = published(roca)

    assert numbers_of(roca)[0].bit_length() == 2048
    assert not await is_accepted(roca, jwk)
    assert not await is_accepted(roca, published(roca, n=number(numbers_of(roca)[0], zeros=3)))
    with pytest.raises(CredentialsRefused):
        public_key_of(jwk)


@pytest.mark.parametrize("zeros", [0, 1, 128, 200, 1000])
@pytest.mark.parametrize("bits", [1024, 1536, 2040, 2047])
def test_a_small_key_is_small_however_it_is_written(bits, zeros) -> None:
    """Leading zero bytes make its text longer, not its modulus."""
    modulus = rsa.generate_private_key(65_537, 1024).public_key().public_numbers().n
    modulus |= 1 << (bits - 1)
    modulus |= 1
    jwk = {"kty": "RSA", "kid": "small", "n": number(modulus, zeros=zeros), "e": "AQAB"}

    assert modulus.bit_length() == bits
    assert keys_of_one(jwk) == ()


def keys_of_one(jwk):
    """Return the accepted keys of a set of one."""
    return keys_of(json.dumps({"keys": [jwk]}).encode())


@pytest.mark.parametrize("zeros", [128, 129, 256])
async def test_a_token_of_a_small_key_is_refused(zeros) -> None:
    """A key of 1024 bits, written as long as one of 2048."""
    jwk = published(WEAK, n=number(numbers_of(WEAK)[0], zeros=zeros))

    assert not await is_accepted(WEAK, jwk)


@pytest.mark.parametrize("zeros", [0, 1, 2])
async def test_a_good_key_may_have_leading_zero_bytes(zeros) -> None:
    """Some programs write one, so that the number is not read as negative."""
    assert await is_accepted(RSA, published(RSA, n=number(numbers_of(RSA)[0], zeros=zeros)))


async def test_a_token_that_an_exponent_of_one_signs_is_refused() -> None:
    """Its signature is the padded digest itself: no secret takes part."""
    modulus = numbers_of(STRANGER)[0]
    jwk = {"kty": "RSA", "kid": "one", "n": number(modulus), "e": "AQ"}
    message = signed(key=RSA, kid="one").rpartition(".")[0].encode()
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    digest = prefix + sha256(message).digest()
    size = (modulus.bit_length() + 7) // 8
    padded = b"\x00\x01" + b"\xff" * (size - 3 - len(digest)) + b"\x00" + digest
    identity = Identity(reply(200, {"keys": [jwk]}))

    with pytest.raises(ProviderUnavailable):
        await identity.authenticate(f"{message.decode()}.{encoded(padded).decode()}")


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 17, 257, 65_536, 65_538, 2**64 + 1, 2**300 + 1])
def test_an_exponent_that_no_standard_allows_is_weak(exponent) -> None:
    """Even, small, or so large that verifying takes long."""
    modulus = numbers_of(RSA)[0]

    assert is_weak(modulus, exponent)
    assert not is_weak(modulus, 65_537)
    assert not is_weak(modulus, 65_539)


def test_a_modulus_with_a_small_factor_or_of_absurd_size_is_weak() -> None:
    """Even, divisible by three, twenty thousand bits."""
    modulus = numbers_of(RSA)[0]

    assert is_weak(modulus * 2, 65_537)
    assert is_weak(modulus * 3, 65_537)
    assert is_weak(modulus * 167, 65_537)
    assert is_weak(modulus**10 | 1, 65_537)
    assert is_weak(0, 65_537)


def test_other_keys_are_not_taken_for_roca_keys() -> None:
    """None of five thousand random moduli is."""
    dice = random.Random(7)
    moduli = [dice.getrandbits(2048) | 1 | 1 << 2047 for _ in range(5000)]

    assert not any(map(is_roca, moduli))
    assert not is_roca(numbers_of(RSA)[0])


@pytest.mark.parametrize(("bits", "primes"), [(256, 39), (480, 39), (496, 71), (1024, 126)])
def test_roca_keys_of_all_sizes_are_detected(bits, primes) -> None:
    """The checked primes are part of the faulty keys of any size."""
    dice = random.Random(3)

    assert is_roca(roca_prime(dice, bits, primes) * roca_prime(dice, bits, primes))


LEFT_OUT = {
    "for encryption": (RSA, {"use": "enc"}),
    "of no known use": (RSA, {"use": "x"}),
    "a number for a use": (RSA, {"use": 7}),
    "that only signs": (RSA, {"key_ops": ["sign"]}),
    "without operations": (RSA, {"key_ops": []}),
    "a text for operations": (RSA, {"key_ops": "verify"}),
    "an algorithm of encryption": (RSA, {"alg": "RSA-OAEP"}),
    "another algorithm": (RSA, {"alg": "PS512"}),
    "a shared secret's algorithm": (RSA, {"alg": "HS256"}),
    "no algorithm": (RSA, {"alg": "none"}),
    "another type": (RSA, {"kty": "EC"}),
    "no modulus": (RSA, {"n": None}),
    "no exponent": (RSA, {"e": None}),
    "a number for a modulus": (RSA, {"n": 7}),
    "empty modulus": (RSA, {"n": ""}),
    "a modulus in words": (RSA, {"n": "!" * 400}),
    "with its private exponent": (RSA, {"d": "AQAB"}),
    "with its factors": (RSA, {"p": "AQAB", "q": "AQAB"}),
    "with a secret": (RSA, {"k": "AQAB"}),
    "another curve's name": (EC, {"crv": "P-384"}),
    "a curve of Bitcoin": (EC, {"crv": "secp256k1"}),
    "no curve": (EC, {"crv": None}),
    "a point beside the curve": (EC, {"y": "AQAB"}),
    "an EC key with its private part": (EC, {"d": "AQAB"}),
    "an Ed25519 key of another curve": (ED, {"crv": "Ed448"}),
    "an Ed25519 key for key agreement": (ED, {"crv": "X25519"}),
    "an Ed25519 key cut short": (ED, {"x": "AQAB"}),
}


@pytest.mark.parametrize("why", LEFT_OUT)
async def test_an_unsuitable_key_is_ignored(why) -> None:
    """Its tokens are refused, and other keys of the set are used."""
    key, changed = LEFT_OUT[why]
    algorithm = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}[key.key_type]
    jwk = published(key, kid="odd", **changed)
    other = published(STRANGER, kid="other")
    identity = Identity(reply(200, {"keys": [jwk, other]}))

    assert not await is_accepted(key, jwk, algorithm=algorithm)
    assert (await identity.authenticate(signed(key=STRANGER, kid="other"))).subject == "user-7"


@pytest.mark.parametrize("key", [RSA, EC, ED])
async def test_a_null_member_of_a_key_is_ignored(key) -> None:
    """Some providers write null for a missing member; the key is used."""
    algorithm = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}[key.key_type]
    nulls = dict.fromkeys(("use", "key_ops", "alg", "x5c", "d", "k", "p"))

    assert await is_accepted(key, {**published(key, kid="odd"), **nulls}, algorithm=algorithm)


async def test_the_first_suitable_key_of_a_name_is_used() -> None:
    """A weak key before it is ignored."""
    weak = published(WEAK, kid="same", n=number(numbers_of(WEAK)[0], zeros=128))
    identity = Identity(
        reply(200, {"keys": [weak, published(RSA, kid="same"), published(EC, kid="same")]})
    )

    by_rsa = await identity.authenticate(signed(kid="same"))
    by_ec = await identity.authenticate(signed(key=EC, algorithm="ES256", kid="same"))

    assert by_rsa == by_ec
