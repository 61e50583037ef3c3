"""The headers of files besides those of their content: the default policy, changes of a route."""

import re
from typing import Final

from bff_core.call import Headers
from bff_core.errors import ConfigurationError
from bff_core.proxy.transform import Headers as HeaderChanges

PAGE_POLICY: Final = (
    b"default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; "
    b"style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    b"frame-ancestors 'none'"
)
"""The content security policy of files: pages and workers load and call their own origin only."""

DEFAULT_POLICY: Final = (b"content-security-policy", PAGE_POLICY)

_placeholder: Final = re.compile(r"\{[^{}]*\}").search


def changed(headers: Headers, changes: HeaderChanges | None) -> Headers:
    """Return headers after the changes of a route, in the order allow, remove, set, append.

    Raises `ConfigurationError` for a placeholder: files are the same for all requests.
    """
    if changes is None:
        return headers
    for name, value in (*changes.set.items(), *changes.append.items()):
        if _placeholder(value):
            raise ConfigurationError(
                f"transform.response_headers[{name!r}] = {value!r}: the headers of files have no "
                "placeholders"
            )
    dropped = {name.lower().encode() for name in (*changes.remove, *changes.set)}
    others = tuple(one for one in headers if one[0] not in dropped and _passes(one[0], changes))
    added = (*changes.set.items(), *changes.append.items())
    return (*others, *((name.lower().encode(), value.encode("latin-1")) for name, value in added))


def _passes(name: bytes, changes: HeaderChanges) -> bool:
    return changes.allow is None or name.decode() in {one.lower() for one in changes.allow}
