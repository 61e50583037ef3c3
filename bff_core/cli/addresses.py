"""Ports and addresses of a project's programs in development, as the environment moves them.

`<NAME>_PORT` moves a program. `SERVICES_PORT` is the lowest port of the services: the others keep
their distance to it. A service that has a `BFF_UPSTREAM_<NAME>` runs elsewhere.
"""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from bff_core.cli.errors import CannotRun
from bff_core.cli.ports import HOST, Port, port_from
from bff_core.cli.project import Project

SERVICES_PORT = "SERVICES_PORT"
"""The variable that moves the ports of all services."""

_placeholder = re.compile(r"\{([A-Za-z][\w-]*)\}").sub


class Addresses:
    """The ports and addresses of the programs of a project.

    Raises `CannotRun` for a service without port and address, and `PortUnusable` for a variable
    that is no port.
    """

    def __init__(self, project: Project, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.ports = {**_service_ports(project, environ), **_gateway_ports(project, environ)}
        self.elsewhere = {
            name: environ.get(_upstream(name)) or one.url or f"http://{HOST}:{one.port}"
            for name, one in project.services.items()
            if environ.get(_upstream(name)) or not one.command
        }
        self.upstreams = {
            _upstream(name): self.elsewhere.get(name) or f"http://{HOST}:{self.ports[name].number}"
            for name in project.services
        }

    def env(self, given: Mapping[str, str], name: str, where: str) -> dict[str, str]:
        """Return variables with their placeholders filled; those of the caller take precedence."""
        return {
            key: self._environ.get(key) or self.filled(value, name, where)
            for key, value in given.items()
        }

    def filled(self, text: str, name: str, where: str) -> str:
        """Replace `{port}`, and `{other}` by the address of another program.

        Raises `CannotRun` for another name in braces, which `where` has; without `where` it stays.
        """

        def value(found: re.Match[str]) -> str:
            other = found[1]
            if other == "port":
                return str(self.ports[name].number)
            if other in self.elsewhere:
                return self.elsewhere[other]
            if other in self.ports:
                return f"http://localhost:{self.ports[other].number}"
            if not where:
                return found[0]
            known = ", ".join(("port", *self.ports))
            raise CannotRun(f"{where} has {found[0]}, and there is none: write one of {known}")

        return _placeholder(value, text)


def with_addresses(project: Project, environ: Mapping[str, str]) -> Project:
    """Return the project with the ports and variables that its programs have in development.

    A service that runs elsewhere has a `url`, and no command.
    """
    addresses = Addresses(project, environ)
    gateways = {
        name: replace(
            one,
            port=addresses.ports[name].number,
            env=addresses.env(one.env, name, f"[tool.bff.gateways.{name}]"),
        )
        for name, one in project.gateways.items()
    }
    services = {
        name: replace(one, url=addresses.elsewhere[name], command="")
        if name in addresses.elsewhere
        else replace(one, port=addresses.ports[name].number)
        for name, one in project.services.items()
    }
    return Project(project.root, gateways, services)


def variable_of(name: str) -> str:
    """Return the environment variable that moves a program's port."""
    return f"{_spelled(name)}_PORT"


def _service_ports(project: Project, environ: Mapping[str, str]) -> dict[str, Port]:
    """Return the ports of the services that have one; all move with the lowest."""
    own = {name: one.port for name, one in project.services.items() if one.command}
    for name, port in own.items():
        if not port:
            raise CannotRun(f"[tool.bff.services.{name}] has a command and no port: add one")
    for name, one in project.services.items():
        if not (one.command or one.url or one.port or environ.get(_upstream(name))):
            raise CannotRun(
                f"[tool.bff.services.{name}] has neither a command nor a url: add one, "
                f"or set {_upstream(name)}"
            )
    lowest = min(own.values(), default=0)
    return {
        name: port_from(environ, variable_of(name), port)
        if environ.get(variable_of(name))
        else port_from(environ, SERVICES_PORT, lowest, offset=port - lowest)
        for name, port in own.items()
    }


def _gateway_ports(project: Project, environ: Mapping[str, str]) -> dict[str, Port]:
    return {
        name: port_from(environ, variable_of(name), one.port)
        for name, one in project.gateways.items()
    }


def _upstream(name: str) -> str:
    return f"BFF_UPSTREAM_{_spelled(name)}"


def _spelled(name: str) -> str:
    return name.upper().replace("-", "_")
