"""What a request leaves behind: nothing that only the cyclic collector could free."""

import asyncio
import gc


async def test_request_leaves_no_reference_cycle(shop):
    """Collections may be rare because requests free what they used by themselves."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/v1/products/7",
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
    }

    async def send(message):
        del message

    async with shop() as open_shop:
        for _ in range(3):
            await open_shop.app(dict(scope), asyncio.Event().wait, send)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await open_shop.app(dict(scope), asyncio.Event().wait, send)

            assert gc.collect() == 0
        finally:
            gc.enable()
