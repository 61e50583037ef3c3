"""Documents of others are read: `make test-contracts`.

npm and Maven fetch them; without `CONTRACT_TOOLS=1` nothing is fetched, and the tests are skipped.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bff_core.contracts.document import Content, Document
from bff_core.contracts.openapi import load, normalised, parse, read_content
from bff_core.contracts.openapi.grammar import METHODS
from bff_core.contracts.types import Array, Map, Nullable, ObjectType, Ref, Tuple, Type, Union
from tests.contracts.values import Direction, fits, misfit
from tests.cpu_time import cpu_seconds
from tests.foreign.contracts.documents import examples, github, nest, springdoc
from tests.foreign.contracts.referee import Referee

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not os.environ.get("CONTRACT_TOOLS"), reason="CONTRACT_TOOLS=1 is not set"),
]

SOURCES = {
    "github": lambda: [github()],
    "examples": examples,
    "nest": lambda: [nest()],
    "springdoc": lambda: [springdoc()],
}
MAX_SECONDS = {"github": 6.0, "examples": 1.0, "nest": 1.0, "springdoc": 1.0}
"""CPU time to load one document."""


def names_in(kind: Type) -> Iterator[str]:
    """Yield the names of all references of a type."""
    if isinstance(kind, Ref):
        yield kind.name
    if isinstance(kind, Union) and kind.discriminator:
        yield from kind.discriminator.mapping.values()
    for part in parts_of(kind):
        yield from names_in(part)


def parts_of(kind: Type) -> tuple[Type, ...]:
    """Return the types that a type consists of."""
    match kind:
        case Nullable(one) | Array(one) | Map(one):
            return (one,)
        case Union():
            return kind.options
        case Tuple():
            return kind.items
        case ObjectType():
            others = () if kind.others is None else (kind.others,)
            return (*(field.type for field in kind.fields), *others)
        case _:
            return ()


def contents_of(document: Document) -> Iterator[tuple[str, Content, Direction]]:
    """Yield the contents of all operations, and where they go."""
    for operation in document.operations:
        for content in operation.body.contents if operation.body else ():
            yield operation.name, content, "request"
        for response in operation.responses:
            for content in response.contents:
                yield f"{operation.name} {response.status}", content, "response"


def types_of(document: Document) -> Iterator[Type]:
    """Yield the types of everything in a document."""
    yield from (named.type for named in document.types.values())
    yield from (content.type for _, content, _ in contents_of(document))
    for operation in document.operations:
        yield from (parameter.type for parameter in operation.parameters)
        for response in operation.responses:
            yield from (header.type for header in response.headers)


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    """Name where documents come from."""
    return str(request.param)


@pytest.fixture
def paths(source: str) -> list[Path]:
    """Fetch the documents."""
    found: Callable[[], list[Path]] = SOURCES[source]
    return found()


def test_all_documents_are_read(paths: list[Path]) -> None:
    """All operations are there, and each reference leads to a type."""
    for path in paths:
        document, content = load(path), read_content(path)

        items = [item for item in content.get("paths", {}).values() if "$ref" not in item]
        expected = sum(key in METHODS for item in items for key in item)
        schemas = content.get("components", {}).get("schemas", {})
        assert len(document.operations) >= expected, path
        assert list(document.types)[: len(schemas)] == list(schemas), path
        for kind in types_of(document):
            assert set(names_in(kind)) <= document.types.keys(), path


def test_reading_is_fast(source: str, paths: list[Path]) -> None:
    """13 MB of GitHub take less than six seconds, all others less than one."""
    largest = max(paths, key=lambda path: path.stat().st_size)

    assert cpu_seconds(lambda: load(largest)) < MAX_SECONDS[source]


def test_what_is_pinned_reads_the_same(paths: list[Path]) -> None:
    """From YAML, too."""
    for path in paths:
        content = read_content(path)

        assert parse(json.loads(normalised(content)), str(path)) == load(path)


def test_examples_fit_the_types(source: str, paths: list[Path]) -> None:
    """A judge that reads the schemas themselves accepts and refuses the same examples."""
    counted: Counter[bool] = Counter()
    for path in paths:
        document, content = load(path), read_content(path)
        referee = Referee(content)
        for place, body, direction in contents_of(document):
            for name, example in body.examples.items():
                valid = referee.accepts(f"{body.pointer}/schema", example)
                counted[valid] += 1
                if valid and example is None:  # a schema without `type` accepts null, to the letter
                    continue
                reason = misfit(body.type, example, document, direction)
                assert valid is (not reason), f"{path.name}: {place} {name}: {reason}"

    assert counted[True] >= {"github": 900, "examples": 20}.get(source, 1)


def test_examples_of_parameters_and_schemas_fit_the_types(paths: list[Path]) -> None:
    """As far as the schema accepts its own example."""
    for path in paths:
        document, content = load(path), read_content(path)
        referee = Referee(content)
        for named in document.types.values():
            for example in named.examples:
                if referee.accepts(named.pointer, example):
                    assert fits(named.type, example, document), f"{path.name}: {named.name}"
        for operation in document.operations:
            for parameter in operation.parameters:
                for example in parameter.examples:
                    place = f"{path.name}: {operation.name} {parameter.name}"
                    pointer = f"{parameter.pointer}/schema"
                    if not parameter.media_type and referee.accepts(pointer, example):
                        assert fits(parameter.type, example, document), place
