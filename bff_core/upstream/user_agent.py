"""The User-Agent of calls to services (RFC 9110, section 10.1.5)."""

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version

_not_in_a_comment = re.compile(r"[^ !-'*-\[\]-~]")


@cache
def user_agent(gateway: str = "") -> str:
    """Return the User-Agent of calls: "bff-core/1.2.0 (mobile)", by the name of the gateway."""
    number = framework_version()
    product = f"bff-core/{number}" if number else "bff-core"
    comment = _not_in_a_comment.sub("-", gateway).strip()
    return f"{product} ({comment})" if comment else product


@cache
def framework_version() -> str:
    """Return the version of the framework; empty if it is not installed as a package."""
    try:
        return version("bff-core")
    except PackageNotFoundError:
        return ""
