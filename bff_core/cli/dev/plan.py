"""Which programs `bff dev` runs: those of `[tool.bff]`, with their ports and environments."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bff_core.cli.addresses import Addresses
from bff_core.cli.dev.program import Program
from bff_core.cli.errors import CannotRun
from bff_core.cli.project import GatewayEntry, Project, ServiceEntry


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
    Raises `CannotRun` for a table that names no program, and `PortUnusable` for a variable that is
    no port.
    """

    def __init__(
        self, project: Project, environ: Mapping[str, str], gateways: Sequence[str] = ()
    ) -> None:
        self.environ = environ
        self._root = project.root
        self._addresses = Addresses(project, environ)
        chosen = {name: project.gateway(name) for name in gateways or project.gateways}
        self.elsewhere = self._addresses.elsewhere
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

    def _service(self, name: str, entry: ServiceEntry) -> Program:
        where, addresses = f"[tool.bff.services.{name}]", self._addresses
        words = [addresses.filled(one, name, where) for one in _words(entry.command, where)]
        return Program(
            name=name,
            port=addresses.ports[name],
            ready=entry.ready,
            root=self._root,
            command=(_interpreter(words[0]), *words[1:]),
            env=addresses.env(entry.env, name, where),
        )

    def _gateway(self, name: str, entry: GatewayEntry) -> Program:
        where, addresses = f"[tool.bff.gateways.{name}]", self._addresses
        given = {"BFF_ENV": "development", "BFF_LOG": "json", **entry.env}
        env = {**addresses.env(given, name, where), **addresses.upstreams}
        example = entry.examples.get(env.get("BFF_AUTH") or "none", "")
        return Program(
            name=name,
            port=addresses.ports[name],
            ready="/readyz",
            root=self._root,
            app=entry.app,
            env=env,
            about=entry.about,
            page=entry.page,
            token=addresses.filled(entry.token, name, where),
            example=addresses.filled(example, name, ""),  # a query may have braces of its own
        )


def _words(command: str, where: str) -> list[str]:
    """Split a command as a shell does."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise CannotRun(f"{where} has the command {command!r}: {error}") from None
    if not any(words[:1]):
        raise CannotRun(f"{where} has the command {command!r}, which names no program")
    return words


def _interpreter(word: str) -> str:
    """Return this Python for `python`, else the word."""
    return sys.executable if Path(word).name == word and word in {"python", "python3"} else word
