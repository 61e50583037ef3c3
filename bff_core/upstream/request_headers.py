"""Headers of a call: encoding, checks, and defaults that a call replaces."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from bff_core.call import Headers, find_header
from bff_core.errors import ConfigurationError, InvalidInput
from bff_core.parameter_values import UnsupportedValue, text_of
from bff_core.scope import Scope
from bff_core.upstream.transport.request_writer import RESERVED

Fields = Mapping[str, object]
"""Headers by name, in any case; each value is a `Scalar`, or None to leave the header out."""

_is_token: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_is_sendable: Final = re.compile(r"[\t -~\x80-\xff]*").fullmatch


def encoded(headers: Fields) -> Headers:
    """Return headers as bytes, with names in lower case, each name once.

    Raises `InvalidInput` for text that a header can't hold, since it may come from a client, and
    `ConfigurationError` for a name that a call must not set.
    """
    fields: dict[bytes, bytes] = {}
    for name, value in headers.items():
        if value is not None:
            fields[_name(name)] = _value(value, name)
    return tuple(fields.items())


def replaced(defaults: Headers, headers: Headers) -> Headers:
    """Return `defaults` and `headers`; a header replaces a default of the same name."""
    if not headers:
        return defaults
    names = {name for name, _ in headers}
    return (*[field for field in defaults if field[0] not in names], *headers)


def with_propagated(fields: Headers, scope: Scope) -> Headers:
    """Return the headers of a call with those that it gets from the client's request.

    A header that the call or its class sets stays. The answer varies by the others.
    """
    for name in scope.propagated:
        field = name.encode("ascii")
        if find_header(fields, field) is not None:
            continue
        if scope.dependencies is not None:
            scope.dependencies.add_header(name)
        value = (scope.header(name) or "").strip(" \t")
        if value and _is_sendable(value) is not None:
            fields = (*fields, (field, value.encode("latin-1")))
    return fields


def default_headers(where: str, headers: object) -> Headers:
    """Return the headers of every call to a service; raises `ConfigurationError` for wrong ones."""
    if not isinstance(headers, Mapping):
        raise ConfigurationError(f"{where} must be a mapping of header names to values")
    try:
        return encoded(headers)
    except (InvalidInput, UnsupportedValue, ConfigurationError) as error:
        raise ConfigurationError(f"{where}: {error}") from None


@lru_cache(maxsize=1024)
def _name(name: str) -> bytes:
    if not isinstance(name, str) or _is_token(name) is None:
        raise ConfigurationError(f"{name!r} is not a header name")
    lowered = name.lower().encode("ascii")
    if lowered in RESERVED:
        raise ConfigurationError(
            f"header {name!r} follows from the call and its service: it can't be set"
        )
    return lowered


def _value(value: object, name: str) -> bytes:
    where = f"header {name!r}"
    text = text_of(value, where).strip(" \t")
    if _is_sendable(text) is None:
        raise InvalidInput(
            f"{where} can't hold line breaks, control characters, or letters outside Latin-1"
        )
    return text.encode("latin-1")
