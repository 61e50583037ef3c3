"""The environment variables of a gateway of the project, in development.

What the process has wins, then `.env` of the project, then `env` of the gateway in `[tool.bff]`,
then the addresses of the project's services.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bff_core.cli.addresses import with_addresses
from bff_core.cli.errors import CannotRun, CommandFailed
from bff_core.cli.ports import HOST
from bff_core.cli.project import GatewayEntry, Project, ServiceEntry, find_project
from bff_core.errors import StoreUnavailable
from bff_core.settings.env_file import DEFAULT, add_env_file, read_env_file
from bff_core.settings.values import PREFIX, with_files, without_password


def address_of(entry: GatewayEntry | ServiceEntry) -> str:
    """Return the address of a program in development."""
    url = entry.url if isinstance(entry, ServiceEntry) else ""
    return url or f"http://{HOST}:{entry.port}"


def development_project() -> Project:
    """Return the project of the working directory, with the ports and addresses that it has now.

    Raises `CannotRun` for a wrong `[tool.bff]`, and `ConfigurationError` for a wrong `.env`.
    """
    project = find_project()
    return with_addresses(project, {**_env_file_of(project), **os.environ})


def development_variables(
    project: Project, entry: GatewayEntry | None, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables of a gateway in development; without an entry, those of all."""
    return {
        f"{PREFIX}ENV": "development",
        **table_variables(project, entry),
        **_env_file_of(project),
        **environ,
    }


def table_variables(project: Project, entry: GatewayEntry | None) -> dict[str, str]:
    """Return what `[tool.bff]` sets for a gateway: addresses of services, and its own `env`."""
    services = {
        f"{PREFIX}UPSTREAM_{name.upper().replace('-', '_')}": address_of(one)
        for name, one in project.services.items()
    }
    return {**services, **({} if entry is None else entry.env)}


def _env_file_of(project: Project) -> Mapping[str, str]:
    file = project.root / DEFAULT
    return read_env_file(file) if file.is_file() else {}


def variables(gateway: str = "") -> Mapping[str, str]:
    """Return the variables of this process, or of a gateway of the project in development.

    With `BFF_ENV=development` they have those of `.env` in the working directory.
    """
    if gateway:
        project = development_project()
        found = development_variables(project, project.gateway(gateway), os.environ)
    else:
        found = dict(os.environ)
        if hint := add_env_file(found):
            sys.stderr.write(f"bff: {hint.replace(', or name the file: --env-file .env', '')}\n")
    return with_files(found, PREFIX)


@contextmanager
def in_environment(variables: Mapping[str, str], root: Path) -> Iterator[None]:
    """Import modules of a project, with these variables, until the context ends; write no file."""
    before, path, writes_no_bytecode = dict(os.environ), [*sys.path], sys.dont_write_bytecode
    os.environ.update(variables)
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes_no_bytecode
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(before)


def store_url(given: str, variable: str, default: str, gateway: str) -> str:
    """Return the URL of a store: that of the option, of the variable, or the gateway's default.

    A file of a gateway is in the folder of its project, in which it runs.
    """
    url = given or variables(gateway).get(variable, "").strip() or default
    is_relative = url.startswith("sqlite:///") and not url.startswith("sqlite:////")
    if gateway and is_relative and url != "sqlite:///:memory:":
        return f"sqlite:///{find_project().root / url.removeprefix('sqlite:///')}"
    if not url.startswith(("sqlite:", "redis:", "rediss:", "unix:")):
        raise CannotRun(
            f"{url!r} is no store: give sqlite:///FILE, redis://HOST or rediss://HOST, by --url or "
            f"{variable}"
        )
    return url


def store_failure(url: str, error: StoreUnavailable) -> CommandFailed:
    """Return the error of a verb whose store fails; it names the store once, by its URL."""
    reason = str(error).removeprefix(f"{error.store}: ")
    return CommandFailed(f"{without_password(url)}: {reason}")
