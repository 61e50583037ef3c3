"""oasdiff classifies the changes of OpenAPI documents as we recorded it: `make test-contracts`.

Go builds it, once; without `CONTRACT_TOOLS=1` nothing is built, and the tests are skipped.
"""

import copy
import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bff_core.contracts.changes import openapi_changes
from bff_core.contracts.document import Document
from bff_core.contracts.openapi import parse
from tests.contracts.changes.oasdiff import classified, oasdiff_changes, recorded
from tests.cpu_time import cpu_seconds
from tests.foreign.contracts.documents import ROOT, github

VERSION = "v1.37.0"
FOLDER = ROOT / "build" / f"oasdiff-{VERSION}"
EDITS = 30
MAX_SECONDS = 10.0
"""CPU time to compare two versions of GitHub's document, 13 MB each."""

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


@pytest.fixture(scope="module")
def versions() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return GitHub's document, and one with changes of thirty schemas."""
    content = json.loads(github().read_text())
    changed = copy.deepcopy(content)
    chance = random.Random(7)
    schemas = changed["components"]["schemas"]
    names = [name for name, schema in schemas.items() if schema.get("properties")]
    for name in chance.sample(names, EDITS):
        schema = schemas[name]
        chance.choice((_remove, _replace, _add, _loosen))(
            schema, chance.choice(list(schema["properties"]))
        )
    return content, changed


def _remove(schema: dict[str, Any], name: str) -> None:
    del schema["properties"][name]
    schema["required"] = [one for one in schema.get("required", ()) if one != name]


def _replace(schema: dict[str, Any], name: str) -> None:
    schema["properties"][name] = {"type": "object", "properties": {"of": {"type": "string"}}}


def _add(schema: dict[str, Any], _: str) -> None:
    schema["properties"]["another"] = {"type": "string"}


def _loosen(schema: dict[str, Any], _: str) -> None:
    schema["required"] = []


@pytest.fixture(scope="module")
def documents(versions: tuple[dict[str, Any], dict[str, Any]]) -> tuple[Document, Document]:
    """Read the two versions."""
    before, after = versions
    return parse(before), parse(after)


def test_the_record_is_what_oasdiff_says(oasdiff):
    """The levels that ours are compared with in each run of the suite are those of oasdiff."""
    assert classified(oasdiff) == recorded()


def test_the_same_operations_of_a_large_document_break(oasdiff, versions, documents, tmp_path):
    """Shared schemas reach the same operations; oasdiff takes about twenty seconds for it."""
    ours = {one.operation for one in openapi_changes(*documents) if one.level == "breaking"}

    theirs = {
        f"{one['operation']} {one['path']}"
        for one in oasdiff_changes(oasdiff, tmp_path, *versions)
        if one["level"] == 3
    }
    assert len(ours) > 100
    assert ours == theirs


def test_a_large_document_is_compared_in_seconds(documents):
    """A command for CI does not let people wait; nothing differs from itself."""
    before, after = documents

    assert openapi_changes(before, before) == []
    assert cpu_seconds(lambda: openapi_changes(before, after)) <= MAX_SECONDS
