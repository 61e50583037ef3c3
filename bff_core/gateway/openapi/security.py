"""Security schemes in OpenAPI: how callers authenticate, and which operations require it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bff_core.auth.access import Require
from bff_core.auth.authenticator import Authenticator, each_of, name_of
from bff_core.gateway.openapi.operation import Document, RestOperation


def schemes_of(authenticator: Authenticator | None) -> dict[str, Mapping[str, object]]:
    """Return the security schemes of an authenticator, or of the members of a `FirstOf`.

    Members of one class are numbered: `Bearer`, `Bearer2`.
    """
    found: dict[str, Mapping[str, object]] = {}
    counted = Counter[str]()
    for name, scheme in _named(authenticator):
        counted[name] += 1
        found[name if counted[name] == 1 else f"{name}{counted[name]}"] = scheme
    return found


def _named(authenticator: Authenticator | None) -> Iterator[tuple[str, Mapping[str, object]]]:
    for one in each_of(authenticator):
        scheme = getattr(one, "security_scheme", None)
        if isinstance(scheme, Mapping):
            yield name_of(one), scheme


def add_security(
    document: Document,
    operations: Sequence[RestOperation],
    schemes: Mapping[str, Mapping[str, object]],
) -> None:
    """Add security schemes to a document, and a requirement to each operation that has a rule.

    A caller satisfies a requirement with any one of the schemes (OpenAPI 3.1, section 4.8.30).
    Operations that anyone may call have an empty requirement. A requirement that the route itself
    declares by a dependency (`fastapi.security`) is to be satisfied as well.
    """
    if not schemes:
        return
    components = document.setdefault("components", {})
    components["securitySchemes"] = components.get("securitySchemes", {}) | dict(schemes)
    for one in operations:
        given = one.shown.setdefault("security", [])
        if isinstance(one.access, Require):
            scopes = one.access.scopes
            one.shown["security"] = [
                {name: list(scopes)} | declared for name in schemes for declared in given or [{}]
            ]


def has_cookies(schemes: Mapping[str, Mapping[str, object]]) -> bool:
    """Whether browsers authenticate by a cookie, so that requests may be refused as forged."""
    return any(one.get("in") == "cookie" for one in schemes.values())
