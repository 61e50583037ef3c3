"""Bodies as the console may show them: without credentials and personal data."""

import re
from typing import Final

from bff_core.gateway.captures import Capture, Fields
from bff_core.observe.body_masking import masked_bytes, masked_text

_CHARSET: Final = re.compile(
    r'charset="?(?:iso-8859-1|latin-?1|windows-1252|us-ascii)\b', re.IGNORECASE
)


def media_type(headers: Fields) -> str:
    """Return the media type that headers declare, with its parameters; empty without one."""
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def shown_body(capture: Capture) -> tuple[str, str]:
    """Return the text of a response's body, and why there is none."""
    kind = media_type(capture.response_headers)
    if not capture.response:
        return "", "The response has no body."
    if capture.is_response_cut:
        return "", "The body is longer than the 256 KB that are stored."
    try:
        text = capture.response.decode()
    except UnicodeDecodeError:
        if _CHARSET.search(kind) is None:
            return "", f"The body is not text: {kind or 'of no type'}."
        text = capture.response.decode("latin-1")
    try:
        return masked_text(text, kind), ""
    except RecursionError:
        return "", "The body is nested too deeply to be shown."


def shown_request(capture: Capture) -> bytes | None:
    """Return the body of a request; None for one that is cut, compressed or in no form we know."""
    headers, body = dict(capture.request_headers), capture.request
    if capture.is_request_cut or headers.get("content-encoding", "identity") != "identity":
        return None
    kind = media_type(capture.request_headers)
    if not kind.startswith("multipart/") and _CHARSET.search(kind) is None:
        try:
            body.decode()
        except UnicodeDecodeError:
            return None
    try:
        return masked_bytes(body, kind)
    except RecursionError:
        return None
