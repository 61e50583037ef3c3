"""What a key of a client says, what it is bound to, and which answers are final."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated

from bff_core.http_statuses import DECIDED
from bff_core.policy.options import Option, check
from bff_core.scope import Outcome

UNSAFE = frozenset({"POST", "PATCH", "PUT", "DELETE"})
"""Methods whose requests may carry a key; with any other it means nothing."""

MAX_KEY_LENGTH = 255
"""Characters of a key, quotes not counted."""

MIN_ANONYMOUS_KEY_LENGTH = 22
"""Characters of a key that no other viewer sends: 128 random bits in base64url."""

DAY = 86_400.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyOptions:
    """How a gateway runs a keyed request once. Durations in seconds, sizes in bytes.

    Raises `ConfigurationError` where an option is out of its range.
    """

    lifetime: Annotated[float, Option("How long a final answer is stored", 1, 30 * DAY)] = DAY
    waits: Annotated[
        bool,
        Option("Whether a second request waits for the first, within its deadline; else 409"),
    ] = True
    lease: Annotated[
        float,
        Option("How long a key in Redis stays claimed by a gateway that is gone", 1, 300),
    ] = 5.0
    max_answer: Annotated[
        int, Option("The largest answer that is stored; a larger one is made again", 1)
    ] = 256 * 1024
    max_answers: Annotated[int, Option("How many answers are stored in memory", 1)] = 20_000
    max_bytes: Annotated[int, Option("How much the answers in memory may take", 1)] = (
        32 * 1024 * 1024
    )
    proceeds_without_store: Annotated[
        bool,
        Option("Whether a keyed request is served without its promise while Redis is gone"),
    ] = False

    def __post_init__(self) -> None:
        check(self)


KEY_PATTERN = (
    rf'^("([ !#-\[\]-~]|\\["\\]){{1,{MAX_KEY_LENGTH}}}"|[!#-+\--:<-\[\]-~]{{1,{MAX_KEY_LENGTH}}})$'
)
"""The fields that hold a key, as JSON Schema and Python's `re` both read it."""

# A string as RFC 9651 (section 3.3.3) has it, and as most clients send it: without the quotes.
_STRING = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\]){1,510})"')
_BARE = re.compile(rb"[!#-+\--:<-\[\]-~]{1,255}")


def parse_key(field: bytes) -> str | None:
    """Return the key that a header field holds, or None where it is malformed.

    The field is a structured string (RFC 9651, section 3.3.3; draft-ietf-httpapi-idempotency-key-
    header, section 2.1), or the same without quotes as far as nothing in it needs them. Both
    forms of one text are one key.
    """
    field = field.strip()
    quoted = _STRING.fullmatch(field)
    if quoted is None:
        return field.decode("ascii") if _BARE.fullmatch(field) else None
    key = re.sub(r'\\(["\\])', r"\1", quoted[1].decode("ascii"))
    return key if len(key) <= MAX_KEY_LENGTH else None


def derived_key(base: str, *names: str) -> str:
    """Return the key that belongs to `names` under another key: the same for the same, always.

    Form: a UUID (version 8, RFC 9562, section 5.8), which services take that insist on one. Names
    are distinguished by their length, so that ("ab", "c") is not ("a", "bc").
    """
    joined = "".join([f"{len(name)}:{name}" for name in (base, *names)])
    digest = blake2b(
        joined.encode("utf-8", "surrogatepass"), digest_size=16, person=b"bff idempotency"
    )
    number = int.from_bytes(digest.digest(), "big")
    number = number & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def fingerprint(query: bytes, body: bytes) -> bytes:
    """Return what distinguishes two requests of one route (16 bytes)."""
    return blake2b(b"%d:%b%b" % (len(query), query, body), digest_size=16).digest()


def is_final_answer(status: int, outcome: Outcome = "", *, has_retry_after: bool = False) -> bool:
    """Whether an answer settles its request, so that the same key gets it again.

    A 5xx, or a refusal that says when to try again, leaves open what happened: it must not be
    frozen. `outcome` is what the handler itself says, which wins.
    """
    if outcome:
        return outcome == "final"
    if status < 400:
        return True
    return status in DECIDED and not has_retry_after


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A final answer: status, the header fields that belong to it, and the whole body.

    `rights` are those of the viewer for whom it was made (`Viewer.rights`).
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    rights: str = ""

    @property
    def size(self) -> int:
        """How many bytes its fields and its body hold."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers)
