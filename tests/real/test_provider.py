"""Sign-in at a certified provider (`oidc-provider`), as a browser and its user do it."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from bff_core.auth.session.redis import RedisSessionStore
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import key_of
from bff_core.clock import chance, monotonic
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from tests.processes.settings import PATIENT

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "provider"
SECRET = "a-secret-of-the-tests"
KEY = "a key of the tests that is long enough for it"
PATIENCE = 30.0

pytestmark = pytest.mark.needs("node", "npm", "redis-server")


PORTS = iter(range(11_000 + os.getpid() * 53 % 9_000, 32_000))
"""Below the range from which the system gives ports to outgoing connections."""


def free_ports(count: int = 1) -> list[int]:
    """Return free ports in a row, others each time."""
    found: list[int] = []
    for port in PORTS:
        found = [*found, port] if not found or port == found[-1] + 1 else [port]
        try:
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            found = []
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


def free_port() -> int:
    """Return a free port."""
    return free_ports()[0]


@pytest.fixture(scope="session")
def packages() -> None:
    """Install the provider from its lock file."""
    if not (FOLDER / "node_modules").exists():
        command = [shutil.which("npm"), "ci", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True)


@contextmanager
def program(command: list[str], environ: dict[str, str], url: str) -> Iterator[None]:
    """Run a program until the test lets go of it."""
    env = {**os.environ, **environ}
    running = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        wait_for(url, running)
        yield
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=PATIENCE)


def wait_for(url: str, running: subprocess.Popen[bytes]) -> None:
    """Return when an address answers 200."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert running.poll() is None, running.communicate()[0].decode()
        assert time.monotonic() < ends, f"{url} did not come up"
        time.sleep(0.05)


@dataclass
class Site:
    """A provider, and a gateway that its client is."""

    redis: str
    folder: Path
    issuer_port: int = field(default_factory=free_port)
    web_port: int = field(default_factory=free_port)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.issuer_port}"

    @property
    def web(self) -> str:
        return f"http://localhost:{self.web_port}"

    def provider(self, *, keys: tuple[RSAKey, ...] = (), lifetime: int = 300):
        """Run the provider, with keys of runs before."""
        keys_file = self.folder / "keys.json"
        keys_file.write_text(
            json.dumps(
                [{**one.as_dict(private=True), "use": "sig", "alg": "RS256"} for one in keys]
            )
        )
        environ = {
            "ISSUER": self.issuer,
            "PORT": str(self.issuer_port),
            "WEB": self.web,
            "BACK": f"http://127.0.0.1:{self.web_port}",
            "KEYS": str(keys_file),
            "LIFETIME": str(lifetime),
        }
        url = f"{self.issuer}/.well-known/openid-configuration"
        return program(["node", str(FOLDER / "server.js")], environ, url)

    def gateway(self, *, workers: int = 1):
        """Run the gateway, in so many processes."""
        environ = {
            "BFF_ENV": "development",
            "BFF_LOG": "off",
            "BFF_ISSUER": self.issuer,
            "BFF_CLIENT_SECRET": SECRET,
            "BFF_PUBLIC_URL": self.web,
            "BFF_SESSION_KEYS": KEY,
            "BFF_SESSION_URL": self.redis,
            "BFF_IDEMPOTENCY_URL": self.redis,
            "BFF_UPSTREAM_IDENTITY": self.issuer,
            **PATIENT,
        }
        port = str(self.web_port)
        command = [sys.executable, "-m", "bff_core", "serve", "tests.real.shop:app", "--port", port]
        command += ["--drain-delay", "0", "--workers", str(workers)]
        return program(command, environ, f"{self.web}/readyz")

    @contextmanager
    def gateway_after(self, provider) -> "Iterator[Browser]":
        """Run a provider, then the gateway; yield a browser."""
        with provider, self.gateway():
            yield Browser(self)


class Browser:
    """A browser: it stores cookies by port, fills in forms, follows redirects."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.jar: dict[int, dict[str, str]] = {}

    def send(self, method: str, url: str, **options) -> httpx.Response:
        """Send one request."""
        jar = self.jar.setdefault(urlsplit(url).port, {})
        headers = {"accept": "text/html", **options.pop("headers", {})}
        if jar:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        answer = httpx.request(method, url, headers=headers, trust_env=False, timeout=10, **options)
        for set_cookie in answer.headers.get_list("set-cookie"):
            pair, _, rest = set_cookie.partition(";")
            name, _, value = pair.partition("=")
            is_gone = "max-age=0" in rest.lower() or "1970" in rest
            jar.pop(name, None) if is_gone else jar.update({name: value})
        return answer

    def go(self, url: str, method: str = "GET", **options) -> httpx.Response:
        """Navigate to a URL, and follow redirects."""
        answer = self.send(method, url, **options)
        while answer.is_redirect:
            answer = self.send("GET", urljoin(str(answer.url), answer.headers["location"]))
        return answer

    def submit(self, page: httpx.Response, **filled: str) -> httpx.Response:
        """Fill in the form of a page, and send it."""
        action = re.search(r'<form[^>]*action="([^"]+)"', page.text)[1]
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        return self.go(urljoin(str(page.url), action), "POST", data={**hidden, **filled})

    def sign_in(self, user: str) -> httpx.Response:
        """Log in at the provider's page, and consent."""
        page = self.go(f"{self.site.web}/bff/login?returnUrl=/healthz")
        if 'name="login"' in page.text:
            page = self.submit(page, login=user, password="any")
        if "consent" in page.text:
            page = self.submit(page)
        return page

    def fetch(self, path: str, method: str = "GET") -> httpx.Response:
        """Send a request to the gateway as its own page does."""
        origin = urljoin(self.site.web, "/").rstrip("/")
        headers = {"x-csrf": "1", "origin": origin, "accept": "*/*"}
        return self.send(method, self.site.web + path, headers=headers)


