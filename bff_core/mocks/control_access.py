"""Which requests the control route of a mock takes: none that a web page may send."""

import re
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers

_NAME: Final = re.compile(r"(?:[a-z0-9-]+|[a-z0-9-]+\.localhost)(?::[0-9]{1,5})?", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\[?([0-9a-f.:]+?)\]?(?::[0-9]{1,5})?", re.IGNORECASE)


def refusal_of(headers: Headers) -> str:
    """Return why the control route refuses a request; empty if it takes it.

    `Host` has to be an address, `localhost` or a name without dots, such as that of a container:
    other names may be made to resolve to this machine (DNS rebinding).
    """
    if not _is_own_host(headers.get("host", "")):
        return "the control route is for localhost, addresses and names without dots"
    if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
        return "the control route is not for pages: use curl, a test or the console"
    return ""


def _is_own_host(host: str) -> bool:
    if _NAME.fullmatch(host):
        return True
    found = _ADDRESS.fullmatch(host)
    try:
        ip_address(found[1] if found is not None else "")
    except ValueError:
        return False
    return True
