"""Decodes JSON and YAML; the content decides which it is."""

from typing import Final

import msgspec

from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi.yaml_text import decode_yaml

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def decode(text: bytes, source: str) -> object:
    """Return the value of a JSON or YAML text. Raises ContractError with line or byte."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    start = text[:200].lstrip() or text.lstrip()[:200]
    if not start:
        raise ContractError(source, ["it is empty"])
    if start.startswith(b"<"):
        hint = "found HTML or XML, expected JSON or YAML; is it the address of a web page?"
        raise ContractError(source, [hint])
    if not start.startswith((b"{", b"[")):
        return decode_yaml(text, source)
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        try:
            return decode_yaml(text, source)  # `{a: 1}` is YAML, too
        except ContractError:
            raise ContractError(source, [f"it is no JSON: {error}"]) from None
