"""Checks the requests that the API page sends, and limits their answers."""

import re
from typing import Final
from urllib.parse import unquote

from bff_core.console.answers import ConsoleProblem
from bff_core.console.model import Send
from bff_core.gateway.console import is_console_path
from bff_core.upstream.transport.request_writer import RESERVED

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")

MAX_PATH: Final = 8_192
MAX_HEADERS: Final = 64
MAX_HEADER_BYTES: Final = 16_384
MAX_BODY_BYTES: Final = 512 * 1024
"""The largest body of a request, encoded."""

MAX_TEXT_BYTES: Final = 1 << 20
"""The largest answer that is shown; a longer one is cut."""

MAX_ANSWER_SECONDS: Final = 30.0
"""How long an answer may take; a stream is cut then."""

_is_path = re.compile(r"/(?![/\\])[!-~]*").fullmatch
_is_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_is_value = re.compile("[\t -~\x80-\xff]*").fullmatch


def check(request: Send) -> None:
    """Raise a `ConsoleProblem` (422) for a request that is not one to a path of the gateway."""
    if request.method not in METHODS:
        raise _refused(f"{request.method!r} is no method", f"Use one of {', '.join(METHODS)}.")
    path = request.path.partition("?")[0]
    if _is_path(request.path) is None or "#" in request.path or len(request.path) > MAX_PATH:
        raise _refused(
            "The path is not valid",
            "Give a path of the gateway with its query, encoded, such as /v1/home?limit=5.",
        )
    if is_console_path(unquote(path)):
        raise _refused("The console does not call itself", "Open this path in the browser.")
    for name, value in request.headers:
        _check_header(name, value)
    size = sum(len(name) + len(value) for name, value in request.headers)
    if len(request.headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise _refused(
            "There are too many headers",
            f"Send at most {MAX_HEADERS} of them, and {MAX_HEADER_BYTES} bytes in all.",
        )
    if len(request.body.encode(errors="surrogatepass")) > MAX_BODY_BYTES:
        raise _refused("The body is too long", f"Send at most {MAX_BODY_BYTES} bytes.")


def _check_header(name: str, value: str) -> None:
    if _is_name(name) is None or _is_value(value) is None:
        raise _refused(
            f"The header {name!r} is not valid", "Use letters, digits and -; no line ends."
        )
    if name.lower().encode() in RESERVED:
        raise _refused(
            f"The header {name} can't be set", "It follows from the request: leave it out."
        )


def _refused(title: str, detail: str) -> ConsoleProblem:
    return ConsoleProblem(422, title, detail)
