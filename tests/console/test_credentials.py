"""The form of the API page offers what the gateway accepts."""

import msgspec
import pytest

from bff_core.auth import BearerAuthenticator, DemoAuthenticator, Issuer
from bff_core.auth.api_keys.authenticator import ApiKeyAuthenticator
from bff_core.auth.authenticator import FirstOf
from bff_core.auth.certificate import CertificateAuthenticator
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.console.api.credentials import credentials_of
from bff_core.console.installation import INFO, gateways_of
from bff_core.console.model import GatewayInfo
from bff_core.console.sources import GatewaySource, Sources

ISSUER = "https://id.example"


def offered(authenticator, *, is_development=False):
    found = credentials_of(authenticator, is_development=is_development)
    return [(one.header, one.prefix, one.example) for one in found]


@pytest.mark.parametrize(
    ("authenticator", "credentials"),
    [
        (None, []),
        (DemoAuthenticator(env="test"), [("Authorization", "Bearer ", "demo-1")]),
        (
            BearerAuthenticator(Issuer(issuer=ISSUER, audience=("till",))),
            [("Authorization", "Bearer ", "")],
        ),
        (ApiKeyAuthenticator(), [("x-api-key", "", "")]),
        (SessionAuthenticator(), [("Cookie", "__Host-bff=", "")]),
        (CertificateAuthenticator(), []),
        (
            FirstOf(DemoAuthenticator(env="test"), ApiKeyAuthenticator()),
            [("Authorization", "Bearer ", "demo-1"), ("x-api-key", "", "")],
        ),
    ],
    ids=["none", "demo", "bearer", "key", "session", "certificate", "first of"],
)
def test_each_authenticator_names_its_header(authenticator, credentials):
    """An example is offered only where it works."""
    assert offered(authenticator) == credentials


async def test_a_token_is_printed_by_the_command_of_the_project():
    """The console of `bff dev` knows it; demo tokens need none."""
    bearer = BearerAuthenticator(Issuer(issuer=ISSUER, audience=("till",)))
    for authenticator, command in ((bearer, "print-token"), (DemoAuthenticator(env="test"), "")):
        credentials = credentials_of(authenticator, is_development=True)
        given = GatewayInfo(name="", url="", credentials=credentials)

        async def info(_: bytes, given=given) -> bytes:
            return msgspec.json.encode(given)

        source = GatewaySource(name="till", commands={INFO: info}, token="print-token")
        (found,) = await gateways_of(Sources([source]))
        assert [one.command for one in found.credentials] == [command]


def test_a_hint_says_where_to_get_a_token():
    """The issuer; in development also that demo tokens need no issuer."""
    bearer = BearerAuthenticator(Issuer(issuer=ISSUER, audience=("till",)))
    (elsewhere,) = credentials_of(bearer, is_development=False)
    (here,) = credentials_of(bearer, is_development=True)

    assert elsewhere.hint == f"Get an access token of {ISSUER}."
    assert here.hint == f"{elsewhere.hint} Or restart with BFF_AUTH=demo, which accepts demo-1."
