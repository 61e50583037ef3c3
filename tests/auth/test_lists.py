"""The lists of authentication, member by member: algorithms, keys, parameters, destinations."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc.jwk import ECKey, OKPKey

from bff_core.auth.issuer_config import Issuer
from bff_core.auth.jwt import keys_of, parse, public_key_of, verify
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.session.cookie import Cookie
from bff_core.auth.session.csrf import CsrfProtection, Forged
from bff_core.errors import ConfigurationError
from tests.auth.browser.site import GOES, HERE, open_site, sign_in_at
from tests.auth.tokens import AUDIENCE, EC, ED, ISSUER, NOW, RSA, encoded, key_set, signed

P384 = ECKey.generate_key("P-384", {"kid": "p384"}, private=True)
P521 = ECKey.generate_key("P-521", {"kid": "p521"}, private=True)
ED448 = OKPKey.generate_key("Ed448", {"kid": "ed448"}, private=True)
X25519 = OKPKey.generate_key("X25519", {"kid": "x25519"}, private=True)

KEY_OF = {
    "RS256": RSA, "RS384": RSA, "RS512": RSA,
    "PS256": RSA, "PS384": RSA, "PS512": RSA,
    "ES256": EC, "ES384": P384, "ES512": P521,
    "EdDSA": ED, "Ed25519": ED,
}  # fmt: skip
DEFAULT = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
UNFIT = ["none", "HS256", "HS384", "HS512", "ES256K", "Ed448", "RSA-OAEP", "dir", "rs256", ""]


def issuer(*algorithms: str) -> Issuer:
    """Return an issuer whose tokens are accepted with these algorithms."""
    return Issuer(issuer=ISSUER, audience=(AUDIENCE,), algorithms=algorithms)


def fit(key, algorithm: str) -> bool:
    """Whether signatures of an algorithm are verified with a published key."""
    (public,) = keys_of(json.dumps(key_set(key)).encode())
    return algorithm in public.algorithms


@pytest.mark.parametrize("algorithm", KEY_OF)
def test_this_algorithm_can_be_accepted(algorithm):
    """A token that was signed with it is verified if its issuer may use it."""
    key = KEY_OF[algorithm]
    (public,) = keys_of(json.dumps(key_set(key)).encode())
    token = parse(signed(key=key, algorithm=algorithm).encode())

    assert verify(token, public, issuer(algorithm), NOW)["sub"] == "user-7"
    others = [one for one in KEY_OF if one != algorithm]
    with pytest.raises(CredentialsRefused, match="algorithm"):
        verify(token, public, issuer(*others), NOW)


@pytest.mark.parametrize("algorithm", UNFIT)
def test_this_algorithm_can_not_be_accepted(algorithm):
    """A gateway with an issuer or a provider that uses it does not start."""
    with pytest.raises(ConfigurationError, match="RS256, RS384"):
        issuer("RS256", algorithm)
    with pytest.raises(ConfigurationError, match="algorithms"):
        sign_in_at(algorithms=("RS256", algorithm))


def test_algorithms_are_these_by_default():
    """They are those that providers use today; others have to be named."""
    assert list(Issuer(issuer=ISSUER, audience=(AUDIENCE,)).algorithms) == DEFAULT
    assert list(sign_in_at().algorithms) == DEFAULT


@pytest.mark.parametrize("key", [RSA, EC, P384, P521, ED], ids=lambda key: key.kid)
@pytest.mark.parametrize("algorithm", KEY_OF)
def test_a_key_fits_the_algorithms_of_its_type_and_curve(key, algorithm):
    """No key verifies the algorithm of another key type (RFC 8725, section 3.1)."""
    assert fit(key, algorithm) is (KEY_OF[algorithm] is key)


@pytest.mark.parametrize("key", [ED448, X25519], ids=["Ed448", "X25519"])
def test_a_key_of_another_curve_is_ignored(key):
    """It verifies nothing."""
    assert keys_of(json.dumps(key_set(key)).encode()) == ()


@pytest.mark.parametrize("named", ["RS512", "ES256", "HS256", "none"])
def test_a_key_with_an_algorithm_is_used_for_that_algorithm_only(named):
    """A key that is published for RS512 verifies no RS256."""
    found = keys_of(json.dumps(key_set(RSA, alg=named)).encode())

    assert [sorted(one.algorithms) for one in found] == ([["RS512"]] if named == "RS512" else [])


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_proof_with_this_private_member_is_refused(member):
    """A proof must not reveal its private key (RFC 9449, section 4.3)."""
    for key in (RSA, EC, ED):
        public = key.as_dict(private=False)
        assert public_key_of(public).key_id == key.kid
        with pytest.raises(CredentialsRefused):
            public_key_of({**public, member: "AQAB"})


@pytest.mark.parametrize("name", ["kty", "n", "e"])
def test_an_rsa_key_needs_this_member(name):
    """Without it the key is ignored, and the other keys of the set are used."""
    broken = {one: value for one, value in RSA.as_dict(private=False).items() if one != name}
    document = {"keys": [broken, EC.as_dict(private=False)]}

    assert [one.key_id for one in keys_of(json.dumps(document).encode())] == ["ec-1"]


@pytest.mark.parametrize("name", ["kty", "crv", "x", "y"])
def test_a_key_on_a_curve_needs_this_member(name):
    """Without it the key is ignored, and the other keys of the set are used."""
    broken = {one: value for one, value in EC.as_dict(private=False).items() if one != name}
    document = {"keys": [broken, RSA.as_dict(private=False)]}

    assert [one.key_id for one in keys_of(json.dumps(document).encode())] == ["rsa-1"]


@pytest.mark.parametrize("size", [1024, 2040, 2048, 3072])
def test_an_rsa_key_has_2048_bits_at_least(size):
    """A smaller key can be factored (RFC 7518, section 3.3)."""
    modulus = generate_private_key(65_537, size).public_key().public_numbers().n
    key = RSA.as_dict(private=False) | {"n": encoded(modulus.to_bytes(size // 8, "big")).decode()}

    assert len(keys_of(json.dumps({"keys": [key]}).encode())) == (size >= 2048)


RESERVED = [
    "client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce",
    "redirect_uri", "request", "request_uri", "response_mode", "response_type", "scope", "state",
]  # fmt: skip


@pytest.mark.parametrize("name", RESERVED)
def test_this_parameter_can_not_be_set(name):
    """The flow sets it itself: a gateway that overrides it does not start."""
    with pytest.raises(ConfigurationError, match=f"extra can't set {name}:"):
        sign_in_at(extra={name: "x"})


@pytest.mark.parametrize("name", ["audience", "resource", "claims", "ui_locales", "prompt"])
async def test_this_parameter_can_be_set(name):
    """It is sent to the provider unchanged."""
    async with open_site(changed={"extra": {name: "x"}}) as site:
        await site.browser().go(f"{HERE}/bff/login")
        (pushed,) = site.forms_sent("/par")

    assert pushed[name] == "x"


@pytest.mark.parametrize("name", ["login_hint", "prompt", "acr_values"])
async def test_a_page_may_set_this_parameter(name):
    """A parameter of the login URL is sent on to the provider."""
    async with open_site() as site:
        await site.browser().go(f"{HERE}/bff/login?{name}=x")
        (pushed,) = site.forms_sent("/par")

    assert pushed[name] == "x"


@pytest.mark.mostly_slow
@pytest.mark.parametrize("name", [*RESERVED, "audience", "resource", "claims"])
async def test_a_page_may_not_set_this_parameter(name):
    """A link to the login address can't change the flow."""
    async with open_site() as site:
        gone = await site.browser().send("GET", f"{HERE}/bff/login?{name}=evil", headers=GOES)
        (pushed,) = site.forms_sent("/par")
    query = parse_qs(urlsplit(gone.headers["location"]).query)

    assert "evil" not in pushed.values()
    assert ["evil"] not in query.values()


