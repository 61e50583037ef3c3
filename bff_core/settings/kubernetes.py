"""Ignores the environment variables that Kubernetes sets.

Kubernetes adds variables to every container for each Service of its namespace (its documentation
calls them service environment variables). For a Service `bff-web` their names begin with BFF_WEB_.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

_TRANSPORT: Final = "(?:TCP|UDP|SCTP)"
_ADDRESS: Final = r"(?P<address>[0-9A-Fa-f.:]+)"
_PORT: Final = r"[0-9]{1,5}"

# An upstream may be called `service_host`, so that the value has to match as well as the name.
_LINKS: Final = tuple(
    (re.compile(name), re.compile(value))
    for name, value in (
        (r"\w+_SERVICE_HOST", _ADDRESS),
        (r"\w+_SERVICE_PORT(_\w+)?", _PORT),
        (
            rf"\w+_PORT(_{_PORT}_{_TRANSPORT})?",
            rf"(?:tcp|udp|sctp)://(?P<open>\[)?{_ADDRESS}(?(open)\]):{_PORT}",
        ),
        (rf"\w+_PORT_{_PORT}_{_TRANSPORT}_PROTO", "tcp|udp|sctp"),
        (rf"\w+_PORT_{_PORT}_{_TRANSPORT}_PORT", _PORT),
        (rf"\w+_PORT_{_PORT}_{_TRANSPORT}_ADDR", _ADDRESS),
    )
)


def without_service_variables(environ: Mapping[str, str], prefix: str) -> Mapping[str, str]:
    """Return an environment without the variables that Kubernetes sets for Services.

    Names without `prefix` stay. BFF_PORT=tcp://10.0.0.1:8000 is such a variable (of a Service named
    `bff`), BFF_PORT=8000 is not.
    """
    return {
        name: value
        for name, value in environ.items()
        if not (name.startswith(prefix) and _is_of_service(name, value.strip()))
    }


def _is_of_service(name: str, value: str) -> bool:
    for names, values in _LINKS:
        found = values.fullmatch(value) if names.fullmatch(name) else None
        if found is not None:
            return _is_address(found.groupdict().get("address"))
    return False


def _is_address(text: str | None) -> bool:
    """Whether a text is an IP address, or None, as for a value that has no address."""
    try:
        return text is None or bool(ip_address(text))
    except ValueError:
        return False
