"""The content security policy of the pages."""

from collections.abc import Iterable


def page_policy(called: Iterable[str], *, is_framed: bool) -> str:
    """Return the policy of a page: scripts, styles and pictures are files of this gateway.

    `called` are the other origins that its scripts call. Only pages of the shop itself may frame
    one that `is_framed`.
    """
    framing = "'self'" if is_framed else "'none'"
    directives = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        " ".join(("connect-src 'self'", *called)),
        "frame-src 'self'",
        f"frame-ancestors {framing}",
        "base-uri 'none'",
        "form-action 'none'",
        "manifest-src 'self'",
        "worker-src 'self'",
    )
    return "; ".join(directives)
