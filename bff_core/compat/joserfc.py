"""The private names of joserfc that the framework uses."""

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import base64_to_int

__all__ = ["base64_to_int", "is_signature"]


def is_signature(
    signature: bytes, message: bytes, *, algorithm: str, key: RSAKey | ECKey | OKPKey
) -> bool:
    """Whether a signature of a message is valid, by an algorithm (RFC 7518) and a key.

    Raises `JoseError` or `ValueError` for a key that does not fit the algorithm.
    """
    found = JWSRegistry.algorithms[algorithm]
    found.check_key(key)
    return found.verify(message, signature, key)
