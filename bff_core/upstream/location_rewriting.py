"""Rewrites URLs in a service's replies to paths of this gateway: `Upstream.locations`."""

import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from bff_core.errors import ConfigurationError, InvalidInput
from bff_core.policy.upstream.reference_resolution import escaped, same_origin
from bff_core.upstream.request_target import encode_segment

_PATTERNS: Final = {"": "[^/?#]+", "path": "[^?#]+"}
_is_own_path: Final = re.compile(r"/(?!/)[!-~]*").fullmatch


class Locations:
    """Maps paths of a service to paths of the gateway, as an upstream declares them.

    A key is a path as in the upstream's methods, or a whole URL if the service uses another host
    than the one that it is called by. "{id}" is one segment, "{id:path}" one or more.
    """

    __slots__ = ("_rules",)

    def __init__(self, owner: str, declared: Mapping[str, str]) -> None:
        if not isinstance(declared, Mapping):
            raise ConfigurationError(f"{owner}.locations must map the service's paths to ours")
        self._rules = [_Rule(owner, *pair) for pair in declared.items()]

    def own_path(self, reference: str, target: str, origins: Sequence[str]) -> str | None:
        """Return the gateway's path for a reference in the reply to a call of `target`, or None.

        It is None for a path or query that is not declared. `origins` are the addresses of the
        upstream.
        """
        candidates = [*same_origin(reference, target, origins), *_urls(reference, target, origins)]
        for candidate in candidates:
            for rule in self._rules:
                if (path := rule.own_path(candidate)) is not None:
                    return path
        return None


class _Rule:
    """One path of the service, and the gateway's path for it."""

    __slots__ = ("_is_service_path", "_own")

    def __init__(self, owner: str, service_path: str, own: str) -> None:
        where = f"{owner}.locations: {service_path!r}: {own!r}"
        if not isinstance(service_path, str) or not re.match(r"/|https?://", service_path):
            raise ConfigurationError(f"{where}: begin the service's path with / or http(s)://")
        if not isinstance(own, str) or _is_own_path(own) is None:
            raise ConfigurationError(f"{where}: the value must be a path of this gateway, /...")
        pattern, names = "", {}
        for literal, name, kind in _pieces(service_path, where):
            pattern += re.escape(literal)
            if name is not None:
                if not name.isidentifier() or name in names or kind not in _PATTERNS:
                    raise ConfigurationError(f"{where}: write parameters as {{id}} or {{id:path}}")
                names[name] = kind
                pattern += f"(?P<{name}>{_PATTERNS[kind]})"
        self._is_service_path = re.compile(pattern).fullmatch
        self._own = [
            (literal, name, names.get(name or "")) for literal, name, _ in _pieces(own, where)
        ]
        if any(name is not None and kind is None for _, name, kind in self._own):
            raise ConfigurationError(f"{where}: the value has a parameter that the key lacks")

    def own_path(self, candidate: str) -> str | None:
        found = self._is_service_path(candidate)
        if found is None:
            return None
        path = ""
        try:
            for literal, name, kind in self._own:
                path += literal
                if name is not None:
                    path += _encoded(found[name], name, is_path=kind == "path")
        except (InvalidInput, UnicodeDecodeError):  # a dot segment, or no UTF-8
            return None
        return path


def _pieces(template: str, where: str) -> list[tuple[str, str | None, str]]:
    try:
        return [(text, name, kind or "") for text, name, kind, _ in Formatter().parse(template)]
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from error


def _encoded(found: str, name: str, *, is_path: bool) -> str:
    segments = found.split("/") if is_path else [found]
    return "/".join([encode_segment(unquote(one, errors="strict"), name) for one in segments])


def _urls(reference: str, target: str, origins: Sequence[str]) -> list[str]:
    """Return the URLs that a reference resolves to, without fragment and user information."""
    found = []
    for origin in origins:
        try:
            url = urlsplit(urljoin(origin.rstrip("/") + target, escaped(reference)))
        except ValueError:
            continue
        host = url.netloc.rpartition("@")[2].lower()
        found.append(url._replace(netloc=host, fragment="").geturl())
    return found
