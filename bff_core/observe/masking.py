"""Makes text safe for logs: masks credentials, escapes line ends and invisible characters."""

import json
import re
from typing import Final

_CREDENTIALS: Final = re.compile(
    r"(?i)\b(bearer|basic|dpop|apikey)\s+[\w.~+/=-]+|\b((?:set-)?cookie:)[^\r\n]*"
    r"|(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*|\bbff_[a-z0-9]{8}_[a-z0-9]{45}"
)

_PERSONAL: Final = re.compile(
    r"[\w.+%-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+"
    r"|(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w.-])"
)
"""E-mail addresses, and digits that may be the number of a card."""

_NAMED_SECRETS: Final = re.compile(
    r"""(?ix)
    (?<![\w.-])(["']?(?=[\w.-]*(?:
        passw|pwd|secret|token|authoriz|credential|api[_-]?key|session|cookie|signature|private
        |iban|card|cvv|cvc|ssn|pin\b|otp
    ))[\w.-]++["']?\s*[:=]\s*)
    ("(?:[^"\\]|\\.)*"? | '[^']*'? | \[[^\]]*\]? | [^\s,;&<>{}\[\]]+)
    """
)
"""Members of JSON, forms or queries whose names suggest secrets, and their values.

Names are tried from where they begin only, and as a whole, so that long ones take linear time.
"""


def masked(text: str) -> str:
    """Return a text with recognisable credentials and personal data replaced by ***.

    These are tokens, cookies, e-mail addresses and numbers of payment cards.
    """
    return _PERSONAL.sub(_hidden, without_credentials(text))


def without_credentials(text: str) -> str:
    """Return a text with recognisable tokens and cookies replaced by ***."""
    return _CREDENTIALS.sub(lambda match: f"{match[1] or match[2] or ''} ***".strip(), text)


def _hidden(match: re.Match[str]) -> str:
    """Return *** for an e-mail address and the number of a card, and other digits as they are."""
    text = match[0]
    if not text[-1].isdigit() or "@" in text or "%40" in text:
        return "***"
    return "***" if _is_card([int(one) for one in text if one.isdigit()]) else text


def _is_card(digits: list[int]) -> bool:
    """Whether digits have the checksum of payment cards (ISO/IEC 7812-1)."""
    doubled = [sum(divmod(one * 2, 10)) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def redacted(text: str) -> str:
    """Return a piece of a body without credentials and without values of secret-sounding names."""
    return _NAMED_SECRETS.sub(r"\1***", masked(text))


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
