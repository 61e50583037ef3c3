"""A site: services and gateways started together, each on a port of its own, ended together."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from services_mock.shop import SERVICES as ALL
from tests.processes.gateway import OURS, Gateway, addresses
from tests.processes.ports import free_port
from tests.processes.process import ForkServer, Process
from tests.processes.services import HOST, Service

NOTHING_LISTENS = "http://127.0.0.1:9"
"""An address at which nothing listens (the discard service, RFC 863, is long out of use)."""

GATEWAYS = ("web", "mobile", "desktop")

SERVICES = tuple(name for name in ALL if name != "identity")
"""Those that are composed; the gateways of a site use demo users, and call no identity provider."""


class Site:
    """Starts processes; `folder` holds their logs."""

    def __init__(self, fork_server: ForkServer, folder: Path) -> None:
        self.folder = folder
        self._fork_server = fork_server

    def service(self, name: str, *, host: str = HOST, port: int = 0) -> Service:
        """Return a service that is not started yet."""
        port = port or free_port()
        return Service(self._fork_server, name, port, folder=self.folder, host=host)

    def gateway(
        self, app: str, environ: Mapping[str, str], server: tuple[str, ...] = OURS
    ) -> Gateway:
        """Return a gateway that is not started yet."""
        port = free_port()
        options = {"folder": self.folder, "environ": environ, "server": server}
        return Gateway(self._fork_server, app, port, **options)

    @contextmanager
    def running(self, *processes: Process) -> Iterator[None]:
        """Start processes at once, wait until all serve, and end them."""
        try:
            for process in processes:
                process.start()
            for process in processes:
                process.wait_until_ready()
            yield
        finally:
            for process in processes:
                process.ask_to_end()
            for process in processes:
                process.wait_for_end()

    @contextmanager
    def serving(
        self, app: str, environ: Mapping[str, str], server: tuple[str, ...] = OURS
    ) -> Iterator[Gateway]:
        """Serve a gateway for a while."""
        gateway = self.gateway(app, environ, server)
        with self.running(gateway):
            yield gateway


class Shop:
    """The nine services and the three gateways of the reference application."""

    def __init__(self, site: Site, environ: Mapping[str, str] | None = None) -> None:
        self.services = {name: site.service(name) for name in SERVICES}
        variables = addresses(self.services.values()) | dict(environ or {})
        self.gateways = {name: site.gateway(f"bffs.{name}.app:app", variables) for name in GATEWAYS}

    @property
    def processes(self) -> tuple[Process, ...]:
        """All of it."""
        return (*self.services.values(), *self.gateways.values())
