"""Opens an address in a browser that has a window of its own."""

import asyncio
import os
import threading
import webbrowser
from typing import Final

TERMINAL_BROWSERS: Final = frozenset({"www-browser", "links", "elinks", "lynx", "w3m"})
"""Browsers that would take the terminal, which shows the run."""

WAIT_SECONDS: Final = 3.0
"""After this time a command that still runs is a browser that has opened."""


async def open_in_browser(address: str) -> bool:
    """Open an address; return False if there is no browser. BROWSER names one, if it is set.

    Some commands run as long as the browser: a thread waits for them that ends with the process.
    """
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[bool] = loop.create_future()

    def set_opened(is_open: bool) -> None:
        if not opened.done():
            opened.set_result(is_open)

    def run() -> None:
        is_open = _open(address)
        if not loop.is_closed():
            loop.call_soon_threadsafe(set_opened, is_open)

    threading.Thread(target=run, name="browser", daemon=True).start()
    done, _ = await asyncio.wait({opened}, timeout=WAIT_SECONDS)
    return opened.result() if done else True


def _open(address: str) -> bool:
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if browser.name in TERMINAL_BROWSERS and not os.environ.get("BROWSER"):
        return False
    return browser.open(address)
