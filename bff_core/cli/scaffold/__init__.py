"""Generates projects, gateways, screens and views, and updates what it generated.

Importing it raises `CannotRun` if the libraries of the extra `scaffold` are not installed.
"""

from importlib.util import find_spec

from bff_core.cli.errors import CannotRun
from bff_core.extras import missing

if find_spec("jinja2") is None or find_spec("tomlkit") is None:
    raise CannotRun(str(missing("scaffold", "this verb")))
