"""Errors of parts that were cancelled or timed out."""

from bff_core.errors import CompositionError


class PartCancelled(CompositionError):
    """A part was cancelled: its composition was closed, or what it awaited was cancelled."""

    code = "part_cancelled"
    title = "Part cancelled"

    def __init__(self, part: str) -> None:
        super().__init__(f"part {part!r} was cancelled")


class PartTimedOut(CompositionError):
    """A part timed out."""

    status = 504
    code = "timeout"
    title = "Timed out"

    def __init__(self, part: str) -> None:
        super().__init__(f"part {part!r} ran out of time")
