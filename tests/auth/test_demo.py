"""Demo authentication: accepts any user id without proof, in development only."""

from dataclasses import replace

import pytest

from bff_core.auth.authenticator import FirstOf
from bff_core.auth.demo import DemoAuthenticator
from bff_core.auth.viewer import Viewer
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.gateway.authentication import make_authenticator
from bff_core.scope import Scope
from bff_core.settings.model import Settings


def asking(credentials):
    """Return a scope with these credentials."""
    return Scope(0.0, headers=((b"authorization", credentials),))


@pytest.mark.parametrize(
    ("credentials", "subject"),
    [
        (b"Bearer demo-1", "1"),
        (b"bearer demo-42", "42"),
        (b"Bearer  demo-alice_B-2", "alice_B-2"),
    ],
)
async def test_a_token_is_accepted_without_proof(credentials, subject):
    """The scheme's name is case-insensitive, as HTTP requires."""
    demo = DemoAuthenticator(env="development")

    assert await demo.authenticate(asking(credentials)) == Viewer(subject)


GRANTED = Viewer("1", scopes=frozenset({"orders:read"}), roles=frozenset({"customer"}))


@pytest.mark.parametrize(
    ("query", "scopes", "roles"),
    [
        (b"", {"orders:read"}, {"customer"}),
        (b"?scope=openid", {"openid"}, {"customer"}),
        (b"?scope=openid+cart:read", {"openid", "cart:read"}, {"customer"}),
        (b"?scope=openid%20cart:read", {"openid", "cart:read"}, {"customer"}),
        (b"?scope=", set(), {"customer"}),
        (b"?roles=support", {"orders:read"}, {"support"}),
        (b"?scope=openid&roles=a+b", {"openid"}, {"a", "b"}),
    ],
)
async def test_a_token_can_name_other_scopes_and_roles(query, scopes, roles):
    """A token can name other rights than the application gives this user."""
    demo = DemoAuthenticator(
        env="development", viewer=lambda user_id: replace(GRANTED, subject=user_id)
    )

    viewer = await demo.authenticate(asking(b"Bearer demo-7" + query))

    assert viewer == Viewer("7", scopes=frozenset(scopes), roles=frozenset(roles))


async def test_without_a_token_the_caller_is_anonymous():
    """Anonymous callers see public screens."""
    assert await DemoAuthenticator(env="development").authenticate(Scope(0.0)) is None


@pytest.mark.parametrize(
    "credentials",
    [
        b"",
        b"Bearer",
        b"Bearer demo-",
        b"Bearer demo-1 2",
        b"Bearer demo-../2",
        b"Bearer prod-1",
        b"Basic demo-1",
        b"demo-1",
        b"Bearer demo-1\n",
        b"Bearer demo-1?",
        b"Bearer demo-1?scope",
        b"Bearer demo-1?scope=a&subject=2",
        b"Bearer demo-1?scope=a b",
        b"Bearer demo-1?scope=a\n",
        b"Bearer demo-" + b"a" * 65,
    ],
)
async def test_anything_else_is_refused(credentials):
    """A wrong token is an error, not an anonymous caller."""
    with pytest.raises(NotAuthenticated):
        await DemoAuthenticator(env="development").authenticate(asking(credentials))


def test_it_does_not_start_in_production():
    """The error names both variables and both ways out."""
    with pytest.raises(ConfigurationError, match=r"BFF_AUTH=demo .*BFF_ENV=development"):
        make_authenticator(None, Settings(auth="demo", env="production"))


def test_the_settings_choose_it_before_what_the_author_gave():
    """`BFF_AUTH=demo` tries a gateway out that would need a provider."""
    given = FirstOf(DemoAuthenticator(env="development"))

    chosen = make_authenticator(given, Settings(auth="demo", env="development"))

    assert isinstance(chosen, DemoAuthenticator)
    assert make_authenticator(given, Settings(env="development")) is given
    assert make_authenticator(lambda _: given, Settings(env="production")) is given
    assert make_authenticator(None, Settings(env="production")) is None
