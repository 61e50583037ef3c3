"""How the bytes of a JSON reply are decoded to text: byte order mark, declared charset, UTF-8."""

import codecs
import json
import re
from functools import lru_cache
from typing import Final

_is_parameter: Final = re.compile(r";\s*charset\s*=\s*[\"']?\s*([^\s;,\"']+)", re.IGNORECASE).search

_ALIASES: Final = {
    "binary": "utf-8", "none": "utf-8", "utf8": "utf-8", "utf8mb4": "utf-8",
    "unicode-1-1-utf-8": "utf-8", "utf-8-sig": "utf-8",
    "ascii": "us-ascii", "ansi-x3.4-1968": "us-ascii", "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1", "l1": "iso-8859-1", "iso8859-1": "iso-8859-1",
    "iso88591": "iso-8859-1",
    "iso8859-15": "iso-8859-15", "latin9": "iso-8859-15", "latin-9": "iso-8859-15",
    "ansi": "windows-1252", "sjis": "cp932", "x-sjis": "cp932", "ms932": "cp932",
    "shift-jis": "cp932", "windows-31j": "cp932", "gb2312": "gbk", "x-gbk": "gbk", "cp936": "gbk",
    "ms936": "gbk", "x-euc-jp": "euc-jp",
    "ks-c-5601-1987": "euc-kr", "big5-hkscs": "big5hkscs", "utf16": "utf-16", "ucs-2": "utf-16",
    "utf16le": "utf-16le", "utf16be": "utf-16be", "utf32": "utf-32", "ucs-4": "utf-32",
    "utf32le": "utf-32le", "utf32be": "utf-32be", "macintosh": "mac-roman", "ibm850": "cp850",
    "ibm437": "cp437", "ibm866": "cp866",
    **{f"cp{number}": f"windows-{number}" for number in range(1250, 1259)},
}  # fmt: skip

_CODECS: Final = frozenset({
    "utf-8", "us-ascii", "utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be",
    *(f"iso-8859-{number}" for number in range(1, 17) if number != 12),
    *(f"windows-{number}" for number in range(1250, 1259)),
    *("cp437", "cp850", "cp866", "koi8-r", "koi8-u", "mac-roman"),
    *("cp932", "euc-jp", "iso-2022-jp", "gbk", "gb18030"),
    *("big5", "big5hkscs", "euc-kr"),
})  # fmt: skip
"""The charsets that a reply may declare: the text codecs of Python that services use."""

_OFTEN_WRONG: Final = frozenset({"us-ascii", "iso-8859-1", "windows-1252"})
"""Charsets that servers declare by default, even if the body is UTF-8."""

_UTF8_IF_POSSIBLE: Final = _OFTEN_WRONG | {"utf-8"}

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_MAX_CONTENT_TYPE_BYTES: Final = 256
"""Longer Content-Types are cut before they are parsed and cached."""


class UnknownCharset(ValueError):
    """The reply declares a charset that can't be read."""


@lru_cache(maxsize=256)
def _declared(content_type: bytes) -> str:
    """Return the charset of a Content-Type in lower case; "utf-8" if it has none."""
    match = _is_parameter(content_type.decode("latin-1"))
    label = match[1].lower().replace("_", "-") if match else "utf-8"
    return _ALIASES.get(label, label)


def is_foreign(content_type: bytes) -> bool:
    """Whether a body that is valid UTF-8 must be decoded by another charset.

    JSON is UTF-8 (RFC 8259, section 8.1). Other declared charsets apply, except those that servers
    declare by default: such a body is decoded as UTF-8 if that is possible.
    """
    return _declared(content_type[:_MAX_CONTENT_TYPE_BYTES]) not in _UTF8_IF_POSSIBLE


def text_of(body: bytes, content_type: bytes) -> str:
    """Return the text of a body without its byte order mark, which overrides the charset.

    Raises `UnknownCharset`, or `UnicodeDecodeError` for bytes that are invalid in the charset.
    """
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return body.decode(charset).removeprefix("\ufeff")
    charset = _declared(content_type[:_MAX_CONTENT_TYPE_BYTES])
    if charset not in _CODECS:
        raise UnknownCharset(f"its charset {charset[:40]!r} is unknown")
    if charset in {"utf-8", "utf-16", "utf-32"}:
        # JSON begins with ASCII: without a mark, the zero bytes show the byte order.
        return body.decode(json.detect_encoding(body))
    if charset in _OFTEN_WRONG:
        try:
            return body.decode()
        except UnicodeDecodeError:
            pass
    return body.decode(charset)
