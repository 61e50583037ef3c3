"""The reference project: the gateways and services of `[tool.bff]`, as tests use them.

Gateways that `bff new` has added beside web, mobile and desktop have tests of their own.
"""

from pathlib import Path

import msgspec

from bff_core.cli.dev.plan import Plan
from bff_core.cli.project import read_project

ROOT = Path(__file__).parents[1]
GATEWAYS = ("web", "mobile", "desktop")
WHOLE = read_project(ROOT)
PROJECT = msgspec.structs.replace(WHOLE, gateways={name: WHOLE.gateways[name] for name in GATEWAYS})
OTHERS = WHOLE.gateways.keys() - PROJECT.gateways.keys()
SERVICES = tuple(PROJECT.services)
FIRST_PORT = min(one.port for one in PROJECT.services.values())


def programs(**environ):
    """Return the programs that `bff dev` runs in this environment, by name."""
    return {one.name: one for one in Plan(PROJECT, environ).programs}
