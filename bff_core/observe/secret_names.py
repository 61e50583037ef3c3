"""Which names of headers, parameters and members say that their value is a secret."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

WORDS: Final = frozenset({
    "apikey", "auth", "authorization", "bearer", "cookie", "credential", "credentials", "cvc",
    "cvv", "dpop", "iban", "jwt", "otp", "pass", "passphrase", "passwd", "password", "pin", "pw",
    "pwd", "secret", "secrets", "sid", "sig", "signature", "ssn", "token", "tokens",
})  # fmt: skip
"""A name with one of these words is that of a secret: `new_password`, `X-Auth`."""

PAIRS: Final = frozenset({
    ("access", "key"), ("account", "number"), ("activation", "code"), ("api", "key"),
    ("backup", "code"), ("card", "no"), ("card", "number"), ("code", "verifier"),
    ("device", "code"), ("encryption", "key"), ("login", "code"), ("master", "key"),
    ("mfa", "code"), ("private", "key"), ("recovery", "code"), ("recovery", "key"),
    ("reset", "code"), ("security", "answer"), ("security", "code"), ("seed", "phrase"),
    ("session", "id"), ("signing", "key"), ("verification", "code"),
})  # fmt: skip
"""The same for two words in a row, or for a name and one below it: `{"card": {"number": …}}`."""

NAMES: Final = frozenset({"pan", "session", "usersession", "xsession"})
"""Names that are secrets as a whole; `session_count` is none."""

_RUN_TOGETHER: Final = re.compile(
    r"passw|passphrase|passcode|passkey|pwd|secret(?!ar)|token(?!i[sz])|apikey|accesskey|privatekey"
    r"|authori[sz]ation|authkey|authcode|credential|cookie|csrf|xsrf|jwt|bearer|assertion"
    r"|saml(?:request|response|art)|signature|sess(?:ion)?id|codeverifier|cardn(?:umber|o$)"
    r"|creditcard|accountnumber|mfacode|(?:auth|iban|cvv2?|cvc2?|otp)$"
)
"""Names without hyphens, underscores and capitals: `csrftoken`, `userpassword`, `SAMLResponse`."""


MAX_NAME: Final = 200
"""Of a longer name the end counts."""

MAYBE: Final = frozenset({"card", "code", "key", "nonce", "state", "ticket"})
"""The last words of names whose values may be secrets: `key=4f5a` is one, `key=home` is not."""

_HARMLESS: Final = re.compile(r"[A-Za-z]{0,24}(?:[ ._/-][A-Za-z]{1,24}){0,7}|\d{1,3}")
"""Words without digits, and numbers such as a status."""


def plain(name: str) -> str:
    """Return a name in lower case, without hyphens, underscores and spaces."""
    return re.sub(r"[-_\s]", "", name).lower()


@lru_cache(maxsize=4096)
def _is_known(name: str) -> tuple[bool, bool]:
    """Return whether a name is that of a secret, and whether it may be."""
    words = _WORD.findall(name)
    return is_secret(name), bool(words) and words[-1].lower() in MAYBE


def may_hide(name: str) -> bool:
    """Whether any value is not to be shown under a name."""
    return any(_is_known(name[-MAX_NAME:]))


def hides(name: str, value: str) -> bool:
    """Whether a value is not to be shown under a name."""
    is_one, may_be = _is_known(name[-MAX_NAME:])
    return is_one or (may_be and _HARMLESS.fullmatch(value) is None)


def is_secret(name: str) -> bool:
    """Whether a name says that its value is a secret."""
    words = [word.lower() for word in _WORD.findall(name)]
    joined = plain(name)
    return (
        joined in NAMES
        or not WORDS.isdisjoint(words)
        or not PAIRS.isdisjoint(pairwise(words))
        or _RUN_TOGETHER.search(joined) is not None
    )


def is_secret_within(parent: str, name: str) -> bool:
    """Whether a member is a secret by the name of the object, or the list, that it is in."""
    around, words = _WORD.findall(parent), _WORD.findall(name)
    if not around or not words:
        return False
    return (around[-1].lower().removesuffix("s"), words[0].lower()) in PAIRS
