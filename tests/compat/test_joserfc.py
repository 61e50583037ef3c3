"""What `bff_core/compat/joserfc.py` needs of joserfc; each test is named after one promise."""

from functools import cache

import pytest
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from bff_core.auth.issuer_config import ALGORITHMS
from bff_core.auth.jwt import CURVES
from bff_core.compat import joserfc as compat

KEYS = {
    "RSA": lambda _: RSAKey.generate_key(2048),
    "EC": lambda name: ECKey.generate_key(CURVES[name]),
    "OKP": lambda _: OKPKey.generate_key("Ed25519"),
}


@cache
def key_of(kind, curve):
    """Return a key; those of RSA take long to make."""
    return KEYS[kind](curve)


def signed(algorithm):
    """Return a message, its signature and the key of both."""
    key = key_of(ALGORITHMS[algorithm], algorithm if algorithm in CURVES else "")
    return b"head.body", JWSRegistry.algorithms[algorithm].sign(b"head.body", key), key


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_signature_is_verified_by_the_algorithm_s_own_object(algorithm):
    """`JWSRegistry.algorithms` has each algorithm; a signature holds for its message alone."""
    message, signature, key = signed(algorithm)

    def is_signature(text):
        return compat.is_signature(signature, text, algorithm=algorithm, key=key)

    assert is_signature(message)
    assert not is_signature(message + b"x")


def test_a_key_of_another_kind_is_refused():
    """`check_key` raises for a key that does not belong to the algorithm."""
    message, signature, _ = signed("ES256")

    with pytest.raises((JoseError, ValueError)):
        compat.is_signature(
            signature, message, algorithm="RS256", key=OKPKey.generate_key("Ed25519")
        )


@pytest.mark.parametrize(("text", "number"), [("AQAB", 65_537), ("Aw", 3)])
def test_base64_to_int_reads_the_numbers_of_keys(text, number):
    """`base64_to_int` reads a Base64urlUInt (RFC 7518, section 2) as the key is imported."""
    assert compat.base64_to_int(text) == number
