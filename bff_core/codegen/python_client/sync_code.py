"""Makes synchronous code of asynchronous code: one source for both kinds of program."""

import re
from typing import Final

_REPLACED: Final = (
    (r"AsyncGenerator\[(.+?), None\]", r"Generator[\1, None, None]"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"__a(enter|exit|iter|next)__", r"__\1__"),
    (r"\baclos(e|ing)\b", r"clos\1"),
    (r"\baiter_bytes\b", "iter_bytes"),
    (r"\basync_(?=platform|caller|streams|client)", "sync_"),
    (r"\basynchronous\b", "synchronous"),
)


def synchronous(code: str) -> str:
    """Return the synchronous form of a module.

    It replaces keywords and the names that httpx and Python have for both forms; names of our own
    lose their `Async`. Texts in the module must not contain such words.
    """
    for pattern, replacement in _REPLACED:
        code = re.sub(pattern, replacement, code)
    return code
