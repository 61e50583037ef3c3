"""The models that the backend of the console and its pages share."""

import re
from pathlib import Path
from typing import get_args

import msgspec

from bff_core.composition.part_status import WORST_LAST
from bff_core.console import model
from bff_core.console.model import Severity, ViewState
from bff_core.console.model.states import SEVERITIES

PAGES = Path(__file__).parents[2] / "console" / "src"


def test_each_field_of_a_model_is_read_by_a_page():
    """What no page shows is not computed: at least its name is in the source of one."""
    sources = "\n".join(path.read_text() for path in PAGES.rglob("*.js"))
    words = {*re.findall(r"[a-z_0-9]+", sources)}
    fields = {
        f"{name}.{field}": field
        for name in model.__all__
        if isinstance(found := getattr(model, name), type) and issubclass(found, msgspec.Struct)
        for field in found.__struct_fields__
    }

    assert len(fields) > 150
    assert [name for name, field in fields.items() if field not in words] == []


def test_each_token_of_the_styles_is_used():
    """A colour, size or time that nothing has is no part of the design."""
    styles = "\n".join(path.read_text() for path in PAGES.rglob("*.*"))
    tokens = {*re.findall(r"(--[a-z][a-z0-9-]*):", (PAGES / "styles" / "tokens.css").read_text())}
    used = {*re.findall(r"var\((--[a-z][a-z0-9-]*)", styles)}

    assert tokens - used == set()


def test_states_have_one_order_of_severity():
    """On all pages, and as in `_meta` of answers: a fallback is worse than a missing value."""
    assert set(SEVERITIES) == {*get_args(Severity), *get_args(ViewState)}
    assert [one for one in SEVERITIES if one in WORST_LAST] == [
        one for one in WORST_LAST if one in SEVERITIES
    ]
    assert SEVERITIES.index("missing") < SEVERITIES.index("fallback") < SEVERITIES.index("failed")
