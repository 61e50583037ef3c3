"""Every service dies, and the screens go on: what was last good is shown, and marked."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.screens import Request, reads
from tests.processes.client import Answer, ask
from tests.processes.site import Shop, Site

BRIEF = "".join(f"[{name}.cache]\nttl = 0.3\n" for name in ("catalog", "pricing", "reviews"))
OURS = "".join(f"[{name}.cache]\nttl = 0.3\n" for name in ("users", "recommendations"))
"""Nothing is fresh for long, so that a test need not wait for a minute; the rest is as it is."""

VIEWER = {"authorization": "Bearer demo-1"}
SCREENS = [one for one in reads((5,)) if one.kind == "read"]
NOT_STORED = {"stock", "payment_methods", "payment"}
"""Parts of services whose replies are not cached: stock and payments."""


@pytest.fixture
def shop(site: Site, tmp_path: Path) -> Iterator[Shop]:
    """Run the whole reference application."""
    policies = tmp_path / "policies.toml"
    policies.write_text(BRIEF + OURS)
    shop = Shop(site, {"BFF_POLICIES": str(policies), "BFF_MAX_LAG": "0", "BFF_BROWNOUT": "false"})
    with site.running(*shop.processes):
        yield shop


async def shown(shop: Shop, screen: Request) -> Answer:
    """Return what a viewer gets of a screen."""
    return await ask(
        shop.gateways[screen.gateway].port,
        screen.path,
        method=screen.method,
        headers={**VIEWER, **screen.headers},
        body=screen.body,
    )


async def test_all_services_are_killed_after_warm_up(shop):
    """Each screen of each gateway still answers 200, and says which parts are of before."""
    for _ in range(2):
        for screen in SCREENS:
            await shown(shop, screen)
    await asyncio.sleep(0.5)
    for service in shop.services.values():
        service.kill()

    answers = {(one.gateway, one.name): await shown(shop, one) for one in SCREENS}

    states = {name: set(answer.parts.values()) for name, answer in answers.items()}
    lost = {
        part
        for answer in answers.values()
        for part, state in answer.parts.items()
        if state in {"fallback", "missing"}
    }
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert [name for name, state in states.items() if "stale" not in state] == []
    assert lost == NOT_STORED
