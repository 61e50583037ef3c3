"""How a request is sent byte for byte, and how its answer becomes text without times and ids."""

import hashlib
import http.client
import json
import re
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import brotli
import zstandard

TIMEOUT_SECONDS = 30.0

Headers = Mapping[str, str] | Sequence[tuple[str, str]]

OLD = "1000000000"
"""The one Unix time that is sent on purpose."""

EPOCH_DAYS = 3
"""Times within so many days of now are of this run; all others are of the seeded data."""

TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
PATTERNS = (
    (re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:|%3A)\d{4,5}"), r"\1\2<port>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-0\d\b"), "<traceparent>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<hex32>"),
    (re.compile(r'"\d{4}-(00156[0-9]{2})"'), r'"<month>-\1"'),
    (re.compile(r"bff_[A-Za-z0-9]{8}_[\w-]{20,}"), "<api key>"),
    (re.compile(r"(sign-in-)[\w-]{8}(?![\w-])"), r"\1<id>"),
    (re.compile(r"(request_uri(?:%3A|:))[\w-]{20,}"), r"\1<id>"),
    (re.compile(r"\b(code|state|token)=[\w.-]{16,}"), r"\1=<id>"),
    (re.compile(r"/tmp/[^\s\"]*/"), "<folder>/"),
    (re.compile(r'"(prefix|revoked)": ?"[\w-]{8}"'), r'"\1": "<prefix>"'),
    (re.compile(r'"id": ?"[\w-]{16}"'), '"id": "<id>"'),
    (re.compile(r'"python": ?"3\.[\d.]+\w*"'), '"python": "<version>"'),
    (re.compile(r"\b(pay|ord|res|pm|rsv|re|rf)-c?[0-9a-f]{8,}\b"), r"\1-<id>"),
)
HEADER_PATTERNS = {
    "date": ((re.compile(r".+"), "<date>"),),
    "last-modified": ((re.compile(r".+"), "<date>"),),
    "expires": ((re.compile(r".*GMT"), "<date>"),),
    "age": ((re.compile(r"\d+"), "<age>"),),
    "server-timing": (
        (re.compile(r"dur=[\d.]+"), "dur=<ms>"),
        (re.compile(r'fetched;desc="\d+"'), "fetched=<bytes>"),
    ),
    "cache-control": ((re.compile(r"max-age=\d+"), "max-age=<s>"),),
    "cache-status": (
        (re.compile(r"ttl=-?\d+"), "ttl=<s>"),
        # Where several hold, the part that ends first gives the reason.
        (re.compile(r"detail=(part|degraded|write)\b"), "detail=<part or degraded>"),
    ),
    "ratelimit": ((re.compile(r"r=\d+;t=\d+"), "r=<n>;t=<s>"),),
    "retry-after": ((re.compile(r"\d+"), "<s>"),),
    "set-cookie": ((re.compile(r"=[^;]{24,}"), "=<sealed>"),),
}
SORTED_LISTS = {"part-status", "server-timing"}
"""Headers whose members come in the order in which parts ended."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header that the answer has once."""
        (value,) = [value for known, value in self.headers if known.lower() == name]
        return value

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def encode(port: int, method: str, path: str, headers: Headers, body: bytes | None) -> bytes:
    """Return a request as it goes over the wire; `host` and `content-length` are added."""
    fields = list(headers.items() if isinstance(headers, Mapping) else headers)
    names = {name.lower() for name, _ in fields}
    if "host" not in names:
        fields.insert(0, ("host", f"127.0.0.1:{port}"))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        fields.append(("content-length", str(len(body))))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def send(port: int, sent: bytes, method: str = "GET") -> Answer:
    """Send bytes on a connection of their own and read one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(sent)
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        try:
            body = answer.read()
        except http.client.IncompleteRead as cut:
            body = cut.partial + b"\n<cut>"
        return Answer(answer.status, answer.getheaders(), body)


def plain(text: str) -> str:
    """Return text without ports, ids and times of this run."""
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return TIMES.sub(_time, text)


def _time(found: re.Match[str]) -> str:
    moment = datetime.fromisoformat(found[0])
    is_of_run = abs(moment - datetime.now(UTC)) < timedelta(days=EPOCH_DAYS)
    return "<time>" if is_of_run else found[0]


def shown_headers(answer: Answer, chosen_id: str | None) -> list[str]:
    """Return the headers, sorted, without what differs from run to run."""
    lines = []
    for given, value in answer.headers:
        name = given.lower()
        text = value
        if name == "x-request-id" and value != chosen_id:
            text = "<request id>"
        for pattern, instead in HEADER_PATTERNS.get(name, ()):
            text = pattern.sub(instead, text)
        if name in SORTED_LISTS:
            text = ", ".join(sorted(text.split(", ")))
        if name == "content-length" and "content-encoding" in dict(answer.headers):
            text = "<compressed>"
        if name == "content-length" and b'"created_at"' in answer.body:
            text = "<n>"
        lines.append(f"{given}: {plain(text)}")
    return sorted(lines)


def shown_body(answer: Answer) -> Any:
    """Return the body as JSON where it is JSON, as lines or text where it is not."""
    fields = {name.lower(): value for name, value in answer.headers}
    body = decoded(answer.body, fields.get("content-encoding", ""))
    kind = fields.get("content-type", "").partition(";")[0]
    if not body:
        return ""
    if kind.endswith(("/json", "+json")):
        return ordered(json.loads(plain(body.decode())))
    if kind == "application/x-ndjson":
        return as_lines(plain(body.decode()))
    try:
        return plain(body.decode()).splitlines()
    except UnicodeDecodeError:
        return "sha256 " + hashlib.sha256(body).hexdigest()


def decoded(body: bytes, coding: str) -> bytes:
    """Return a body without its coding."""
    if coding == "br":
        return brotli.decompress(body)
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    if coding == "gzip":
        import gzip  # noqa: PLC0415 # for one line

        return gzip.decompress(body)
    return body


def as_lines(text: str) -> list[Any]:
    """Return the lines of a stream: parts, which come as they end, sorted; then all others."""
    lines = [line for line in text.splitlines() if line]
    read = [line if line == "<cut>" else ordered(json.loads(line)) for line in lines]
    parts = [line for line in read if isinstance(line, dict) and "part" in line]
    others = [line for line in read if line not in parts]
    return sorted(parts, key=lambda line: str(line["part"])) + others


def ordered(value: Any) -> Any:
    """Return JSON in which `parts`, which come in the order of their ends, are sorted by name."""
    if isinstance(value, dict):
        return {
            name: dict(sorted(one.items()))
            if name in {"parts", "request_id"} and isinstance(one, dict)
            else ("<request id>" if name in {"request_id", "trace_id"} else ordered(one))
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [ordered(one) for one in value]
    if isinstance(value, int | float) and abs(value - time.time()) < EPOCH_DAYS * 86_400:
        return "<epoch>"
    return value


@dataclass
class Recorder:
    """Sends requests to one gateway and writes down what came back."""

    port: int
    entries: list[dict[str, Any]] = field(default_factory=list)

    def __call__(
        self,
        name: str,
        path: str,
        *,
        method: str = "GET",
        headers: Headers | None = None,
        json_body: Any = None,
        body: bytes | None = None,
        shows_body: bool = True,
    ) -> Answer:
        """Send a request and record it under a name."""
        fields: Headers = headers or {}
        if json_body is not None:
            pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
            if not any(one.lower() == "content-type" for one, _ in pairs):
                pairs.append(("content-type", "application/json"))
            fields, body = pairs, json.dumps(json_body).encode()
        answer = send(self.port, encode(self.port, method, path, fields, body), method)
        pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
        request = {"request": f"{method} {plain(path)[:200]}"}
        if pairs:
            request["with"] = [shown_request_field(one, value) for one, value in pairs]
        if body is not None:
            text = plain(body[:400].decode("latin-1"))
            request["body"] = f"{text}… ({len(body)} bytes)" if len(body) > 400 else text
        self._write(name, request, answer, dict(pairs).get("x-request-id"), shows_body=shows_body)
        return answer

    def wait_for_hit(self, path: str, headers: Headers | None = None) -> None:
        """Request a path, unrecorded, until its answer comes from the cache."""
        until = time.monotonic() + TIMEOUT_SECONDS
        sent = encode(self.port, "GET", path, headers or {}, None)
        while "hit" not in send(self.port, sent).header("cache-status"):
            assert time.monotonic() < until, f"{path} is not cached"

    def raw(self, name: str, sent: bytes) -> Answer:
        """Send bytes that no client library would send."""
        answer = send(self.port, sent)
        text = sent[:200].decode("latin-1")
        request = {"sent": f"{text}… ({len(sent)} bytes)" if len(sent) > 200 else text}
        self._write(name, request, answer, None)
        return answer

    def _write(
        self,
        name: str,
        request: dict[str, Any],
        answer: Answer,
        chosen_id: str | None,
        *,
        shows_body: bool = True,
    ) -> None:
        assert name not in {entry["name"] for entry in self.entries}, f"two requests named {name}"
        body = shown_body(answer)
        if not shows_body:
            text = json.dumps(body, ensure_ascii=False)
            body = "sha256 " + hashlib.sha256(text.encode()).hexdigest()
        self.entries.append(
            {
                "name": name,
                **request,
                "status": answer.status,
                "headers": shown_headers(answer, chosen_id),
                "answer": body,
            }
        )


def shown_request_field(name: str, value: str) -> str:
    """Return a request's header field without secrets of this run."""
    if name.lower() == "cookie":
        value = re.sub(r"=[^;]{24,}", "=<sealed>", value)
    value = re.sub(r"\beyJ[\w.-]{60,}", "<token>", value)
    if name == "webhook-timestamp" and value != OLD:
        value = "<now>"
    value = re.sub(r"^v1,.{20,}", "v1,<signature>", value)
    return f"{name}: {plain(value)[:200]}"


def as_text(value: Any) -> str:
    """Return JSON that reads well in a diff."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
