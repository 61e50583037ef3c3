"""Writes the dashboards into the package, which ships them."""

from scripts.dashboards.files import write

write()
