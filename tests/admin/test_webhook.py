"""Purges over HTTP: `/hooks/purge` for services, `/operator` for the operator."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import pytest

from bff_core.admin.cache import MAX_TAG_CHARACTERS, MAX_TAGS, cache_actions
from bff_core.admin.endpoints import MAX_BODY_BYTES, AdminEndpoints
from bff_core.admin.operator_token import OperatorToken
from bff_core.admin.webhook import Webhook
from bff_core.cache.entry import CacheEntry
from bff_core.cache.response_cache import ResponseCache
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.edge.health import About, Readiness
from bff_core.edge.options import EdgeOptions
from bff_core.events import AnyEvent, Events, Purged
from bff_core.gateway.pipeline import EdgeParts, edge
from bff_core.policy.edge.webhook_signature import MAX_SKEW_SECONDS, key_of, sign
from tests.edge.conftest import Edged

OLD, NEW = "the-secret-of-last-year", "the-secret-of-this-year"
TOKEN = "the-operator-s-own-token"
NOW = 1_800_000_000.0
BODY = b'{"tags":["product:42"]}'
OPERATOR = {"authorization": f"Bearer {TOKEN}"}


async def nowhere(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@dataclass
class Shop:
    """A gateway's edge with a cache that has an entry for each of some tags."""

    tags: Sequence[str] = ("product:42", "product:43")
    secrets: Sequence[str] = (NEW, OLD)
    token: str = TOKEN
    heard: list[AnyEvent] = field(default_factory=list)
    now: float = NOW

    purged: list[str] = field(default_factory=list)

    async def _note(self, tags: Sequence[str]) -> None:
        self.purged += tags

    def __post_init__(self) -> None:
        events = Events(self.heard.append)
        store = MemoryCacheStore(size=1_000_000, clock=lambda: 0.0, events=events)
        self.cache = ResponseCache(store, events)
        self.edged = Edged(
            edge(
                nowhere,
                EdgeOptions(),
                EdgeParts(
                    about=About("shop"),
                    readiness=Readiness(),
                    events=events,
                    admin=self._admin(),
                    webhook=self._webhook(),
                    clock=lambda: 0.0,
                ),
            )
        )

    def _admin(self) -> AdminEndpoints | None:
        actions = cache_actions(lambda: self.cache, self._note)
        token = OperatorToken(self.token, Events())
        return AdminEndpoints(token=token, actions=actions) if self.token else None

    def _webhook(self) -> Webhook | None:
        if not self.secrets:
            return None
        return Webhook(self.secrets, cache=lambda: self.cache, wall=lambda: self.now)

    async def fill(self) -> None:
        """Store an answer for each tag."""
        for tag in self.tags:
            entry = CacheEntry(200, (), b"{}", 0.0, 60.0, tags=(tag,))
            await self.cache.store.set(tag, entry, store_for=60, mark=self.cache.store.mark())

    @property
    def cached(self) -> list[str]:
        """The tags whose entries are still there."""
        return [tag for tag in self.tags if self.cache.store.peek(tag) is not None]

    @property
    def purges(self) -> list[Purged]:
        return [event for event in self.heard if isinstance(event, Purged)]

    async def notify(self, body: bytes = BODY, headers: dict | None = None) -> httpx.Response:
        """Send a message of a service."""
        headers = signed(body) if headers is None else headers
        return await self.edged.ask("POST", "/hooks/purge", content=body, headers=headers)


def signed(
    body: bytes = BODY, *, secret: str = NEW, name: str = "msg_1", at: float = NOW
) -> dict[str, str]:
    timestamp = str(int(at))
    signature = sign(key_of(secret), name.encode(), timestamp.encode(), body)
    return {
        "webhook-id": name,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature.decode(),
    }


@pytest.mark.parametrize("secret", [NEW, OLD])
async def test_a_service_says_what_changed_and_it_is_forgotten(secret: str) -> None:
    """Signed with the new or the old secret, it drops these entries only."""
    shop = Shop()
    await shop.fill()

    answer = await shop.notify(headers=signed(secret=secret))

    assert (answer.status_code, answer.json()) == (200, {"purged": ["product:42"], "dropped": 1})
    assert answer.headers["cache-control"] == "no-store"
    assert shop.cached == ["product:43"]
    assert shop.purges == [Purged(("product:42",), "webhook", 1)]


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"webhook-id": ""}, 400, "bad_request"),
        ({"webhook-timestamp": ""}, 400, "bad_request"),
        ({"webhook-timestamp": "soon"}, 400, "bad_request"),
        ({"webhook-signature": ""}, 403, "not_allowed"),
        ({"webhook-signature": "v1,AAAA"}, 403, "not_allowed"),
        ({"webhook-signature": "v1," + "A" * 43 + "="}, 403, "not_allowed"),
        ({"webhook-id": "msg_2"}, 403, "not_allowed"),
        ({"webhook-timestamp": str(int(NOW) + 1)}, 403, "not_allowed"),
        (signed(secret="somebody-else-s-secret"), 403, "not_allowed"),
        (signed(at=NOW - MAX_SKEW_SECONDS - 1), 403, "not_allowed"),
        (signed(at=NOW + MAX_SKEW_SECONDS + 1), 403, "not_allowed"),
        (signed(b'{"tags":["product:43"]}'), 403, "not_allowed"),
    ],
)
async def test_what_is_not_signed_purges_nothing(changed: dict, status: int, code: str) -> None:
    """Each refusal has problem details with the reason, without a secret."""
    shop = Shop()
    await shop.fill()

    answer = await shop.notify(headers=signed() | changed)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert NEW not in answer.text
    assert shop.cached == list(shop.tags)
    assert shop.purges == []


