"""Makes text safe for logs: masks credentials, escapes line ends and invisible characters.

A value is masked if its name is that of a secret (`secret_names`), and what is in it as well. By
their form these are masked anywhere: tokens, credentials in URLs, long random segments of paths,
e-mail addresses and numbers of payment cards.
"""

import json
import re
from typing import Final
from urllib.parse import unquote_plus

from bff_core.observe.secret_names import hides, may_hide

HIDDEN: Final = "***"

_CREDENTIALS: Final = re.compile(
    r"(?i)\b(bearer|basic|dpop|apikey)\s+[\w.~+/=-]+|\b((?:set-)?cookie:)[^\r\n]*"
    r"|\bbff_[a-z0-9]{8}_[a-z0-9]{45}"
)

_KEY_FILE: Final = re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)(?:[^-]|-(?!----END))*+")

_DOTTED: Final = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]*+){1,4}")
"""What may be a JWT: signed ones have three segments, encrypted ones five; a cut one has fewer."""

_DIGITS: Final = re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w-]|\.\d)")
"""What may be the number of a card."""

_PERSONAL: Final = re.compile(
    r"[\w.+%-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+|" + _DIGITS.pattern
)
"""E-mail addresses, and digits that may be the number of a card; slow on long words."""

_CARD: Final = re.compile(r"3[47]\d{13}|3[068]\d{12}|[3-6]\d{15}|2[2-7]\d{14}|[46]\d{18}", re.ASCII)
"""Lengths and first digits of cards; those of times, article numbers and most ids are others."""

_USER_INFO: Final = re.compile(r"""(?<=//)[^\s/?#"'<>]{1,512}@""")

_PARAMETER: Final = re.compile(r"""([?&#;]([^\s?&#;=/"'<>]{1,200})=)([^\s&#;"'<>]+)""")
"""A parameter of a query or a fragment."""

_SEGMENT: Final = re.compile(r"""(?<=/)[\w=~-]{24,}+(?=[/?#\s"'),]|$)""")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{32,}")
_MIXED: Final = re.compile(r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])")

_NAME: Final = re.compile(r"""(?<![\w.%[\]-])(?:\\?["'])?([\w.%[\]-]++)(?:\\?["'])?\s*+[:=]\s*+""")
_TEXT: Final = re.compile(
    r"""\\"[^"]*"? | "(?:[^"\\]|\\.)*+"? | '(?:[^'\\]|\\.)*+'? | [^\s,;&<>{}\[\]]++""", re.VERBOSE
)
_BRACKETS: Final = re.compile(r""""(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[{}\[\]]""")


def masked(text: str) -> str:
    """Return a text in which *** replaces what has the form of a credential or of personal data."""
    text = without_credentials(text)
    if "-----BEGIN" in text:
        text = _KEY_FILE.sub(rf"\1{HIDDEN}", text)
    if "//" in text:
        text = _USER_INFO.sub(f"{HIDDEN}@", text)
    if "=" in text:
        text = _PARAMETER.sub(_parameter, text)
    if "/" in text:
        text = _SEGMENT.sub(_segment, text)
    personal = _PERSONAL if "@" in text or "%40" in text else _DIGITS
    return personal.sub(_hidden, text)


def without_credentials(text: str) -> str:
    """Return a text with recognisable tokens and cookies replaced by ***."""
    text = _CREDENTIALS.sub(lambda match: f"{match[1] or match[2] or ''} ***".strip(), text)
    return _DOTTED.sub(_without_jwt, text) if "eyJ" in text else text


def _without_jwt(match: re.Match[str]) -> str:
    before, start, _ = match[0].partition("eyJ")
    return f"{before}{HIDDEN}" if start and "." not in before else match[0]


def _parameter(match: re.Match[str]) -> str:
    return f"{match[1]}{HIDDEN}" if hides(unquote_plus(match[2]), match[3]) else match[0]


def _segment(match: re.Match[str]) -> str:
    """Return *** for a segment of random characters, as in links that reset passwords."""
    text = match[0]
    return HIDDEN if _HEX.fullmatch(text) or _MIXED.match(text) else text


def _hidden(match: re.Match[str]) -> str:
    """Return *** for an e-mail address and the number of a card, and other digits as they are."""
    text = match[0]
    if not text[-1].isdigit() or "@" in text or "%40" in text:
        return HIDDEN
    return HIDDEN if is_card("".join(one for one in text if one.isdigit())) else text


def is_card(number: str) -> bool:
    """Whether digits are the number of a payment card, by the first ones and the checksum.

    See ISO/IEC 7812-1.
    """
    if _CARD.fullmatch(number) is None:
        return False
    digits = [int(one) for one in number]
    doubled = [sum(divmod(one * 2, 10)) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def redacted(text: str) -> str:
    """Return a piece of a body without credentials and without values of secret-sounding names."""
    text = masked(text)
    if ":" not in text and "=" not in text:
        return text
    pieces, position = [], 0
    while name := _NAME.search(text, position):
        pieces.append(text[position : name.end()])
        position = name.end()
        end = _end_of_secret(name[1], text, position)
        if end > position:
            pieces.append(HIDDEN)
            position = end
    return "".join([*pieces, text[position:]])


def _end_of_secret(name: str, text: str, start: int) -> int:
    """Return where the value ends that starts at an index; the index itself if it is shown."""
    if not may_hide(name):
        return start  # without a look at the value, which may be the whole rest
    if text[start : start + 1] in {"{", "["}:
        return _end_of_group(text, start) if hides(name, "") else start
    found = _TEXT.match(text, start)
    is_hidden = found is not None and hides(name, found[0].strip("\\\"'"))
    return found.end() if found is not None and is_hidden else start


def _end_of_group(text: str, start: int) -> int:
    """Return where an object or a list ends; one that is cut ends with the text."""
    depth = 0
    for one in _BRACKETS.finditer(text, start):
        depth += (one[0] in "{[") - (one[0] in "}]")
        if depth == 0:
            return one.end()
    return len(text)


def visible(value: object, *, quote: bool = True) -> str:
    """Return a value as text, with invisible characters escaped and in quotes if it needs them."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        value = tuple(f"{name}: {one}" for name, one in value.items())
    text = "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if quote and (not text or any(c in text for c in ' "=')):
        return json.dumps(text, ensure_ascii=False)
    return text


def words_of(fields: dict[str, object]) -> str:
    """Return fields as `key=value` words; those without a value are left out."""
    return " ".join(f"{key}={visible(value)}" for key, value in fields.items() if value != "")
