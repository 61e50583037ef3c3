"""What a journal does: keeps entries on disk, each held by one process at a time."""

from collections.abc import Sequence
from typing import Protocol


class Journal(Protocol):
    """Keeps the entries of sagas.

    An entry that is not ended is held by an owner for some seconds, renewed with each record; who
    holds nothing may take over what nobody holds any more. Every method has the record on disk
    when it returns, and raises `StoreUnavailable` where it can't be.
    """

    async def begin(
        self, entry_id: str, kind: str, body: bytes, owner: str, seconds: float
    ) -> bytes | None:
        """Write down an entry and hold it; or return the one that is known by this id.

        Its kind says who can go on with it.
        """
        ...

    async def record(self, entry_id: str, body: bytes, owner: str, seconds: float) -> bool:
        """Write down how far it has come and hold it on; False where somebody else holds it."""
        ...

    async def park(self, entry_id: str, body: bytes, owner: str, seconds: float) -> None:
        """Let go of an entry that is to be taken up again, not before so many seconds."""

    async def end(self, entry_id: str, body: bytes, owner: str, retention: float) -> bool:
        """Write down the end, kept for `retention` seconds; False where somebody else holds it."""
        ...

    async def claim(self, kind: str, owner: str, seconds: float, most: int) -> Sequence[bytes]:
        """Take over entries of a kind that nobody holds, the longest waiting first."""
        ...

    async def open_entries(self, most: int) -> Sequence[bytes]:
        """Return entries that are not ended, for people to look at."""
        ...

    async def drop(self, entry_id: str) -> bool:
        """Forget an entry that a person has settled; False where there is none."""
        ...

    async def aclose(self) -> None:
        """Close what was opened."""