SHOWN = ["document", "iframe", "image", "script", "style", "font", "audio", "video", "embed"]
EVIL = "https://evil.example"


@pytest.mark.parametrize("destination", SHOWN)
def test_navigations_of_other_sites_are_served_without_the_cookie(destination):
    """A link from another site works, as for an anonymous caller."""
    headers = ((b"sec-fetch-site", b"cross-site"), (b"sec-fetch-dest", destination.encode()))

    assert CsrfProtection((HERE,)).check("GET", headers) == "anonymous"


@pytest.mark.parametrize("destination", ["empty", "websocket"])
@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_script_requests_of_other_sites_are_refused(destination, site):
    """The script could read the answer, or cause an effect."""
    headers = ((b"sec-fetch-site", site.encode()), (b"sec-fetch-dest", destination.encode()))

    with pytest.raises(Forged):
        CsrfProtection((HERE,)).check("GET", headers)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "unheard-of"])
def test_the_csrf_header_does_not_allow_another_site(site):
    """A sibling domain can belong to another owner, or be taken over."""
    headers = (
        (b"x-csrf", b"1"),
        (b"sec-fetch-site", site.encode()),
        (b"sec-fetch-dest", b"empty"),
    )

    with pytest.raises(Forged):
        CsrfProtection((HERE,)).check("GET", headers)
    allowed = (*headers, (b"origin", HERE.encode()))
    assert CsrfProtection((HERE,)).check("GET", allowed) == "trusted"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY"])
