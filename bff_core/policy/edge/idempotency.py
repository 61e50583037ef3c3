"""Idempotency keys: how a client's key is parsed, how keys are derived, which answers are final."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated

from bff_core.http_statuses import DECIDED
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check
from bff_core.scope import Outcome

UNSAFE = frozenset({"POST", "PATCH", "PUT", "DELETE"})
"""Methods whose requests may carry a key; a key with any other method is ignored."""

MAX_KEY_LENGTH = 255
"""Characters of a key, without its quotes."""

MAX_FIELD_LENGTH = 2 * MAX_KEY_LENGTH + 2
"""Characters of the header: a key in quotes, all of whose characters are escaped."""

MIN_ANONYMOUS_KEY_LENGTH = 22
"""Characters of an anonymous caller's key, at least: 128 random bits in base64url. All anonymous
callers share one key space, so a key must be hard to guess."""

DAY_SECONDS = 86_400.0


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyOptions:
    """Options of idempotent writes. Durations are in seconds, sizes in bytes.

    Raises `ConfigurationError` if an option is out of its range.
    """

    lifetime: Annotated[float, Option("How long a final answer is stored", 1, 30 * DAY_SECONDS)] = (
        DAY_SECONDS
    )
    waits: Annotated[
        bool,
        Option("Whether a repeated request waits for the first one until its deadline; else 409"),
    ] = True
    lease: Annotated[
        float,
        Option("How long a process that died holds its keys in Redis", 1, 300),
    ] = 5.0
    max_answer: Annotated[
        int, Option("The largest answer that is stored; the request of a larger one runs again", 1)
    ] = 256 * 1024
    max_answers: Annotated[int, Option("Answers that are stored in memory", 1)] = 20_000
    max_bytes: Annotated[int, Option("Total size of the answers in memory", 1)] = 32 * 1024 * 1024
    proceeds_without_store: Annotated[
        bool,
        Option("Whether keyed requests run unprotected while Redis is down; else 503"),
    ] = False

    def __post_init__(self) -> None:
        check(self)


KEY_PATTERN = (
    rf'^("([ !#-\[\]-~]|\\["\\]){{1,{MAX_KEY_LENGTH}}}"|[!#-+\--:<-\[\]-~]{{1,{MAX_KEY_LENGTH}}})$'
)
"""A regular expression for the header, in the syntax that JSON Schema and Python share."""

# A structured string (RFC 9651, section 3.3.3), and the bare form that most clients send.
_STRING = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\]){1,510})"')
_BARE = re.compile(rb"[!#-+\--:<-\[\]-~]{1,255}")


def parse_key(field: bytes) -> str | None:
    """Return the key in a header field; None if it is malformed.

    The field is a structured string (RFC 9651, section 3.3.3; draft-ietf-httpapi-idempotency-key-
    header, section 2.1). The quotes may be left out if no character needs them; the key is the
    same.
    """
    field = field.strip()
    quoted = _STRING.fullmatch(field)
    if quoted is None:
        return field.decode("ascii") if _BARE.fullmatch(field) else None
    key = re.sub(r'\\(["\\])', r"\1", quoted[1].decode("ascii"))
    return key if len(key) <= MAX_KEY_LENGTH else None


def derived_key(base: str, *names: str) -> str:
    """Derive a key from another key and some names; equal arguments give equal keys.

    The result is a UUID (version 8, RFC 9562, section 5.8), since some services accept nothing
    else. The length of each name is hashed too, so that ("ab", "c") differs from ("a", "bc").
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
    """Return a digest of a request's query and body (16 bytes)."""
    return blake2b(b"%d:%b%b" % (len(query), query, body), digest_size=16).digest()


def is_final_answer(status: int, outcome: Outcome = "", *, has_retry_after: bool = False) -> bool:
    """Return whether an answer is final, so that it is stored and replayed for its key.

    A 5xx is not final, since the request may have taken effect. Nor is a refusal with
    `Retry-After`, since a retry may succeed. The `outcome` takes precedence if the handler set one.
    """
    if outcome:
        return outcome == "final"
    if status < 400:
        return True
    return status in DECIDED and not has_retry_after


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A final answer: status, headers and body.

    `rights` is `Viewer.rights` of the viewer who received it.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    rights: str = ""

    @property
    def size(self) -> int:
        """The bytes of its headers and its body."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers)
