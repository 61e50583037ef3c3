"""Writes the dashboards and the runbooks into the package, which ships them."""

from scripts.dashboards.files import write

write()
