"""What a body may be: JSON in UTF-8, as it is; anything else is refused before it is read."""

from collections.abc import Callable
from email.message import Message
from typing import Any

from fastapi import HTTPException, Request, params
from fastapi.dependencies.utils import get_dependant


def takes_json(path: str, endpoint: Callable[..., Any]) -> bool:
    """Whether a function declares a body, and it is no form."""
    fields = get_dependant(path=path, call=endpoint).body_params
    return bool(fields) and not any(isinstance(one.field_info, params.Form) for one in fields)


async def json_only(request: Request) -> None:
    """Refuse a body that is no JSON with 415 (RFC 9110, section 15.5.16); a dependency.

    A missing Content-Type is left to FastAPI, which refuses it as a body that does not fit.
    """
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise HTTPException(415, f"Send the body without Content-Encoding, not as {coding}.")
    content_type = request.headers.get("content-type")
    if content_type is None:
        return
    told = Message()
    told["content-type"] = content_type
    subtype = told.get_content_subtype()
    is_json = subtype == "json" or subtype.endswith("+json")
    if told.get_content_maintype() != "application" or not is_json:
        raise HTTPException(415, "Send JSON, with Content-Type: application/json.")
    if (told.get_content_charset() or "utf-8") not in {"utf-8", "us-ascii"}:
        raise HTTPException(415, "Send JSON in UTF-8.")
