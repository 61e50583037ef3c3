"""Selects the tags that a write purges: its URL, what the reply names, what the call declares.

Every stored reply has a tag of its URL: one URL has many keys, by audience and by headers.
"""

from collections.abc import Sequence

from bff_core.cache.key import canonical, digest
from bff_core.cache.tags import MAX_TAG_LENGTH, invalidated_groups
from bff_core.call import Call, Reply, find_header
from bff_core.policy.upstream.reference_resolution import same_origin


def url_tag(upstream: str, target: str) -> str:
    """Return the tag of all replies for one target of an upstream, for all viewers."""
    tag = f"url:{upstream}:{canonical(target) if '%' in target else target}"
    return tag if len(tag) <= MAX_TAG_LENGTH else f"url:{upstream}:={digest(tag)}"


def invalidated(call: Call, reply: Reply, origins: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the tags to purge after a call: none if it is safe or failed.

    They are those of the URL, of `Location` and `Content-Location` within the same origin (RFC
    9111, section 4.4), of the groups that the reply names (RFC 9875), and the call's `purges`.
    `origins` are the upstream's addresses with the base path of its targets; without them only
    relative references are resolved.
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
