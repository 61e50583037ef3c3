"""What a write makes invalid: every stored reply carries a tag of its URL, and a write purges it.

Keys hold an audience and varying headers, so that no one can list those of a URL; a tag can be
purged for all of them at once.
"""

from collections.abc import Sequence

from bff_core.cache.key import canonical, digest
from bff_core.cache.tags import LONGEST, invalidated_groups
from bff_core.call import Call, Reply, find_header
from bff_core.policy.upstream.reference_resolution import same_origin


def url_tag(upstream: str, target: str) -> str:
    """Return the tag of all replies for one target of an upstream, for all viewers."""
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
            targets.extend(same_origin(reference.decode("latin-1"), call.target, origins))
    tags = [url_tag(call.upstream, target) for target in targets]
    groups = invalidated_groups(reply.headers, call.upstream)
    return tuple(dict.fromkeys((*tags, *groups, *call.purges)))
