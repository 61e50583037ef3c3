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
    """A token that was signed by it is verified, where its issuer may use it."""
    key = KEY_OF[algorithm]
    (public,) = keys_of(json.dumps(key_set(key)).encode())
    token = parse(signed(key=key, algorithm=algorithm).encode())

    assert verify(token, public, issuer(algorithm), NOW)["sub"] == "user-7"
    others = [one for one in KEY_OF if one != algorithm]
    with pytest.raises(CredentialsRefused, match="algorithm"):
        verify(token, public, issuer(*others), NOW)


@pytest.mark.parametrize("algorithm", UNFIT)
def test_this_algorithm_can_not_be_accepted(algorithm):
    """Neither by an issuer nor by a provider that people sign in at: it does not start."""
    with pytest.raises(ConfigurationError, match="RS256, RS384"):
        issuer("RS256", algorithm)
    with pytest.raises(ConfigurationError, match="algorithms"):
        sign_in_at(algorithms=("RS256", algorithm))


def test_algorithms_are_these_by_default():
    """Those that providers use today; the others have to be named."""
    assert list(Issuer(issuer=ISSUER, audience=(AUDIENCE,)).algorithms) == DEFAULT
    assert list(sign_in_at().algorithms) == DEFAULT


@pytest.mark.parametrize("key", [RSA, EC, P384, P521, ED], ids=lambda key: key.kid)
@pytest.mark.parametrize("algorithm", KEY_OF)
def test_a_key_fits_the_algorithms_of_its_type_and_curve(key, algorithm):
    """No key verifies what another type of key was made for (RFC 8725, section 3.1)."""
    assert fit(key, algorithm) is (KEY_OF[algorithm] is key)


@pytest.mark.parametrize("key", [ED448, X25519], ids=["Ed448", "X25519"])
def test_a_key_of_another_curve_fits_nothing(key):
    """It is left out, as if it were not published."""
    assert keys_of(json.dumps(key_set(key)).encode()) == ()


@pytest.mark.parametrize("named", ["RS512", "ES256", "HS256", "none"])
def test_a_key_with_an_algorithm_of_its_own_is_for_that_one_alone(named):
    """What is published for RS512 verifies no RS256."""
    found = keys_of(json.dumps(key_set(RSA, alg=named)).encode())

    assert [sorted(one.algorithms) for one in found] == ([["RS512"]] if named == "RS512" else [])


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_proof_with_this_private_member_is_refused(member):
    """A private key that is sent is private no longer (RFC 9449, section 4.3)."""
    for key in (RSA, EC, ED):
        public = key.as_dict(private=False)
        assert public_key_of(public).key_id == key.kid
        with pytest.raises(CredentialsRefused):
            public_key_of({**public, member: "AQAB"})


@pytest.mark.parametrize("name", ["kty", "n", "e"])
def test_an_rsa_key_needs_this_member(name):
    """Without it, it is no key, and the others of the set still are."""
    broken = {one: value for one, value in RSA.as_dict(private=False).items() if one != name}
    document = {"keys": [broken, EC.as_dict(private=False)]}

    assert [one.key_id for one in keys_of(json.dumps(document).encode())] == ["ec-1"]


@pytest.mark.parametrize("name", ["kty", "crv", "x", "y"])
def test_a_key_on_a_curve_needs_this_member(name):
    """The same for a key on a curve."""
    broken = {one: value for one, value in EC.as_dict(private=False).items() if one != name}
    document = {"keys": [broken, RSA.as_dict(private=False)]}

    assert [one.key_id for one in keys_of(json.dumps(document).encode())] == ["rsa-1"]


