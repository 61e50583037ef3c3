"""Which journal a URL names."""

from typing import Protocol

from bff_core.clock import Clock
from bff_core.redis.interface import RedisInterface
from bff_core.saga.journal.interface import Journal
from bff_core.saga.journal.redis import RedisJournal
from bff_core.saga.journal.sqlite import SQLiteJournal
from bff_core.sqlite import path_of


class JournalClients(Protocol):
    """Opens the links of a gateway."""

    def to(self, url: str, /) -> RedisInterface:
        """Return the link to a Redis."""
        ...


def open_journal(url: str, links: JournalClients, wall: Clock) -> Journal:
    """Return the journal at a URL of the settings; "sqlite://" is memory, and for tests."""
    if url.startswith("sqlite:"):
        return SQLiteJournal(path_of(url), wall)
    return RedisJournal(links.to(url))
