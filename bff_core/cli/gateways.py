"""Loads the gateways of a project into this process, without starting them."""

import os
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from bff_core.cli.environment import (
    development_project,
    development_variables,
    in_environment,
)
from bff_core.cli.errors import CannotRun
from bff_core.cli.project import GatewayEntry, Project, find_project
from bff_core.errors import ConfigurationError
from bff_core.gateway.app import Gateway
from bff_core.gateway.under_test import MakingForTest, made_for_test
from bff_core.server.target import AppFailed, CannotServe, load
from bff_core.settings.values import PREFIX, with_files

AUTH: Final = f"{PREFIX}AUTH"


@dataclass(frozen=True, slots=True)
class LoadedGateway:
    """A gateway that does not run, its name in the project, and its variables."""

    name: str
    app: Gateway
    entry: GatewayEntry | None
    variables: Mapping[str, str]


def load_gateway(named: str, **more: str) -> LoadedGateway:
    """Load a gateway by its name in `[tool.bff]`, or by "module:attribute".

    Without a name it is the only gateway of the project. It gets the variables of development, and
    placeholders for addresses and secrets that are not set: nothing is called, no file is written.
    It has its own authenticator in place of that of `BFF_AUTH=demo`, if it can be made here and
    `more` does not say otherwise. `more` are variables that replace those of development.
    Raises `CannotRun` if there is no such gateway, and `AppFailed` if its code raises.
    """
    if ":" in named:
        return _loaded(named, named, None, _project_here(), more)
    project = development_project()
    name = named or _only(project)
    entry = project.gateway(name)
    return _loaded(name, entry.app, entry, project, more)


def load_gateways(named: str = "") -> list[LoadedGateway]:
    """Load one gateway, or without a name all gateways of the project."""
    if named:
        return [load_gateway(named)]
    names = list(find_project().gateways)
    if not names:
        raise CannotRun("the project has no gateway: add one with bff new NAME --client mobile")
    return [load_gateway(name) for name in names]


def _loaded(
    name: str, app: str, entry: GatewayEntry | None, project: Project, more: Mapping[str, str]
) -> LoadedGateway:
    variables = {**development_variables(project, entry, os.environ), **more}
    variables[f"{PREFIX}ENV"] = "development"
    found, used = None, variables
    if variables.get(AUTH) == "demo" and AUTH not in more:
        used = {**variables, AUTH: "none"}
        with suppress(CannotServe, ConfigurationError):  # such as an issuer that is not set
            found = _made(app, used, project.root)
    if found is None:
        used = variables
        try:
            found = _made(app, used, project.root)
        except AppFailed:
            raise
        except (CannotServe, ConfigurationError) as error:
            if isinstance(error, ConfigurationError) and error.has_place:
                raise
            raise CannotRun(f"gateway {name}: {error}") from None
    if not isinstance(found, Gateway):
        raise CannotRun(f"{app!r} is no gateway of bff-core, but of type {type(found).__name__}")
    return LoadedGateway(name, found, entry, used)


def _made(app: str, variables: Mapping[str, str], root: Path) -> object:
    """Load an application with these variables, without its warnings and its output."""
    making = MakingForTest(with_files(variables, PREFIX), has_own_authenticator=True)
    with (
        in_environment(variables, root),
        made_for_test(making),
        warnings.catch_warnings(),
        redirect_stdout(StringIO()),
    ):
        warnings.simplefilter("ignore")
        return load(app)


def _project_here() -> Project:
    """Return the project of the working directory, or an empty one there."""
    try:
        return development_project()
    except CannotRun:
        return Project(Path.cwd(), {}, {})


def _only(project: Project) -> str:
    if len(project.gateways) == 1:
        return next(iter(project.gateways))
    raise CannotRun(f"which gateway? The project has {', '.join(project.gateways) or 'none'}")