@pytest.mark.parametrize("size", [1024, 2040, 2048, 3072])
def test_an_rsa_key_has_2048_bits_at_least(size):
    """What is smaller can be broken (RFC 7518, section 3.3)."""
    modulus = generate_private_key(65_537, size).public_key().public_numbers().n
    key = RSA.as_dict(private=False) | {"n": encoded(modulus.to_bytes(size // 8, "big")).decode()}

    assert len(keys_of(json.dumps({"keys": [key]}).encode())) == (size >= 2048)


RESERVED = [
    "client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce",
    "redirect_uri", "request", "request_uri", "response_mode", "response_type", "scope", "state",
]  # fmt: skip


@pytest.mark.parametrize("name", RESERVED)
def test_this_parameter_can_not_be_set(name):
    """A sign-in depends on it: what sets it does not start."""
    with pytest.raises(ConfigurationError, match=f"extra can't set {name}:"):
        sign_in_at(extra={name: "x"})


@pytest.mark.parametrize("name", ["audience", "resource", "claims", "ui_locales", "prompt"])
async def test_this_parameter_can_be_set(name):
    """It goes to the provider as it is."""
    async with open_site(changed={"extra": {name: "x"}}) as site:
        await site.browser().go(f"{HERE}/bff/login")
        (pushed,) = site.forms_sent("/par")

    assert pushed[name] == "x"


@pytest.mark.parametrize("name", ["login_hint", "prompt", "acr_values"])
async def test_a_page_may_wish_for_this(name):
    """A parameter of the login URL is sent on to the provider."""
    async with open_site() as site:
        await site.browser().go(f"{HERE}/bff/login?{name}=x")
        (pushed,) = site.forms_sent("/par")

    assert pushed[name] == "x"


@pytest.mark.parametrize("name", [*RESERVED, "audience", "resource", "claims"])
async def test_a_page_may_not_wish_for_this(name):
    """A link to the login address decides nothing about the flow."""
    async with open_site() as site:
        gone = await site.browser().send("GET", f"{HERE}/bff/login?{name}=evil", headers=GOES)
        (pushed,) = site.forms_sent("/par")
    query = parse_qs(urlsplit(gone.headers["location"]).query)

    assert "evil" not in pushed.values()
    assert ["evil"] not in query.values()


SHOWN = ["document", "iframe", "image", "script", "style", "font", "audio", "video", "embed"]
EVIL = "https://evil.example"


@pytest.mark.parametrize("destination", SHOWN)
def test_what_is_loaded_to_be_shown_is_served_without_the_cookie(destination):
    """A link from another site works, as for an anonymous caller."""
    headers = ((b"sec-fetch-site", b"cross-site"), (b"sec-fetch-dest", destination.encode()))

    assert CsrfProtection((HERE,)).check("GET", headers) == "anonymous"


@pytest.mark.parametrize("destination", ["empty", "websocket"])
@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_what_a_script_of_another_site_loads_is_refused(destination, site):
    """It would read the answer, or act by it."""
    headers = ((b"sec-fetch-site", site.encode()), (b"sec-fetch-dest", destination.encode()))

    with pytest.raises(Forged):
        CsrfProtection((HERE,)).check("GET", headers)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "unheard-of"])
def test_the_header_does_not_make_another_site_ours(site):
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
def test_a_write_from_another_site_is_refused_whatever_it_is_for(method, destination):
    """A form of another site is a document, too."""
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
def test_a_write_needs_the_header_and_a_word_of_where_it_comes_from(method):
    """Either alone is not enough."""
    header, origin = (b"x-csrf", b"1"), (b"origin", HERE.encode())
    site = (b"sec-fetch-site", b"same-origin")

    for enough in ((header, origin), (header, site), (header, origin, site)):
        assert CsrfProtection((HERE,)).check(method, enough) == "trusted"
    for little in ((header,), (origin,), (site,), (origin, site), ()):
        with pytest.raises(Forged):
            CsrfProtection((HERE,)).check(method, little)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_a_read_needs_the_header_alone(method):
    """Old browsers do not send where a read comes from."""
    assert CsrfProtection((HERE,)).check(method, ((b"x-csrf", b"1"),)) == "trusted"


@pytest.mark.parametrize("attribute", ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"])
def test_a_session_cookie_has_this_attribute(attribute):
    """Also when it is removed: browsers ignore a removal without it."""
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
def test_a_cookie_of_another_name_is_not_the_sessions(sent):
    """Nor is one of two: another site may have set the other."""
    assert Cookie("__Host-bff").read(((b"cookie", sent),)) is None
