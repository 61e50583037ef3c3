"""Weak RSA keys: by size, exponent, small factors, or the ROCA fault (CVE-2017-15361)."""

from functools import cache
from math import isqrt
from typing import Final

MIN_BITS: Final = 2048
"""Minimum bits of a modulus (RFC 7518, section 3.3)."""

MAX_BITS: Final = 16_384
"""Maximum bits of a modulus: the time to verify grows with their square."""

MIN_EXPONENT: Final = 65_537
MAX_EXPONENT: Final = 2**64 - 1
"""Bounds of a public exponent (FIPS 186-5, appendix A.1.1; OpenSSL's bound for long keys)."""

ROCA_GENERATOR: Final = 65_537
ROCA_LARGEST_PRIME: Final = 167
"""The faulty library uses small primes up to this one, at least, for moduli of any size."""


def is_weak(modulus: int, exponent: int) -> bool:
    """Return whether an RSA key is so weak that its signatures prove nothing."""
    return (
        not MIN_BITS <= modulus.bit_length() <= MAX_BITS
        or not MIN_EXPONENT <= exponent <= MAX_EXPONENT
        or exponent % 2 == 0
        or modulus % 2 == 0
        or any(modulus % prime == 0 for prime, _ in _fingerprint())
        or is_roca(modulus)
    )


def is_roca(modulus: int) -> bool:
    """Return whether a modulus was made by the library of CVE-2017-15361, and can be factored.

    Its primes are k * M + (65537**a mod M) for a product M of small primes, so the modulus is a
    power of 65537 modulo each of them (Nemec et al., The Return of Coppersmith's Attack, 2017).
    Fewer than one in a hundred million other moduli have this property.
    """
    return all(modulus % prime in powers for prime, powers in _fingerprint())


@cache
def _fingerprint() -> tuple[tuple[int, frozenset[int]], ...]:
    """Return small primes, each with the powers of 65537 modulo it; the rarest first."""
    primes = [n for n in range(3, ROCA_LARGEST_PRIME + 1, 2) if _is_prime(n)]
    found = [(prime, _powers(prime)) for prime in primes]
    return tuple(sorted(found, key=lambda one: len(one[1]) / one[0]))


def _powers(prime: int) -> frozenset[int]:
    found, power = set[int](), 1
    while power not in found:
        found.add(power)
        power = power * ROCA_GENERATOR % prime
    return frozenset(found)


def _is_prime(number: int) -> bool:
    return all(number % one for one in range(3, isqrt(number) + 1, 2))
