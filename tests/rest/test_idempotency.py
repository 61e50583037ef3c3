"""`Idempotency-Key` of views: required or optional, executed once, documented in OpenAPI."""

import pytest

from bff_core import ANYONE, ConfigurationError, Settings, Views, gateway
from bff_core.policy.edge.idempotency import KEY_PATTERN
from bff_core.testing import running

KEYED = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@pytest.fixture
def till():
    """Return a gateway with two routes that take payments, and the payments."""
    taken: list[int] = []
    views = Views(prefix="/v1", access=ANYONE)

    @views.post("/payments", status=201, idempotency="required")
    async def post_payment(amount: int) -> dict[str, int]:
        taken.append(amount)
        return {"number": len(taken)}

    @views.patch("/payments")
    async def patch_payment(amount: int) -> dict[str, int]:
        taken.append(amount)
        return {"number": len(taken)}

    settings = Settings(env="development", log="off", gc_freeze=False)
    return gateway("till", faces=[views], settings=settings), taken


async def test_a_route_may_require_a_key(till):
    """A request without a key is refused, and the answer says what to send."""
    app, taken = till
    async with running(app) as client:
        bare = await client.post("/v1/payments?amount=5")
        keyed = await client.post("/v1/payments?amount=5", headers=KEYED)
        free = await client.patch("/v1/payments?amount=5")

    assert (bare.status_code, bare.headers["content-type"]) == (400, "application/problem+json")
    assert "Idempotency-Key is missing" in bare.json()["detail"]
    assert (keyed.status_code, free.status_code, taken) == (201, 200, [5, 5])


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_view_is_run_once_per_key(till, method):
    """On the fast path and on the slow path."""
    app, taken = till
    async with running(app) as client:
        answers = [
            await client.request(method, "/v1/payments?amount=5", headers=KEYED) for _ in range(3)
        ]

    assert taken == [5]
    assert [answer.json() for answer in answers] == [{"number": 1}] * 3
    assert [answer.headers.get("idempotency-replayed") for answer in answers[1:]] == ["true"] * 2


async def test_openapi_documents_the_key(till):
    """It is a parameter, required or not, with the answers that it may cause."""
    app, _ = till
    paths = app.openapi()["paths"]["/v1/payments"]

    for method, is_required in (("post", True), ("patch", False)):
        header = next(one for one in paths[method]["parameters"] if one["in"] == "header")
        assert (header["name"], header["required"]) == ("Idempotency-Key", is_required)
        assert header["schema"] == {"type": "string", "pattern": KEY_PATTERN, "maxLength": 512}
        assert {"409", "422"} <= paths[method]["responses"].keys()


@pytest.mark.parametrize(("verb", "wish"), [("post", "requird"), ("get", "required")])
def test_wrong_option_is_refused_when_declared(verb, wish):
    """A typing error must not make a key optional."""
    with pytest.raises(ConfigurationError, match="idempotency"):
        getattr(Views(), verb)("/", idempotency=wish)
