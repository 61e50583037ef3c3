"""Mocks of the documents of others: each operation answers with a value of its type."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from bff_core.contracts.document import Document, HttpOperation
from bff_core.contracts.openapi import load
from bff_core.contracts.types import Json
from bff_core.mocks import MockService
from bff_core.mocks.request_checks import is_json
from bff_core.mocks.responses import response_of
from bff_core.mocks.schemas import Schemas
from bff_core.mocks.values import ValueMaker
from tests.foreign.contracts.documents import examples, github, nest, springdoc

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not os.environ.get("CONTRACT_TOOLS"), reason="CONTRACT_TOOLS=1 is not set"),
]

SOURCES: dict[str, Callable[[], list[Path]]] = {
    "examples": examples,
    "nest": lambda: [nest()],
    "springdoc": lambda: [springdoc()],
}

MAX_REFUSED = 0.02
"""Of the requests of a document: made bodies are not always what it requires."""

MAX_SECONDS = 0.5
"""For one answer, the first of its type."""


def request_of(operation: HttpOperation, values: ValueMaker) -> httpx.Request:
    """Return a request with made values: all that the operation requires."""
    path, query, headers = operation.path, [], {}
    for one in operation.parameters:
        value = values.make(one.type, f"request/{one.name}", one.name)
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        text = text.lower() if isinstance(value, bool) else text
        if one.place == "path":
            path = path.replace(f"{{{one.name}}}", quote(text, safe=""))
        elif one.is_required and one.place == "query":
            several = value if isinstance(value, list) and one.is_exploded else [text]
            query += [(one.name, each) for each in several]
        elif one.is_required and one.place == "header":
            headers[one.name] = text
    body: Json = None
    if operation.body is not None:
        contents = [one for one in operation.body.contents if is_json(one.media_type)]
        if contents:
            body = values.make(contents[0].type, "request", "body")
            headers["content-type"] = contents[0].media_type
    content = None if body is None else httpx.Request("POST", "http://mock", json=body).content
    address = f"http://mock{path}"
    return httpx.Request(operation.method, address, params=query, headers=headers, content=content)


def needs_other_body(operation: HttpOperation) -> bool:
    """Whether an operation requires a body that is no JSON, which the test does not send."""
    body = operation.body
    return body is not None and not any(is_json(one.media_type) for one in body.contents)


def order(operation: HttpOperation) -> tuple[bool, int]:
    """Return when an operation is called: what deletes comes last, and what is inside first."""
    is_deletion = operation.method == "DELETE"
    return is_deletion, -operation.path.count("/") if is_deletion else 0


async def failures(document: Document) -> list[str]:
    """Return the operations whose answer fails, is none of their type, or is late."""
    app: MockService = MockService(document, needs_credentials=False)
    schemas = Schemas(document.types)
    values = ValueMaker(document.types, is_valid=schemas.is_example)
    transport = httpx.ASGITransport(app)
    found: list[str] = []
    refused = 0
    async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
        for operation in sorted(document.operations, key=order):
            begin = time.process_time()
            answer = await client.send(request_of(operation, values))
            seconds = time.process_time() - begin
            if answer.status_code >= 500 or seconds > MAX_SECONDS:
                found.append(f"{operation.name}: {answer.status_code} in {seconds:.2f} s")
            found += wrong(operation, answer, schemas)
            refused += answer.status_code >= 400 and not needs_other_body(operation)
    if refused > len(document.operations) * MAX_REFUSED + 1:
        found.append(f"{refused} of {len(document.operations)} requests were refused")
    return found


def wrong(operation: HttpOperation, answer: httpx.Response, schemas: Schemas) -> Iterator[str]:
    """Yield why the body of a success is none of its type."""
    response, status = response_of(operation, 0)
    if answer.status_code != status or response is None or not answer.content:
        return
    for content in response.contents:
        if is_json(content.media_type) and content.media_type == answer.headers["content-type"]:
            faults = schemas.faults(content.type, answer.json(), "response")
            yield from (f"{operation.name} {one.place}: {one.message[:120]}" for one in faults)


async def test_the_mock_of_github() -> None:
    """The mock of GitHub's document answers each of its operations as it says."""
    assert await failures(load(github())) == []


@pytest.mark.parametrize("source", SOURCES)
async def test_mocks_of_other_documents(source: str) -> None:
    """So do the mocks of corner cases, and of what frameworks write."""
    for path in SOURCES[source]():
        assert await failures(load(path)) == [], path
