"""Whether clients, operators and stores see what they saw in the commit before the renames.

Everything is looked at from outside: over HTTP, by command, by environment variable, in Redis and
in files of SQLite, and through public names of `bff_core`. No module below is imported, so that
they may move. `python -m tests.wire.record` records the golden files again, on purpose only.
"""

import difflib
from collections.abc import Iterator

import pytest

from tests.wire.documents import DOCUMENTS, GOLDEN
from tests.wire.house import open_house

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Make all documents once, in order."""
    with open_house(tmp_path_factory.mktemp("wire")) as house:
        yield {name: make(house) for name, make in DOCUMENTS.items()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_outside_looks_as_recorded(made, name):
    """Answers, contracts, settings, keys and schemas are those of the golden file."""
    recorded = (GOLDEN / name).read_text()
    difference = difflib.unified_diff(
        recorded.splitlines(), made[name].splitlines(), "recorded", "now", lineterm="", n=4
    )
    assert made[name] == recorded, "\n".join(difference)