@pytest.fixture
def site(packages, redis_server, tmp_path) -> Site:
    """Return a provider and a gateway that are yet to be started."""
    return Site(redis_server.url, tmp_path)


def test_a_user_signs_in_and_out_at_a_real_provider(site):
    """Login and consent, the session, and the provider's own page to leave by."""
    with site.provider(), site.gateway():
        browser = Browser(site)
        back = browser.sign_in("alice")
        me, user = browser.fetch("/v1/me"), browser.fetch("/bff/user")
        left = browser.fetch("/bff/logout", "POST")
        page = browser.go(left.json()["location"])
        browser.submit(page, logout="yes")
        gone = browser.fetch("/v1/me")
        again = browser.go(f"{site.web}/bff/login?returnUrl=/healthz")

    assert str(back.url) == f"{site.web}/healthz"
    assert me.json() == {"subject": "alice"}
    assert user.json()["claims"]["name"] == "User alice"
    assert gone.status_code == 401
    assert 'name="login"' in again.text


def test_rotating_refresh_tokens_are_used_once(site):
    """With tokens of one second, twenty requests at once on four processes use none twice."""
    statuses: list[int] = []
    with site.provider(lifetime=1), site.gateway(workers=4):
        browser = Browser(site)
        browser.sign_in("alice")
        first = asyncio.run(tokens_of(site, browser))
        with ThreadPoolExecutor(20) as pool:
            for _ in range(4):
                time.sleep(1)  # the provider's clock is real
                statuses += pool.map(lambda _: browser.fetch("/v1/me").status_code, range(20))
        last = asyncio.run(tokens_of(site, browser))

    assert statuses == [200] * 80
    assert last.generation - first.generation >= 4


def use(site: Site, refresh_token: str) -> httpx.Response:
    """Use a refresh token, as a thief would."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return httpx.post(f"{site.issuer}/token", data=form, auth=("web", SECRET))


async def tokens_of(site: Site, browser: Browser):
    """Return what the gateway has written down of a session."""
    links = RedisClients(clock=monotonic, chance=chance, events=Events())
    place = f"shop:{key_of(site.issuer)}"
    store = RedisSessionStore(links.to(site.redis), Sealing([KEY]), gateway=place)
    stored = await store.get(key_of(browser.jar[site.web_port]["__Host-bff"]))
    await links.aclose()
    return stored.session.tokens


async def test_a_stolen_refresh_token_ends_the_session(site):
    """The provider detects the second use; the gateway ends the session and reports it."""
    with site.provider(lifetime=1), site.gateway():
        browser = Browser(site)
        browser.sign_in("alice")
        stolen = await tokens_of(site, browser)
        await asyncio.sleep(1)  # the provider's clock is real
        fine = browser.fetch("/v1/me")
        thief = use(site, stolen.refresh)
        await asyncio.sleep(1)
        ended = browser.fetch("/v1/me")

    assert fine.status_code == 200
    assert thief.status_code == 400
    assert ended.status_code == 401
    assert ended.json()["code"] == "session_ended"
    assert ended.json()["login"] == "/bff/login"


def test_a_user_who_leaves_at_the_provider_is_signed_out_here(site):
    """A back-channel logout ends the session of one browser, and not that of the other."""
    with site.provider(), site.gateway():
        leaving, staying = Browser(site), Browser(site)
        leaving.sign_in("alice")
        staying.sign_in("alice")
        page = leaving.go(f"{site.issuer}/session/end?client_id=web")
        leaving.submit(page, logout="yes")
        time.sleep(1.2)
        answers = [leaving.fetch("/v1/me"), staying.fetch("/v1/me")]

    assert [one.status_code for one in answers] == [401, 200]


def test_keys_are_rotated_between_two_runs_of_the_provider(site):
    """The gateway uses the new key; signed-in users stay signed in."""
    old, new = (RSAKey.generate_key(2048, {"kid": kid}, private=True) for kid in ("old", "new"))
    with site.gateway_after(site.provider(keys=(old,))) as early:
        early.sign_in("alice")
        before = early.fetch("/v1/me")
    with site.gateway_after(site.provider(keys=(new, old))) as late:
        late.sign_in("bob")
        after = late.fetch("/v1/me")
        late.jar = early.jar
        still = late.fetch("/v1/me")

    assert (before.json(), after.json()) == ({"subject": "alice"}, {"subject": "bob"})
    assert still.json() == {"subject": "alice"}
