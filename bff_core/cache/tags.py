"""Cache tags: made from templates with a call's parameters, and parsed from services' headers."""

from collections.abc import Mapping
from functools import lru_cache
from string import Formatter
from typing import Final

from bff_core.cache.directives import fields_of
from bff_core.cache.structured_fields import strings
from bff_core.call import Headers
from bff_core.errors import ConfigurationError
from bff_core.parameter_values import is_name, texts_of

MAX_TAGS: Final = 128
"""Tags of an entry, at most."""

MAX_TAG_LENGTH: Final = 256
"""Characters of a tag, at most."""

TAG_FIELDS: Final = frozenset({b"surrogate-key", b"cache-tag", b"cache-groups"})
"""The header fields that name the tags of a reply."""

GROUP_INVALIDATION: Final = frozenset({b"cache-group-invalidation"})
"""The header field by which a reply to a write invalidates groups."""


def filled(templates: tuple[str, ...], values: Mapping[str, object]) -> tuple[str, ...]:
    """Fill tag templates with a call's parameters: "product:{id}" with id 7 is "product:7".

    Values have the same text as in the request. A list, tuple or set makes a tag for each member,
    None makes none. Raises `ConfigurationError` for a name that is no parameter.
    """
    if not templates:
        return ()
    return tuple(dict.fromkeys(tag for one in templates for tag in _fill(one, values)))


def _fill(template: str, values: Mapping[str, object]) -> list[str]:
    tags = [""]
    for literal, name in _pieces(template):
        ends = [""] if name is None else _texts(template, name, values)
        tags = [f"{tag}{literal}{end}" for tag in tags for end in ends]
    return tags


@lru_cache(maxsize=1024)
def _pieces(template: str) -> tuple[tuple[str, str | None], ...]:
    """Parse a template into its literals, each with the parameter that follows."""
    try:
        pieces = [(piece[0], piece[1]) for piece in Formatter().parse(template)]
    except ValueError as error:
        raise ConfigurationError(f"tag {template!r}: {error}") from error
    if not pieces or any(name is not None and not is_name(name) for _, name in pieces):
        raise ConfigurationError(f"tag {template!r}: name each parameter, as in product:{{id}}")
    return tuple(pieces)


def _texts(template: str, name: str, values: Mapping[str, object]) -> list[str]:
    if name not in values:
        known = ", ".join(sorted(values)) or "none"
        raise ConfigurationError(f"tag {template!r}: {name} is none of the parameters: {known}")
    return texts_of(values[name], f"tag {template!r}")


def declared_tags(headers: Headers, upstream: str) -> tuple[str, ...]:
    """Parse a service's tags: Surrogate-Key, Cache-Tag and Cache-Groups (RFC 9875).

    A group is valid within its upstream only, see `group`. The caller checks `are_too_many`.
    """
    tags: list[str] = []
    for name, value in headers:
        if name == b"surrogate-key":
            tags.extend(_decoded(value).split())
        elif name == b"cache-tag":
            tags.extend(tag for part in _decoded(value).split(",") if (tag := part.strip()))
        elif name == b"cache-groups":
            tags.extend(group(upstream, one) for one in strings(value) or ())
    return tuple(dict.fromkeys(tags))


def are_too_many(tags: tuple[str, ...]) -> bool:
    """Whether tags exceed the limits. Such a reply is not stored, since a purge would miss it."""
    return len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG_LENGTH for tag in tags)


def group(upstream: str, name: str) -> str:
    """Return the tag of a group of an upstream's replies (RFC 9875, section 2)."""
    return f"group:{len(upstream)}:{upstream}:{name}"


def invalidated_groups(headers: Headers, upstream: str) -> tuple[str, ...]:
    """Parse Cache-Group-Invalidation into the tags of its groups (RFC 9875, section 3)."""
    field = fields_of(headers, GROUP_INVALIDATION).get(b"cache-group-invalidation")
    return () if field is None else tuple(group(upstream, one) for one in strings(field) or ())


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
