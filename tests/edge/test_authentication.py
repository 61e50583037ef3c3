"""Authentication at the edge: each request has a viewer, or is refused."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bff_core.auth.demo import DemoAuthenticator
from bff_core.auth.viewer import ANONYMOUS, Viewer
from bff_core.errors import Overloaded


@pytest.fixture
def demo():
    """Return the authenticator of a laptop."""
    return DemoAuthenticator(env="development")


async def test_a_known_caller_becomes_the_viewer(edged, answering, demo):
    """Faces find the viewer and its key in the scope."""
    scopes = []
    gateway = edged(answering(scopes=scopes), authenticator=demo)

    await gateway.get("/", headers={"Authorization": "Bearer demo-7"})

    assert scopes[0].viewer.subject == "7"
    assert scopes[0].audience == scopes[0].viewer.audience


@dataclass(frozen=True)
class Customer(Viewer):
    """A viewer with a note that does not count when viewers are compared."""

    note: str = field(default="", compare=False)


async def test_a_viewer_is_what_the_authenticator_made_of_this_request(edged, answering):
    """A viewer of another class is not replaced by an equal one, and gets an issuer."""

    class Noting:
        """An authenticator that stores a note about each request in the viewer."""

        challenge = "Bearer"

        async def authenticate(self, scope):
            """Return user 7, with the path."""
            return Customer("7", note=scope.path)

    scopes = []
    gateway = edged(answering(scopes=scopes), authenticator=Noting())
    for path in ("/a", "/b"):
        await gateway.get(path)

    assert [one.viewer.note for one in scopes] == ["/a", "/b"]
    assert scopes[0].viewer.issuer.endswith("Noting")
    assert [one.audience for one in scopes] == [one.viewer.audience for one in scopes]


async def test_a_caller_without_credentials_is_anonymous(edged, answering, demo):
    """Public screens work without signing in, but their answers are not shared as public."""
    scopes = []
    gateway = edged(answering(scopes=scopes), authenticator=demo)

    answer = await gateway.get("/")

    assert answer.status_code == 200
    assert scopes[0].viewer is ANONYMOUS
    assert scopes[0].audience == "anonymous"


async def test_wrong_credentials_are_refused_with_a_challenge(edged, answering, demo):
    """A caller with wrong credentials must not silently get the anonymous answer."""
    scopes = []
    gateway = edged(answering(scopes=scopes), authenticator=demo)

    answer = await gateway.get("/", headers={"Authorization": "Basic YWRtaW46"})

    assert (answer.status_code, answer.json()["code"], scopes) == (401, "not_authenticated", [])
    assert answer.headers["www-authenticate"] == 'Bearer realm="demo"'
    assert "YWRtaW46" not in answer.text


async def test_without_an_authenticator_everybody_is_anonymous(edged, answering):
    """Without an authenticator, credentials are ignored."""
    scopes = []
    gateway = edged(answering(scopes=scopes))

    await gateway.get("/", headers={"Authorization": "Bearer demo-1"})

    assert scopes[0].viewer is ANONYMOUS


async def test_an_authenticator_that_fails_lets_no_one_in(edged, answering):
    """A session store that is down is a 503, never a silent logout."""

    class Down:
        """An authenticator whose store is down."""

        challenge = "Bearer"

        async def authenticate(self, scope):
            """Fail."""
            raise Overloaded("sessions can't be read")

    scopes = []

    answer = await edged(answering(scopes=scopes), authenticator=Down()).get("/")

    assert (answer.status_code, scopes) == (503, [])


@pytest.mark.virtual_time
async def test_an_authenticator_that_hangs_is_within_the_deadline(edged, answering):
    """Looking up a session counts as part of the request."""

    class Slow:
        """An authenticator whose store hangs."""

        challenge = "Bearer"

        async def authenticate(self, scope):
            """Wait for ever."""
            await asyncio.Event().wait()

    answer = await edged(answering(), authenticator=Slow()).get("/")

    assert answer.status_code == 504
