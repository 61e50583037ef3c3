"""The names of events in logs; the generated table of the page lists each of them."""

import re

from bff_core import events

BASES = {events.Event, events.GatewayEvent}
KINDS = {
    name: kind
    for name in events.__all__
    if isinstance(kind := getattr(events, name), type)
    and issubclass(kind, events.Event | events.GatewayEvent)
    and kind not in BASES
}


def test_names_are_a_noun_and_a_verb():
    """Names can be names of metrics: lower case, one dot, each used once."""
    names = [kind.name for kind in KINDS.values()]

    assert len(names) > 40
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z_]+", name)] == []
