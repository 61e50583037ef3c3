"""The reference project: the gateways and services of `[tool.bff]`, as tests use them.

Gateways that `bff new` has added beside web, mobile and desktop have tests of their own.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def gateways_imported_anew() -> Iterator[None]:
    """Import the gateways anew in the context, and restore those of before at its end.

    The test kit makes a gateway when its module is imported. One that a command has imported has
    other settings: all later tests of the process would get it.
    """
    before = _modules()
    for name in before:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in _modules():
            del sys.modules[name]
        sys.modules.update(before)


def _modules():
    return {name: one for name, one in sys.modules.items() if name.partition(".")[0] == "bffs"}


def programs(**environ):
    """Return the programs that `bff dev` runs in this environment, by name."""
    return {one.name: one for one in Plan(PROJECT, environ).programs}
