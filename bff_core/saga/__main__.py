"""The command line of sagas: lists the open ones of a journal, and forgets a settled one.

    python -m bff_core.saga list
    python -m bff_core.saga forget 0b6e5cf0-5d0e-8b5c-a9a3-8c1d3c0e8d11

The journal is that of `--journal`, else of `BFF_JOURNAL_URL`, else the default of a gateway:
`bff-journal.sqlite3` in the working directory.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence

from bff_core.clock import chance, monotonic
from bff_core.errors import ConfigurationError, StoreUnavailable
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from bff_core.saga.journal.factory import open_journal
from bff_core.saga.journal.interface import Journal
from bff_core.saga.record import SagaRecord, step_states
from bff_core.settings.env_file import add_env_file
from bff_core.settings.values import JOURNAL, PREFIX, with_files, without_password
from bff_core.sqlite import missing_file

MAX_LISTED = 1000
"""Sagas that are listed at most."""


def line_of(record: SagaRecord, now: float) -> str:
    """Return a record as one line of text, without inputs, results and the viewer."""
    steps = " ".join(f"{step['step']}={step['state']}" for step in step_states(record))
    failures = [step.failure.code for step in record.steps if step.failure is not None]
    failure_codes = f" ({', '.join(failures)})" if failures else ""
    return f"{record.id}  {record.saga}  {now - record.created:.0f} s  {steps}{failure_codes}"


async def run(arguments: argparse.Namespace) -> int:
    """Run a command and return the exit status."""
    missing = missing_file(arguments.journal)
    if missing is not None:
        sys.stderr.write(
            f"there is no journal at {missing}: name it with --journal or BFF_JOURNAL_URL, as in "
            "--journal sqlite:////var/lib/bff/bff-journal.sqlite3\n"
        )
        return 1
    clients = RedisClients(clock=monotonic, chance=chance, events=Events())
    journal = open_journal(arguments.journal, clients, time.time)
    try:
        if arguments.command == "list":
            return await _list(journal, arguments.journal)
        return await _forget(journal, arguments.id)
    except StoreUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        await journal.aclose()
        await clients.aclose()


async def _list(journal: Journal, url: str) -> int:
    encoded_records = await journal.open_records(MAX_LISTED)
    for encoded in encoded_records:
        sys.stdout.write(f"{line_of(SagaRecord.decode(encoded), time.time())}\n")
    if not encoded_records:
        sys.stderr.write(f"no saga is open in {without_password(url)}\n")
    return 0


async def _forget(journal: Journal, record_id: str) -> int:
    if await journal.drop(record_id):
        return 0
    sys.stderr.write(f"the journal has no saga {record_id}\n")
    return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command_line = argparse.ArgumentParser(prog="python -m bff_core.saga", description=__doc__)
    command_line.formatter_class = argparse.RawDescriptionHelpFormatter
    command_line.add_argument(
        "--journal", default=_default(), metavar="URL", help="URL of the journal"
    )
    commands = command_line.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list open sagas, one a line")
    forget = commands.add_parser("forget", help="delete a saga that you settled by hand")
    forget.add_argument("id")
    return command_line


def _default() -> str:
    """Return the URL of a gateway's journal in this environment."""
    return with_files(os.environ, PREFIX).get("BFF_JOURNAL_URL", "").strip() or JOURNAL


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; in development it reads `.env`."""
    try:
        add_env_file(os.environ)
        return asyncio.run(run(parser().parse_args(arguments)))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
