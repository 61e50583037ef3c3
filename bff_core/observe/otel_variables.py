"""Checks values of the variables `OTEL_*`: collects a sentence on each wrong one."""

import re
import ssl
from collections.abc import Collection, Mapping
from math import isfinite
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=[ -+\--~]*")
"""One of a list of headers: a name of RFC 9110, and printable characters without a comma."""

_ATTRIBUTE: Final = re.compile(r"[^=\s]+[ \t]*=.*", re.DOTALL)


class OTelVariables:
    """Variables of the environment; an empty one counts as unset, as the standard demands.

    `problems` says what is wrong: the variable, its value and what is allowed. Headers and the
    credentials of URLs are not shown.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        """Return a value without spaces around it."""
        return self._environ.get(name, "").strip()

    def refuse(self, name: str, wanted: str, *, value: str | None = None) -> None:
        """Note a wrong value."""
        shown = repr(self.text(name)) if value is None else value
        self.problems.append(f"{name}={shown} is not supported: give {wanted}")

    def flag(self, name: str) -> bool:
        """Return whether a variable is true; false is its default."""
        return self.choice(name, "false", ("true", "false")) == "true"

    def choice(self, name: str, default: str, allowed: Collection[str], hint: str = "") -> str:
        """Return one of some words, in lower case."""
        value = self.text(name).lower() or default
        if value in allowed:
            return value
        self.refuse(name, _listed(allowed) + hint)
        return default

    def number(
        self, name: str, default: float, lowest: float, highest: float, unit: str = ""
    ) -> float:
        """Return a number."""
        text = self.text(name)
        try:
            value = float(text) if text else default
        except ValueError:
            value = float("nan")
        if isfinite(value) and lowest <= value <= highest:
            return value
        self.refuse(name, f"a number from {lowest:,g} to {highest:,.0f}{unit}")
        return default

    def whole(self, name: str, default: int, lowest: int, highest: int, unit: str = "") -> int:
        """Return a whole number."""
        text = self.text(name)
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
        if not text or lowest <= value <= highest:
            return value if text else default
        self.refuse(name, f"a whole number from {lowest:,} to {highest:,}{unit}")
        return default

    def check_url(self, name: str) -> None:
        """Check the URL of a collector."""
        text = self.text(name)
        if text and not _is_url(text):
            shown = re.sub(r"[^/@]*@", "***@", text.partition("?")[0])
            wanted = "a URL of a host, such as http://collector:4318"
            self.refuse(name, wanted, value=repr(shown))

    def check_headers(self, name: str) -> None:
        """Check a list of headers, `name=value,name=value`."""
        for number, one in enumerate(self.text(name).split(","), start=1):
            if one.strip() and not _HEADER.fullmatch(one.strip()):
                wanted = "headers as name=value,name=value, with %2C for a comma in a value"
                self.refuse(name, wanted, value=f"'***' (its header {number})")

    def check_attributes(self, name: str) -> None:
        """Check a list of attributes, `name=value,name=value`."""
        for one in self.text(name).split(","):
            if one.strip() and not _ATTRIBUTE.fullmatch(one.strip()):
                wanted = "attributes as name=value,name=value, with %2C for a comma in a value"
                self.refuse(name, wanted, value=repr(one.strip()))

    def check_authorities(self, name: str) -> None:
        """Check the certificates of authorities: a file in PEM, or a folder of such files."""
        path = self.text(name)
        if not path:
            return
        try:
            if not Path(path).is_dir():
                ssl.create_default_context(cafile=path)
        except (OSError, ValueError) as error:
            self.refuse(name, f"a readable file of certificates in PEM ({_reason(error)})")

    def check_certificate(self, name: str, key: str) -> None:
        """Check a client's certificate and its key, files in PEM; both may be in one."""
        path, of_key = self.text(name), self.text(key)
        if of_key and not path:
            self.refuse(key, f"{name} as well, the certificate of the key")
        if not path:
            return
        try:
            # Without the password a key that is encrypted would have to be typed on the terminal.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_cert_chain(path, of_key or None, password=lambda: "")
        except (OSError, ValueError) as error:
            wanted = f"a readable certificate in PEM, and {key} if its key is in another file"
            self.refuse(name, f"{wanted} ({_reason(error)})")


def _listed(words: Collection[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    is_whole = text.isascii() and text.isprintable() and " " not in text
    return is_whole and url.scheme in {"http", "https"} and bool(url.hostname) and port != 0


def _reason(error: Exception) -> str:
    """Return why a file can't be used."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").lower().replace("_", " ")
    return getattr(error, "strerror", None) or str(error)
