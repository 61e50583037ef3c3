"""Where the source of a function or a class is, as a short path."""

import inspect

from bff_core.inspection.function_source import place_of as _place_of_code
from bff_core.inspection.function_source import plain_function, shown_place


def place_of(one: object) -> str:
    """Return file and line of a function, or the file of a class; empty if it has none."""
    if isinstance(one, type):
        try:
            return shown_place(inspect.getsourcefile(one) or "")
        except TypeError:
            return ""
    plain = plain_function(one)
    return "" if plain is None else shown_place(_place_of_code(plain))
