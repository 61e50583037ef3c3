"""Signing in: what a browser and a native app send and get, with cookies and tokens."""

import base64
import hashlib
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from tests.wire.exchange import Answer, Recorder, encode, send
from tests.wire.house import House

GOES = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "accept": "text/html"}
PAGE = {"x-csrf": "1", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
SCOPE = (
    "openid profile profile:read orders:read orders:write cart:read cart:write payments:read "
    "recommendations:read"
)
VERIFIER = "a-verifier-of-the-wire-tests-which-is-long-enough-to-be-one"
BACK = "http://127.0.0.1:9/callback"


def choose(house: House, location: str, user: str) -> str:
    """Sign in at the provider as somebody, and return where the browser is sent then."""
    port = house.ports["identity"]
    target = location.removeprefix(house.issuer)
    host = {"host": f"localhost:{port}"}
    page = send(port, encode(port, "GET", target, {**host, **GOES}, None)).body.decode()
    hidden = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page)
    form = {unescape(name): unescape(value) for name, value in hidden} | {"user": user}
    headers = {
        **host,
        "content-type": "application/x-www-form-urlencoded",
        "origin": house.issuer,
    }
    body = urlencode(form).encode()
    answer = send(port, encode(port, "POST", "/authorize", headers, body), "POST")
    return answer.header("location")


def cookies_of(answer: Answer) -> str:
    """Return what a browser sends back of the cookies that an answer set."""
    pairs = [
        value.partition(";")[0] for name, value in answer.headers if name.lower() == "set-cookie"
    ]
    return "; ".join(pair for pair in pairs if not pair.endswith("="))


def page_of(house: House) -> dict[str, str]:
    """Return what a browser sends with a request of a page of ours."""
    here = f"localhost:{house.ports['signin']}"
    return {"host": here, "origin": f"http://{here}"} | PAGE


def cookie_of(house: House, user: str) -> str:
    """Sign somebody in, and return the cookie of the session."""
    port = house.ports["signin"]
    here = {"host": f"localhost:{port}"} | GOES
    login = send(port, encode(port, "GET", "/bff/login?returnUrl=/", here, None))
    back = choose(house, login.header("location"), user)
    headers = here | {"cookie": cookies_of(login)}
    return cookies_of(send(port, encode(port, "GET", "/" + back.split("/", 3)[3], headers, None)))


def browser(house: House) -> list[dict[str, Any]]:
    """Sign a browser in and out at the web gateway."""
    port = house.ports["signin"]
    record = Recorder(port)
    here = {"host": f"localhost:{port}"}
    page = here | PAGE | {"origin": f"http://localhost:{port}"}
    query = {"query": "{ viewer { name } }"}
    record("user without a session", "/bff/user", headers=page)
    record(
        "login to a foreign page", "/bff/login?returnUrl=https://evil.example", headers=here | GOES
    )
    login = record("login", "/bff/login?returnUrl=/", headers=here | GOES)
    pending = cookies_of(login)
    back = choose(house, login.header("location"), "1")
    target = "/" + back.split("/", 3)[3]
    record("callback without its cookie", target, headers=here | GOES)
    callback = record("callback", target, headers=here | GOES | {"cookie": pending})
    session = {"cookie": cookies_of(callback)}
    record("callback again", target, headers=here | GOES | {"cookie": pending})
    record("callback that a page fetches", "/bff/callback?state=x&code=y", headers=page)
    record("user", "/bff/user", headers=page | session)
    record("sessions", "/bff/sessions", headers=page | session)
    record("query", "/graphql", method="POST", headers=page | session, json_body=query)
    foreign = here | session | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    record("query of another site", "/graphql", method="POST", headers=foreign, json_body=query)
    bare = here | session
    record("query without X-CSRF", "/graphql", method="POST", headers=bare, json_body=query)
    forged = page | {"cookie": "bff=forged"}
    record("query with a forged cookie", "/graphql", method="POST", headers=forged, json_body=query)
    sku = house.call("inventory", "GET", "/stock?ids=1001")["items"][0]["skus"][0]["sku"]
    put = {
        "query": "mutation ($sku: String!) { setCartItem(sku: $sku, quantity: 1) { count } }",
        "variables": {"sku": sku},
    }
    keyed = page | session | {"idempotency-key": '"a-key-of-the-wire-tests-0123456789"'}
    record("mutation by key", "/graphql", method="POST", headers=keyed, json_body=put)
    record("mutation replayed", "/graphql", method="POST", headers=keyed, json_body=put)
    record("end of an unknown session", "/bff/sessions/x", method="DELETE", headers=page | session)
    record(
        "back-channel logout",
        "/bff/backchannel-logout",
        method="POST",
        headers=here | {"content-type": "application/x-www-form-urlencoded"},
        body=b"logout_token=x",
    )
    return record.entries


def signed_out(house: House) -> list[dict[str, Any]]:
    """Sign a browser in once more and out, after Redis was looked at."""
    port = house.ports["signin"]
    record = Recorder(port)
    here = {"host": f"localhost:{port}"}
    page = here | PAGE | {"origin": f"http://localhost:{port}"}
    login = record("login", "/bff/login?returnUrl=/&prompt=login", headers=here | GOES)
    back = choose(house, login.header("location"), "2")
    target = "/" + back.split("/", 3)[3]
    callback = record("callback", target, headers=here | GOES | {"cookie": cookies_of(login)})
    session = {"cookie": cookies_of(callback)}
    record("logout without X-CSRF", "/bff/logout", method="POST", headers=here | session)
    record("logout", "/bff/logout", method="POST", headers=page | session)
    record("user after that", "/bff/user", headers=page | session)
    return record.entries


def token(house: House, user: str) -> str:
    """Return an access token of the desktop app for somebody."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
    wanted = {
        "client_id": "desktop",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": SCOPE,
        "state": "s",
        "nonce": "n",
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    back = choose(house, f"{house.issuer}/authorize?{urlencode(wanted, quote_via=quote)}", user)
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "client_id": "desktop",
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    port = house.ports["identity"]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode(form).encode()
    answer = send(port, encode(port, "POST", "/token", headers, body), "POST")
    found: str = answer.json()["access_token"]
    return found


def native(house: House) -> list[dict[str, Any]]:
    """Call the desktop gateway with access tokens."""
    record = Recorder(house.ports["native"])
    bearer = {"authorization": f"Bearer {token(house, '1')}"}
    record("orders", "/v1/orders?limit=1", headers=bearer)
    record(
        "orders in lower case",
        "/v1/orders?limit=1",
        headers={"authorization": bearer["authorization"].replace("Bearer", "bearer")},
        shows_body=False,
    )
    record(
        "orders with a forged token",
        "/v1/orders",
        headers={"authorization": bearer["authorization"][:-6] + "AAAAAA"},
    )
    record("orders with no token", "/v1/orders")
    record("orders with an opaque token", "/v1/orders", headers={"authorization": "Bearer opaque"})
    record(
        "prices without the scope",
        "/v1/prices/bulk",
        method="POST",
        headers=bearer,
        json_body={"items": []},
    )
    with house.fault("orders", "error", status=401):
        record(
            "orders of a service that refuses",
            "/v1/orders",
            headers={"authorization": f"Bearer {token(house, '2')}"},
        )
    return record.entries
