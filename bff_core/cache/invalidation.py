"""What a write makes invalid: every kept reply carries a tag of its URL, and a write purges it.

Keys hold an audience and varying headers, so that nobody can list those of a URL; a tag can be
purged for all of them at once.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urljoin, urlsplit

from bff_core.cache.key import canonical, digest
from bff_core.cache.tags import LONGEST, invalidated_groups
from bff_core.call import Call, Reply, find_header

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def url_tag(upstream: str, target: str) -> str:
    """Return the tag of all replies for one target of an upstream, whoever may see them."""
    tag = f"url:{upstream}:{canonical(target) if '%' in target else target}"
    return tag if len(tag) <= LONGEST else f"url:{upstream}:={digest(tag)}"


def invalidated(call: Call, reply: Reply, origins: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the tags to purge after a call: none for a safe one, or one that failed.

    Those are the URL itself, what `Location` and `Content-Location` name within the same origin
    (RFC 9111, section 4.4), the groups that the reply names (RFC 9875), and what the call itself
    `purges`. `origins` are the addresses of the upstream, with the base path that targets are put
    behind: without them only relative references are followed.
    """
    if call.is_safe or not 200 <= reply.status < 400:
        return ()
    targets = [call.target]
    for name in (b"location", b"content-location"):
        reference = find_header(reply.headers, name)
        if reference is not None:
            targets.extend(_same_origin(reference.decode("latin-1"), call.target, origins))
    tags = [url_tag(call.upstream, target) for target in targets]
    groups = invalidated_groups(reply.headers, call.upstream)
    return tuple(dict.fromkeys((*tags, *groups, *call.purges)))


def _same_origin(reference: str, target: str, origins: Sequence[str]) -> list[str]:
    """Return the targets that a reference stands for, seen from each address of the upstream."""
    found = [_resolved(reference, target, origin) for origin in origins or ("http://.invalid",)]
    return [one for one in dict.fromkeys(found) if one is not None]


def _resolved(reference: str, target: str, origin: str) -> str | None:
    base = origin.rstrip("/")
    try:
        url = urlsplit(urljoin(base + target, reference))
        if _origin(base) != _origin(url.geturl()):
            return None
    except ValueError:  # brackets that hold no address, a port that is none
        return None
    path = urlsplit(base).path
    if not url.path.startswith(f"{path}/"):
        return None
    return url.path[len(path) :] + (f"?{url.query}" if url.query else "")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
