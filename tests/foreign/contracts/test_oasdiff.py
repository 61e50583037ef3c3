"""oasdiff classifies the changes of OpenAPI documents as we recorded it: `make test-contracts`.

Go builds it, once; without `CONTRACT_TOOLS=1` nothing is built, and the test is skipped.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.contracts.changes.oasdiff import classified, recorded

VERSION = "v1.37.0"
FOLDER = Path(__file__).parents[3] / "build" / f"oasdiff-{VERSION}"

pytestmark = [
    pytest.mark.alone,
    pytest.mark.needs("go"),
    pytest.mark.skipif(not os.environ.get("CONTRACT_TOOLS"), reason="CONTRACT_TOOLS=1 is not set"),
]


@pytest.fixture(scope="module")
def oasdiff() -> Path:
    """Build oasdiff, unless it is built; return its program."""
    program = FOLDER / "oasdiff"
    if not program.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["go", "install", f"github.com/oasdiff/oasdiff@{VERSION}"],
            env={**os.environ, "GOBIN": str(FOLDER)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout
    return program


def test_the_record_is_what_oasdiff_says(oasdiff):
    """The levels that ours are compared with in each run of the suite are those of oasdiff."""
    assert classified(oasdiff) == recorded()
