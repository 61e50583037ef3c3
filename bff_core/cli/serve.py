"""`bff serve`: serves a gateway that is named as module:attribute, or as in `[tool.bff]`."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import find_project
from bff_core.server.runner import ServePlan
from bff_core.server.runner import serve as serve_plan
from bff_core.server.sighup import ignore_hangups


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
    """Return the plan for a gateway of the project, and work in the project's folder."""
    try:
        project = find_project()
    except CannotRun as error:
        raise CannotRun(
            f"{plan.app!r} is not an application: write module:attribute, as in shop.app:app, "
            f"or a gateway of [tool.bff]; {error}"
        ) from None
    entry = project.gateway(plan.app)
    os.chdir(project.root)
    port = entry.port if plan.port is None and not os.environ.get("BFF_PORT") else plan.port
    return replace(plan, app=entry.app, port=port)
