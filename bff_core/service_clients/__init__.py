"""What generated service clients import: unions, errors, pagination, batches, query styles."""

from bff_core.public_names import publish
from bff_core.service_clients.batches import in_chunks
from bff_core.service_clients.pages import (
    MAX_PAGES,
    ForeignPage,
    next_link,
    pages_by_cursor,
    pages_by_number,
    pages_by_offset,
    pages_by_url,
)
from bff_core.service_clients.problems import ServiceProblem
from bff_core.service_clients.query_styles import (
    as_json,
    cookies,
    deep_object,
    given,
    joined,
    properties,
)
from bff_core.service_clients.raw_replies import read_chunks, read_text
from bff_core.service_clients.unions import one_of
from bff_core.upstream.request_bodies import NO_BODY
from bff_core.upstream.typed_failure import TypedFailure

__all__ = [  # noqa: RUF022 - sorted by character, like those of all public packages
    "ForeignPage",
    "MAX_PAGES",
    "NO_BODY",
    "ServiceProblem",
    "TypedFailure",
    "as_json",
    "cookies",
    "deep_object",
    "given",
    "in_chunks",
    "joined",
    "next_link",
    "one_of",
    "pages_by_cursor",
    "pages_by_number",
    "pages_by_offset",
    "pages_by_url",
    "properties",
    "read_chunks",
    "read_text",
]

publish(__name__, __all__)
