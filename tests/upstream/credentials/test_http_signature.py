"""Signed calls, verified as the standard says."""

import hmac
from base64 import b64decode
from hashlib import sha256

import http_sf
import pytest
from msgspec.structs import replace

from bff_core.call import Call, find_header
from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.credentials import Signature
from bff_core.policy.upstream.retry import Retry
from bff_core.testing.scripted import fail, reply
from bff_core.upstream.credentials.http_signature import HTTPSignature
from tests.upstream.credential_stubs import SECRETS, OrdersService

pytestmark = pytest.mark.virtual_time

SIGNED = Signature(secret="billing_key", key_id="shop-7")
KEY = SECRETS["billing_key"].encode()


def verify(call, *, authority: str = "10.0.0.1", base_path: str = "") -> list[str]:
    """Return the components that a signature covers, after verifying it (RFC 9421, section 3.2)."""
    given = find_header(call.headers, b"signature-input")
    [(label, (covered, params))] = http_sf.parse(given, tltype="dictionary").items()
    names = [name for name, _ in covered]
    path, _, query = call.target.partition("?")
    known = {
        "@method": call.method,
        "@authority": authority,
        "@path": base_path + path,
        "@query": f"?{query}",
        "content-digest": (find_header(call.headers, b"content-digest") or b"").decode(),
    }
    lines = [f'"{name}": {known[name]}' for name in names]
    raw = given.decode().removeprefix(f"{label}=")
    base = "\n".join([*lines, f'"@signature-params": {raw}']).encode()
    signature = http_sf.parse(find_header(call.headers, b"signature"), tltype="dictionary")
    assert hmac.digest(KEY, base, "sha256") == signature[label][0]
    assert params == {"created": 1_700_000_000, "keyid": "shop-7"}
    return names


@pytest.mark.parametrize("target", ["/orders", "/orders?status=open&page=2", "/a%20b?"])
async def test_a_read_is_signed(target) -> None:
    """Method, authority, path and query."""
    orders = OrdersService(SIGNED)

    await orders.send(target=target)

    [call] = orders.service.calls
    assert verify(call) == ["@method", "@authority", "@path", "@query"]


@pytest.mark.parametrize("body", [b'{"amount": 5}', b""])
async def test_a_write_is_signed_with_its_body(body) -> None:
    """By a digest, which the service compares with the received body; also with an empty one."""
    orders = OrdersService(SIGNED)

    await orders.stack.handler(replace(orders.call(method="POST"), body=body))

    [call] = orders.service.calls
    digest = http_sf.parse(find_header(call.headers, b"content-digest"), tltype="dictionary")
    assert verify(call)[-1] == "content-digest"
    assert digest["sha-256"][0] == sha256(body).digest()


async def test_each_attempt_is_signed_anew() -> None:
    """A retry carries one signature, not two."""
    orders = OrdersService(SIGNED, fail(), reply(), retry=Retry(backoff=0, backoff_max=0))

    await orders.send()

    names = [[name for name, _ in call.headers] for call in orders.service.calls]
    assert names == [[b"signature-input", b"signature"]] * 2


def test_the_path_of_the_address_is_covered() -> None:
    """Services receive one path, whatever part of it is configured."""
    signature = _opened(["http://billing.internal:8080/v1"])

    call = _signed(signature)

    assert "@path" in verify(call, authority="billing.internal:8080", base_path="/v1")


def test_several_hosts_can_not_be_covered_at_once() -> None:
    """The balancer chooses one of them after the call is signed."""
    addresses = ["http://10.0.0.1", "http://10.0.0.2"]

    with pytest.raises(ConfigurationError, match=r"Signature\(authority=False\)"):
        _opened(addresses)

    options = Signature(secret="billing_key", key_id="shop-7", authority=False)
    assert "@authority" not in verify(_signed(_opened(addresses, options)))


def test_addresses_need_a_path_in_common() -> None:
    """The path is signed."""
    with pytest.raises(ConfigurationError, match="one path in common"):
        _opened(["http://a.internal/v1", "http://a.internal/v2"])


@pytest.mark.parametrize("value", ["short", "whsec_not base64"])
def test_a_key_that_can_be_guessed_or_read_wrongly_is_refused(value) -> None:
    """By the name of its variable, and without its value."""
    with pytest.raises(ConfigurationError, match="BFF_SECRET_BILLING_KEY") as raised:
        _opened(["http://a"], secrets={"billing_key": value})

    assert value not in str(raised.value)


def test_a_binary_key_is_configured_in_base64() -> None:
    """After `whsec_`, as with webhooks."""
    signature = _opened(["http://10.0.0.1"], secrets={"billing_key": "whsec_" + 11 * "AAAA"})

    assert signature._key == b64decode(11 * "AAAA")


def _opened(addresses, options=SIGNED, secrets=SECRETS):
    return HTTPSignature(options, secrets.__getitem__, addresses, wall=lambda: 1_700_000_000.0)


def _signed(credential):
    call = Call("orders", "GET", "/orders", "GET /orders", 5.0)
    return call.with_headers(credential.headers(call))
