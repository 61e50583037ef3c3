"""WebSockets of a real browser: from an own page, from another origin, without a session."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.processes.settings import PATIENT
from tests.real.test_browser import ROOT, chromium, context  # noqa: F401 # fixtures
from tests.real.test_provider import free_ports, wait_for

pytestmark = pytest.mark.needs("chromium")

SANDBOXED = """async (url) => {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.srcdoc = `<script>
    const socket = new WebSocket(${JSON.stringify(url)});
    socket.onmessage = (event) => parent.postMessage(event.data, "*");
    socket.onerror = () => parent.postMessage("refused", "*");
  <\\/script>`;
  const text = new Promise((resolve) => addEventListener("message", (one) => resolve(one.data)));
  document.body.append(frame);
  return text;
}"""


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """Run the gateway at its own origin, and a second one at another origin of the same site."""
    first, second = free_ports(2)
    env = {"BFF_ENV": "development", "BFF_PUBLIC_URL": f"http://localhost:{first}"}
    env |= {"BFF_SESSION_KEYS": "a-secret-of-the-tests-that-is-long-enough"}
    env |= {"BFF_UPSTREAM_IDENTITY": "http://127.0.0.1:9", "BFF_LOG": "off", **PATIENT}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "bff_core", "serve", "tests.real.chat:app", f"--port={port}"],
            cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for port in (first, second)
    ]  # fmt: skip
    try:
        for port, process in zip((first, second), running, strict=True):
            wait_for(f"http://localhost:{port}/page", process)
        yield first, second
    finally:
        for process in running:
            process.terminate()
            process.communicate(timeout=60)


def page_at(context: BrowserContext, port: int) -> Page:  # noqa: F811 # the fixture's value
    """Return a page of an origin, whose browser has been signed in at the first one."""
    page = context.new_page()
    page.goto(f"http://localhost:{port}/page")
    return page


def test_who_opens_a_socket_in_a_browser(ports, context):  # noqa: F811 # fixtures
    """Our page does, for whom it is signed in; a page of another port has the cookie, and does not.

    Cookies belong to hosts, not to ports: only the origin distinguishes the two.
    """
    ours, others = ports
    url = f"ws://localhost:{ours}/chat"
    page, evil = page_at(context, ours), page_at(context, others)
    before = page.evaluate("(url) => chat(url)", url)
    page.evaluate("() => fetch('/begin')")
    answers = [one.evaluate("(url) => chat(url)", url) for one in (page, evil)]
    sandboxed = page.evaluate(SANDBOXED, url)

    assert before == "refused"
    assert answers == ["7", "refused"]
    assert sandboxed == "refused"
