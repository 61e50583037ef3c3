"""Checks of single values of routes: each returns the end of a sentence, empty for a valid value.

The subject of the sentence is the value, and it says what to write instead.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from bff_core.client_kinds import CLIENT_KINDS
from bff_core.edge.host_syntax import host_complaint
from bff_core.errors import ConfigurationError
from bff_core.proxy.option_faults import FieldPath, OptionFault
from bff_core.upstream.transport.hop_by_hop import HOP_BY_HOP
from bff_core.upstream.transport.request_writer import RESERVED

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The methods that are suggested; others that are tokens are accepted, too."""

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")

MAX_NAME: Final = 128
"""The longest name of a header, a query parameter or a cookie, in characters."""

MAX_TEXT: Final = 1024
"""The longest value of a condition or a header, in characters."""

_is_token: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_is_id: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}").fullmatch
_is_upstream: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}").fullmatch
_has_control: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_by: Final = re.compile(r"viewer|request|(header|cookie):(.*)", re.DOTALL)

_OURS: Final = frozenset(name.decode() for name in RESERVED)

Check = Callable[[str], str]
"""Returns what is wrong with a text, or an empty text."""


def id_complaint(text: str) -> str:
    """Check the id of a route."""
    if _is_id(text):
        return ""
    return "must be letters, digits, '.', '_' and '-', 64 at most, such as \"supplier-read\""


def upstream_complaint(text: str) -> str:
    """Check the name of an upstream."""
    if _is_upstream(text):
        return ""
    return "is no name of an upstream: letters, digits, '_' and '-', such as \"suppliers\""


def method_complaint(text: str) -> str:
    """Check a method (RFC 9110, section 9.1); they are in upper case."""
    if text in {"CONNECT", "TRACE"}:
        return "is never forwarded: it is for the connection, not for a resource"
    if _is_token(text) and text.upper() == text and len(text) <= MAX_NAME:
        return ""
    near = get_close_matches(text.strip().upper(), METHODS, n=1)
    return f"is no method: write {near[0]!r}" if near else "is no method, such as 'GET'"


def safe_method_complaint(text: str) -> str:
    """Check a method that changes nothing at the service."""
    if text in SAFE_METHODS:
        return ""
    return "is no safe method: a copy must change nothing, so write 'GET', 'HEAD' or 'OPTIONS'"


def route_host_complaint(text: str) -> str:
    """Check a host of a route."""
    if text == "*":
        return "stands for any host: leave `hosts` out"
    return host_complaint(text)


def token_complaint(text: str) -> str:
    """Check the name of a header or a cookie (RFC 9110, section 5.6.2)."""
    if not text:
        return "is empty: write a name"
    if len(text) > MAX_NAME:
        return f"has {len(text)} characters, {MAX_NAME} at most"
    if text.endswith(":"):
        return f"has a colon: write {text[:-1]!r}"
    return "" if _is_token(text) else "is no name: it has no spaces and no separators"


def parameter_complaint(text: str) -> str:
    """Check the name of a query parameter, which is compared after decoding."""
    if not text:
        return "is empty: write a name"
    if len(text) > MAX_NAME:
        return f"has {len(text)} characters, {MAX_NAME} at most"
    return "has control characters" if _has_control(text) else ""


def matched_header_complaint(text: str) -> str:
    """Check the name of a header that a condition reads."""
    instead = {
        "host": "is no condition: write `hosts`",
        "cookie": "is no condition: write `cookies`",
        "authorization": "is read after the route is matched: write `access`",
    }
    name = text.lower()
    if name.encode("latin-1", "replace") in HOP_BY_HOP:
        return "is about one connection, not about the request: match another header"
    return token_complaint(text) or instead.get(name, "")


def set_request_header_complaint(text: str) -> str:
    """Check the name of a request header that a route sets."""
    instead = {
        "host": "is set by `host`, which is 'upstream' or 'client'",
        "cookie": "is passed by `cookies`, which has their names",
    }
    return token_complaint(text) or instead.get(text.lower(), "") or _reserved_complaint(text)


