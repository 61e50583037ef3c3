"""The processes that the faults happen to: started once, and used by all tests that can share."""

from collections.abc import Iterator

import pytest

from tests.processes.gateway import addresses
from tests.processes.process import ForkServer
from tests.processes.services import Service
from tests.processes.site import NOTHING_LISTENS, Site

FAULT_GATEWAY = "tests.faults.fault_gateway:app"


@pytest.fixture(scope="session")
def site(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Where processes are started and found again."""
    return Site(fork_server, tmp_path_factory.mktemp("site"))


class FaultSite:
    """The gateway of `tests.faults.fault_gateway`, and the services that its routes call."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.catalogs = [site.service("catalog") for _ in range(3)]
        self.catalog = self.catalogs[0]
        self.reviews, self.pricing, self.users = map(site.service, ("reviews", "pricing", "users"))
        self.services: list[Service] = [*self.catalogs, self.reviews, self.pricing, self.users]
        self.gateway = site.gateway(FAULT_GATEWAY, self.environ())

    def environ(self, **changed: str) -> dict[str, str]:
        """Return the settings of a gateway over these services."""
        trio = [service.url for service in self.catalogs]
        environ = {
            **addresses((self.catalog, self.reviews, self.users)),
            "BFF_UPSTREAM_PAIR": ",".join(trio[:2]),
            "BFF_UPSTREAM_TRIO": ",".join(trio),
            "BFF_UPSTREAM_NAMED": NOTHING_LISTENS,
            "BFF_UPSTREAM_STORM": self.pricing.url,
            "BFF_UPSTREAM_PATIENT": self.catalog.url,
            "BFF_UPSTREAM_THRIFTY": self.catalog.url,
            # What is refused under pressure has tests of its own; here each request is to arrive.
            "BFF_MAX_LAG": "0",
            "BFF_MAX_CONCURRENT": "5000",
            "BFF_BROWNOUT": "false",
        }
        return environ | changed

    @property
    def port(self) -> int:
        """Where the gateway listens."""
        return self.gateway.port


@pytest.fixture(scope="session")
def started(site: Site) -> Iterator[FaultSite]:
    """Start the gateway and its services."""
    fault_site = FaultSite(site)
    with site.running(*fault_site.services, fault_site.gateway):
        yield fault_site


@pytest.fixture
def fault_site(started: FaultSite) -> Iterator[FaultSite]:
    """Return the site with all counters at zero; heal its services after the test."""
    for service in started.services:
        service.forget()
    yield started
    for service in started.services:
        service.thaw()
        if not service.is_alive:
            service.restart()
        service.heal()
