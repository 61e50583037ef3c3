"""Signed calls, as a service verifies them that knows nothing but the standard."""

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
from tests.upstream.holders import SECRETS, Counter

pytestmark = pytest.mark.virtual_time

SIGNED = Signature(secret="billing_key", key_id="shop-7")
KEY = SECRETS["billing_key"].encode()


def verify(call, *, authority: str = "10.0.0.1", base_path: str = "") -> list[str]:
    """Return what a signature covers; fails where it does not hold (RFC 9421, section 3.2)."""
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
    counter = Counter(SIGNED)

    await counter.send(target=target)

    [call] = counter.service.calls
    assert verify(call) == ["@method", "@authority", "@path", "@query"]


@pytest.mark.parametrize("body", [b'{"amount": 5}', b""])
async def test_a_write_is_signed_with_its_body(body) -> None:
    """By a digest, which the service compares with what it received; also where there is none."""
    counter = Counter(SIGNED)

    await counter.stack.handler(replace(counter.call(method="POST"), body=body))

    [call] = counter.service.calls
    digest = http_sf.parse(find_header(call.headers, b"content-digest"), tltype="dictionary")
    assert verify(call)[-1] == "content-digest"
    assert digest["sha-256"][0] == sha256(body).digest()


async def test_each_attempt_is_signed_anew() -> None:
    """A retry carries one signature, not two."""
    counter = Counter(SIGNED, fail(), reply(), retry=Retry(backoff=0, backoff_max=0))

    await counter.send()

    shown = [[name for name, _ in call.headers] for call in counter.service.calls]
    assert shown == [[b"signature-input", b"signature"]] * 2


def test_the_path_of_the_address_is_covered() -> None:
    """Services see one path, whatever part of it is configured."""
    told = _opened(["http://billing.internal:8080/v1"])

    call = _signed(told)

    assert "@path" in verify(call, authority="billing.internal:8080", base_path="/v1")


def test_several_hosts_can_not_be_covered_at_once() -> None:
    """Which of them is called is decided later."""
    addresses = ["http://10.0.0.1", "http://10.0.0.2"]

    with pytest.raises(ConfigurationError, match=r"Signature\(authority=False\)"):
        _opened(addresses)

    options = Signature(secret="billing_key", key_id="shop-7", authority=False)
    assert "@authority" not in verify(_signed(_opened(addresses, options)))


def test_addresses_need_a_path_in_common() -> None:
    """It is part of what is signed."""
    with pytest.raises(ConfigurationError, match="one path in common"):
        _opened(["http://a.internal/v1", "http://a.internal/v2"])


@pytest.mark.parametrize("value", ["short", "whsec_not base64"])
def test_a_key_that_can_be_guessed_or_read_wrongly_is_refused(value) -> None:
    """By the name of its variable, and without its value."""
    with pytest.raises(ConfigurationError, match="BFF_SECRET_BILLING_KEY") as told:
        _opened(["http://a"], secrets={"billing_key": value})

    assert value not in str(told.value)


def test_a_key_of_octets_is_told_in_base64() -> None:
    """After `whsec_`, as with webhooks."""
    told = _opened(["http://10.0.0.1"], secrets={"billing_key": "whsec_" + 11 * "AAAA"})

    assert told._key == b64decode(11 * "AAAA")


def _opened(addresses, options=SIGNED, secrets=SECRETS):
    return HTTPSignature(options, secrets.__getitem__, addresses, wall=lambda: 1_700_000_000.0)


def _signed(credential):
    call = Call("orders", "GET", "/orders", "GET /orders", 5.0)
    return call.with_headers(credential.ready(call))
