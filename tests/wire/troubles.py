"""What is requested while something is under way: writes, too many requests, a Redis that hangs."""

import json
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from tests.wire.exchange import TIMEOUT_SECONDS, Answer, Recorder, encode, send
from tests.wire.house import MAX_CONCURRENT, House, wait_until
from tests.wire.kiosk_requests import NOTE
from tests.wire.shop_requests import buyer

SLOW = {"kind": "latency", "distribution": {"name": "constant", "seconds": 1.2}}
AS_JSON = {"content-type": "application/json"}
SHORT = {"request-timeout": "0.4"}


def writes(house: House) -> list[dict[str, Any]]:
    """Send a purchase again while it is under way, and give one up."""
    port = house.ports["desktop"]
    record = Recorder(port)
    first, body = buyer(house, 270)
    first |= {"idempotency-key": '"a-key-of-a-purchase-under-way-01"'}
    second, _ = buyer(house, 290)
    second |= {"idempotency-key": '"a-key-of-a-purchase-given-up-01"'}
    with house.fault("payments", **SLOW, route="POST /charges"), ThreadPoolExecutor(1) as pool:
        sent = encode(port, "POST", "/v1/checkout", first | AS_JSON, json.dumps(body).encode())
        bought: Future[Answer] = pool.submit(send, port, sent, "POST")
        wait_until(lambda: house.call("payments", "GET", "/__calls__")["active"])
        again = {"path": "/v1/checkout", "method": "POST", "json_body": body}
        record("purchase that is under way", headers=first | SHORT, **again)
        assert bought.result().status == 201
    other = {"path": "/v1/checkout", "method": "POST", "json_body": method_of(house, second)}
    with house.fault("payments", **SLOW, route="POST /charges"):
        record("purchase that takes too long", headers=second | SHORT, **other)
        record("purchase that is not settled", headers=second | SHORT, **other)
        wait_until(lambda: house.call("payments", "GET", "/__calls__")["active"] == 0)
    return record.entries


def method_of(house: House, headers: dict[str, str]) -> dict[str, str]:
    """Return the body of a checkout of the customer whose headers these are."""
    customer = headers["authorization"].rpartition("-")[2]
    methods = house.call("payments", "GET", f"/payment-methods?customer_id={customer}")["items"]
    return {"payment_method_id": next(one["id"] for one in methods if one["kind"] != "card")}


def overload(house: House) -> list[dict[str, Any]]:
    """Fill the kiosk with slow requests, and then stop its Redis."""
    port = house.ports["kiosk"]
    record = Recorder(port)
    slow = encode(port, "GET", "/v1/slow", {"request-timeout": "5"}, None)
    with ExitStack() as opened:
        for _ in range(MAX_CONCURRENT):
            connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
            opened.enter_context(connection).sendall(slow)
        probe = encode(port, "GET", "/v1/large", {}, None)
        wait_until(lambda: send(port, probe).status == 503)
        record("overloaded", "/v1/large")
        record("overloaded, to an origin", "/v1/large", headers={"origin": "https://shop.example"})
        record("healthz while overloaded", "/healthz")
        record("readyz while overloaded", "/readyz")
    wait_until(lambda: send(port, probe).status == 200)
    key = {"idempotency-key": '"a-key-while-redis-hangs-0123456789"'}
    house.redis.freeze()
    try:
        record("payment without Redis", "/v1/payments", method="POST", headers=key, json_body=NOTE)
        record("note without Redis", "/v1/notes", method="POST", json_body=NOTE)
        record("thing without Redis", "/v1/meta/9")
    finally:
        house.redis.thaw()
    return record.entries
