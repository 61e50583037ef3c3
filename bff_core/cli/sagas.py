"""The verbs of sagas: `bff saga list` and `forget`."""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bff_core.cli.environment import store_failure, store_url
from bff_core.cli.errors import CommandFailed
from bff_core.cli.event_loop import in_event_loop
from bff_core.cli.output import print_json, print_table
from bff_core.clock import chance, monotonic
from bff_core.errors import StoreUnavailable
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from bff_core.saga.journal.factory import open_journal
from bff_core.saga.journal.interface import Journal
from bff_core.saga.record import SagaRecord, step_states
from bff_core.settings.values import JOURNAL, without_password
from bff_core.sqlite import missing_file

JOURNAL_VARIABLE: Final = "BFF_JOURNAL_URL"

MAX_LISTED: Final = 1000
"""Sagas that are listed at most."""


@in_event_loop
async def show_list(*, url: str, gateway: str, as_json: bool) -> None:
    """Print the open sagas, without their inputs, results and viewers."""
    store = store_url(url, JOURNAL_VARIABLE, JOURNAL, gateway)
    async with _opened(store) as journal:
        encoded = await journal.open_records(MAX_LISTED)
    records, now = [SagaRecord.decode(one) for one in encoded], time.time()
    if as_json:
        print_json([_fields(record) for record in records])
    elif records:
        print_table(["id", "saga", "age", "steps", "failures"], (_row(one, now) for one in records))
    else:
        sys.stderr.write(f"bff: no saga is open in {without_password(store)}\n")
    if len(records) == MAX_LISTED:
        sys.stderr.write(f"bff: these are the first {MAX_LISTED}; there may be more\n")


@in_event_loop
async def forget(record_id: str, *, url: str, gateway: str) -> None:
    """Delete a saga that was settled by hand."""
    store = store_url(url, JOURNAL_VARIABLE, JOURNAL, gateway)
    async with _opened(store) as journal:
        is_dropped = await journal.drop(record_id)
    if not is_dropped:
        raise CommandFailed(
            f"the journal has no saga {record_id}: list those that are open with: bff saga list"
        )


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Journal]:
    """Open the journal; a failure of it becomes an error of the command line."""
    missing = missing_file(url)
    if missing is not None:
        raise CommandFailed(
            f"there is no journal at {missing}: name it by --url or {JOURNAL_VARIABLE}, as in "
            "--url sqlite:////var/lib/bff/bff-journal.sqlite3"
        )
    clients = RedisClients(clock=monotonic, chance=chance, events=Events())
    journal = open_journal(url, clients, time.time)
    try:
        yield journal
    except StoreUnavailable as error:
        raise store_failure(url, error) from None
    finally:
        await journal.aclose()
        await clients.aclose()


def _fields(record: SagaRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "saga": record.saga,
        "direction": record.direction,
        "created_at": round(record.created),
        "steps": step_states(record),
        "failures": _failures(record),
    }


def _row(record: SagaRecord, now: float) -> list[str]:
    steps = " ".join(f"{step['step']}={step['state']}" for step in step_states(record))
    age = f"{now - record.created:.0f} s"
    return [record.id, record.saga, age, steps, " ".join(_failures(record)) or "-"]


def _failures(record: SagaRecord) -> list[str]:
    return [step.failure.code for step in record.steps if step.failure is not None]
