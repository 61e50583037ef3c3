"""One request as the console shows it: its sentence, its waterfall, its headers, its command."""

from urllib.parse import urljoin

from bff_core.console.curl import curl_of
from bff_core.console.model import RequestDetail
from bff_core.console.request_blame import blame_of
from bff_core.console.request_spans import span_rows
from bff_core.console.request_store import StoredRequest


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
        received=None,
        spans=rows,
        request_headers=record.headers,
        body_note="Bodies are stored in development only.",
        curl=curl_of(record.method, urljoin(url, path), record.headers),
        replay_note="Requests can be sent again in development only.",
    )
