"""`bff serve`: serves a gateway that is named as module:attribute, or as in `[tool.bff]`."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bff_core.cli.addresses import variable_of, with_addresses
from bff_core.cli.environment import table_variables
from bff_core.cli.errors import CannotRun
from bff_core.cli.project import Project, find_project
from bff_core.server.runner import ServePlan
from bff_core.server.runner import serve as serve_plan
from bff_core.server.sighup import ignore_hangups
from bff_core.settings.env_file import add_env_file


def serve(plan: ServePlan) -> int:
    """Serve until a signal; return the exit status.

    Modules are found in the working directory, those of a gateway of `[tool.bff]` in its project.
    """
    ignore_hangups()
    if plan.reads_env_file is False and plan.env_file is not None:
        raise CannotRun("--env-file and --no-env-file contradict each other: give one of them")
    if ":" not in plan.app:
        plan = _of_project(plan)
    sys.path.insert(0, str(Path.cwd()))
    return serve_plan(plan)


def _of_project(plan: ServePlan) -> ServePlan:
    """Return the plan for a gateway of the project, and work in the project's folder.

    In development it has the variables that `bff dev` sets, except those of the log.
    """
    try:
        project = find_project()
    except CannotRun as error:
        raise CannotRun(
            f"{plan.app!r} is not an application: write module:attribute, as in shop.app:app, "
            f"or a gateway of [tool.bff]; {error}"
        ) from None
    project.gateway(plan.app)
    os.chdir(project.root)
    environ = dict(os.environ)
    if plan.reads_env_file:
        add_env_file(environ, plan.env_file)
    if environ.get("BFF_ENV") == "development":
        project = _in_development(project, plan, environ)
    entry = project.gateway(plan.app)
    has_port = plan.port is not None or environ.get("BFF_PORT")
    return replace(plan, app=entry.app, port=plan.port if has_port else entry.port)


def _in_development(project: Project, plan: ServePlan, environ: Mapping[str, str]) -> Project:
    """Return the project as it runs in development; its variables are those of this process."""
    port = str(plan.port or environ.get("BFF_PORT", ""))
    moved = {variable_of(plan.app): port} if port.isdigit() else {}
    project = with_addresses(project, {**environ, **moved})
    os.environ.update({**table_variables(project, project.gateway(plan.app)), **environ})
    return project
