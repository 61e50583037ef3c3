"""An enum that accepts values which a newer gateway has added."""

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """An enum of texts; a text without a member becomes a value that is equal to no member."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        added = str.__new__(cls, value)
        added._name_ = value
        added._value_ = value
        return added
