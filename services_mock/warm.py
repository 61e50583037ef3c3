"""Sends a first request to a service, before its clients do.

Routes are compiled and indexes are built at the first request for them. A caller with a
deadline of some hundred milliseconds should not be the one who pays for that.
"""

from starlette.types import ASGIApp, Message, Scope

from services_mock.answers import Answer, capture

FIRST_LOOKS = {
    "users": ("/users?limit=1", "/users/1"),
    "catalog": ("/products?limit=1", "/products?ids=1", "/products/1", "/categories"),
    "pricing": ("/deals?limit=1", "/prices?ids=1", "/prices/1"),
    "inventory": ("/stock?ids=1", "/stock/1", "/suppliers?limit=1", "/suppliers/1"),
    "orders": ("/orders?customer_id=1&limit=1", "/orders/10001"),
    "cart": ("/carts/1",),
    "payments": ("/payments?customer_id=1&limit=1", "/payment-methods?customer_id=1"),
    "reviews": ("/summaries?ids=1", "/summaries/1", "/reviews?product_id=1"),
    "recommendations": ("/recommendations?customer_id=1&limit=1", "/related?ids=1"),
    "identity": ("/.well-known/openid-configuration", "/jwks"),
}


async def warm(app: ASGIApp, name: str) -> list[int]:
    """Send the first requests, then reset the counts; return their statuses."""
    statuses = [(await _ask(app, "GET", target)).status for target in FIRST_LOOKS[name]]
    await _ask(app, "DELETE", "/__calls__")
    return statuses


async def _ask(app: ASGIApp, method: str, target: str) -> Answer:
    path, _, query = target.partition("?")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": None,
        "server": None,
    }
    return await capture(app, scope, _no_body)


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
