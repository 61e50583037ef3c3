"""Reads OpenAPI documents, 3.0 to 3.2, from files and URLs.

`load` reads one into a `Document`. `read_content` returns its JSON, in one piece: that is what a
project pins, as `normalised` writes it. `parse` reads such a JSON.
"""

from bff_core.contracts.openapi.loader import load, normalised, read_content
from bff_core.contracts.openapi.reader import parse

__all__ = ["load", "normalised", "parse", "read_content"]
