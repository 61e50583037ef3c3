"""Classifies answers: whole, without shed or failed parts, refused, failed, or wrong."""

import json

from bench.harness.payloads import Record

FULL, DIMMED, DEGRADED, REFUSED, FAILED = "full", "dimmed", "degraded", "refused", "failed"
GOOD = (FULL, DIMMED, DEGRADED)

OPTIONAL = ("orders", "recommendations")
UNLIKE = "unlike"

PROBLEM = b"content-type: application/problem+json"


class Screens:
    """Classifies the answers of the screen; an unexpected one is `wrong: …`."""

    def __init__(self, expected: Record) -> None:
        self._expected = expected
        self._known: dict[bytes, str] = {}

    def __call__(self, status: int, head: bytes, body: bytes) -> str:
        """Return the verdict."""
        if status == 200:
            return self._screen(head, body)
        lowered = head.lower()
        if PROBLEM not in lowered or b'"trace_id"' not in body:
            return f"wrong: {status} without problem details"
        if status == 503 and b'"overloaded"' in body:
            return REFUSED if b"\r\nretry-after: " in lowered else "wrong: no Retry-After"
        return FAILED if status in {502, 503, 504} else f"wrong: {status}"

    def _screen(self, head: bytes, body: bytes) -> str:
        lacks = self._known.get(body)
        if lacks is None:
            lacks = self._known[body] = self._lacks(body)
        if lacks == UNLIKE:
            return f"wrong: another screen {body[:80]!r}"
        if not lacks:
            return FULL if b"reason=" not in head else "wrong: whole, and says otherwise"
        if b"reason=" not in head or b"no-store" not in head:
            return f"wrong: without {lacks}, and does not say so"
        return DIMMED if b"reason=shed" in head else DEGRADED

    def _lacks(self, body: bytes) -> str:
        screen = json.loads(body)
        lacking = [part for part in OPTIONAL if screen.get(part) == []]
        whole = self._expected | {part: [] for part in lacking}
        return " and ".join(lacking) if screen == whole else UNLIKE


def healthy(status: int, _head: bytes, body: bytes) -> str:
    """Judge a probe."""
    return FULL if status == 200 and b'"ok"' in body else f"wrong: probe {status}"
