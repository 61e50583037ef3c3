"""The key that opens the console: over browsers that are scripts."""

import asyncio
import os
import time
import webbrowser

import pytest

from bff_core.cli.dev import browser
from bff_core.cli.dev.browser import open_in_browser

ADDRESS = "http://localhost:8000/console"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Let a folder have the only programs; return a function that adds one."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setattr(webbrowser, "_browsers", {})

    def add(name: str, script: str) -> str:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return add


def test_without_a_browser_nothing_is_opened(programs):
    """The caller then shows the address."""
    assert not asyncio.run(open_in_browser(ADDRESS))


def test_a_browser_for_terminals_is_not_opened(programs, tmp_path):
    """It would take the terminal of the run."""
    programs("lynx", f"echo $1 > {tmp_path}/opened")

    assert not asyncio.run(open_in_browser(ADDRESS))
    assert not (tmp_path / "opened").exists()


def test_the_variable_decides(programs, tmp_path, monkeypatch):
    """BROWSER may name any command."""
    monkeypatch.setenv("BROWSER", programs("mine", f"echo $1 > {tmp_path}/opened"))

    assert asyncio.run(open_in_browser(ADDRESS))
    assert (tmp_path / "opened").read_text() == f"{ADDRESS}\n"


def test_a_browser_that_stays_open_holds_nothing_up(programs, tmp_path, monkeypatch):
    """Its command runs until its window is closed; the run may end before."""
    sleep = "exec /bin/sleep 60"
    monkeypatch.setenv("BROWSER", programs("mine", f"echo $$ > {tmp_path}/pid; {sleep}"))
    monkeypatch.setattr(browser, "WAIT_SECONDS", 0.3)
    began = time.monotonic()

    assert asyncio.run(open_in_browser(ADDRESS))
    assert time.monotonic() - began < 5
    os.kill(int((tmp_path / "pid").read_text()), 9)
