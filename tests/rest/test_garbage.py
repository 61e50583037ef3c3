"""Requests leave no reference cycles for the garbage collector."""

import asyncio
import gc


async def test_request_leaves_no_reference_cycle(shop):
    """Collections may be rare, since the memory of a request is freed without them."""
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
