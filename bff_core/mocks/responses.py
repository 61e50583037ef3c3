"""Chooses the response of an operation, its media type, its headers, and writes its body."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response as HTTPResponse

from bff_core.contracts.document import Content, HttpOperation, HttpParameter, Response
from bff_core.contracts.types import Json
from bff_core.mocks.call import MockReply
from bff_core.mocks.pages import TOTAL
from bff_core.mocks.problems import Refusal
from bff_core.mocks.request_checks import is_json, matches, media_type
from bff_core.mocks.resources import MadeAnswer
from bff_core.mocks.texts import words_of
from bff_core.mocks.values import ValueMaker

LINES: Final = {"application/x-ndjson", "application/jsonl", "application/ndjson"}
EVENTS: Final = "text/event-stream"
NO_BODY: Final = {204, 205, 304}

PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63000100000500010d0a2db40000000049454e44ae426082"
)
"""A picture of one pixel, as PNG."""


def response_of(operation: HttpOperation, code: int) -> tuple[Response | None, int]:
    """Return the response to send, and its status: the first success, or the status `code`.

    The response is None if the contract does not document the status.
    """
    if code:
        return documented(operation, code), code
    known = {one.status.upper(): one for one in operation.responses}
    for first in "23":
        statuses = sorted(one for one in known if one.startswith(first))
        if statuses:
            return known[statuses[0]], int(statuses[0].replace("X", "0"))
    return known.get("DEFAULT"), 200


def documented(operation: HttpOperation, status: int) -> Response | None:
    """Return the response that the contract has for a status: its own, `4XX` or the default."""
    known = {one.status.upper(): one for one in operation.responses}
    names = (str(status), f"{status // 100}XX", "DEFAULT")
    return next((known[one] for one in names if one in known), None)


def json_content(response: Response) -> Content | None:
    """Return the JSON of a response; None if it has none."""
    return next((one for one in response.contents if is_json(one.media_type)), None)


def content_for(response: Response | None, accept: str) -> Content | None:
    """Return the content of a response that a client accepts; raise a 406 if there is none.

    A client that accepts several gets JSON if the contract has it.
    """
    contents = response.contents if response is not None else ()
    if not contents:
        return None
    ranges = _ranges(accept)
    by_rank = sorted(contents, key=lambda one: not is_json(one.media_type))
    for _, pattern in sorted(ranges, key=lambda one: -one[0]):
        for one in by_rank:
            if matches(pattern, media_type(one.media_type)) or "*" in one.media_type:
                return one
    known = ", ".join(one.media_type for one in contents)
    raise Refusal(406, f"Accept: {accept}: the contract has {known}")


def _ranges(accept: str) -> list[tuple[float, str]]:
    """Return the media ranges of `Accept`, each with its quality; those of quality 0 are absent."""
    found = []
    for one in accept.split(",") if accept.strip() else ["*/*"]:
        name, *parameters = one.split(";")
        quality = 1.0
        for each in parameters:
            key, _, value = each.strip().partition("=")
            if key == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if quality > 0:
            found.append((quality, media_type(name)))
    return found


def answer_of(
    reply: MockReply,
    content: Content | str | None,
    headers: Mapping[str, str],
    request: Mapping[str, str] | None = None,
) -> HTTPResponse:
    """Return the response of a reply; a 304 if the client has it already."""
    kind = content.media_type if isinstance(content, Content) else content or "application/json"
    tag = {name.lower(): value for name, value in headers.items()}.get("etag")
    if tag is not None and request is not None and request.get("if-none-match") == tag:
        return HTTPResponse(status_code=304, headers=dict(headers))
    has_body = reply.status not in NO_BODY and not (content is None and reply.body is None)
    if not has_body:
        return HTTPResponse(status_code=reply.status, headers=dict(headers))
    data, kind = _written(kind, reply.body)
    answer = HTTPResponse(data, reply.status)
    answer.headers["content-type"] = kind
    answer.headers.update(headers)
    return answer


def _written(kind: str, value: object) -> tuple[bytes, str]:
    """Return the bytes of a body, and its media type."""
    name = media_type(kind)
    if is_json(name) or (name in {"", "*/*", "application/*"} and not isinstance(value, str)):
        return msgspec.json.encode(value), kind if is_json(name) else "application/json"
    if name in LINES or name == EVENTS:
        items = value if isinstance(value, list) else [value]
        before, after = (b"data: ", b"\n\n") if name == EVENTS else (b"", b"\n")
        return b"".join(before + msgspec.json.encode(one) + after for one in items), kind
    if name.startswith("image/"):
        return PIXEL, "image/png" if "*" in name else kind
    if "*" in name:
        name = kind = "text/plain"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if name.endswith("xml") and not text.lstrip().startswith("<"):
        text = "<mock/>"
    return text.encode(), f"{kind}; charset=utf-8" if name == "text/plain" else kind


def headers_of(
    response: Response | None, made: MadeAnswer, values: ValueMaker, body: Json
) -> dict[str, str]:
    """Return the headers that the contract documents, as far as they can be made."""
    found: dict[str, str] = {}
    for one in response.headers if response is not None else ():
        text = _header(one, made, values, body)
        if text is not None and text.isprintable():
            found[one.name] = text.encode("latin-1", "replace").decode("latin-1")
    if made.next and "link" not in {name.lower() for name in found} and isinstance(body, list):
        found["Link"] = f'<{made.next}>; rel="next"'
    if made.location and (response is None or response.status == "201"):
        found.setdefault("Location", made.location)
    return found


def _header(one: HttpParameter, made: MadeAnswer, values: ValueMaker, body: Json) -> str | None:
    name = one.name.lower()
    if name in {"content-type", "content-length", "transfer-encoding", "set-cookie"}:
        return None
    if name == "link":
        return f'<{made.next}>; rel="next"' if made.next else None
    if name == "location" and made.location:
        return made.location
    if name == "etag":
        return f'"{hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:16]}"'
    words = " ".join(each for each in words_of(name) if each != "x")
    if made.page is not None and words in TOTAL:
        return str(made.page.total)
    examples = one.examples or (values.make(one.type, f"header/{name}", name),)
    return _text(examples[0])


def _text(value: Json) -> str | None:
    """Return the text of a plain value; None for another one."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None or isinstance(value, dict | list) else str(value)
