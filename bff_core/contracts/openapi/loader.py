"""Loads OpenAPI documents: fetches, decodes, bundles and reads them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from bff_core.contracts.document import Document
from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi.bundle import Bundle
from bff_core.contracts.openapi.fetching import fetch
from bff_core.contracts.openapi.reader import openapi_object, parse
from bff_core.contracts.openapi.text import decode

_OTHER_FILE: Final = re.compile(rb"\$ref['\"]?\s*:\s*['\"]?[^#'\"\s]")
"""Where a text may have a reference to another document."""


def load(source: str | Path, *, headers: Mapping[str, str] | None = None) -> Document:
    """Return what the OpenAPI document in a file or at a URL says.

    The content decides between JSON and YAML. References to other documents are followed. `headers`
    are sent to the server of the URL only. Raises ContractError with all faults.
    """
    return parse(read_content(source, headers=headers), str(source))


def read_content(source: str | Path, *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON of a document, with all that it refers to in other documents.

    Its structure is not checked: `parse` does that. Raises ContractError.
    """
    where = str(source)
    text = fetch(where, headers)
    content = openapi_object(decode(text, where), where)
    if _OTHER_FILE.search(text):
        Bundle(content, where, headers or {}).run()
    return content


def normalised(content: Mapping[str, Any]) -> bytes:
    """Return the JSON of a document as it is pinned: indented, keys in their order."""
    try:
        return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    except OverflowError:  # integers beyond 64 bits
        return json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n"
    except (TypeError, RecursionError) as error:
        raise ContractError("", [f"it is no JSON: {error}"]) from None