def set_response_header_complaint(text: str) -> str:
    """Check the name of a response header that a route sets."""
    instead = {"set-cookie": "is passed by `cookies`, which has their names"}
    return token_complaint(text) or instead.get(text.lower(), "") or _reserved_complaint(text)


def set_trailer_complaint(text: str) -> str:
    """Check the name of a trailer that a route sets (RFC 9110, section 6.5.1)."""
    name = text.lower()
    if name in _NEVER_TRAILERS or name.startswith("content-"):
        return "must not be a trailer: clients need it before the content"
    return set_response_header_complaint(text)


_NEVER_TRAILERS: Final = frozenset(
    {
        *("authorization", "cache-control", "age", "expires", "date", "location", "retry-after"),
        *("vary", "warning", "expect", "max-forwards", "range", "pragma", "www-authenticate"),
    }
)


def _reserved_complaint(text: str) -> str:
    return "is set by the gateway itself: a route can't set it" if text.lower() in _OURS else ""


def text_complaint(text: str) -> str:
    """Check a value that a header or a cookie is compared with, or set to."""
    if len(text) > MAX_TEXT:
        return f"has {len(text)} characters, {MAX_TEXT} at most"
    if _has_control(text):
        return "has control characters, which no value has"
    if text != text.strip():
        return f"begins or ends with a space, which no value does: write {text.strip()!r}"
    return ""


def client_complaint(text: str) -> str:
    """Check the kind of a client."""
    return "" if text in CLIENT_KINDS else f"must be one of {', '.join(CLIENT_KINDS)}"


def split_key_complaint(text: str) -> str:
    """Check what stays on one side of a split."""
    found = _by.fullmatch(text)
    if found is None:
        return "must be 'viewer', 'request', 'header:NAME' or 'cookie:NAME'"
    return token_complaint(found[2]) if found[1] else ""


def relative_path_complaint(text: str) -> str:
    """Check a path below a folder."""
    if text.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", text) or _has_control(text):
        return "must be below the folder, such as 'index.html'"
    return ""


def json_path_complaint(text: str) -> str:
    """Check a JSON path: what it may have is checked where it is compiled."""
    return "" if text.startswith("$") and len(text) > 1 else "must be a path such as '$.servedAt'"


def faults_in(
    path: FieldPath, texts: Iterable[str], check: Check, *, is_case_sensitive: bool = False
) -> Iterator[OptionFault]:
    """Yield the fault of each text in a list, and those that are there twice."""
    known: set[str] = set()
    for place, text in enumerate(texts):
        if complaint := check(text):
            yield OptionFault((*path, place), complaint)
        elif (key := text if is_case_sensitive else text.lower()) in known:
            yield OptionFault((*path, place), "is there twice: write it once")
        else:
            known.add(key)


def key_faults(
    path: FieldPath, names: Collection[str], check: Check, *, is_case_sensitive: bool = False
) -> Iterator[OptionFault]:
    """Yield the fault of each key, and those that differ in their case only."""
    known: set[str] = set()
    for name in names:
        key = name if is_case_sensitive else name.lower()
        if complaint := check(name):
            yield OptionFault((*path, name), complaint, is_key=True)
        elif key in known:
            twice = "is there twice, in another case: write it once"
            yield OptionFault((*path, name), twice, is_key=True)
        known.add(key)


def error_of(make: Callable[[], object]) -> str:
    """Return the message of the `ConfigurationError` that a call raises; empty without one."""
    try:
        make()
    except ConfigurationError as error:
        return str(error)
    return ""


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint: the closest known name, or all names if there are few."""
    near = get_close_matches(name, known, n=1)
    if near:
        return f'. Did you mean "{near[0]}"?'
    return f"; there are {', '.join(sorted(known))}" if 0 < len(known) <= 12 else ""
