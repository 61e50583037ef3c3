"""A field whose value changes an answer counts as used by the view.

Each view is called three times: with a reply, with one in which all fields that count as unused
have other values, and with one without them. The answers must be the same.
"""

import importlib.util
import sys
import textwrap
from copy import deepcopy
from pathlib import Path

import pytest

from bff_core import ANYONE, Settings, Views, gateway
from bff_core.inspection.usage.operation_uses import ContractUsage
from bff_core.inspection.usage.source_readings import SourceReadings
from bff_core.testing import client, reply
from tests.inspection.usage.answer_cases import CASES, HEAD, TAIL

MONEY = {"decoy": "-", "amount": 5, "currency": "eur"}
REPLY = {
    "decoy": "-",
    "number": "number",
    "state": "state",
    "total": MONEY,
    "lines": [
        {
            "decoy": "-",
            "sku": f"s-{one}",
            "quantity": one + 1,
            "price": dict(MONEY),
            "note": f"note-{one}",
        }
        for one in range(2)
    ],
    "buyer": {"decoy": "-", "name": "Ann", "email": "ann@shop.test"},
    "tags": ["t-0", "t-1"],
    "meta": {"k": "v"},
    "weight": 5,
}


def leaves(value, path=()):
    """Yield the paths of all texts and numbers."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from leaves(one, (*path, number))
    else:
        yield path


def with_others(paths, other):
    """Return the reply with other values at some paths."""
    document = deepcopy(REPLY)
    for path in paths:
        holder = document
        for one in path[:-1]:
            holder = holder[one]
        if other is None:
            del holder[path[-1]]
        else:
            holder[path[-1]] = other(holder[path[-1]])
    return document


def more(value):
    """Return a greater number, or a text that sorts behind."""
    return value + 7 if isinstance(value, int) else f"z{value}"


def steps(path):
    """Return a path as those of used fields: an item of a list is `[]`."""
    return tuple("[]" if isinstance(one, int) else one for one in path)


def touch(body):
    """Return the function that reads a field of each object of a reply."""
    kinds = [one for one in ("struct", "model", "dicts") if f"shop.{one}()" in body]
    return f"touch_{kinds[0]}" if kinds else "touch"


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """Return the module with a function for each case."""
    folder = tmp_path_factory.mktemp("answers")
    functions = [
        f"async def case_{number}(page: Page) -> Any:\n"
        f"    await {touch(body)}(page)\n{textwrap.indent(body, '    ')}\n"
        for number, body in enumerate(CASES.values())
    ]
    file = folder / "module_of_answers.py"
    file.write_text("\n\n".join([HEAD, TAIL, *functions]))
    spec = importlib.util.spec_from_file_location("module_of_answers", file)
    found = sys.modules["module_of_answers"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def made(module):
    """Return a gateway with a view for each case."""
    views = Views(access=ANYONE)
    for number in range(len(CASES)):
        views.get(f"/{number}")(getattr(module, f"case_{number}"))
    settings = Settings(env="development", upstreams={"shop": ["http://shop.test"]})
    return gateway("g", faces=[views], settings=settings)


async def answers(module, contents):
    """Return the answer of each view, each with its own reply of the service."""
    sent = {}
    found = []
    async with client(lambda: made(module), shop=lambda _: reply(200, sent)) as c:
        for number, content in enumerate(contents):
            module.LATEST = None
            sent.clear()
            sent.update(content)
            answer = await c.get(f"/{number}")
            found.append((answer.status_code, answer.text if answer.status_code < 400 else ""))
    return found


@pytest.fixture(scope="module")
def used(module):
    """Return the used fields of each view."""
    usage = ContractUsage()
    usage.add("g", made(module), SourceReadings(Path(module.__file__).parent))
    found: dict[int, set[tuple[str, ...]] | None] = {}
    for one in usage.uses():
        for view in one.use.views:
            number = int(view.rpartition("/")[2])
            if one.use.reads is None or found.get(number, ()) is None:
                found[number] = None
            else:
                found.setdefault(number, set()).update(one.use.reads)
    return found


def is_used(path, paths):
    """Whether a path is among used ones, or below or above one."""
    if paths is None:
        return True
    return any(
        all(a == b or "{}" in {a, b} for a, b in zip(path, one, strict=False)) for one in paths
    )


async def test_fields_that_change_an_answer_are_used(module, used):
    """No view of hundreds reads a field that it is not reported to use."""
    before = await answers(module, [REPLY] * len(CASES))
    unused = [
        [
            path
            for path in reversed([*leaves(REPLY)])
            if not is_used(steps(path), used.get(number, ()))
        ]
        for number in range(len(CASES))
    ]
    changed = set()
    for other in (more, None):
        after = await answers(module, [with_others(paths, other) for paths in unused])
        changed |= {name for name, old, new in zip(CASES, before, after, strict=True) if old != new}
    assert {status for status, _ in before} <= {200, 202}
    assert changed == set()
