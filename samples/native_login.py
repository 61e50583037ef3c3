"""Signs in from a terminal as a native app does (RFC 8252), and gets a screen from its gateway.

    python3 samples/native_login.py desktop http://localhost:8003/v1/dashboard
    python3 samples/native_login.py mobile http://localhost:8002/v1/home --as 2
    python3 samples/native_login.py mobile --as 1

Without a screen it prints the access token, for other clients: the API page of the console.
The app is a public client: it has no secret, but a code that only it can redeem (PKCE, RFC 7636).
The browser comes back to a port of this machine that is open for this one sign-in. `--as` plays the
browser against the mock provider, for machines without one. The standard library is all it takes.
"""

import argparse
import base64
import hashlib
import http.server
import json
import re
import secrets
import sys
import urllib.error
import urllib.parse
import urllib.request
import webbrowser
from html import unescape

SCOPE = (
    "openid profile profile:read orders:read orders:write cart:read cart:write payments:read "
    "recommendations:read"
)
"""What the apps request; a provider may grant less, and says so."""

STAFF_SCOPE = {"desktop": " prices:write"}
"""What an app requests for those of its users who are staff."""

PATIENCE = 300.0
"""Seconds that somebody may take to sign in."""

DONE = b"<!doctype html><title>Signed in</title><p>You can close this window.</p>"


class Trouble(Exception):
    """Signing in did not work; the message says why."""


class Listener(http.server.HTTPServer):
    """Waits on a free port of the loopback interface for the browser to come back, once."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Arrival)
        self.timeout = PATIENCE
        self.parameters: dict[str, str] = {}

    @property
    def redirect_uri(self) -> str:
        """Where the browser is to come."""
        return f"http://127.0.0.1:{self.server_port}/callback"

    def wait(self) -> dict[str, str]:
        """Return what the browser brought."""
        while not self.parameters:
            self.handle_request()
        return self.parameters

    def handle_timeout(self) -> None:
        """Give up."""
        raise Trouble(f"no browser came back within {PATIENCE:.0f} seconds")


class Arrival(http.server.BaseHTTPRequestHandler):
    """Takes the browser's request."""

    server: Listener

    def do_GET(self) -> None:
        """Keep the parameters of the callback; anything else is not for us."""
        parts = urllib.parse.urlsplit(self.path)
        is_callback = parts.path == "/callback"
        if is_callback:
            self.server.parameters = dict(urllib.parse.parse_qsl(parts.query))
        self.send_response(200 if is_callback else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(DONE if is_callback else b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def fetch(url: str, form: dict[str, str] | None = None, token: str = "") -> bytes:
    """Send one request and show its Part-Status; raise `Trouble` unless it succeeds."""
    data = None if form is None else urllib.parse.urlencode(form).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, headers), timeout=10
        ) as answer:
            content: bytes = answer.read()
            if parts := answer.headers.get("Part-Status"):
                print(f"part-status: {parts}", file=sys.stderr)
            return content
    except urllib.error.HTTPError as error:
        raise Trouble(f"{url} answered {error.code}: {error.read().decode()}") from error
    except OSError as error:
        raise Trouble(f"{url} can't be reached: {error}") from error


def sign_in(issuer: str, client_id: str, scope: str, user: str) -> str:
    """Return an access token; `user` signs in without a browser, at the mock provider only."""
    try:
        metadata = json.loads(fetch(f"{issuer}/.well-known/openid-configuration"))
    except (Trouble, ValueError) as error:
        raise Trouble(f"{error}\nIs the provider elsewhere? Name it with --issuer") from error
    if metadata["issuer"] != issuer:
        raise Trouble(f"{issuer} calls itself {metadata['issuer']}")
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    with Listener() as listener:
        query = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": listener.redirect_uri,
            "scope": scope,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        url = f"{metadata['authorization_endpoint']}?{urllib.parse.urlencode(query)}"
        parameters = play_browser(url, user) if user else ask_browser(url, listener)
    if parameters.get("state") != state or parameters.get("iss", issuer) != issuer:  # RFC 9207
        raise Trouble("the answer is not to our question")
    if "code" not in parameters:
        raise Trouble(f"the provider said {parameters.get('error', 'nothing')}")
    grant = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": parameters["code"],
        "code_verifier": verifier,
        "redirect_uri": query["redirect_uri"],
    }
    token: str = json.loads(fetch(metadata["token_endpoint"], grant))["access_token"]
    return token


def ask_browser(url: str, listener: Listener) -> dict[str, str]:
    """Send the user's browser to the provider, and wait until it is back."""
    print(f"Sign in at {url}", file=sys.stderr)
    webbrowser.open(url)
    return listener.wait()


class Stay(urllib.request.HTTPRedirectHandler):
    """Does not follow redirects: they are what we want to see."""

    def redirect_request(self, *_: object) -> None:
        """Return nothing to go on with."""


def play_browser(url: str, user: str) -> dict[str, str]:
    """Press the button of the mock provider's page."""
    opener = urllib.request.build_opener(Stay)
    try:
        with opener.open(url, timeout=10) as answer:
            page = answer.read().decode()
        pairs = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page)
        form = {unescape(name): unescape(value) for name, value in pairs} | {"user": user}
        opener.open(url.partition("?")[0], urllib.parse.urlencode(form).encode(), timeout=10)
    except urllib.error.HTTPError as error:
        location = error.headers.get("location")
        if location is None:
            raise Trouble(f"the provider answered {error.code}") from error
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
    raise Trouble("the provider showed a page where it should have sent us back")


def main() -> int:
    """Sign in, print the screen, or else the token; return 0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("client", help="what the provider knows the app as: mobile, desktop")
    parser.add_argument("screen", nargs="?", default="", help="http://localhost:8003/v1/dashboard")
    parser.add_argument("--issuer", default="http://localhost:9010", help="the provider")
    parser.add_argument("--as", dest="user", default="", help="a customer of the mock, by number")
    parser.add_argument("--scope", default="", help="what to request instead of what the app needs")
    arguments = parser.parse_args()
    scope = arguments.scope or SCOPE + STAFF_SCOPE.get(arguments.client, "")
    try:
        token = sign_in(arguments.issuer, arguments.client, scope, arguments.user)
        print(fetch(arguments.screen, token=token).decode() if arguments.screen else token)
    except Trouble as trouble:
        print(f"native_login: {trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
