"""Idempotency keys: a request with a key is executed once, however often it comes."""

import asyncio
import random
from uuid import UUID

import pytest

from bff_core.auth.demo import DemoAuthenticator
from bff_core.events import AnswerForgotten
from bff_core.policy.edge.idempotency import IdempotencyOptions

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
KEYED = {"Idempotency-Key": KEY}
HOST = (b"host", b"testserver")


class Counter:
    """An application that counts its requests, and answers as the test configures."""

    def __init__(self, *answers, after=0.0, headers=(), says=""):
        self._answers = list(answers) or [(201, b'{"n": %d}')]
        self._after = after
        self._headers = list(headers)
        self._says = says
        self.done = 0
        self.keys: list[str] = []

    async def __call__(self, scope, receive, send):
        self.done += 1
        self.keys.append(scope["bff.scope"].idempotency_key)
        await asyncio.sleep(self._after)
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        scope["bff.scope"].outcome = self._says
        status, body = answer
        text = body % self.done if b"%d" in body else body
        start = {"type": "http.response.start", "status": status, "headers": self._headers}
        await send(start)
        await send({"type": "http.response.body", "body": text})


async def test_the_same_request_is_done_once(edged):
    """The second request gets the answer of the first, with Idempotency-Replayed."""
    face = Counter(headers=[(b"location", b"/orders/1"), (b"set-cookie", b"a=1")])
    gateway = edged(face)

    first = await gateway.ask("POST", "/orders", headers=KEYED, content=b"{}")
    second = await gateway.ask("POST", "/orders", headers=KEYED, content=b"{}")

    assert face.done == 1
    assert (
        (second.status_code, second.json()) == (first.status_code, first.json()) == (201, {"n": 1})
    )
    assert second.headers["location"] == "/orders/1"
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert "set-cookie" not in second.headers


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
async def test_every_unsafe_method_may_have_a_key(edged, method):
    """Also idempotent methods: their answer is replayed."""
    face = Counter()
    gateway = edged(face)

    for _ in range(2):
        await gateway.ask(method, "/orders", headers=KEYED)

    assert face.done == 1


async def test_reads_take_no_notice_of_a_key(edged):
    """A GET is executed anew each time."""
    face = Counter()
    gateway = edged(face)

    for _ in range(2):
        await gateway.ask("GET", "/orders", headers=KEYED)

    assert (face.done, face.keys) == (2, ["", ""])


async def test_without_a_key_everything_is_done(edged):
    """Two orders are two orders."""
    face = Counter()
    gateway = edged(face)

    for _ in range(2):
        await gateway.ask("POST", "/orders", content=b"{}")

    assert (face.done, face.keys) == (2, ["", ""])


async def test_with_or_without_quotes_a_key_is_the_same(edged):
    """A structured string and its bare text."""
    face = Counter()
    gateway = edged(face)

    for field in (KEY, f'"{KEY}"'):
        await gateway.ask("POST", "/orders", headers={"Idempotency-Key": field})

    assert face.done == 1


@pytest.mark.parametrize("field", ["", '"open', "a b", "a,b", "x" * 256, '"é"'])
async def test_a_malformed_key_is_refused(edged, field):
    """Guessing the key could execute a request twice."""
    face = Counter()

    answer = await edged(face).ask("POST", "/", headers={"Idempotency-Key": field.encode()})

    assert (answer.status_code, answer.json()["code"], face.done) == (400, "bad_request", 0)


async def test_two_keys_are_refused(edged):
    """Two programs on the way could use different ones."""
    face = Counter()
    gateway = edged(face)
    headers = (HOST, (b"idempotency-key", b"a" * 30), (b"idempotency-key", b"b" * 30))

    await gateway.speak(headers, method="POST")

    assert (gateway.status, face.done) == (400, 0)


