"""One request as the console shows it: its sentence, its waterfall, its bodies, its command."""

import re
from urllib.parse import quote

from bff_core.console.model import RequestDetail
from bff_core.console.requests.curl import curl_of
from bff_core.console.requests.headline import blame_of
from bff_core.console.requests.masked_body import shown_body, shown_request
from bff_core.console.requests.received_bytes import received_bytes
from bff_core.console.requests.replay import may_change
from bff_core.console.requests.spans import span_rows
from bff_core.console.requests.store import StoredRequest
from bff_core.gateway.captures import Capture
from bff_core.observe.masking import HIDDEN, redacted
from bff_core.observe.request_records import RequestRecord
from bff_core.observe.request_redaction import shown_header, shown_path, shown_target
from bff_core.observe.secret_names import is_secret

IN_PRODUCTION = "Bodies and credentials are stored in development only."

SHOWN_HEADERS = frozenset(
    {
        *("accept-ranges", "age", "allow", "alt-svc", "cache-control", "cache-status"),
        *("content-disposition", "content-encoding", "content-language", "content-length"),
        *("content-range", "content-security-policy", "content-type"),
        *("cross-origin-opener-policy", "cross-origin-resource-policy", "date", "deprecation"),
        *("etag", "expires", "last-modified", "part-status", "ratelimit", "ratelimit-policy"),
        *("referrer-policy", "retry-after", "server", "server-timing"),
        *("strict-transport-security", "sunset", "traceresponse", "vary"),
        *("x-content-type-options", "x-frame-options", "x-request-id"),
    }
)
"""Headers of responses that never have credentials, whatever parts and tags are named in them."""

NO_BODY = "Its body is not stored as a whole: it is longer than 64 KB, or was not read. Use curl."

SCHEMES = frozenset({"basic", "bearer", "dpop", "apikey", "digest", "negotiate"})

MAX_HEADER_BYTES = 65_536
"""Bytes of a value in a command; edges take no longer ones."""

_QUERY = re.compile("[?#]")

NOT_CAPTURED = "Not stored any more: of the newest requests only, while their gateway runs."


def detail_of(stored: StoredRequest, *, url: str) -> RequestDetail:
    """Return what a record says of a request; `url` is the address of its gateway."""
    record, blame = stored.record, blame_of(stored.record)
    rows = span_rows(record)
    if blame.span is not None:
        rows[blame.span].is_to_blame = True
    path = f"{record.path}?{record.query}" if record.query else record.path
    return RequestDetail(
        row=stored.row,
        headline=blame.headline,
        trace_id=record.trace_id,
        path=path,
        calls=sum(one.kind == "call" for one in record.spans),
        attempts=sum(one.kind == "attempt" for one in record.spans),
        received=sum(received_bytes(record).values()) if record.has_spans else None,
        spans=rows,
        request_headers=record.headers,
        body_note=IN_PRODUCTION,
        curl=curl_of(record.method, _address(url, _encoded(record)), record.headers, b""),
        replay_note=IN_PRODUCTION,
    )


def _encoded(record: RequestRecord) -> str:
    """Return the path of a record and its query, as they are sent."""
    path = quote(record.path, safe="/:@!$&'()*+,;=~")
    return f"{path}?{record.query}" if record.query else path


def _address(url: str, path: str) -> str:
    """Return the address of a path at a gateway; a path never names another host."""
    return f"{url.rstrip('/')}/{path.removeprefix('/')}"


def add_capture(detail: RequestDetail, capture: Capture | None, *, url: str, graphql: str) -> None:
    """Add what is known in development: the response, the body of the request, and the replay.

    `graphql` is the path of the gateway's GraphQL endpoint.
    """
    if capture is None:
        detail.body_note = detail.replay_note = NOT_CAPTURED
        return
    detail.body, detail.body_note = shown_body(capture)
    detail.response_headers = [(name, _shown(name, v)) for name, v in capture.response_headers]
    target = shown_target(capture.target, detail.row.route)
    detail.curl = curl_of(
        capture.method, _address(url, target), _headers(capture), shown_request(capture)
    )
    detail.can_replay, detail.replay_note = not capture.is_request_cut, ""
    if capture.is_request_cut:
        detail.replay_note = NO_BODY
    elif may_change(capture, graphql):
        detail.needs_confirmation = True
        detail.replay_note = "It may change something: confirm to send it again."


def _headers(capture: Capture) -> list[tuple[str, str]]:
    """Return the headers of a request in their whole length; those that are hidden are `***`.

    Of an authorization its scheme is shown.
    """
    found = []
    for name, value in capture.request_headers:
        shown = shown_header(
            name.encode("latin-1"), value.encode("latin-1"), limit=MAX_HEADER_BYTES
        )
        scheme, has_more, _ = value.partition(" ")
        if name == "authorization" and has_more and scheme.lower() in SCHEMES:
            shown = f"{scheme} {HIDDEN}"
        found.append((name, shown))
    return found


def _shown(name: str, value: str) -> str:
    """Return the value of a response's header, well-known harmless ones as they are.

    Cookies are hidden, and the query and the fragment of a redirect.
    """
    if name in SHOWN_HEADERS:
        return value
    if name == "set-cookie" or is_secret(name):
        return HIDDEN
    if name in {"location", "content-location", "refresh"}:
        path = _QUERY.split(value, maxsplit=1)[0]
        mark = value[len(path) : len(path) + 1]
        return f"{shown_path(path)}{mark}{HIDDEN}" if mark else shown_path(path)
    shown = redacted(f"{name}: {value}")
    return shown.removeprefix(f"{name}: ")
