"""The body of a response as the console may show it: without credentials and personal data."""

import re
from functools import lru_cache
from typing import Final

import msgspec

from bff_core.gateway.captures import Capture
from bff_core.observe.masking import masked, redacted
from bff_core.observe.request_redaction import HIDDEN

_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PROBE: Final = "-"
"""A value that is masked where it has a name that suggests a secret."""


def shown_body(capture: Capture) -> tuple[str, str]:
    """Return the text of a response's body, and why there is none."""
    kind = next((v for name, v in capture.response_headers if name == "content-type"), "")
    if not capture.response:
        return "", "The response has no body."
    if capture.is_response_cut:
        return "", "The body is longer than the 256 KB that are stored."
    try:
        text = capture.response.decode()
    except UnicodeDecodeError:
        return "", f"The body is not text: {kind or 'of no type'}."
    try:
        return msgspec.json.encode(_masked(msgspec.json.decode(text), "")).decode(), ""
    except msgspec.DecodeError:
        return _EMAIL.sub(HIDDEN, redacted(text)), ""
    except RecursionError:
        return "", "The body is nested too deeply to be shown."


def _masked(value: object, name: str) -> object:
    """Return a value of JSON; texts and numbers of secret-sounding names are masked."""
    if isinstance(value, dict):
        return {key: _masked(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, name) for one in value]
    if value is None or isinstance(value, bool) or not _is_secret(name):
        return _EMAIL.sub(HIDDEN, masked(value)) if isinstance(value, str) else value
    return HIDDEN


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return bool(name) and HIDDEN in redacted(f"{name}={_PROBE}")
