"""The models that the backend of the console and its pages share."""

from typing import get_args

from bff_core.composition.part_status import WORST_LAST
from bff_core.console.model import Severity, ViewState
from bff_core.console.model.states import SEVERITIES


def test_states_have_one_order_of_severity():
    """On all pages, and as in `_meta` of answers: a fallback is worse than a missing value."""
    assert set(SEVERITIES) == {*get_args(Severity), *get_args(ViewState)}
    assert [one for one in SEVERITIES if one in WORST_LAST] == [
        one for one in WORST_LAST if one in SEVERITIES
    ]
    assert SEVERITIES.index("missing") < SEVERITIES.index("fallback") < SEVERITIES.index("failed")
