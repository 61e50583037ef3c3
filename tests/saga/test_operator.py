"""The command line of sagas: operators list open ones and forget settled ones."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bff_core.saga.__main__ import main
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


def test_a_stuck_saga_is_listed_and_settled_by_hand(tmp_path, capsys):
    """The list shows the steps and the failure, but not the viewer; a forgotten saga is gone."""
    url = f"--journal=sqlite:///{tmp_path / 'journal.sqlite3'}"
    asyncio.run(_stick(tmp_path / "journal.sqlite3"))
    listed = main((url, "list")), capsys.readouterr().out
    forgotten, again = main((url, "forget", "s-1")), main((url, "forget", "s-1"))
    errors = capsys.readouterr().err
    after = main((url, "list")), capsys.readouterr().out

    assert listed[1].startswith("s-1  Buying  ")
    assert listed[1].endswith("hold=undone charge=not-undone place=not-started (unavailable)\n")
    assert not any(word in listed[1] for word in ("ann", "pm-7", "pay-1"))
    assert (listed[0], forgotten, again) == (0, 0, 1)
    assert errors == "the journal has no saga s-1\n"
    assert after == (0, "")


async def _stick(path):
    journal = SQLiteJournal(str(path), time.time)
    await journal.begin(STUCK.id, STUCK.kind, STUCK.encode(), "a", 3600)
    await journal.aclose()


@pytest.mark.slow
def test_a_missing_journal_is_reported(tmp_path):
    """The command fails with one line that names the fault."""
    command = (sys.executable, "-m", "bff_core.saga", f"--journal=sqlite:///{tmp_path}", "list")
    root = Path(__file__).parents[2]
    process = subprocess.run(command, check=False, cwd=root, capture_output=True, text=True)

    assert process.returncode == 1
    assert process.stderr.startswith("journal: ")
    assert process.stderr.count("\n") == 1


def test_the_journal_is_that_of_the_gateway(tmp_path, capsys, monkeypatch):
    """Without options the command reads the variable, else the file that a gateway uses."""
    monkeypatch.delenv("BFF_JOURNAL_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    nothing = main(("list",)), capsys.readouterr().err
    asyncio.run(_stick(tmp_path / "bff-journal.sqlite3"))
    default = main(("list",)), capsys.readouterr().out
    monkeypatch.setenv("BFF_JOURNAL_URL", f"sqlite:///{tmp_path / 'elsewhere'}")
    elsewhere = main(("list",)), capsys.readouterr().err

    file = tmp_path / "bff-journal.sqlite3"
    assert nothing[0] == elsewhere[0] == 1
    assert nothing[1].startswith(f"there is no journal at {file}: name it with --journal or")
    assert default[0] == 0
    assert default[1].startswith("s-1  Buying  ")
    assert elsewhere[1].startswith(f"there is no journal at {tmp_path / 'elsewhere'}")
    assert not (tmp_path / "elsewhere").exists()


def test_a_journal_without_open_sagas_is_reported(tmp_path, capsys):
    """An empty list is no riddle: it names the journal."""
    url = f"sqlite:///{tmp_path / 'journal.sqlite3'}"
    asyncio.run(_stick(tmp_path / "journal.sqlite3"))
    main((f"--journal={url}", "forget", "s-1"))

    assert main((f"--journal={url}", "list")) == 0
    assert capsys.readouterr() == ("", f"no saga is open in {url}\n")


@pytest.mark.needs("redis-server")
def test_a_journal_in_redis_is_listed(redis_server, capsys):
    """The same command looks into a Redis."""
    assert main((f"--journal={redis_server.url}", "list")) == 0
    assert capsys.readouterr().out == ""
