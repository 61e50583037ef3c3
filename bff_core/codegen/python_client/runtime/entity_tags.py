"""Answers that the gateway may confirm with a 304 instead of sending them again."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class TaggedAnswer:
    """The body of an answer, its headers with names in lower case, and its entity tag."""

    etag: str
    headers: Mapping[str, str]
    body: bytes


class EntityTagStore:
    """Stores answers with their entity tags, the least recently used is dropped first.

    Each token has its own answers: an answer for one user is never sent to another. It holds
    `max_answers` and `max_bytes` of bodies at most. Threads may share it.
    """

    def __init__(self, max_answers: int = 200, max_bytes: int = 10_000_000) -> None:
        self._max_answers = max_answers
        self._max_bytes = max_bytes
        self._bytes = 0
        self._answers: OrderedDict[str, TaggedAnswer] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> TaggedAnswer | None:
        """Return a stored answer."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, key: str, answer: TaggedAnswer) -> None:
        """Store an answer, unless it is larger than the store."""
        with self._lock:
            self._remove(key)
            if len(answer.body) > self._max_bytes or self._max_answers < 1:
                return
            self._answers[key] = answer
            self._bytes += len(answer.body)
            while len(self._answers) > self._max_answers or self._bytes > self._max_bytes:
                self._remove(next(iter(self._answers)))

    def remove(self, key: str) -> None:
        """Forget an answer."""
        with self._lock:
            self._remove(key)

    def clear(self) -> None:
        """Forget all answers, for example when a user signs out."""
        with self._lock:
            self._answers.clear()
            self._bytes = 0

    def _remove(self, key: str) -> None:
        known = self._answers.pop(key, None)
        self._bytes -= len(known.body) if known else 0


def store_key(url: str, headers: Mapping[str, str]) -> str:
    """Return the key of an answer: the address, the credentials, and what else was requested."""
    lines = [url, *(f"{name.lower()}: {value}" for name, value in sorted(headers.items()))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