@pytest.mark.parametrize(
    ("url", "body"), [("/orders", b"[2]"), ("/orders?gift=1", b"[1]"), ("/orders", b"")]
)
async def test_a_key_belongs_to_its_query_and_body(edged, url, body):
    """Another body with the same key is a mistake, and gets an error."""
    face = Counter()
    gateway = edged(face)
    await gateway.ask("POST", "/orders", headers=KEYED, content=b"[1]")

    answer = await gateway.ask("POST", url, headers=KEYED, content=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert face.done == 1


async def test_a_key_belongs_to_its_route(edged):
    """The same key elsewhere is another key."""
    face = Counter()
    gateway = edged(face)

    await gateway.ask("POST", "/orders", headers=KEYED)
    await gateway.ask("POST", "/returns", headers=KEYED)
    await gateway.ask("PATCH", "/orders", headers=KEYED)

    assert face.done == len(set(face.keys)) == 3


async def test_a_key_belongs_to_its_viewer(edged):
    """A viewer with the key of another viewer does not get that viewer's answer."""
    face = Counter()
    gateway = edged(face, authenticator=DemoAuthenticator(env="development"))

    answers = [
        await gateway.ask("POST", "/", headers={**KEYED, "Authorization": f"Bearer demo-{one}"})
        for one in (1, 2, 1)
    ]

    assert [answer.json()["n"] for answer in answers] == [1, 2, 1]
    assert len(set(face.keys)) == 2


async def test_the_key_of_an_anonymous_caller_must_be_hard_to_guess(edged):
    """Anonymous callers share one audience, so only the key separates their answers."""
    face = Counter()
    gateway = edged(face, authenticator=DemoAuthenticator(env="development"))

    guest = await gateway.ask("POST", "/", headers={"Idempotency-Key": "1"})
    signed_in = await gateway.ask(
        "POST", "/", headers={"Idempotency-Key": "1", "Authorization": "Bearer demo-1"}
    )

    assert (guest.status_code, signed_in.status_code) == (400, 201)


async def test_the_keys_for_services_derive_from_a_bound_key(edged):
    """Services get a hash, from which the client's key can't be computed."""
    face = Counter()

    await edged(face).ask("POST", "/orders", headers=KEYED)

    (derived,) = face.keys
    assert UUID(derived).version == 8
    assert derived != KEY


@pytest.mark.virtual_time
async def test_a_second_request_waits_for_the_first(edged):
    """Two taps on a button are one order, with one answer."""
    face = Counter(after=2)
    gateway = edged(face)

    answers = await asyncio.gather(
        *(gateway.ask("POST", "/", headers=KEYED, content=b"{}") for _ in range(3))
    )

    assert face.done == 1
    assert [answer.json() for answer in answers] == [{"n": 1}] * 3
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [
        None,
        *["true"] * 2,
    ]


@pytest.mark.virtual_time
async def test_a_request_that_can_not_wait_longer_gets_a_retry_after(edged):
    """Just before its deadline it gets a 409 with Retry-After; the first one continues."""
    face = Counter(after=5)
    gateway = edged(face)
    first = asyncio.create_task(gateway.ask("POST", "/", headers=KEYED))
    await asyncio.sleep(1)
    began = asyncio.get_running_loop().time()

    second = await gateway.ask("POST", "/", headers=KEYED | {"Request-Timeout": "2"})
    took = asyncio.get_running_loop().time() - began

    assert (second.status_code, second.json()["code"]) == (409, "idempotency_key_in_use")
    assert second.headers["retry-after"] == "1"
    assert took == pytest.approx(1.9)
    assert (await first).json() == {"n": 1}


@pytest.mark.virtual_time
async def test_waiting_can_be_left_out(edged):
    """With this option the second request gets a 409 at once."""
    face = Counter(after=5)
    gateway = edged(face, idempotency=IdempotencyOptions(waits=False))
    first = asyncio.create_task(gateway.ask("POST", "/", headers=KEYED))
    await asyncio.sleep(1)
    began = asyncio.get_running_loop().time()

    second = await gateway.ask("POST", "/", headers=KEYED)

    assert (second.status_code, asyncio.get_running_loop().time()) == (409, began)
    assert (await first).status_code == 201


@pytest.mark.virtual_time
async def test_another_body_does_not_wait(edged):
    """A request that can't get the first one's answer is refused at once."""
    face = Counter(after=5)
    gateway = edged(face)
    first = asyncio.create_task(gateway.ask("POST", "/", headers=KEYED, content=b"1"))
    await asyncio.sleep(1)
    began = asyncio.get_running_loop().time()

    second = await gateway.ask("POST", "/", headers=KEYED, content=b"2")

    assert (second.status_code, asyncio.get_running_loop().time()) == (422, began)
    await first


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_open_outcome_is_not_stored(edged, status):
    """After a 5xx the request is executed again, with the same keys for services."""
    face = Counter((status, b"{}"), (201, b"{}"))
    gateway = edged(face)

    answers = [await gateway.ask("POST", "/", headers=KEYED) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [status, 201, 201]
    assert face.done == 2
    assert len(set(face.keys)) == 1


async def test_after_an_unknown_end_the_key_still_belongs_to_its_body(edged):
    """The first request may have been executed, so another body is refused."""
    face = Counter((503, b"{}"))
    gateway = edged(face)
    await gateway.ask("POST", "/", headers=KEYED, content=b"1")

    answer = await gateway.ask("POST", "/", headers=KEYED, content=b"2")

    assert answer.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("status", [400, 401, 403, 413, 415, 429])
async def test_a_refusal_that_decided_nothing_frees_the_key(edged, status):
    """After a 429, a 401 or invalid JSON the key can be used again."""
    face = Counter((status, b"{}"), (201, b"{}"))
    gateway = edged(face)

    refused = await gateway.ask("POST", "/", headers=KEYED, content=b"oops")
    mended = await gateway.ask("POST", "/", headers=KEYED, content=b"{}")

    assert (refused.status_code, mended.status_code) == (status, 201)


@pytest.mark.parametrize("status", [404, 409, 422])
async def test_a_final_refusal_is_replayed(edged, status):
    """A final refusal, such as sold out, is replayed."""
    face = Counter((status, b"{}"), (201, b"{}"))
    gateway = edged(face)

    answers = [await gateway.ask("POST", "/", headers=KEYED) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [status, status]


@pytest.mark.parametrize(
    ("says", "status", "done"), [("final", 503, 1), ("unknown", 200, 2), ("read", 200, 2)]
)
async def test_the_handler_may_know_better_than_its_status(edged, says, status, done):
    """The handler's outcome decides: a compensated saga is final, a hidden timeout is not."""
    face = Counter((status, b"{}"), says=says)
    gateway = edged(face)

    for _ in range(2):
        await gateway.ask("POST", "/", headers=KEYED)

    assert face.done == done


async def test_a_handler_that_crashes_frees_the_key(edged):
    """After a crash the request can be sent again at once."""
    calls = []

    async def face(scope, receive, send):
        calls.append(scope)
        raise RuntimeError("a bug")

    gateway = edged(face)

    answers = [await gateway.ask("POST", "/", headers=KEYED) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [500, 500]
    assert len(calls) == 2


@pytest.mark.virtual_time
async def test_a_request_that_is_cancelled_passes_the_key_on(edged):
    """If the first client disconnects, the waiting request is executed."""
    face = Counter(after=3)
    gateway = edged(face)
    first = asyncio.create_task(gateway.ask("POST", "/", headers=KEYED))
    await asyncio.sleep(1)
    second = asyncio.create_task(gateway.ask("POST", "/", headers=KEYED))
    await asyncio.sleep(1)

    first.cancel()

    assert (await second).json() == {"n": 2}
    assert (await gateway.ask("POST", "/", headers=KEYED)).json() == {"n": 2}
    assert len(set(face.keys)) == 1


@pytest.mark.virtual_time
async def test_a_request_that_times_out_frees_the_key(edged):
    """A 504 is not stored."""
    face = Counter(after=30)
    gateway = edged(face, timeout=2)
    first = await gateway.ask("POST", "/", headers=KEYED)
    second = await gateway.ask("POST", "/", headers=KEYED)

    assert (first.status_code, second.status_code, face.done) == (504, 504, 2)


@pytest.mark.virtual_time
async def test_an_answer_is_stored_for_its_lifetime(edged):
    """By default a day; then the key counts as new."""
    face = Counter()
    gateway = edged(face)
    await gateway.ask("POST", "/", headers=KEYED)

    await asyncio.sleep(86_399)
    within = await gateway.ask("POST", "/", headers=KEYED)
    await asyncio.sleep(2)
    after = await gateway.ask("POST", "/", headers=KEYED)

    assert (within.json(), after.json()) == ({"n": 1}, {"n": 2})


async def test_a_stored_answer_is_compressed_for_each_client(edged):
    """A stored answer is compressed for one client and sent plain to another."""
    body = b'{"text": "' + b"all the same " * 200 + b'"}'
    face = Counter((200, body), headers=[(b"content-type", b"application/json")])
    gateway = edged(face)
    coded = await gateway.ask("POST", "/", headers=KEYED | {"Accept-Encoding": "gzip"})
    plain = await gateway.ask("POST", "/", headers=KEYED | {"Accept-Encoding": "identity"})

    assert coded.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert coded.content == plain.content == body
    assert face.done == 1


async def test_an_answer_in_chunks_is_stored_whole(edged):
    """An answer in several chunks is stored, too."""

    async def face(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"[1,", b"2,", b"3]"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    gateway = edged(face)

    answers = [await gateway.ask("POST", "/", headers=KEYED) for _ in range(2)]

    assert [answer.json() for answer in answers] == [[1, 2, 3]] * 2
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_an_answer_that_is_too_large_is_sent_but_not_stored(edged):
    """The next request is executed again, and an event reports it."""
    face = Counter((200, b"x" * 1001))
    gateway = edged(face, idempotency=IdempotencyOptions(max_answer=1000))

    answers = [await gateway.ask("POST", "/", headers=KEYED) for _ in range(2)]

    assert [len(answer.content) for answer in answers] == [1001, 1001]
    assert (face.done, gateway.of(AnswerForgotten)) == (2, [AnswerForgotten("size")] * 2)


async def test_a_stream_passes_as_it_comes(edged):
    """A stream is neither delayed nor stored."""
    arrived: list[int] = []
    done = []

    async def face(scope, receive, send):
        done.append(1)
        scope["bff.exchange"].is_stream = True
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1\n", "more_body": True})
        arrived.append(len(gateway.sent))
        await send({"type": "http.response.body", "body": b""})

    gateway = edged(face)

    for _ in range(2):
        await gateway.speak((HOST, (b"idempotency-key", KEY.encode())), method="POST")

    assert (arrived, len(done)) == ([2, 5], 2)


async def test_the_body_reaches_the_face_as_it_was_sent(edged):
    """The body is read for its fingerprint, and still reaches the application."""

    async def face(scope, receive, send):
        message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": message["body"]})

    gateway = edged(face)
    headers = (HOST, (b"idempotency-key", KEY.encode()), (b"transfer-encoding", b"chunked"))

    await gateway.speak(headers, (b'{"a":', b' "b"', b"}"), method="POST")

    assert gateway.json == {"a": "b"}


async def test_a_body_that_does_not_end_claims_nothing(edged):
    """A client that disconnects within its body claims no key."""
    face = Counter()
    gateway = edged(face)
    messages = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return messages.pop(0)

    async def send(message):
        raise AssertionError(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/", "query_string": b"",
        "headers": [HOST, (b"idempotency-key", KEY.encode())],
    }  # fmt: skip
    await gateway.app(scope, receive, send)

    assert face.done == 0
    assert (await gateway.ask("POST", "/", headers=KEYED, content=b"{}")).status_code == 201


async def test_idempotency_can_be_turned_off(edged):
    """With `idempotency=None` the header is ignored."""
    face = Counter()
    gateway = edged(face, idempotency=None)

    for _ in range(2):
        await gateway.ask("POST", "/", headers=KEYED)

    assert face.done == 2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.virtual_time
async def test_many_cancelled_requests_release_each_key_once(edged, seed):
    """Whichever request is cancelled, each key ends with one answer for all."""
    chance = random.Random(seed)
    face = Counter(after=1)
    gateway = edged(face, timeout=600)
    loop = asyncio.get_running_loop()

    async def one(number: int):
        await asyncio.sleep(chance.random() * 20)
        key = f"{number % 5}-" + "x" * 30
        return await gateway.ask("POST", "/", headers={"Idempotency-Key": key})

    tasks = [asyncio.create_task(one(number)) for number in range(200)]
    for task in chance.sample(tasks, 120):
        loop.call_later(chance.random() * 22, task.cancel)
    await asyncio.wait(tasks)
    answers = [task.result() for task in tasks if not task.cancelled()]

    final = [
        await gateway.ask("POST", "/", headers={"Idempotency-Key": f"{number}-" + "x" * 30})
        for number in range(5)
    ]
    assert {answer.text for answer in answers} == {answer.text for answer in final}
    assert len(answers) >= 80
