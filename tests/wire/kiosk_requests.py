"""What is requested of the kiosk: every code of a problem that can be provoked from outside."""

import base64
import hashlib
import hmac
import time
from typing import Any

from tests.wire.exchange import OLD, Recorder
from tests.wire.house import OPERATOR_TOKEN, PURGE_SECRET, House

OPERATOR = {"authorization": f"Bearer {OPERATOR_TOKEN}"}
NOTE = {"text": "a note", "count": 2}
KEY = {"idempotency-key": '"a-key-of-the-wire-tests-0123456789"'}
ORIGIN = {"origin": "https://shop.example"}
PREFLIGHT = {"access-control-request-method": "PUT", "access-control-request-headers": "x-csrf"}
SOCKET = (
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
STATUSES = (
    *(400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417),
    *(418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506),
    *(507, 508, 510, 511),
)


def kiosk(house: House) -> list[dict[str, Any]]:
    """Send the requests of the kiosk."""
    record = Recorder(house.ports["kiosk"])
    screens(record, house)
    services(record, house)
    access(record)
    bodies(record)
    keys(record)
    limits(record)
    streams(record)
    cors(record)
    hosts(record)
    http(record)
    errors(record)
    operator(record)
    return record.entries


def screens(record: Recorder, house: House) -> None:
    """Request composed answers, whole and degraded."""
    first = record("thing", "/v1/things/1")
    record.wait_for_hit("/v1/things/1")
    record("thing again", "/v1/things/1")
    record("thing not modified", "/v1/things/1", headers={"if-none-match": first.header("etag")})
    record("thing with meta", "/v1/meta/1")
    record("thing line by line", "/v1/things/1", headers={"accept": "application/x-ndjson"})
    record("thing that accepts neither", "/v1/things/1", headers={"accept": "text/html"})
    record("late", "/v1/late/1")
    record("late line by line", "/v1/late/1", headers={"accept": "application/x-ndjson"})
    record("broken", "/v1/broken/1")
    with house.fault("reviews", "error", status=500):
        record("thing without reviews", "/v1/meta/2")
    record("bug of a part", "/v1/bug/1")
    record("circle of parts", "/v1/circle/1")
    record("large with gzip", "/v1/large", headers={"accept-encoding": "gzip"})
    record("large with br", "/v1/large", headers={"accept-encoding": "gzip;q=0.5, br"})
    record("large", "/v1/large", headers={"accept-encoding": "identity"}, shows_body=False)
    record("text", "/v1/text", shows_body=False)
    record("part of text", "/v1/text", headers={"range": "bytes=0-9"}, shows_body=False)
    record("response", "/v1/response")
    record("moved", "/v1/moved")
    record("plain FastAPI", "/plain-fastapi")
    record("head of plain FastAPI", "/plain-fastapi", method="HEAD")
    record("docs", "/docs")


def services(record: Recorder, house: House) -> None:
    """Request what services answer badly."""
    record("title", "/v1/plain/3")
    record.wait_for_hit("/v1/plain/3")
    with house.fault("catalog", "error", status=500):
        record("title from the cache", "/v1/plain/3")
        record("title of a broken service", "/v1/plain/4")
    record("title that does not exist", "/v1/plain/999999")
    record("cursor that the service refuses", "/v1/cursor/none")
    for status in (400, 401, 402, 403, 404, 405, 409, 410, 412, 422, 423, 429, 503, 504):
        with house.fault("catalog", "error", status=status):
            record(f"a service's {status}", f"/v1/plain/{1000 + status}")
    for flavour in ("syntax", "cut", "nan", "deep", "shape", "html", "charset", "empty"):
        with house.fault("catalog", "garbage", flavour=flavour):
            record(f"garbage of the kind {flavour}", "/v1/plain/5")
    with house.fault("catalog", "hang"):
        record("timeout", "/v1/plain/5")
        record("deadline", "/v1/things/6", headers={"request-timeout": "0.2"})
    with house.fault("catalog", "reset"):
        record("reset", "/v1/plain/5")
    with house.fault("catalog", "truncated", fraction=0.5):
        record("truncated", "/v1/plain/5")
    record("scarce", "/v1/scarce/1")
    record("locked", "/v1/locked/1")
    with house.fault("catalog", "error", status=500):
        for time_ in ("first", "second"):
            record(f"fragile, the {time_} failure", "/v1/fragile/1")
    record("fragile with an open circuit", "/v1/fragile/1")
    record("slow", "/v1/slow", headers={"request-timeout": "0.1"})


def access(record: Recorder) -> None:
    """Call with API keys and without."""
    issued = record(
        "issue an API key",
        "/operator/api-keys/issue",
        method="POST",
        headers=OPERATOR,
        json_body={"name": "CI", "subject": "svc-1", "scopes": ["orders:read"]},
    ).json()
    key = {"x-api-key": issued["key"]}
    record("list API keys", "/operator/api-keys", headers=OPERATOR)
    record("me", "/v1/me", headers=key)
    record("me by Authorization", "/v1/me", headers={"authorization": f"ApiKey {issued['key']}"})
    record("me without a key", "/v1/me")
    record("me with an unknown key", "/v1/me", headers={"x-api-key": "bff_AAAAAAAA_" + "b" * 43})
    record("me with two keys", "/v1/me", headers=[*key.items(), *key.items()])
    record("orders", "/v1/orders", headers=key)
    record("strong", "/v1/strong", headers=key)
    record("mine", "/v1/mine/svc-1", headers=key)
    record("not mine", "/v1/mine/svc-2", headers=key)
    record("hidden", "/v1/hidden/svc-2", headers=key)
    for number in range(3):
        record(f"limit by key {number}", "/v1/keyed-limit", headers=key)
    other = record(
        "issue a key without scopes",
        "/operator/api-keys/issue",
        method="POST",
        headers=OPERATOR,
        json_body={"name": "none", "subject": "svc-2"},
    ).json()
    record("orders without the scope", "/v1/orders", headers={"x-api-key": other["key"]})
    body = {"prefix": other["prefix"]}
    rotated = record(
        "rotate an API key",
        "/operator/api-keys/rotate",
        method="POST",
        headers=OPERATOR,
        json_body=body,
    ).json()
    record("me with the rotated key", "/v1/me", headers={"x-api-key": rotated["key"]})
    record(
        "revoke an API key",
        "/operator/api-keys/revoke",
        method="POST",
        headers=OPERATOR,
        json_body={"prefix": rotated["prefix"]},
    )
    record(
        "revoke an unknown API key",
        "/operator/api-keys/revoke",
        method="POST",
        headers=OPERATOR,
        json_body={"prefix": "AAAAAAAA"},
    )


def bodies(record: Recorder) -> None:
    """Send bodies, right and wrong."""
    as_json = {"content-type": "application/json"}

    def note(name: str, body: bytes, content_type: str = "application/json") -> None:
        headers = {"content-type": content_type} if content_type else {}
        record(name, "/v1/notes", method="POST", headers=headers, body=body)

    record("note", "/v1/notes", method="POST", json_body=NOTE)
    record("put a note", "/v1/notes/1", method="PUT", json_body=NOTE)
    record("patch a note", "/v1/notes/1", method="PATCH", json_body=NOTE)
    record("delete a note", "/v1/notes/1", method="DELETE")
    record("delete a note of no number", "/v1/notes/x", method="DELETE")
    note("note with charset", b'{"text": "a"}', "application/json; charset=utf-8")
    note("note in Latin-1", b'{"text": "a"}', "application/json; charset=latin-1")
    note("note as merge patch", b'{"text": "a"}', "application/merge-patch+json")
    note("note without a type", b'{"text": "a"}', "")
    note("note of nothing", b"")
    note("note that is no object", b"[]")
    note("note without its text", b'{"count": 1}')
    note("note with wrong fields", b'{"text": 1, "count": "x", "tags": [1, "a"]}')
    note("note with NaN", b'{"text": "a", "share": NaN}')
    note("note with an infinite number", b'{"text": "a", "share": 1e999}')
    note("note with half a pair", b'{"text": "\\ud800"}')
    note("note that is no UTF-8", b'{"text": "\xff"}')
    note("note that is too deep", b'{"text": ' + b"[" * 500 + b"]" * 500 + b"}")
    note("note with a name twice", b'{"text": "a", "text": "b"}')
    note("note with trailing text", b'{"text": "a"} x')
    note("note that is too large", b'{"text": "' + b"x" * 1_100_000 + b'"}')
    many = b'{"text": "a", "tags": [' + b'"a",' * 11_000 + b'"a"]}'
    note("note with too many values", many)
    record(
        "note that is compressed",
        "/v1/notes",
        method="POST",
        headers=as_json | {"content-encoding": "gzip"},
        body=b"x",
    )
    record("get with a body", "/v1/large", headers=as_json, body=b"{}", shows_body=False)
    items = [{"number": one} for one in ("1", "13", "1", "2")]
    record("bulk", "/v1/bulk", method="POST", json_body={"items": items})
    record("bulk of too many", "/v1/bulk", method="POST", json_body={"items": items * 2})
    record("refused", "/v1/refused", method="POST", json_body={"text": "not_found"})
    upload = (
        b'--b\r\ncontent-disposition: form-data; name="label"\r\n\r\nsmall\r\n'
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n'
        b"content-type: text/plain\r\n\r\nhello\r\n--b--\r\n"
    )
    form = {"content-type": "multipart/form-data; boundary=b"}
    record("upload", "/v1/files", method="POST", headers=form, body=upload)
    long = upload.replace(b"small", b"much too long")
    record("upload with a long label", "/v1/files", method="POST", headers=form, body=long)
    record("upload that is cut", "/v1/files", method="POST", headers=form, body=upload[:60])
    record("upload of JSON", "/v1/files", method="POST", json_body={})
    for query in (
        "number=1",
        "number=0",
        "number=x",
        "",
        "number=1&word=long",
        "number=1&number=2",
    ):
        record(f"parameters {query}", f"/v1/parameters?{query}")


def keys(record: Recorder) -> None:
    """Send writes with Idempotency-Keys."""

    def pay(name: str, headers: Any, body: Any = NOTE, path: str = "/v1/payments") -> None:
        record(name, path, method="POST", headers=headers, json_body=body)

    pay("payment without a key", {})
    pay("payment", KEY)
    pay("payment replayed", KEY)
    pay("payment with a used key", KEY, {"text": "another"})
    pay("payment with a short key", {"idempotency-key": '"short"'})
    pay("payment with a malformed key", {"idempotency-key": '"x'})
    pay("payment with two keys", [*KEY.items(), *KEY.items()])
    pay("refusal with a key", KEY, {"text": "not_found"}, "/v1/refused")
    pay("refusal replayed", KEY, {"text": "not_found"}, "/v1/refused")
    pay(
        "invalid with a key",
        {"idempotency-key": '"another-key-of-the-wire-tests-01234"'},
        {"text": "invalid"},
        "/v1/refused",
    )


def limits(record: Recorder) -> None:
    """Call more often than a limit lets through."""
    for number in range(5):
        record(f"limit by address {number}", "/v1/limited")
    elsewhere = {"x-forwarded-for": "203.0.113.9"}
    record("limit by another address", "/v1/limited", headers=elsewhere)
    record("head over the limit", "/v1/limited", method="HEAD")


def streams(record: Recorder) -> None:
    """Read streams."""
    record("numbers", "/v1/numbers")
    record("numbers with brotli", "/v1/numbers", headers={"accept-encoding": "br"})
    record("no numbers", "/v1/numbers?until=0")
    record("numbers that break", "/v1/numbers?until=14")
    record("numbers of a wrong count", "/v1/numbers?until=99")
    record("a stream that fails at once", "/v1/empty")
    record("head of numbers", "/v1/numbers", method="HEAD")


def cors(record: Recorder) -> None:
    """Call from pages of other origins."""
    notes = "/v1/notes/1"
    record("preflight", notes, method="OPTIONS", headers=ORIGIN | PREFLIGHT)
    of_branch = {"origin": "https://b1.preview.example"}
    record("preflight of a branch", notes, method="OPTIONS", headers=of_branch | PREFLIGHT)
    stranger = {"origin": "https://evil.example"}
    record("preflight of a stranger", notes, method="OPTIONS", headers=stranger | PREFLIGHT)
    header = PREFLIGHT | {"access-control-request-headers": "x-evil"}
    record("preflight of a header", notes, method="OPTIONS", headers=ORIGIN | header)
    method = PREFLIGHT | {"access-control-request-method": "TRACE"}
    record("preflight of a method", notes, method="OPTIONS", headers=ORIGIN | method)
    record("options without an origin", notes, method="OPTIONS")
    record("get from an origin", "/v1/moved", headers=ORIGIN)
    record("get from a stranger", "/v1/moved", headers=stranger)
    record("error to an origin", "/v1/errors/bug", headers=ORIGIN)
    record("nowhere to an origin", "/nowhere", headers=ORIGIN)
    record("get from null", "/v1/moved", headers={"origin": "null"})


def hosts(record: Recorder) -> None:
    """Call under other hosts, and by way of proxies."""
    record("host that is allowed", "/v1/response", headers={"host": "kiosk.example"})
    record("host that is not", "/v1/response", headers={"host": "evil.example"})
    record("host of health", "/healthz", headers={"host": "evil.example"})
    forwarded = {"x-forwarded-host": "kiosk.example", "x-forwarded-proto": "https"}
    record("last slash by way of a proxy", "/v1/response/", headers=forwarded)
    evil = {"x-forwarded-host": "evil.example"}
    record("host of a proxy that is not allowed", "/v1/response", headers=evil)
    trace = {"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"}
    record("trace", "/v1/response", headers=trace)
    record("readyz", "/readyz")
    record("version", "/version")
    record("head of health", "/healthz", method="HEAD")
    record("post to health", "/healthz", method="POST")


def http(record: Recorder) -> None:
    """Send what HTTP does not allow, or only just."""
    host = b"host: kiosk.example\r\n"
    get = b"GET /v1/response HTTP/1.1\r\n" + host
    record.raw("no host", b"GET /v1/response HTTP/1.1\r\n\r\n")
    record.raw("two hosts", get + host + b"\r\n")
    record.raw("HTTP/1.0", b"GET /v1/response HTTP/1.0\r\n" + host + b"\r\n")
    record.raw("HTTP/1.2", b"GET /v1/response HTTP/1.2\r\n" + host + b"\r\n")
    record.raw("HTTP/2", b"GET /v1/response HTTP/2.0\r\n" + host + b"\r\n")
    record.raw("garbage", b"garbage\r\n\r\n")
    record.raw("unknown method", b"BREW / HTTP/1.1\r\n" + host + b"\r\n")
    record.raw("connect", b"CONNECT kiosk.example:443 HTTP/1.1\r\n" + host + b"\r\n")
    record.raw("absolute form", b"GET http://kiosk.example/healthz HTTP/1.1\r\n" + host + b"\r\n")
    record.raw("fragment", b"GET /v1/response#a HTTP/1.1\r\n" + host + b"\r\n")
    record.raw("encoded path", b"GET /v1%2Fresponse HTTP/1.1\r\n" + host + b"\r\n")
    record.raw("path that is no UTF-8", b"GET /%ff HTTP/1.1\r\n" + host + b"\r\n")
    record.raw("path with dots", b"GET /v1/../v1/response HTTP/1.1\r\n" + host + b"\r\n")
    record.raw("space before a colon", get + b"x-a : b\r\n\r\n")
    record.raw("folded field", get + b"x-a: b\r\n c\r\n\r\n")
    record.raw("NUL in a field", get + b"x-a: \x00\r\n\r\n")
    record.raw("two authorizations", get + b"authorization: a\r\nauthorization: b\r\n\r\n")
    record.raw("large field", get + b"x-a: " + b"a" * 20_000 + b"\r\n\r\n")
    record.raw("many fields", get + b"".join(b"x-%d: a\r\n" % n for n in range(150)) + b"\r\n")
    record.raw("long target", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + host + b"\r\n")
    post = b"POST /v1/notes HTTP/1.1\r\n" + host + b"content-type: application/json\r\n"
    record.raw(
        "chunked", post + b"transfer-encoding: chunked\r\n\r\nd\r\n" + b'{"text": "a"}\r\n0\r\n\r\n'
    )
    record.raw("wrong chunk", post + b"transfer-encoding: chunked\r\n\r\nx\r\n")
    record.raw(
        "length and chunks",
        post + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    )
    record.raw("two lengths", post + b"content-length: 1\r\ncontent-length: 2\r\n\r\n{}")
    record.raw("negative length", post + b"content-length: -1\r\n\r\n")
    record.raw("unknown coding", post + b"transfer-encoding: gzip\r\n\r\n")
    record.raw("large length", post + b"content-length: 99999999\r\n\r\n")
    record.raw("expectation", post + b"expect: something\r\ncontent-length: 2\r\n\r\n{}")
    record.raw("upgrade to h2c", get + b"connection: upgrade\r\nupgrade: h2c\r\n\r\n")
    record.raw(
        "web socket",
        get + SOCKET,
    )


def errors(record: Recorder) -> None:
    """Have a view raise each error, and FastAPI's exception with each status."""
    names = ("not_found", "not_allowed", "invalid_input", "not_authenticated")
    for name in (*names, "configuration_error", "deadline_exceeded", "too_many", "bug"):
        record(f"error {name}", f"/v1/errors/{name}")
    for status in STATUSES:
        record(f"status {status}", f"/v1/statuses/{status}")


def operator(record: Recorder) -> None:
    """Call the admin endpoints and the webhook."""
    record("cache without the token", "/operator/cache")
    record("cache with a wrong token", "/operator/cache", headers={"authorization": "Bearer x"})
    record("cache by POST", "/operator/cache", method="POST", headers=OPERATOR)
    shown = record("cache", "/operator/cache", headers=OPERATOR).json()
    entry = record.entries[-1]
    entry["answer"] = names_of(shown)
    entry["headers"] = [one for one in entry["headers"] if not one.startswith("content-length")]
    record(
        "purge",
        "/operator/purge",
        method="POST",
        headers=OPERATOR,
        json_body={"tags": ["product:1"]},
    )
    record("purge of nothing", "/operator/purge", method="POST", headers=OPERATOR, json_body={})
    record("purge of no JSON", "/operator/purge", method="POST", headers=OPERATOR, body=b"{")
    record("policies", "/operator/policies", method="POST", headers=OPERATOR)
    body = b'{"tags": ["product:2"]}'
    now = str(int(time.time()))
    record("webhook", "/hooks/purge", method="POST", headers=signed("m1", now, body), body=body)
    record(
        "webhook again", "/hooks/purge", method="POST", headers=signed("m1", now, body), body=body
    )
    forged = signed("m2", now, body) | {"webhook-signature": "v1,x"}
    record("webhook that is forged", "/hooks/purge", method="POST", headers=forged, body=body)
    old = signed("m3", OLD, body)
    record("webhook that is old", "/hooks/purge", method="POST", headers=old, body=body)
    record("webhook without a signature", "/hooks/purge", method="POST", body=body)
    record("webhook by GET", "/hooks/purge")


def signed(name: str, moment: str, body: bytes) -> dict[str, str]:
    """Return the headers of a message in the manner of Standard Webhooks."""
    content = f"{name}.{moment}.".encode() + body
    digest = hmac.new(PURGE_SECRET.encode(), content, hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return {
        "webhook-id": name,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{signature}",
    }


def names_of(value: Any) -> Any:
    """Return JSON with the kind of each value in its place."""
    if isinstance(value, dict):
        return {name: names_of(one) for name, one in value.items()}
    return type(value).__name__
