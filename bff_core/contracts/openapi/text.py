"""Decodes JSON and YAML; the content decides which it is."""

from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec

from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi.yaml_text import MAX_DEPTH, decode_yaml

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
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        try:
            return decode_yaml(text, source)  # `{a: 1}` is YAML, too
        except ContractError:
            raise ContractError(source, [f"it is no JSON: {error}"]) from None
    if _is_deep(value):
        raise ContractError(source, [f"nested deeper than {MAX_DEPTH} levels"])
    return value


def _is_deep(value: object) -> bool:
    """Whether a value is nested too deeply. What JSON decoders take differs between Pythons."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [one for node in level for one in _containers_in(node)]
        if not level:
            return False
    return True


def _containers_in(node: object) -> Iterable[object]:
    """Return the objects and lists that an object or a list has."""
    held = node.values() if isinstance(node, dict) else cast("list[Any]", node)
    return [one for one in held if isinstance(one, dict | list)]
