"""A request as a curl command for bash, dash and zsh, with placeholders for what is masked."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from bff_core.observe.masking import HIDDEN

Fields = Sequence[tuple[str, str]]

_VARIABLES: Final = {"authorization": "TOKEN", "cookie": "COOKIE", "x-api-key": "API_KEY"}
"""Variables of the shell that stand for masked headers; those of others begin with HEADER_."""

_OF_CONNECTION: Final = frozenset(
    {
        *("accept-encoding", "connection", "content-length", "expect", "te"),
        *("traceparent", "transfer-encoding", "upgrade", "x-request-id"),
    }
)
"""Headers that curl sets, or that belong to one request only."""

_BY_CURL: Final = ("accept", "user-agent")
"""Headers that curl adds where a request has none."""

_HINT: Final = f": 'Replace each {HIDDEN} first: it stands for a value that is masked.'"
"""A command without effect: not all shells take comments from the keyboard."""

_BODY: Final = '"@${BODY:?Set BODY to a file with the body of the request first}"'

_is_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_OTHER: Final = re.compile(r"[^A-Z0-9]")
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)


def curl_of(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes | None) -> str:
    """Return a command that sends a request; what is masked are variables that the reader sets.

    `url` is encoded; names and values of `headers` are Latin-1. `body` is None for one that is not
    shown: the command reads it from a file.
    """
    fields = [(name.lower(), value) for name, value in headers if _is_name(name)]
    start = ["curl", *_method(method, has_body=body != b""), *_flags(url), shlex.quote(url)]
    options = [f"-H {_header(name, value)}" for name, value in _sent(fields, url, body)]
    if body is None:
        options.append(f"--data-binary {_BODY}")
    elif body and method != "HEAD":
        if _is_plain(body):
            options.append(f"--data-raw {shlex.quote(body.decode())}")
        else:
            start.insert(0, f"{_printf(body)} |")
            options.append("--data-binary @-")
    command = " \\\n  ".join([" ".join(start), *options])
    is_masked = HIDDEN in url or (body is not None and HIDDEN.encode() in body)
    return f"{_HINT}\n{command}" if is_masked else command


def _method(method: str, *, has_body: bool) -> list[str]:
    """Return the options for a method; with -X HEAD curl would wait for a body."""
    if method == "HEAD":
        return ["--head"]
    return [] if method == "GET" and not has_body else ["-X", shlex.quote(method)]


def _flags(url: str) -> Iterator[str]:
    """Yield options without which curl would change the address."""
    if any(mark in url for mark in "[]{}"):
        yield "--globoff"
    if _DOTS.search(urlsplit(url).path):
        yield "--path-as-is"


def _sent(fields: Fields, url: str, body: bytes | None) -> Iterator[tuple[str, str | None]]:
    """Yield the headers to give to curl; those with None are not sent."""
    own = urlsplit(url).netloc
    for name, value in fields:
        if name not in _OF_CONNECTION and (name, value) != ("host", own):
            yield name, value
    names = {name for name, _ in fields}
    for name in (*_BY_CURL, *(["content-type"] if body != b"" else [])):
        if name not in names:
            yield name, None


def _header(name: str, value: str | None) -> str:
    """Return a header as a word; the shell expands the variables in it, and nothing else."""
    if not value:  # curl sends none at all, or one that is empty
        return shlex.quote(f"{name}:" if value is None else f"{name};")
    if HIDDEN not in value:
        return _word(f"{name}: {value}".encode("latin-1"))
    variable = _VARIABLES.get(name, f"HEADER_{_OTHER.sub('_', name.upper())}")
    placeholder = f'"${{{variable}:?Set {variable} first: this header is masked}}"'
    if name == "authorization" and value == HIDDEN:
        value = f"Bearer {HIDDEN}"
    shown = [_word(piece.encode("latin-1")) if piece else "" for piece in value.split(HIDDEN)]
    return shlex.quote(f"{name}: ") + placeholder.join(shown)


def _is_plain(data: bytes) -> bool:
    """Whether a shell and a terminal take bytes as they are, in quotes."""
    try:
        return data.decode().replace("\n", "").isprintable()
    except UnicodeDecodeError:
        return False


def _word(data: bytes) -> str:
    if b"\n" not in data and _is_plain(data):
        return shlex.quote(data.decode())
    return f'"$({_printf(data)})"'


def _printf(data: bytes) -> str:
    """Return a command that writes bytes."""
    return f"printf '{''.join(map(_ESCAPED.__getitem__, data))}'"


_ESCAPED: Final = [
    chr(one) if 0x20 <= one < 0x7F and one not in b"'\\%" else f"\\{one:03o}" for one in range(256)
]
_ESCAPED[ord("%")] = "%%"
_ESCAPED[ord("\n")] = "\\n"
