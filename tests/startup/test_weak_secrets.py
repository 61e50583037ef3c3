"""Production: secrets that can be guessed stop the start, random ones do not."""

import base64
import secrets

import pytest

from bff_core import gateway
from bff_core.errors import ConfigurationError
from bff_core.startup.weak_secrets import weakness_of
from tests.startup.conftest import production, settings

WEAK = [
    "a" * 20,
    "aaaaaaaaaabbbbbbbbbb",
    "12345678901234567890",
    "abcdefghijklmnopqrst",
    "passwordpasswordpassword",
    "Password-Password-123456",
    "secret-operator-token",
    "admin-admin-admin-admin",
    "test-token-test-token-1",
    "qwertyqwertyqwertyqwerty",
    "zx81!zx81!zx81!zx81!zx81!",
]

STRONG = [
    "a token of twenty characters",
    "correct horse battery staple",
    "3f9d0c1b7a62e4d85f0719c3",
    "0b91c2f4-6d0e-4b8a-9c1d-77e3f2a1b5c6",
    "8Jq1vX0Zs7Lw2Rk9TnYb",
]


@pytest.mark.parametrize("secret", WEAK)
def test_what_people_make_up_is_weak(secret):
    """Each of them has 20 characters, and is on the first pages of a list of guesses."""
    assert weakness_of(secret)


@pytest.mark.parametrize("secret", STRONG)
def test_what_is_hard_to_guess_is_taken(secret):
    """Random texts of any alphabet, and a few words."""
    assert weakness_of(secret) == ""


def test_generated_secrets_are_taken():
    """None of many from the usual generators is refused."""
    made = [
        one
        for _ in range(500)
        for one in (
            secrets.token_urlsafe(20),
            secrets.token_hex(16),
            base64.b64encode(secrets.token_bytes(32)).decode(),
        )
    ]

    assert [one for one in made if weakness_of(one)] == []


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"operator_token": "passwordpasswordpassword"}, "BFF_OPERATOR_TOKEN"),
        ({"session_keys": ("passwordpasswordpassword-password",)}, "BFF_SESSION_KEYS"),
        ({"purge_secret": ("passwordpasswordpassword",)}, "BFF_PURGE_SECRET"),
        ({"viewer_hash_key": "passwordpasswordpassword"}, "BFF_VIEWER_HASH_KEY"),
    ],
)
def test_a_weak_secret_stops_the_start_in_production(values, variable):
    """The error says why and how to make a better one, without the secret; development goes on."""
    gateway("till", settings=settings(**values))
    with pytest.raises(ConfigurationError) as refused:
        gateway("till", settings=production(**values))

    text = str(refused.value)
    assert text.startswith(f"{variable} ")
    assert "openssl rand -base64 32" in text
    assert "password" not in text


def test_a_secret_of_the_examples_is_named_once():
    """It is refused as such, not also as a weak one."""
    with pytest.raises(ConfigurationError) as refused:
        gateway("till", settings=production(operator_token="changeme-changeme-changeme"))

    assert str(refused.value).count("BFF_OPERATOR_TOKEN") == 1
