"""The table of events: it lists each event of the package by the name that logs have."""

import logging
import re

from reading import DOCS, page, table

from bff_core import events
from bff_core.observe.log import LEVELS

BASES = {"Event", "GatewayEvent"}
KINDS = {
    name: kind
    for name in events.__all__
    if name not in BASES and hasattr(kind := getattr(events, name), "__dataclass_fields__")
}


def test_each_event_is_listed_with_its_name_and_level():
    """A reader of the log finds each name, its class and its level on the page."""
    text = page(DOCS / "operations.md").section("Logs").partition("### Names of events")[2]
    rows = {cls.strip("`"): (name.strip("`"), level) for name, cls, level, _ in table(text)}

    assert rows == {name: (kind.name, level_of(kind)) for name, kind in KINDS.items()}


def test_names_are_a_noun_and_a_verb():
    """Names can be names of metrics: lower case, one dot, each used once."""
    names = [kind.name for kind in KINDS.values()]

    assert len(names) > 40
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z_]+", name)] == []


def level_of(kind: type) -> str:
    """Return the level of an event's lines, as the table has it."""
    return logging.getLevelName(LEVELS[kind]).lower() if kind in LEVELS else "by its status"
