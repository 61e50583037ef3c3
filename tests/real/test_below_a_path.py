"""A gateway below a path of its host, behind a real nginx that strips the path or forwards it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import pytest

from tests.processes.nginx import nginx
from tests.real.test_provider import Browser, Site, free_port, packages  # noqa: F401 # fixtures

pytestmark = pytest.mark.needs("node", "npm", "redis-server", "nginx")

SERVER = """
server {{
    listen 127.0.0.1:{port};
    location /store/ {{
        proxy_pass http://127.0.0.1:{gateway}{end};
        proxy_set_header Host $http_host;
    }}
}}
"""


@dataclass
class Below(Site):
    """A gateway that browsers find below `/store`, through a proxy."""

    proxy_port: int = field(default_factory=free_port)

    @property
    def web(self) -> str:
        return f"http://localhost:{self.proxy_port}/store"

    def proxy(self, *, strips: bool) -> AbstractContextManager[None]:
        """Run nginx in front of the gateway."""
        end = "/" if strips else ""
        server = SERVER.format(port=self.proxy_port, gateway=self.web_port, end=end)
        return nginx(self.folder, server, port=self.proxy_port)


@pytest.mark.parametrize("strips", [True, False])
def test_a_user_signs_in_and_out_below_a_path(packages, redis_server, tmp_path, strips):  # noqa: F811 # fixture
    """At a certified provider; the second sign-in replaces the first, all below the path."""
    site = Below(redis_server.url, tmp_path)
    with site.provider(lifetime=5), site.proxy(strips=strips), site.gateway():
        browser = Browser(site)
        page = browser.go(f"{site.web}/bff/login?returnUrl=/store/healthz")
        page = browser.submit(page, login="alice", password="any")
        first = browser.submit(page)
        again = browser.go(f"{site.web}/bff/login?returnUrl=/store/healthz")
        names = set(browser.jar[site.proxy_port])
        statuses = [browser.fetch("/v1/me").status_code for _ in range(2)]
        left = browser.fetch("/bff/logout", "POST").json()["location"]
        gone = browser.fetch("/v1/me")

    assert str(first.url) == str(again.url) == f"{site.web}/healthz"
    assert names == {"__Host-bff-store"}
    assert statuses == [200, 200]
    assert f"localhost%3A{site.proxy_port}%2Fstore%2F" in left
    assert gone.status_code == 401
    assert "/store/bff/login" in gone.headers["www-authenticate"]
