"""What a body may be: JSON in UTF-8, as it is, of not too many values; else it is refused."""

from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any, Final

from fastapi import HTTPException, Request, params
from fastapi.dependencies.utils import get_dependant
from starlette.routing import compile_path

from bff_core.edge.json_values import count_values
from bff_core.errors import ConfigurationError

MAX_VALUES: Final = 10_000
"""Values of a body, nested ones included: pydantic takes up to 30 µs for each that does not fit."""


def takes_json(path: str, endpoint: Callable[..., Any]) -> bool:
    """Whether a function declares a body, and it is no form."""
    fields = get_dependant(path=compile_path(path)[1], call=endpoint).body_params
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


def values_limited(most: object) -> Callable[[Request], Coroutine[object, object, None]]:
    """Return a dependency that refuses a body of more JSON values with 413, before it is judged."""
    if type(most) is not int or most < 1:
        raise ConfigurationError(f"max_values={most!r} of a view: give a whole number from 1 up")

    async def check(request: Request) -> None:
        body = await request.body()
        found = 0 if len(body) <= most else count_values(body, most)
        if found > most:
            raise HTTPException(413, f"The body has {found:,} values; at most {most:,} are taken.")

    return check
