"""Which journal the URL of the settings names."""

from bff_core.clock import Clock
from bff_core.redis.clients_by_url import RedisClients
from bff_core.saga.journal.interface import Journal
from bff_core.saga.journal.redis import RedisJournal
from bff_core.saga.journal.sqlite import SQLiteJournal
from bff_core.sqlite import path_of


def open_journal(url: str, links: RedisClients, wall: Clock) -> Journal:
    """Return the journal of a URL; "sqlite://" is a journal in memory, for tests."""
    if url.startswith("sqlite:"):
        return SQLiteJournal(path_of(url), wall)
    return RedisJournal(links.to(url))
