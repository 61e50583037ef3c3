"""`bff schema`: writes the JSON Schema of a file, by which editors complete and check it."""

import sys
from pathlib import Path

import msgspec

from bff_core.cli.errors import CannotRun
from bff_core.proxy.data.json_schema import proxy_schema


def write_schema(output: str) -> None:
    """Write the schema of a file of routes; "-" is the standard output."""
    text = f"{msgspec.json.format(msgspec.json.encode(proxy_schema()), indent=2).decode()}\n"
    if output == "-":
        sys.stdout.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{output} can't be written: {error.strerror}") from None
    sys.stdout.write(f"wrote {output}\n")
