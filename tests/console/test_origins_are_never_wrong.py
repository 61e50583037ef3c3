"""An answer's colours are right or unknown: also where answers of a route differ, or are large."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from starlette.responses import Response, StreamingResponse

from bff_core import ANYONE, Composition, Views, critical, gateway, loader
from bff_core.console.origins import learned
from bff_core.console.sandbox.sandbox import SandboxRequest, open_sandbox
from bff_core.gateway import recorded_parts
from bff_core.testing import client
from tests.console.test_origins import opened, part_at


class Tent(msgspec.Struct, tag="tent", rename="camel", omit_defaults=True):
    """A tent; its rating is left out where there is none."""

    tent_name: str
    stars: float = 0.0


class Rope(msgspec.Struct, tag="rope"):
    """A rope, whose name comes from elsewhere."""

    label: str


class Mixed(Composition):
    """Two parts with the same texts."""

    @critical
    async def names(self) -> Sequence[str]:
        return ["same", "same", "b"]

    @critical
    async def labels(self) -> Sequence[str]:
        return ["same", "same", "b"]

    @critical
    async def none(self) -> Sequence[str]:
        return []

    @critical
    async def large(self) -> Sequence[Mapping[str, int]]:
        return [{"a": one, "b": one + 1} for one in range(30_000)]

    @loader(missing=None, fallback=None)
    async def stars(self, ids: tuple[str, ...]) -> Mapping[str, float]:
        return {"same": 4.5}


views = Views(access=ANYONE)
calls = {"count": 0}


@views.get("/branch/{kind}")
async def branch(kind: str, page: Mixed, by: str = "names") -> dict[str, Any]:
    """Take the value from one of two parts."""
    chosen = page.labels if "labels" in {kind, by} else page.names
    return {"value": (await chosen())[0]}


@views.get("/items/{kinds}")
async def items(kinds: str, page: Mixed) -> list[Tent | Rope]:
    """Return tents (t), tents with stars (s) and ropes (r)."""
    names, labels = await page.names(), await page.labels()
    found: list[Tent | Rope] = []
    for kind in kinds:
        if kind == "r":
            found.append(Rope(labels[2]))
        else:
            stars = await page.stars(names[0]) if kind == "s" else None
            found.append(Tent(names[0], stars or 0.0))
    return found


@views.get("/lists")
async def lists(page: Mixed) -> dict[str, Any]:
    """Return lists that are empty, joined or nested, and a sum."""
    names, labels = await page.names(), await page.labels()
    return {
        "empty": await page.none(),
        "constant": [],
        "joined": [*names, *labels],
        "pairs": [[one, two] for one, two in zip(names, labels, strict=True)],
        "total": len(names) + len(labels),
        "same": names[0] if names[0] == labels[0] else labels[0],
    }


@views.get("/changing")
async def changing(page: Mixed) -> dict[str, Any]:
    """Answer with one more field each time."""
    calls["count"] += 1
    names = await page.names()
    return {"name": names[0], **{f"n{one}": "constant" for one in range(calls["count"])}}


@views.get("/large")
async def large(page: Mixed) -> list[dict[str, int]]:
    """Return much."""
    return list(await page.large())


@views.get("/text")
async def text(page: Mixed) -> Response:
    """Return no JSON."""
    return Response(f"{(await page.names())[0]}: 1", media_type="text/plain")


@views.get("/stream")
async def stream(page: Mixed) -> Response:
    """Return lines of JSON."""
    names = await page.names()

    async def lines():
        for one in names:
            yield msgspec.json.encode({"name": one}) + b"\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def make_app():
    """Return a gateway with these views."""
    return gateway("mixed", faces=[views])


async def test_answers_that_take_another_path_through_the_view():
    """By a query or a path: what one answer shows is not said of another."""
    async with opened(make_app, {}) as find:
        parts = [
            part_at((await find("GET", target))[0], "/value")
            for target in ("/branch/x", "/branch/x?by=labels", "/branch/labels", "/branch/y")
        ]

    assert parts == ["names", "labels", "labels", "names"]


async def test_lists_of_several_kinds():
    """Fields that are renamed, left out, or of one kind only."""
    async with opened(make_app, {}) as find:
        plain, _ = await find("GET", "/items/tt")
        mixed, _ = await find("GET", "/items/tsr")

    assert part_at(plain, "/1/tentName") == "names"
    assert part_at(plain, "/0/type") == ""
    assert part_at(mixed, "/1/stars") == "stars"
    assert part_at(mixed, "/2/label") == "labels"
    assert part_at(mixed, "/0/tentName") == "names"
    assert part_at(mixed, "/2/type") == ""


async def test_lists_that_are_empty_joined_or_nested():
    """What comes of two parts is unknown; equal values are no reason to mix parts up."""
    async with opened(make_app, {}) as find:
        found, body = await find("GET", "/lists")

    assert part_at(found, "/empty") in {"none", ""}
    assert part_at(found, "/constant") == ""
    assert part_at(found, "/joined/0") in {"names", ""}
    assert part_at(found, "/joined/5") in {"labels", ""}
    assert part_at(found, "/pairs/0/0") in {"names", ""}
    assert part_at(found, "/pairs/0/1") in {"labels", ""}
    assert part_at(found, "/total") == ""
    assert part_at(found, "/same") in {"names", "labels", ""}
    assert sum(found.sent.values()) == len(body)


async def test_fields_that_were_not_there_when_it_was_learned():
    """A view that answers otherwise each time: the new fields are unknown."""
    async with opened(make_app, {}) as find:
        found, body = await find("GET", "/changing")

    assert {part_at(found, f"/{name}") for name in msgspec.json.decode(body)} <= {"names", ""}
    assert part_at(found, "/n0") == ""


@pytest.mark.parametrize("target", ["/text", "/stream"])
async def test_what_is_no_json_has_no_origins(target):
    """Texts and lines of JSON."""
    async with opened(make_app, {}) as find:
        found, _ = await find("GET", target)

    assert (found.origins, found.sent) == ({}, {})


async def test_large_answers_take_bounded_time():
    """They have no origins then, rather than wrong ones; others are served in between."""
    request, ticks = SandboxRequest(method="GET", target="/large"), 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async with client(make_app, {}) as sending, open_sandbox(sending.app) as sandbox:
        composed = (await sandbox.send(request)).composed
        ticking = asyncio.create_task(tick())
        began = time.thread_time()
        found = await learned.learn(sandbox, request, composed, max_seconds=0.1)
        took = time.thread_time() - began
        ticking.cancel()

    assert found is None
    assert took < 2
    assert ticks > 1


async def test_too_many_runs_leave_the_parts_unknown():
    """After some of the runs a place of two parts would seem to be of one."""
    request = SandboxRequest(method="GET", target="/lists")
    async with client(make_app, {}) as sending, open_sandbox(sending.app) as sandbox:
        composed = (await sandbox.send(request)).composed
        some = [
            await learned.learn(sandbox, request, composed, max_runs=number) for number in (2, 9)
        ]
        all_of_them = await learned.learn(sandbox, request, composed)

    assert some == [None, None]
    assert all_of_them is not None


def test_stored_parts_are_bounded():
    """By requests and by the bytes of their answers; the newest is stored in any case."""
    recorder = recorded_parts.PartsRecorder()
    one = recorded_parts.RecordedParts("/", [], [], recorded_parts.MAX_BYTES + 1)
    for number in range(300):
        recorder._store(str(number), recorded_parts.RecordedParts("/", [], [], 1))

    assert len(recorder) == recorded_parts.MAX_REQUESTS
    recorder._store("large", one)
    assert len(recorder) == 1
    assert recorder.get("large") is one
