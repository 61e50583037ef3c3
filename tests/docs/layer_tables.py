"""The options of a policy as the pages of layers list them."""

from collections.abc import Sequence
from dataclasses import MISSING
from types import NoneType

from bff_core.policy.options import DescribedOption, described


def option_rows(policy: type, names: Sequence[str] = ()) -> list[list[str]]:
    """Return name, default, range and sentence of a policy's options, or of those named."""
    return [_row(one) for one in described(policy) if not names or one.name in names]


def _row(one: DescribedOption) -> list[str]:
    is_empty = one.default is MISSING or not str(one.default)
    default = "—" if is_empty else f"`{one.default}`"
    return [f"`{one.name}`", default, _range(one), one.option.sentence]


def _range(one: DescribedOption) -> str:
    if bool in one.types:
        return "`True` or `False`"
    return one.option.range + (", or `None`" if NoneType in one.types else "")
