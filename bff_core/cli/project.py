"""The table `[tool.bff]` of a project: its gateways, its services, how they run in development.

    [tool.bff.gateways.mobile]
    app = "bffs.mobile.app:app"
    port = 8002

    [tool.bff.services.catalog]
    command = "python -m mocks.catalog --port {port}"
    port = 9002

A value of `env` and a command may contain `{port}`, the program's own port, and the name of another
program, `{catalog}`, which becomes its address.
"""

import tomllib
from pathlib import Path

import msgspec

from bff_core.cli.errors import CannotRun
from bff_core.cli.ports import HIGHEST
from bff_core.cli.project_mistakes import mistake_in

FILE = "pyproject.toml"


class GatewayEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway of the project: `app` is "module:attribute"; `env` is set in development.

    `page` is the path that opens in a browser. `token` is a command that prints an access token.
    `examples` has a command to try for each value of `BFF_AUTH`. `contract` and `graphql_contract`
    are the files with the OpenAPI document and the GraphQL schema of its last release.
    """

    app: str
    port: int
    about: str = ""
    page: str = "/docs"
    token: str = ""
    examples: dict[str, str] = {}
    env: dict[str, str] = {}
    contract: str = ""
    graphql_contract: str = ""


class ServiceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service that the gateways call, and the command that stands in for it in development.

    The path `ready` answers 200 once it can serve. Without a command the service runs already, at
    `url` or at the port of this machine. `contract` is the file with the OpenAPI document, or the
    GraphQL schema, that the project was written against. `contract_url` is where the service
    publishes it: an address, or a path at the service such as `/openapi.json`. With `tags` or
    `paths` the contract has only the operations with one of these tags, or below these paths.
    """

    command: str = ""
    port: int = 0
    url: str = ""
    ready: str = "/healthz"
    env: dict[str, str] = {}
    contract: str = ""
    contract_url: str = ""
    tags: list[str] = []
    paths: list[str] = []


class Project(msgspec.Struct, frozen=True):
    """A project: its folder, and what its `[tool.bff]` names, in that order."""

    root: Path
    gateways: dict[str, GatewayEntry]
    services: dict[str, ServiceEntry]

    def gateway(self, name: str) -> GatewayEntry:
        """Return a gateway by its name; raise `CannotRun` if there is none."""
        if name not in self.gateways:
            known = ", ".join(self.gateways) or "none"
            raise CannotRun(f"there is no gateway {name!r} in {self.root / FILE}: it has {known}")
        return self.gateways[name]


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    gateways: dict[str, GatewayEntry] = {}
    services: dict[str, ServiceEntry] = {}


def find_project(start: Path | None = None) -> Project:
    """Return the project of a folder (the working directory).

    It is that of the nearest pyproject.toml with a table `[tool.bff]`. Raises `CannotRun` if there
    is none, or if the table is wrong.
    """
    here = (start or Path.cwd()).resolve()
    folders = [one for one in (here, *here.parents) if (one / FILE).is_file()]
    if not folders:
        raise CannotRun(
            f"there is no {FILE} in {here} or above it: go to your project, "
            "or make one: bff init NAME"
        )
    with_table = (one for one in folders if _table_of(one / FILE) is not None)
    return read_project(next(with_table, folders[0]))


def read_project(root: Path) -> Project:
    """Return the project of this folder; raise `CannotRun` if its file has no valid table."""
    path = root / FILE
    table = _table_of(path)
    if table is None:
        raise CannotRun(
            f"{path} has no table [tool.bff.gateways.NAME]: "
            "add one with app and port, or make a project with: bff init NAME"
        )
    _check_entries(path, table)
    try:
        known = msgspec.convert(table, _Table)
    except msgspec.ValidationError as error:
        raise CannotRun(mistake_in(path, "tool.bff", error, _Table)) from None
    _check_ports(path, known)
    return Project(root, known.gateways, known.services)


def _about_conflicts(path: Path) -> str:
    """Return what to do about a file with conflict markers of a merge."""
    lines = path.read_bytes().splitlines() if path.is_file() else []
    has_marker = any(line.startswith(b"<<<<<<< ") for line in lines)
    return "; it has conflicts of a merge: resolve them first" if has_marker else ""


def _table_of(path: Path) -> object:
    """Return the table `[tool.bff]` of a file; None if it has none."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotRun(f"{path} can't be read: {error}{_about_conflicts(path)}") from None
    tools = content.get("tool", {})
    if not isinstance(tools, dict):
        raise CannotRun(f"{path}: tool is no table: write [tool.bff.gateways.NAME]")
    return tools.get("bff")


def _check_entries(path: Path, table: object) -> None:
    """Raise `CannotRun` for the first table of a program with a mistake, by its name."""
    kinds: dict[str, type[msgspec.Struct]] = {"gateways": GatewayEntry, "services": ServiceEntry}
    for kind, entry in kinds.items():
        entries = table.get(kind) if isinstance(table, dict) else None
        for name, one in entries.items() if isinstance(entries, dict) else ():
            try:
                msgspec.convert(one, entry)
            except msgspec.ValidationError as error:
                where = f"tool.bff.{kind}.{name}"
                raise CannotRun(mistake_in(path, where, error, entry)) from None


def _check_ports(path: Path, known: _Table) -> None:
    """Raise `CannotRun` for a port that does not exist; a service need not have one."""
    ports = {f"gateways.{name}": one.port for name, one in known.gateways.items()}
    ports |= {f"services.{name}": one.port for name, one in known.services.items() if one.port}
    for name, port in ports.items():
        if not 0 < port <= HIGHEST:
            raise CannotRun(
                f"{path}, [tool.bff.{name}]: {port} is no port: give a number from 1 to {HIGHEST}"
            )