@pytest.mark.parametrize("destination", [*SHOWN, "empty", "websocket"])
def test_a_write_from_another_site_is_always_refused(method, destination):
    """A form of another site loads a document too."""
    for extra in ((), ((b"x-csrf", b"1"),)):
        headers = (
            (b"origin", EVIL.encode()),
            (b"sec-fetch-site", b"cross-site"),
            (b"sec-fetch-dest", destination.encode()),
            *extra,
        )
        with pytest.raises(Forged):
            CsrfProtection((HERE,)).check(method, headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY"])
def test_a_write_needs_the_csrf_header_and_its_origin(method):
    """One of the two is not enough."""
    header, origin = (b"x-csrf", b"1"), (b"origin", HERE.encode())
    site = (b"sec-fetch-site", b"same-origin")

    for enough in ((header, origin), (header, site), (header, origin, site)):
        assert CsrfProtection((HERE,)).check(method, enough) == "trusted"
    for little in ((header,), (origin,), (site,), (origin, site), ()):
        with pytest.raises(Forged):
            CsrfProtection((HERE,)).check(method, little)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_a_read_needs_the_csrf_header_only(method):
    """Old browsers do not send the origin of a read."""
    assert CsrfProtection((HERE,)).check(method, ((b"x-csrf", b"1"),)) == "trusted"


@pytest.mark.parametrize("attribute", ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"])
def test_a_session_cookie_has_this_attribute(attribute):
    """The header that removes it has it too, or browsers would ignore that."""
    cookie = Cookie("__Host-bff")

    for _, value in (cookie.set_header("secret"), cookie.removal_header()):
        assert attribute.encode() in value.split(b"; ")


@pytest.mark.parametrize(
    "sent",
    [
        b"__Host-bff=a; __Host-bff=b",
        b"x__Host-bff=a",
        b"__Host-bff2=a",
        b"other=__Host-bff=a",
        b"__host-bff=a",
    ],
)
def test_a_cookie_with_another_name_is_not_the_session_cookie(sent):
    """If there are two with the name, neither is used: another site may have set one."""
    assert Cookie("__Host-bff").read(((b"cookie", sent),)) is None
