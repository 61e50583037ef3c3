"""The project of this repository: the gateways and services of `[tool.bff]`, as tests use them."""

from pathlib import Path

from bff_core.cli.dev.plan import Plan
from bff_core.cli.project import read_project

ROOT = Path(__file__).parents[1]
PROJECT = read_project(ROOT)
SERVICES = tuple(PROJECT.services)
FIRST_PORT = min(one.port for one in PROJECT.services.values())


def programs(**environ):
    """Return the programs that `bff dev` runs in this environment, by name."""
    return {one.name: one for one in Plan(PROJECT, environ).programs}
