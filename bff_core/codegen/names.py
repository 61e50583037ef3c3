"""Identifiers for generated code: valid in Python, unique, the same in every run."""

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

KEYWORDS: Final = frozenset(keyword.kwlist)

BUILTINS: Final = frozenset(name for name in dir(builtins) if not name.startswith("_"))

MAX_NAME_LENGTH: Final = 80
"""Longer names are cut: they would leave no room for code on a line."""

_REPLACED: Final = {
    "+": " plus ",
    "@": " at ",
    "%": " percent ",
    "&": " and ",
    "'": "",
    "ETag": "Etag",
    "OAuth": "Oauth",
    "oAuth": "oauth",  # one word each
}

_words: Final = re.compile(
    r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*|[0-9]+[a-z]*"
).findall


def words(text: str) -> list[str]:
    """Return the words of a name in lower case: "HTTPServer_url2" has http, server, url2.

    Letters lose their accents. A name without any ASCII letter or digit has one word, made of the
    code points of its characters.
    """
    plain = re.sub(r"^-(?=\d)", "minus ", text.strip())
    for sign, word in _REPLACED.items():
        plain = plain.replace(sign, word)
    ascii_text = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    found = [word.lower() for word in _words(ascii_text)]
    if found or not text:
        return found
    return ["u" + "_".join(f"{ord(letter):x}" for letter in text[:8])]


def snake(text: str, default: str = "value") -> str:
    """Return a name for attributes, parameters and methods: `created_at`; never a keyword."""
    name = _cut("_".join(words(text)) or default)
    if name[0].isdigit():
        name = f"n_{name}"
    return f"{name}_" if name in KEYWORDS else name


def pascal(text: str, default: str = "Value") -> str:
    """Return a name for classes: `PetOwner`; never a keyword or a builtin."""
    name = _cut("".join(word[0].upper() + word[1:] for word in words(text)) or default)
    if name[0].isdigit():
        name = f"N{name}"
    return f"{name}Value" if name in KEYWORDS or name in BUILTINS else name


def shortened(name: str, length: int = 60) -> str:
    """Return a name in Pascal case without its middle words, if it is long."""
    if len(name) <= length:
        return name
    parts: list[str] = re.findall(r"[A-Z][^A-Z]*|[^A-Z]+", name)
    head, tail = parts[0], ""
    for word in parts[1:]:
        if len(head) + len(word) > length // 2:
            break
        head += word
    for word in reversed(parts):
        if len(tail) + len(word) > length // 2:
            break
        tail = word + tail
    return (head + tail)[:length]


def constant(text: str, default: str = "EMPTY") -> str:
    """Return a name for members of enums: `OUT_OF_STOCK`."""
    name = snake(text, default).rstrip("_").upper()
    return name or default


def camel(name: str) -> str:
    """Return a snake-case name in camel case, as `rename="camel"` of msgspec does."""
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


def _cut(name: str) -> str:
    return name[:MAX_NAME_LENGTH].rstrip("_")


class UniqueNames:
    """Gives out names of one scope, each once. `taken` are names that can't be given out."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    def take(self, name: str, *others: str) -> str:
        """Return the first name that is free: `name`, one of `others`, or `name` with a number."""
        for candidate in (name, *others):
            if candidate not in self._taken:
                self._taken.add(candidate)
                return candidate
        number, last = 2, (name, *others)[-1].rstrip("_")
        is_class = last[:1].isupper() and not last.isupper()
        joint = "_" if not is_class else "Variant" if last[-1:].isdigit() else ""
        while f"{last}{joint}{number}" in self._taken:
            number += 1
        return self.take(f"{last}{joint}{number}")
