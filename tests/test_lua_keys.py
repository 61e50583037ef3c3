"""Lua scripts declare each key that they use, as a Redis Cluster demands."""

import re

import pytest

from bff_core.auth import devices
from bff_core.auth.api_keys import redis as api_keys
from bff_core.auth.session import redis as sessions
from bff_core.cache.stores import scripts as cache
from bff_core.idempotency import redis as idempotency
from bff_core.limits import redis as limits
from bff_core.saga.journal import redis as journal

SCRIPTS = {
    f"{module.__name__}.{name}": text
    for module in (cache, sessions, devices, api_keys, idempotency, limits, journal)
    for name, text in vars(module).items()
    if isinstance(text, str) and not name.startswith("_") and "redis.call" in text
}

KEYLESS = {"TIME", "PUBLISH"}

DECLARED = re.compile(r"KEYS\[(\d+|i|#KEYS)\]")
"""A key by its place, also by that of a loop."""


def undeclared(script: str) -> list[str]:
    """Return the commands of a script with an undeclared key."""
    loops = set(re.findall(r"for \w+, (\w+) in ipairs\(KEYS\)", script))
    calls = re.findall(r"redis\.p?call\('(\w+)'(?:, ([^,)]+))?", script)
    return [
        f"{command} {key}"
        for command, key in calls
        if command not in KEYLESS and not DECLARED.fullmatch(key) and key not in loops
    ]


def test_there_are_scripts_of_every_store():
    """The list is found by the text of the scripts."""
    assert len(SCRIPTS) > 20
    assert {name.rpartition(".")[0] for name in SCRIPTS} >= {
        "bff_core.auth.devices",
        "bff_core.auth.session.redis",
        "bff_core.cache.stores.scripts",
        "bff_core.saga.journal.redis",
    }


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_declares_its_keys(name):
    """A computed key is not found when a cluster moves slots."""
    assert undeclared(SCRIPTS[name]) == []


@pytest.mark.parametrize(
    "line", ["redis.call('GET', ARGV[1] .. id)", "redis.pcall('DEL', key)", "redis.call('GET', k)"]
)
def test_a_computed_key_is_detected(line):
    """The check above finds every such script."""
    assert undeclared(line)
