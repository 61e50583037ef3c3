"""How an identity provider is called: names of its services, the client's secret, its replies."""

from base64 import b64decode
from urllib.parse import parse_qs

import pytest

from bff_core.errors import ProviderUnavailable
from bff_core.oauth.endpoint import (
    MAX_REPLY_BYTES,
    OAuthClient,
    document_service,
    grant_service,
    object_in,
    service_name,
)
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, Step, fail, reply
from bff_core.upstream.registry import UpstreamRegistry

pytestmark = pytest.mark.virtual_time


class Provider:
    """The grant service of a provider that answers by a script."""

    def __init__(self, *steps: Step) -> None:
        self.script, bench = Scripted(*steps), LayerRuntime("identity")
        registry = UpstreamRegistry(
            lambda _: ("http://10.0.0.1",),
            lambda _: bench.runtime,
            lambda *_: ScriptedTransport({"10.0.0.1": self.script}),
        )
        kind = grant_service("identity")
        registry.adopt({kind: kind.policy})
        self.service = registry.services[kind]


async def test_a_secret_is_sent_in_the_header_by_default():
    """Each part is encoded as in a form, and the body has no secret."""
    provider = Provider(reply(200, {}))

    await OAuthClient("shop:1", "s p+c").post(provider.service, "/token", {"grant_type": "x"})

    [call] = provider.script.calls
    scheme, _, pair = dict(call.headers)[b"authorization"].decode().partition(" ")
    assert (scheme, b64decode(pair)) == ("Basic", b"shop%3A1:s+p%2Bc")
    assert parse_qs(call.body.decode()) == {"grant_type": ["x"]}


async def test_a_secret_is_sent_in_the_body_for_providers_that_want_it_there():
    """And in no header."""
    provider = Provider(reply(200, {}))

    await OAuthClient("shop:1", "s p+c", "post").post(provider.service, "/token", {"code": "a&b"})

    [call] = provider.script.calls
    assert b"authorization" not in dict(call.headers)
    assert parse_qs(call.body.decode()) == {
        "code": ["a&b"],
        "client_id": ["shop:1"],
        "client_secret": ["s p+c"],
    }


def document(octets: int) -> bytes:
    """Return a JSON object of so many bytes."""
    return b'{"a": "' + b"x" * (octets - 9) + b'"}'


async def test_a_reply_is_read_up_to_a_bound():
    """An ID token of hundreds of groups fits."""
    provider = Provider(reply(200, document(MAX_REPLY_BYTES)))

    answer = await OAuthClient("shop", "s").post(provider.service, "/token", {})

    assert object_in(answer).keys() == {"a"}


async def test_a_longer_reply_is_refused():
    """A provider can't make the gateway parse megabytes."""
    provider = Provider(reply(200, document(MAX_REPLY_BYTES + 1)))

    with pytest.raises(ProviderUnavailable, match="too long"):
        await OAuthClient("shop", "s").post(provider.service, "/token", {})


async def test_a_provider_that_does_not_answer_is_unavailable():
    """The reason is the code of the upstream error, which has no address."""
    with pytest.raises(ProviderUnavailable) as raised:
        await OAuthClient("shop", "s").post(Provider(fail()).service, "/token", {})

    assert (raised.value.status, raised.value.reason) == (503, "unavailable")


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("https://oauth2.googleapis.com", "identity_oauth2_googleapis_com"),
        ("https://a-b.example", "identity_a__b_example"),
        ("https://id.example:8443", "identity_id_example_port_8443"),
        ("http://id.example", "identity_http_id_example"),
    ],
)
def test_a_further_origin_has_a_service_of_its_own(origin, name):
    """Documents and grants are requested there, without a variable for its address."""
    assert service_name("identity", origin) == name
    assert {document_service(name).origin, grant_service(name).origin} == {origin}
