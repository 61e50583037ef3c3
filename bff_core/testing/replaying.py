"""Replays recorded traffic: services answer as they did when they were recorded."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from bff_core.call import Call, Reply
from bff_core.streamed_body import StreamedBody
from bff_core.testing.lost_data import leaves
from bff_core.testing.paths import beside_caller
from bff_core.testing.recording import request_body
from bff_core.testing.redacted_bodies import Body
from bff_core.testing.redaction import Redaction, with_any
from bff_core.testing.scripted import Step, fail, reply, slow, stream
from bff_core.testing.scripts import Script, UnscriptedCall
from bff_core.testing.traffic import RecordedCall, content_of, read, shown, varied_headers

MOST_SHOWN = 8
"""How many recorded calls an error lists."""


def replay(path: str | Path, *, timed: bool = False) -> Mapping[str, Script]:
    """Return scripts for all services of a recording, as the second argument of `client(...)`.

        async with client(make_app, replay("traffic.jsonl"), reviews=[hang()]) as c:

    `path` is relative to the file that calls `replay`. Calls with equal method, target and body get
    their replies in the recorded order; the last one repeats. Secrets in calls are not compared. A
    call that was not recorded fails the test. With `timed` replies take as long as they took.
    """
    path = beside_caller(path)
    redaction, exchanges = read(path)
    by_service: defaultdict[str, list[RecordedCall]] = defaultdict(list)
    for one in exchanges:
        by_service[one.service].append(one)
    return _Replay(path, redaction, by_service, timed=timed)


class _Replay(Mapping[str, Script]):
    """The scripts of a recording; each access returns one that begins anew."""

    def __init__(
        self,
        path: Path,
        redaction: Redaction,
        recorded: Mapping[str, Sequence[RecordedCall]],
        *,
        timed: bool,
    ) -> None:
        self._path = path
        self._redaction = redaction
        self._recorded = recorded
        self._timed = timed

    def __getitem__(self, service: str) -> Callable[[Call], Awaitable[Reply]]:
        found = _Recorded(self._recorded[service], self._redaction)
        return _answering(found, self._path, timed=self._timed)

    def __iter__(self) -> Iterator[str]:
        return iter(self._recorded)

    def __len__(self) -> int:
        return len(self._recorded)


class _Recorded:
    """The exchanges of one service, by what their calls have in common."""

    def __init__(self, exchanges: Sequence[RecordedCall], redaction: Redaction) -> None:
        self.exchanges = exchanges
        self._redaction = redaction
        self._by_key: defaultdict[str, list[RecordedCall]] = defaultdict(list)
        for one in exchanges:
            for key in {one.request_key, with_any(one.request_key)}:
                self._by_key[key].append(one)
        self._taken: set[int] = set()

    def take(self, call: Call) -> RecordedCall | None:
        """Return the next exchange of calls like this one, or the last one again."""
        keys = (key for key in self._keys(call) if key in self._by_key)
        found = self._by_key.get(next(keys, ""), [])
        same = [one for one in found if self._varies_like(one, call)] or found
        for one in same:
            if id(one) not in self._taken:
                self._taken.add(id(one))
                return one
        return same[-1] if same else None

    def _keys(self, call: Call) -> Iterator[str]:
        """Yield what recorded calls like this one may have in common with it, the closest first."""
        made = self.as_recorded(call)
        for one in (made, replace(made, body={"omitted": "streamed"})):
            yield one.request_key
            yield with_any(one.request_key)

    def as_recorded(self, call: Call) -> RecordedCall:
        """Return a call as it would be recorded."""
        content = b"" if isinstance(call.body, StreamedBody) else call.body
        body = request_body(call, content, self._redaction)
        target = self._redaction.target(call.target, call.operation)
        return RecordedCall(call.upstream, call.method, call.operation, target, 0.0, body=body)

    def _varies_like(self, one: RecordedCall, call: Call) -> bool:
        vary = ",".join(one.varies)
        return varied_headers(call, vary, self._redaction) == one.varies


def _answering(
    recorded: _Recorded, path: Path, *, timed: bool
) -> Callable[[Call], Awaitable[Reply]]:
    async def answer(call: Call) -> Reply:
        exchange = recorded.take(call)
        if exchange is None:
            raise UnscriptedCall(_explained(call, recorded, path))
        step = _step(exchange, path)
        return await (slow(exchange.seconds, step) if timed else step)(call)

    return answer


def _step(exchange: RecordedCall, path: Path) -> Step:
    known = exchange.reply
    if known is None:
        return fail(is_sent=exchange.failed == "broken")
    for body in [known.body, *(known.pieces or ())]:
        if body is not None and "omitted" in body:
            raise UnscriptedCall(
                f"{exchange.service}: the reply to {shown(exchange)} was not recorded in {path} "
                f"({body['omitted']}): script it"
            )
    if known.pieces is not None:
        pieces = [content_of(piece) for piece in known.pieces]
        return stream(*pieces, status=known.status, headers=known.headers, breaks=known.breaks)
    return reply(known.status, content_of(known.body), headers=known.headers)


def _explained(call: Call, recorded: _Recorded, path: Path) -> str:
    made = recorded.as_recorded(call)
    advice = (
        "replay with the viewer that recorded, record the traffic again, or script the service "
        f"beside the recording, as in client(app, replay(...), {call.upstream}=...)"
    )
    called = f"{call.upstream}: {call.method} {call.target}"
    alike = [one for one in recorded.exchanges if _is_alike(one, made)]
    if alike:
        differences = "; ".join(_differences(made.body or {}, alike[0].body or {}))
        return f"{called} was recorded in {path} with another body, {differences}: {advice}"
    calls = list(dict.fromkeys(map(shown, recorded.exchanges)))
    listed = ", ".join(calls[:MOST_SHOWN]) + (", …" if len(calls) > MOST_SHOWN else "")
    return f"{called} was not recorded in {path}, which has {listed}: {advice}"


def _is_alike(one: RecordedCall, other: RecordedCall) -> bool:
    """Whether two calls differ in their bodies at most."""
    return (one.method, with_any(one.target)) == (other.method, with_any(other.target))


def _differences(body: Body, recorded: Body) -> list[str]:
    """Return what differs in two bodies: `$.who is "ann", recorded "7"`."""
    if "json" not in body or "json" not in recorded:
        return [f"which is {_shown(body)}, recorded {_shown(recorded)}"]
    found, known = (dict(leaves(one["json"], "$")) for one in (body, recorded))
    lines = [
        f"{name} is {_text(found, name)}, recorded {_text(known, name)}"
        for name in [*found, *(known.keys() - found.keys())]
        if with_any(_text(found, name)) != with_any(_text(known, name))
    ]
    return lines[:MOST_SHOWN] or ["whose lists differ"]


def _text(values: Mapping[str, object], name: str) -> str:
    return json.dumps(values[name], ensure_ascii=False) if name in values else "missing"


def _shown(body: Body) -> str:
    if "omitted" in body:
        return "a body that is not compared"
    return repr(content_of(body)[:80]) if body else "empty"