async def test_a_replay_is_answered_and_not_acted_upon() -> None:
    """An attacker can't use a recorded message to empty the cache again and again."""
    shop = Shop()
    await shop.notify()
    await shop.fill()

    again = await shop.notify()
    shop.now += MAX_SKEW_SECONDS + 1
    later = await shop.notify()

    assert (again.status_code, again.json()) == (200, {"purged": [], "dropped": 0})
    assert later.status_code == 403
    assert shop.cached == list(shop.tags)


async def test_what_was_refused_may_be_sent_again() -> None:
    """A message with an invalid body does not count as received."""
    shop = Shop()

    first = await shop.notify(b"{}", signed(b"{}"))
    again = await shop.notify(b"{}", signed(b"{}"))

    assert (first.status_code, again.status_code) == (422, 422)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"tags":[]}',
        b'{"tags":[""]}',
        b'{"tags":"product:42"}',
        b'{"tag":["product:42"]}',
        b'{"tags":["product:42"],"all":true}',
        b'{"tags":["\xff"]}',
        json.dumps({"tags": ["x" * (MAX_TAG_CHARACTERS + 1)]}).encode(),
        json.dumps({"tags": ["x"] * (MAX_TAGS + 1)}).encode(),
        b"[" * 50_000,
    ],
)
async def test_a_body_without_tags_gets_an_example(body: bytes) -> None:
    """An empty purge is refused."""
    shop = Shop()
    await shop.fill()

    by_service = await shop.notify(body, signed(body))
    by_operator = await shop.edged.ask("POST", "/operator/purge", content=body, headers=OPERATOR)

    assert (by_service.status_code, by_operator.status_code) == (422, 422)
    assert '{"tags": ["…"]}' in by_service.json()["detail"]
    assert shop.cached == list(shop.tags)


async def test_a_body_that_is_too_large_is_not_read() -> None:
    """Also if other routes accept larger bodies; the same holds for the operator."""
    shop, body = Shop(), b" " * (MAX_BODY_BYTES + 1)

    by_service = await shop.notify(body, signed(body))
    by_operator = await shop.edged.ask("POST", "/operator/purge", content=body, headers=OPERATOR)

    assert (by_service.status_code, by_operator.status_code) == (413, 413)


async def test_the_operator_purges_and_looks() -> None:
    """With the token; the answer has the statistics of this process."""
    shop = Shop()
    await shop.fill()
    shop.cache.record("catalog", "GET /products/{id}", "hit")
    shop.cache.record("catalog", "GET /products/{id}", "miss")

    before = (await shop.edged.get("/operator/cache", headers=OPERATOR)).json()
    purged = await shop.edged.ask("POST", "/operator/purge", content=BODY, headers=OPERATOR)
    after = (await shop.edged.get("/operator/cache", headers=OPERATOR)).json()

    assert purged.json() == {"purged": ["product:42"], "dropped": 1}
    assert shop.purges == [Purged(("product:42",), "operator", 1)]
    assert shop.purged == ["product:42"]
    assert (before["entries"], after["entries"]) == (2, 1)
    assert before["limit"] > before["bytes"] > after["bytes"] > 0
    assert before["upstreams"]["catalog"]["hit_ratio"] == 0.5


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/operator/purge", "POST"),
        ("POST", "/operator/cache", "GET"),
        ("GET", "/hooks/purge", "POST"),
    ],
)
async def test_each_path_has_one_method(method: str, path: str, allowed: str) -> None:
    """A 405 names it."""
    answer = await Shop().edged.ask(method, path, headers=OPERATOR)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/operator/purge", "/operator/cache"])
async def test_without_the_token_an_operator_is_refused(path: str) -> None:
    """The signature of a service is no token."""
    shop = Shop()
    await shop.fill()

    answer = await shop.edged.ask("POST", path, content=BODY, headers=signed())

    assert answer.status_code == 401
    assert shop.cached == list(shop.tags)


async def test_admin_paths_exist_only_if_configured() -> None:
    """Without a token and a secret the application serves these paths."""
    shop = Shop(secrets=(), token="")

    hook = await shop.notify()
    purge = await shop.edged.ask("POST", "/operator/purge", content=BODY, headers=OPERATOR)

    assert (hook.status_code, purge.status_code) == (404, 404)
