"""What an operator asks a journal: which sagas are not over, and to forget one settled by hand.

    python -m bff_core.saga list
    python -m bff_core.saga forget 0b6e5cf0-5d0e-8b5c-a9a3-8c1d3c0e8d11

The journal is that of `--journal`, or of `BFF_JOURNAL_URL`, or the file that a gateway uses where
neither is given: `bff-journal.sqlite3` in the working directory.
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
from bff_core.redis.interface import RedisInterface
from bff_core.saga.journal.factory import open_journal
from bff_core.saga.journal.interface import Journal
from bff_core.saga.record import SagaRecord, told
from bff_core.settings.values import JOURNAL, PREFIX, with_files, without_password
from bff_core.sqlite import missing_file

MOST = 1000
"""How many are listed."""


class _Links:
    """Opens a link when the journal needs one, and closes it."""

    def __init__(self) -> None:
        self._links: list[RedisInterface] = []

    def to(self, url: str, /) -> RedisInterface:
        from bff_core.redis.client import RedisClient  # noqa: PLC0415 # a file needs no client

        link = RedisClient(url, clock=monotonic, chance=chance, events=Events(), timeout=2.0)
        self._links.append(link)
        return link

    async def aclose(self) -> None:
        for link in self._links:
            await link.aclose()


def line(entry: SagaRecord, now: float) -> str:
    """Return what there is to know of an entry: no inputs, no results, nobody's name."""
    steps = " ".join(f"{step['step']}={step['state']}" for step in told(entry))
    failures = [step.failure.code for step in entry.steps if step.failure is not None]
    why = f" ({', '.join(failures)})" if failures else ""
    return f"{entry.id}  {entry.saga}  {now - entry.created:.0f} s  {steps}{why}"


async def answer(asked: argparse.Namespace) -> int:
    """Do what was asked and return the exit status."""
    missing = missing_file(asked.journal)
    if missing is not None:
        sys.stderr.write(
            f"there is no journal at {missing}: name it with --journal or BFF_JOURNAL_URL, as in "
            "--journal sqlite:////var/lib/bff/bff-journal.sqlite3\n"
        )
        return 1
    links = _Links()
    journal = open_journal(asked.journal, links, time.time)
    try:
        if asked.what == "list":
            return await _list(journal, asked.journal)
        return await _forget(journal, asked.id)
    except StoreUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        await journal.aclose()
        await links.aclose()


async def _list(journal: Journal, url: str) -> int:
    found = await journal.open_entries(MOST)
    for body in found:
        sys.stdout.write(f"{line(SagaRecord.decode(body), time.time())}\n")
    if not found:
        sys.stderr.write(f"every saga is over in {without_password(url)}\n")
    return 0


async def _forget(journal: Journal, entry_id: str) -> int:
    if await journal.drop(entry_id):
        return 0
    sys.stderr.write(f"the journal has no entry {entry_id}\n")
    return 1


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    words = argparse.ArgumentParser(prog="python -m bff_core.saga", description=__doc__)
    words.formatter_class = argparse.RawDescriptionHelpFormatter
    words.add_argument("--journal", default=_default(), metavar="URL", help="where the journal is")
    what = words.add_subparsers(dest="what", required=True)
    what.add_parser("list", help="sagas that are not over, a line each")
    forget = what.add_parser("forget", help="leave alone a saga that you settled by hand")
    forget.add_argument("id")
    return words


def _default() -> str:
    """Return the journal of a gateway in this environment."""
    return with_files(os.environ, PREFIX).get("BFF_JOURNAL_URL", "").strip() or JOURNAL


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    try:
        return asyncio.run(answer(parser().parse_args(arguments)))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
