"""`bff saga`: operators list open sagas and forget settled ones."""

import asyncio
import json
import time

import pytest

from bff_core.saga.journal.sqlite import SQLiteJournal
from bff_core.saga.record import SagaRecord, StepFailure, StepRecord

STUCK = SagaRecord(
    id="s-1",
    run="r-1",
    saga="Buying",
    inputs='{"method":"pm-7"}',
    viewer='{"subject":"ann"}',
    audience="ann",
    steps=[
        StepRecord(name="hold", state="undone"),
        StepRecord(
            name="charge",
            state="not-undone",
            result='{"id":"pay-1"}',
            failure=StepFailure(status=502, code="unavailable", title="Upstream unavailable"),
        ),
        StepRecord(name="place"),
    ],
)


def test_a_stuck_saga_is_listed_and_settled_by_hand(tmp_path, bff):
    """The list shows the steps and the failure, but not the viewer; a forgotten saga is gone."""
    url = ("--url", f"sqlite:///{tmp_path / 'journal.sqlite3'}")
    asyncio.run(_stick(tmp_path / "journal.sqlite3"))
    listed, as_json = bff("saga", "list", *url), bff("saga", "list", "--json", *url)
    forgotten, again = bff("saga", "forget", "s-1", *url), bff("saga", "forget", "s-1", *url)
    after = bff("saga", "list", *url)

    head, row = listed.out.splitlines()
    assert head.split() == ["id", "saga", "age", "steps", "failures"]
    assert row.startswith("s-1  Buying")
    assert row.endswith("hold=undone charge=not-undone place=not-started  unavailable")
    assert json.loads(as_json.out)[0]["steps"][1] == {"step": "charge", "state": "not-undone"}
    assert not any(word in listed.out + as_json.out for word in ("ann", "pm-7", "pay-1"))
    assert (listed.status, forgotten.status, again.status) == (0, 0, 1)
    assert again.err.startswith("bff: the journal has no saga s-1")
    assert (after.status, after.out) == (0, "")
    assert after.err == f"bff: no saga is open in {url[1]}\n"


async def _stick(path):
    journal = SQLiteJournal(str(path), time.time)
    await journal.begin(STUCK.id, STUCK.kind, STUCK.encode(), "a", 3600)
    await journal.aclose()


def test_a_journal_that_is_no_file_is_reported(tmp_path, bff):
    """The command fails with one line that names the fault."""
    done = bff("saga", "list", "--url", f"sqlite:///{tmp_path}")

    assert (done.status, done.out) == (1, "")
    assert done.err == f"bff: sqlite:///{tmp_path}: unable to open database file\n"


@pytest.mark.parametrize("words", [("saga", "list"), ("keys", "list")])
def test_a_redis_that_is_down_is_named_once(bff, words):
    """The error has the address without its password, and the reason."""
    done = bff(*words, "--url", "redis://ann:secret@127.0.0.1:1/2")

    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("bff: redis://***@127.0.0.1:1/2: Error ")
    assert done.err.count("redis://") == 1


def test_the_journal_is_that_of_the_gateway(tmp_path, bff, monkeypatch):
    """Without options the command reads the variable, else the file that a gateway uses."""
    monkeypatch.chdir(tmp_path)
    nothing = bff("saga", "list")
    asyncio.run(_stick(tmp_path / "bff-journal.sqlite3"))
    default = bff("saga", "list")
    monkeypatch.setenv("BFF_JOURNAL_URL", f"sqlite:///{tmp_path / 'elsewhere'}")
    elsewhere = bff("saga", "list")

    file = tmp_path / "bff-journal.sqlite3"
    assert nothing.status == elsewhere.status == 1
    assert nothing.err.startswith(f"bff: there is no journal at {file}: name it by --url or")
    assert default.status == 0
    assert "s-1  Buying" in default.out
    assert elsewhere.err.startswith(f"bff: there is no journal at {tmp_path / 'elsewhere'}")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.needs("redis-server")
def test_a_journal_in_redis_is_listed(redis_server, bff):
    """The same command looks into a Redis."""
    done = bff("saga", "list", "--url", redis_server.url)

    assert (done.status, done.out) == (0, "")
