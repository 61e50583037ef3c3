"""Client certificates count only if a trusted proxy has verified them."""

from base64 import b64encode
from contextlib import asynccontextmanager
from hashlib import sha256
from urllib.parse import quote

import httpx
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bff_core import gateway
from bff_core.auth.certificate import CertificateAuthenticator
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.events import Events
from bff_core.scope import Scope
from tests.auth.test_bearer_gateway import views
from tests.shop_with_view_cache import in_production

CA = trustme.CA()


def certificate(name="jobs.shop.example") -> x509.Certificate:
    """Return a certificate of a host."""
    issued = CA.issue_cert(name, common_name="jobs")
    return x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())


GOOD = certificate()


def header_of(one: x509.Certificate) -> dict[str, str]:
    """Return the header as RFC 9440 has it."""
    return {"client-cert": f":{b64encode(one.public_bytes(Encoding.DER)).decode()}:"}


def envoys(one: x509.Certificate, *before: str) -> dict[str, str]:
    """Return the header as Envoy has it."""
    pem = quote(one.public_bytes(Encoding.PEM).decode(), safe="")
    ours = f'Hash=x;Cert="{pem}";Subject="CN=jobs,O=shop"'
    return {"x-forwarded-client-cert": ",".join([*before, ours])}


@asynccontextmanager
async def open_shop(*, peer="10.0.0.7", header="client-cert", **options):
    """Run a gateway behind a hop at 10.0.0.7."""
    options = {"by": "dns", "allowed": ("*.shop.example",), "scopes": ("orders:read",), **options}
    settings = in_production([]).model_copy(update={"trusted_proxies": ("10.0.0.7",)})
    app = gateway(
        "shop",
        faces=[views],
        settings=settings,
        authenticator=CertificateAuthenticator(header, **options),
        events=Events(),
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


async def test_a_certificate_authenticates_its_viewer():
    """The subject is the configured name; the header is that of either kind of proxy."""
    async with open_shop() as client:
        first = await client.get("/v1/me", headers=header_of(GOOD))
    async with open_shop(header="x-forwarded-client-cert") as client:
        second = await client.get("/v1/me", headers=envoys(GOOD, 'Hash=y;Cert="forged"'))
    async with open_shop(by="cn", allowed=("jobs",)) as client:
        third = await client.get("/v1/me", headers=header_of(GOOD))

    assert first.json() == second.json() == {"subject": "jobs.shop.example"}
    assert third.json() == {"subject": "jobs"}


async def test_only_a_trusted_proxy_may_send_certificates():
    """The gateway removes the header of other senders before anything reads it."""
    async with open_shop(peer="203.0.113.9") as client:
        answer = await client.get("/v1/me", headers=header_of(GOOD))

    assert answer.status_code == 401
    assert "certificate" not in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        header_of(certificate("jobs.evil.example")),
        {"client-cert": ":AAAA:"},
        {"client-cert": "nonsense"},
        {"client-cert": f":{'A' * 20_000}:"},
    ],
)
async def test_any_other_certificate_is_refused(headers):
    """Foreign, malformed and too long certificates get the same answer."""
    async with open_shop() as client:
        answer = await client.get("/v1/me", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["detail"] == "The client certificate is not valid."


async def test_an_expired_certificate_is_refused():
    """The proxy may have accepted it a moment ago."""
    late = GOOD.not_valid_after_utc.timestamp() + 1
    async with open_shop(wall=lambda: late) as client:
        answer = await client.get("/v1/me", headers=header_of(GOOD))

    assert answer.status_code == 401


async def test_certificates_may_be_allowed_by_fingerprint():
    """Others of the same subject are refused."""
    known = sha256(GOOD.public_bytes(Encoding.DER)).hexdigest()
    async with open_shop(fingerprints=(known,)) as client:
        taken = await client.get("/v1/me", headers=header_of(GOOD))
        other = await client.get("/v1/me", headers=header_of(certificate()))

    assert (taken.status_code, other.status_code) == (200, 401)


def test_without_a_trusted_proxy_it_does_not_start():
    """Any client could send the header otherwise."""
    with pytest.raises(ConfigurationError, match="BFF_TRUSTED_PROXIES"):
        gateway(
            "shop",
            settings=in_production([]),
            authenticator=CertificateAuthenticator(allowed=("*.shop.example",)),
        )
    with pytest.raises(ConfigurationError, match="allowed"):
        CertificateAuthenticator(allowed=())


VICTIM = quote(certificate("admin.shop.example").public_bytes(Encoding.PEM).decode(), safe="")


@pytest.mark.parametrize(
    "more",
    [
        f'Subject="CN=jobs,O=Cert={VICTIM}"',
        f'Subject="CN=jobs\\";Cert={VICTIM};O=\\""',
        f'URI="https://jobs.example/?Cert={VICTIM}"',
        f'DNS="a,Cert={VICTIM}"',
        "By=spiffe://a;By=spiffe://b;URI=spiffe://c",
    ],
)
async def test_a_certificate_in_the_text_of_another_field_is_ignored(more):
    """Clients choose the names in their certificates; text in them is not parsed as a field."""
    one = CertificateAuthenticator("x-forwarded-client-cert", by="dns", allowed=("*.shop.example",))
    sent = f"{envoys(GOOD)['x-forwarded-client-cert'].partition(';Subject')[0]};{more}"

    viewer = await one.authenticate(
        Scope(0.0, headers=((b"x-forwarded-client-cert", sent.encode()),))
    )

    assert viewer.subject == "jobs.shop.example"


@pytest.mark.parametrize("more", [f";Cert={VICTIM}", ';Subject="CN=jobs', ";Subject=a=b", ";", ","])
async def test_a_malformed_header_is_refused(more):
    """An ambiguous header is not parsed."""
    one = CertificateAuthenticator("x-forwarded-client-cert", by="dns", allowed=("*.shop.example",))
    sent = f"{envoys(GOOD)['x-forwarded-client-cert']}{more}"
    headers = ((b"x-forwarded-client-cert", sent.encode()),)

    with pytest.raises(NotAuthenticated):
        await one.authenticate(Scope(0.0, headers=headers))
