"""Control routes are for programs of this machine: no page of the web breaks a service."""

import pytest

CONTROLS = [
    ("GET", "/__faults__", 200),
    ("PUT", "/__faults__", 200),
    ("DELETE", "/__faults__", 204),
    ("GET", "/__calls__", 200),
    ("DELETE", "/__calls__", 204),
]


@pytest.mark.parametrize(("method", "path", "status"), CONTROLS)
async def test_who_may_use_this_control_route(shop, method, path, status):
    """Addresses, localhost and names without dots; nothing that a page sends."""
    service = shop("catalog")

    async def sent(**headers: str) -> int:
        answer = await service.request(method, path, json={"faults": []}, headers=headers)
        return answer.status_code

    for host in ("localhost", "catalog:9002", "127.0.0.1:9002", "[::1]:9002", "a.localhost:1"):
        assert await sent(host=host) == status
    for host in (
        "evil.example",
        "localhost.evil.example:9002",
        "127.0.0.1.nip.io",
        "a.",
        "1.2",
        "",
    ):
        assert await sent(host=host) == 403
    for origin in ("null", "https://evil.example", "http://localhost:9002"):
        assert await sent(host="localhost:9002", origin=origin) == 403
    for site in ("cross-site", "same-site", "same-origin"):
        assert await sent(host="localhost", **{"sec-fetch-site": site}) == 403


@pytest.mark.parametrize("path", ["/__keys__", "/__logout__"])
async def test_a_page_ends_no_session(shop, path):
    """The provider's control routes are closed to pages as well, also for forms."""
    answer = await shop("identity").post(path, headers={"origin": "https://evil.example"})

    assert answer.status_code == 403
    assert answer.json()["code"] == "other_site"


async def test_other_routes_take_any_host(shop):
    """Services are called by any name."""
    answer = await shop("catalog").get("/products/42", headers={"host": "catalog.example"})

    assert answer.status_code == 200
