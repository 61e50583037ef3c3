"""Renders the result of an operation: the body, the status of parts, the headers."""

from collections.abc import Sequence
from typing import Any

import msgspec
from graphql import GraphQLFormattedError

from bff_core.edge.entity_tags import entity_tag
from bff_core.graphql.context import Context
from bff_core.graphql.negotiation import Medium
from bff_core.http_exchange.answer import Answer
from bff_core.http_exchange.part_headers import (
    COMPLETE,
    DEGRADED,
    cache_headers_of,
    part_status,
    parts_report,
    server_timing,
    statuses_of,
)

Response = dict[str, Any]
"""`data`, `errors`, `extensions` (GraphQL, section 7.1); `data` only if it was executed."""

encode = msgspec.json.Encoder().encode


def answer(
    response: Response,
    context: Context,
    medium: Medium,
    *,
    with_timing: bool = False,
    with_tag: bool = False,
) -> Answer:
    """Return the answer to an executed request; `no-store` if a part or a field is missing.

    A complete answer gets an entity tag if `with_tag`.
    """
    statuses = statuses_of(context.compositions)
    headers = [DEGRADED] if "errors" in response else cache_headers_of(statuses)
    if statuses:
        given = response.get("extensions", {})
        response["extensions"] = {**given, "parts": parts_report(statuses)}
        headers.append((b"part-status", part_status(statuses)))
        if with_timing:
            headers.append((b"server-timing", server_timing(statuses)))
    made = _rendered(200, response, medium, headers)
    if with_tag and headers[0] is COMPLETE:
        headers.append((b"etag", entity_tag(made.body, medium.content_type)))
    return made


def refusal(errors: Sequence[GraphQLFormattedError], medium: Medium) -> Answer:
    """Return the answer to a request that was not executed, with the status of its first error."""
    status = errors[0]["extensions"]["status"] if medium.has_error_status else 200
    return _rendered(status, {"errors": errors}, medium, [DEGRADED])


def _rendered(
    status: int, response: Response, medium: Medium, headers: list[tuple[bytes, bytes]]
) -> Answer:
    body = encode(response)
    headers.append((b"content-type", medium.content_type))
    headers.append((b"content-length", b"%d" % len(body)))
    return Answer(status, headers, body)
