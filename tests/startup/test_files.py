"""Files that a gateway stores data in: each is logged when it is opened."""

from pathlib import Path

import pytest

from bff_core import Saga, step
from bff_core.auth.api_keys.authenticator import ApiKeyAuthenticator
from bff_core.events import FileOpened
from tests.startup.conftest import settings, started


class Buying(Saga):
    """A write in one step."""

    @step
    async def pay(self) -> int:
        """Pay."""
        return 7


OPTIONS = {"sagas": [Buying], "authenticator": ApiKeyAuthenticator()}


def names_in(folder: Path) -> set[str]:
    """Return the names of the files in a folder."""
    return {path.name for path in folder.iterdir()}


async def test_files_of_the_working_directory_are_logged(tmp_path, monkeypatch):
    """A gateway without these settings logs where it stores sagas and keys."""
    monkeypatch.chdir(tmp_path)

    async with started(settings(), **OPTIONS) as heard:
        found = [one for one in heard.events if isinstance(one, FileOpened)]

    assert {(one.path, one.variable) for one in found} == {
        (str(tmp_path / "bff-journal.sqlite3"), "BFF_JOURNAL_URL"),
        (str(tmp_path / "bff-api-keys.sqlite3"), "BFF_API_KEYS_URL"),
    }
    assert names_in(tmp_path) <= {Path(one.path).name for one in found}


@pytest.mark.parametrize("options", [{}, OPTIONS])
async def test_nothing_is_logged_where_no_file_is_opened(options, tmp_path, monkeypatch):
    """A gateway without sagas and API keys, or with stores in memory, opens no file."""
    monkeypatch.chdir(tmp_path)
    values = {"journal_url": "sqlite://", "api_keys_url": "sqlite://"}

    async with started(settings(**values), **options) as heard:
        assert [one for one in heard.events if isinstance(one, FileOpened)] == []

    assert names_in(tmp_path) == set()
