"""The symbols of the categories: read from files once, ready to be painted."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

FOLDER = Path(__file__).parent / "symbols"

DETAILS = ("v1", "v2", "v3")
"""The classes of details of which a picture shows one."""

_LINES = {
    "st": ("c", 4),
    "hs": ("hi", 3),
    "as": ("a", 4),
    "bs": ("b", 4),
    "xs": ("x", 3),
    "ms": ("m", 4),
    "ns": ("n", 4),
    "ks": ("k", 4),
}
_FILLS = frozenset(("a", "b", "c", "hi", "m", "n", "k", "x", "glow", "sh"))


class Symbol(NamedTuple):
    """One symbol; each text has a `%(name)s` per colour and is painted with `text % paints`."""

    texts: tuple[str, ...]
    upright: bool
    leaves: tuple[str, ...]


def _read() -> dict[str, Symbol]:
    files = sorted(FOLDER.rglob("*.svg"))
    symbols = {file.stem: _symbol(file) for file in files}
    below: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for file in files:
        *folders, _ = file.relative_to(FOLDER).parts
        for folder in folders:
            below[folders[0], folder].append(file.stem)
    for (root, folder), leaves in below.items():
        symbols[folder] = symbols[root]._replace(leaves=tuple(leaves))
    return symbols


def _symbol(file: Path) -> Symbol:
    root = ET.fromstring(file.read_text("utf-8"))  # noqa: S314 # a file of this package
    texts = tuple("".join(_text(child, detail) for child in root) for detail in DETAILS)
    return Symbol(texts, root.get("class") == "upright", (file.stem,))


def _text(element: ET.Element, detail: str) -> str:
    own = element.get("class")
    if own in DETAILS and own != detail:
        return ""
    given = {name: value for name, value in element.attrib.items() if name != "class"}
    attributes = "".join(f' {name}="{value}"' for name, value in (_paint(own) | given).items())
    name = element.tag.rpartition("}")[2]
    inside = "".join(_text(child, detail) for child in element)
    if own in DETAILS and not attributes:
        return inside
    return f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>"


def _paint(name: str | None) -> dict[str, str]:
    if name in _FILLS:
        return {"fill": f"%({name})s"}
    if name not in _LINES:
        return {}
    paint, width = _LINES[name]
    line = {"fill": "none", "stroke": f"%({paint})s", "stroke-width": str(width)}
    return line | {"stroke-linecap": "round", "stroke-linejoin": "round"}


SYMBOLS: Mapping[str, Symbol] = _read()
"""The symbol of each category, by its id; a root's symbol stands for the categories between."""
