"""What a journal has to do: store records durably, each leased by one process at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """A record that is not closed: whether a process has it, and when its lease ends (seconds).

    A record that no process has can be claimed after that time; it is negative if it can be now.
    """

    body: bytes
    is_leased: bool
    due_in: float


class Journal(Protocol):
    """Stores the records of sagas.

    An open record is leased to an owner for some seconds; each write renews the lease. Any process
    may claim a record whose lease has expired. A write is durable when the method returns. Every
    method raises `StoreUnavailable` if the journal fails.
    """

    async def begin(
        self, record_id: str, kind: str, body: bytes, owner: str, seconds: float
    ) -> bytes | None:
        """Store a new record and lease it; return the existing record if the id is in use.

        `kind` names the sagas whose gateways can resume it.
        """
        ...

    async def record(self, record_id: str, body: bytes, owner: str, seconds: float) -> bool:
        """Update a record and renew its lease; return False if another owner has the lease."""
        ...

    async def park(self, record_id: str, body: bytes, owner: str, seconds: float) -> None:
        """Update a record and release its lease; it can be claimed after some seconds."""

    async def end(self, record_id: str, body: bytes, owner: str, retention: float) -> bool:
        """Close a record, stored for `retention` seconds; return False if another has the lease."""
        ...

    async def claim(self, kind: str, owner: str, seconds: float, limit: int) -> Sequence[bytes]:
        """Lease records of a kind whose leases have expired, the oldest first."""
        ...

    async def open_records(self, limit: int) -> Sequence[bytes]:
        """Return open records, for operators."""
        ...

    async def open_leases(self, limit: int) -> Sequence[OpenRecord]:
        """Return open records with their leases, the ones that are due first."""
        ...

    async def release(self, record_id: str) -> bool:
        """Let a parked record be claimed at once; return False if a process has it, or none is."""
        ...

    async def drop(self, record_id: str) -> bool:
        """Delete a record that an operator has settled; return False without one."""
        ...

    async def aclose(self) -> None:
        """Close what the journal opened."""
