"""Fetches a document from a file or a URL, within limits."""

import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

from bff_core.contracts.errors import ContractError

TIMEOUT_SECONDS: Final = 30.0
MAX_BYTES: Final = 64 * 1024 * 1024

_GZIP: Final = b"\x1f\x8b"

_CHUNK_BYTES: Final = 256 * 1024


def is_url(source: str) -> bool:
    """Whether a source is the URL of a document, not the path of a file."""
    return source.lower().startswith(("http://", "https://"))


def fetch(source: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a file, or of what a URL answers. Raises ContractError."""
    return _from_url(source, headers or {}) if is_url(source) else _from_file(source)


def _from_file(source: str) -> bytes:
    path = Path(source)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(source)
        return path.read_bytes()
    except FileNotFoundError:
        raise ContractError(source, ["there is no such file"]) from None
    except IsADirectoryError:
        raise ContractError(source, ["it is a folder, expected a file"]) from None
    except (OSError, ValueError) as error:
        raise ContractError(source, [str(getattr(error, "strerror", None) or error)]) from None


def _from_url(source: str, headers: Mapping[str, str]) -> bytes:
    opener = urllib.request.build_opener(_Redirects)
    accept = {"Accept": "application/json, application/yaml, */*;q=0.5", "User-Agent": "bff"}
    try:
        request = urllib.request.Request(source, headers={**accept, **headers})  # noqa: S310 - is_url
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return _read(response, source, deadline)
    except urllib.error.HTTPError as error:
        with error:
            fault = f"the server answered with status {error.code} {error.reason}".rstrip()
    except urllib.error.URLError as error:
        fault = f"the server can't be reached: {error.reason}"
    except TimeoutError:
        fault = f"the server did not answer within {TIMEOUT_SECONDS:g} s"
    except (OSError, HTTPException, ValueError) as error:
        fault = f"the address can't be read: {error}"
    raise ContractError(source, [fault])


def _read(response: Any, source: str, deadline: float) -> bytes:
    if (response.length or 0) > MAX_BYTES:
        raise _too_large(source)
    chunks, size = [], 0
    while chunk := response.read(_CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BYTES:
            raise _too_large(source)
        if time.monotonic() > deadline:
            raise TimeoutError
    if response.length:
        raise ContractError(source, ["the connection ended before the document did"])
    return _decompressed(b"".join(chunks), source)


def _decompressed(body: bytes, source: str) -> bytes:
    """Return a body without gzip, which some servers send although it was not accepted."""
    if not body.startswith(_GZIP):
        return body
    try:
        plain = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise ContractError(source, [f"it is no gzip: {error}"]) from None
    if len(plain) > MAX_BYTES:
        raise _too_large(source)
    return plain


def _too_large(source: str) -> ContractError:
    return ContractError(source, [f"it is larger than {MAX_BYTES // 2**20} MiB"])


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but not from https to http; credentials stay with their server."""

    def redirect_request(  # noqa: PLR0917 - the standard library calls it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the request for the new address."""
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if before.scheme == "https" and after.scheme != "https":
            raise urllib.error.URLError(f"it redirects from https to {newurl}")
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and (before.scheme, before.netloc) != (after.scheme, after.netloc):
            accepted = {"accept", "user-agent"}
            following.headers = {
                name: value for name, value in following.headers.items() if name.lower() in accepted
            }
        return following
