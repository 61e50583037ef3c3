"""A reply of the gateway, and how it becomes an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx

from bff_core.codegen.python_client.runtime.answers import GatewayAnswer, parts_of_header
from bff_core.codegen.python_client.runtime.encoding import PreparedRequest, Readers, read_nothing
from bff_core.codegen.python_client.runtime.errors import UNREADABLE, UnexpectedReply, is_json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReceivedReply:
    """A reply: its body, or the open response if it is a stream."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    stream: httpx.Response | None = None


def answer_of(
    reply: ReceivedReply,
    request: PreparedRequest,
    readers: Readers[T],
    *,
    is_unchanged: bool = False,
) -> GatewayAnswer[T]:
    """Decode an answer; raise `UnexpectedReply` if it does not fit its type."""
    read = readers.get(reply.status) or readers.get(0)
    if reply.status >= 300 or read is None:
        raise unexpected(reply, "is not in the contract")
    needs_json = read is not read_nothing and is_json({"content-type": request.accept})
    if needs_json and not is_json(reply.headers):
        raise unexpected(reply, "is no JSON")
    try:
        value = read(reply.body)
    except UNREADABLE as error:
        raise unexpected(reply, f"does not fit its type: {error}") from error
    parts = parts_of_header(reply.headers.get("part-status", ""))
    return GatewayAnswer(value, reply.status, reply.headers, parts, is_unchanged)


def unexpected(reply: ReceivedReply, fault: str) -> UnexpectedReply:
    """Return the error of a reply that the contract does not have."""
    kind = reply.headers.get("content-type", "no content")
    error = UnexpectedReply(f"the reply with status {reply.status} ({kind}) {fault}")
    error.status, error.body = reply.status, reply.body
    error.request_id = reply.headers.get("x-request-id", "")
    return error
