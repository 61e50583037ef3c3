"""Which programs `bff dev` runs: those of `[tool.bff]`, with their ports and environments."""

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bff_core.cli.dev.ports import HOST, Port, port_from
from bff_core.cli.dev.program import Program
from bff_core.cli.errors import CannotRun
from bff_core.cli.project import GatewayEntry, Project, ServiceEntry

SERVICES_PORT = "SERVICES_PORT"
"""The variable that moves the ports of all services."""

_placeholder = re.compile(r"\{([A-Za-z][\w-]*)\}").sub


class Planned(Protocol):
    """What a supervisor runs: `programs`; and what it knows of others."""

    @property
    def programs(self) -> Sequence[Program]:
        """The programs to run, services first."""

    @property
    def others(self) -> Sequence[Program]:
        """The gateways of the project that are not run."""

    @property
    def elsewhere(self) -> Mapping[str, str]:
        """The addresses of services that run elsewhere."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment of all programs."""


class Plan:
    """The programs of a project, as `environ` moves their ports and replaces their addresses.

    `others` are the gateways that are not run, `elsewhere` the addresses of services that are not.
    `<NAME>_PORT` moves a program; `SERVICES_PORT` is the lowest port of the services. A service
    that has a `BFF_UPSTREAM_<NAME>` in the environment runs elsewhere. Raises `CannotRun` for a
    table that names no program, and `PortUnusable` for a variable that is no port.
    """

    def __init__(
        self, project: Project, environ: Mapping[str, str], gateways: Sequence[str] = ()
    ) -> None:
        self.environ = environ
        self._root = project.root
        chosen = {name: project.gateway(name) for name in gateways or project.gateways}
        self._ports = {**_service_ports(project, environ), **_gateway_ports(project, environ)}
        self.elsewhere = {
            name: environ.get(_upstream(name)) or one.url
            for name, one in project.services.items()
            if environ.get(_upstream(name)) or not one.command
        }
        self._upstreams = {
            _upstream(name): self.elsewhere.get(name) or f"http://{HOST}:{self._port(name)}"
            for name in project.services
        }
        here = {n: one for n, one in project.services.items() if n not in self.elsewhere}
        services = [self._service(name, one) for name, one in here.items()]
        self.programs = [*services, *(self._gateway(name, one) for name, one in chosen.items())]
        others = {name: one for name, one in project.gateways.items() if name not in chosen}
        self.others = [self._gateway(name, one) for name, one in others.items()]
        if not chosen:
            raise CannotRun(
                f"{project.root / 'pyproject.toml'} has no gateway to run: "
                "add a table [tool.bff.gateways.NAME] with app and port"
            )

    def _port(self, name: str) -> int:
        return self._ports[name].number

    def _service(self, name: str, entry: ServiceEntry) -> Program:
        where = f"[tool.bff.services.{name}]"
        words = [self._filled(one, name, where) for one in shlex.split(entry.command)]
        return Program(
            name=name,
            port=self._ports[name],
            ready=entry.ready,
            root=self._root,
            command=(_interpreter(words[0]), *words[1:]),
            env=self._env(entry.env, name, where),
        )

    def _gateway(self, name: str, entry: GatewayEntry) -> Program:
        where = f"[tool.bff.gateways.{name}]"
        given = {"BFF_ENV": "development", "BFF_LOG": "json", **entry.env}
        env = {**self._env(given, name, where), **self._upstreams}
        example = entry.examples.get(env.get("BFF_AUTH") or "none", "")
        return Program(
            name=name,
            port=self._ports[name],
            ready="/readyz",
            root=self._root,
            app=entry.app,
            env=env,
            about=entry.about,
            page=entry.page,
            example=self._filled(example, name, ""),  # a query may have braces of its own
        )

    def _env(self, given: Mapping[str, str], name: str, where: str) -> dict[str, str]:
        """Return variables with their placeholders filled; those of the caller take precedence."""
        return {
            key: self.environ.get(key) or self._filled(value, name, where)
            for key, value in given.items()
        }

    def _filled(self, text: str, name: str, where: str) -> str:
        """Replace `{port}`, and `{other}` by the address of another program.

        Raises `CannotRun` for another name in braces, which `where` has.
        """

        def value(found: re.Match[str]) -> str:
            other = found[1]
            if other == "port":
                return str(self._port(name))
            if other in self.elsewhere:
                return self.elsewhere[other]
            if other in self._ports:
                return f"http://localhost:{self._port(other)}"
            if not where:
                return found[0]
            known = ", ".join(("port", *self._ports))
            raise CannotRun(f"{where} has {found[0]}, and there is none: write one of {known}")

        return _placeholder(value, text)


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
        if not (one.command or one.url or environ.get(_upstream(name))):
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


def _interpreter(word: str) -> str:
    """Return this Python for `python`, else the word."""
    return sys.executable if Path(word).name == word and word in {"python", "python3"} else word
