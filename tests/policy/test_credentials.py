"""Options of credentials: they name secrets and hold none, and say who may share replies."""

import pytest

from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.credentials import (
    ApiKey,
    Basic,
    ClientCredentials,
    Relay,
    Signature,
    TokenExchange,
)
from bff_core.policy.upstream.overrides import Overrides
from bff_core.policy.upstream.policy import Policy

EXCHANGE = TokenExchange(audience="orders", client_id="shop", secret="gateway")


@pytest.mark.parametrize("shown", [Relay(), EXCHANGE], ids=["relay", "exchange"])
@pytest.mark.parametrize("shared", ["public", "per_tenant"])
def test_replies_to_a_viewers_token_are_never_shared(shown, shared) -> None:
    """The message says what to change."""
    with pytest.raises(ConfigurationError, match=f"Policy.{shared} would share .* leave {shared}"):
        Policy(credentials=shown, **{shared: True})


@pytest.mark.parametrize(
    "shown",
    [
        ClientCredentials(client_id="shop", secret="gateway"),
        ApiKey(secret="gateway"),
        Basic(username="shop", secret="gateway"),
        Signature(secret="gateway", key_id="shop"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_shared_credentials_may_have_shared_replies(shown) -> None:
    """The service answers the gateway, not a viewer."""
    assert Policy(credentials=shown, public=True).credentials is shown


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Policy(credentials="Bearer x"), "Policy.credentials must be Relay(...), Client"),
        (lambda: ApiKey(secret="Sk-live-123"), "ApiKey.secret must be a name in lower case"),
        (lambda: ApiKey(secret="key_file"), "ApiKey.secret must be a name in lower case"),
        (lambda: ApiKey(secret=""), "ApiKey.secret must be a name in lower case"),
        (lambda: ApiKey(secret="key", header="x key"), "ApiKey.header must be the name of a"),
        (lambda: Basic(username="a:b", secret="key"), "Basic.username must be"),
        (lambda: Signature(secret="key", key_id="é"), "Signature.key_id must be printable"),
        (lambda: Signature(secret="key", key_id="k", label="A"), "Signature.label must be a key"),
        (lambda: Signature(secret="key", key_id="k", authority=1), "Signature.authority must be"),
        (
            lambda: ClientCredentials(client_id="", secret="key"),
            "ClientCredentials.client_id must be printable",
        ),
        (
            lambda: ClientCredentials(client_id="a", secret="key", scope="orders"),
            "ClientCredentials.scope must be tuple",
        ),
        (
            lambda: ClientCredentials(client_id="a", secret="key", scope=("a b",)),
            "ClientCredentials.scope must be a tuple of single scopes",
        ),
        (
            lambda: ClientCredentials(client_id="a", secret="key", path="http://evil"),
            "ClientCredentials.path must be a path",
        ),
        (
            lambda: ClientCredentials(client_id="a", secret="key", upstream="https://id"),
            "ClientCredentials.upstream must be the name of an upstream",
        ),
        (
            lambda: TokenExchange(audience="", client_id="a", secret="key"),
            "TokenExchange.audience must name the service",
        ),
    ],
)
def test_options_that_cannot_be_meant_are_refused(build, message) -> None:
    """Each says what it must be."""
    with pytest.raises(ConfigurationError) as caught:
        build()

    assert message in str(caught.value)


def test_a_secret_in_place_of_its_name_is_not_repeated() -> None:
    """Who mistakes the two does not find it in the log."""
    with pytest.raises(ConfigurationError) as caught:
        ApiKey(secret="Sk-live-123")

    assert "Sk-live" not in str(caught.value)


@pytest.mark.parametrize("said", ["true", "false", '"relay"', "{ secret = 'x' }"])
def test_an_override_file_can_not_change_credentials(said) -> None:
    """Credentials are declared in the code, where they are reviewed."""
    overrides = Overrides.parse(f"[users]\ncredentials = {said}", "policies.toml")

    with pytest.raises(ConfigurationError, match=r"users.credentials can't be set here"):
        overrides.over("users", Policy(credentials=Relay()))


def test_a_file_leaves_credentials_as_they_are() -> None:
    """Where it changes something else."""
    overrides = Overrides.parse("[users]\ntimeout = 3.0", "policies.toml")

    changed = overrides.over("users", Policy(credentials=EXCHANGE))

    assert (changed.timeout, changed.credentials) == (3.0, EXCHANGE)
