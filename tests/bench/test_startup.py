"""What the bench reads from an import trace."""

from bench.startup import measure_import, parse_importtime

TRACE = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   pydantic.fields
import time:        50 |        150 | pydantic
import time:       300 |        300 |     fastapi.routing
a line that a module printed
"""


def test_own_time_is_added_up_by_package() -> None:
    """Indentation and foreign lines do not matter, nested time is not counted twice."""
    own = parse_importtime(TRACE)

    assert own == {"fastapi": 300, "pydantic": 150}


def test_a_module_that_is_not_there_has_no_import_time() -> None:
    """It is reported, not counted as fast."""
    assert measure_import("no_such_module_anywhere", runs=1) is None
