"""How this suite runs: async tests on a fresh loop, virtual time, skips that are visible.

- `async def test_…` runs on a fresh event loop; tasks that it leaves behind fail it.
- `@pytest.mark.virtual_time`, of the framework's own plugin, runs it on a loop whose clock jumps to
  the next timer.
- `@pytest.mark.uvloop` runs it on uvloop, where that is installed.
- Beside other tests, the clock of the loop leaves out what the machine stood still (`SteadyLoop`);
  `@pytest.mark.steady` does so for a test that runs alone.
- `@pytest.mark.alone` runs it while no other test runs; so do the folders and files of `ALONE`.
  `make test` runs all other tests first, on all cores.
- `@pytest.mark.slow` leaves it out of `make test-fast`; so do the files of `SLOW`, and what runs
  alone.
- `@pytest.mark.mostly_slow` makes one in five cases of a test fast, and the others slow.
- `@pytest.mark.needs("nginx")` skips a test, naming the program, where it is not installed.
- `SECOND_TRY=1` runs slow tests that failed once more, alone (`second_try.py`).
- `BFF_REQUIRE_ALL=1` makes each skip a failure, but those of `foreign`, which need a checkout.
"""

import asyncio
import faulthandler
import functools
import gc
import inspect
import os
import shutil
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key
from hypothesis import settings

from tests.output_secrets import credentials_in
from tests.processes.process import ForkServer
from tests.redis_server import RedisServer
from tests.second_try import SecondTry
from tests.steady_time import SteadyLoop

PATIENCE = 60.0
"""The most that one asynchronous test may take, in seconds."""

AFTERMATH = 0.5
"""How long the tasks that a test started may take to end after it (seconds)."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

ALONE = (
    "bench",
    "chaos",
    "faults",
    "observe/metrics/test_workers.py",
    "policy_reload/test_sighup.py",
    "proxy/sockets/test_reload_streams.py",
    "real",
    "console/browser/test_shop.py",
    "console/test_upstream_workers.py",
    "console/test_production_example.py",
    "console/test_workers.py",
    "cli/dev/test_terminal_writer.py",
    "cli/dev/test_dev_console.py",
    "cli/dev/test_shop.py",
    "cli/dev/test_supervisor.py",
    "cli/dev/test_terminal.py",
    "scripts",
    "saga/test_crash.py",
    "server/test_early_shedding.py",
    "server/test_forwarded_size.py",
    "server/test_forwarding.py",
    "server/test_gc.py",
    "server/test_graceful_shutdown.py",
    "server/test_idle_streams.py",
    "server/test_leaving.py",
    "server/test_restarts.py",
    "server/test_runner.py",
    "server/test_table.py",
    "server/test_watchdog.py",
    "server/test_websocket.py",
    "startup/test_processes.py",
    "upstream/transport/test_addresses.py",
    "upstream/transport/test_cancels.py",
    "upstream/transport/test_content_coding.py",
    "upstream/transport/test_hostile.py",
    "upstream/transport/test_pool.py",
    "upstream/transport/test_real_services.py",
    "upstream/transport/test_servers.py",
    "upstream/transport/test_tls.py",
    "wire",
)
"""Tests over real processes, sockets and clocks, which other tests would slow down."""

SLOW = (
    "bffs",
    "docs/test_site.py",
    "docs/test_tutorial.py",
    "docs/test_types.py",
    "idempotency/test_processes.py",
    "observe/test_processes.py",
    "services_mock",
    "testing/test_suite.py",
)
"""Tests over the mock services, in processes, with a browser or a type checker."""

FAST_EXAMPLES = 20
"""Examples of each property where slow tests are left out; otherwise hypothesis draws 100."""

SYSTEM_PROGRAMS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the suite's markers; in the fast tests, draw and collect less."""
    for line in (
        "uvloop: run on uvloop",
        "needs(*programs): skip, naming it, where a program is not installed",
        "alone: run while no other test runs",
        "steady: leave the pauses of the machine out of the loop's clock, although it runs alone",
        "slow: leave out of the fast tests",
        "mostly_slow: leave four of five cases out of the fast tests",
    ):
        config.addinivalue_line("markers", line)
    is_worker = hasattr(config, "workerinput")
    if os.environ.get("SECOND_TRY") == "1" and not is_worker:
        config.pluginmanager.register(SecondTry())
    # An example takes longer when the machine stands still: PATIENCE ends one that hangs.
    settings.register_profile("whole", deadline=None)
    settings.register_profile("fast", deadline=None, max_examples=FAST_EXAMPLES)
    settings.load_profile("whole")
    if config.option.markexpr == "not slow":
        settings.load_profile("fast")
        gc.set_threshold(20_000, 20, 20)  # gateways that tests build make many objects


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without garbage collection, which would take half of that time.

    Modules and cases live to the end: later collections need not look at them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of `ALONE` and `SLOW`; what runs alone is slow, and most of long tables is.

    Refuse names that differ between the processes of pytest-xdist.
    """
    numbers: Counter[str] = Counter()
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid}: the name has an address, give ids= of its own")
        if _is_in(item, ALONE):
            item.add_marker("alone")
        if _is_in(item, SLOW) or item.get_closest_marker("alone"):
            item.add_marker("slow")
        if item.get_closest_marker("mostly_slow"):
            test = item.nodeid.partition("[")[0]
            if numbers[test] % 5:
                item.add_marker("slow")
            numbers[test] += 1


def _is_in(item: pytest.Item, names: tuple[str, ...]) -> bool:
    return any(item.path.is_relative_to(Path(__file__).parent / name) for name in names)


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Fork processes, and end them with the session."""
    fork_server = ForkServer()
    yield fork_server
    fork_server.close()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """Run an empty Redis; mark the test with `needs("redis-server")`."""
    server = RedisServer(tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose programs are missing."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_PROGRAMS))
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program, path=path) is None:
                pytest.skip(f"needs {program}, which is not installed")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End a process that hangs between two tests as one that hangs in a test: with all stacks."""
    seconds = float(item.config.getini("faulthandler_timeout"))
    stderr = item.config.stash[fault_handler_stderr_fd_key]
    outcome = yield
    if seconds:
        faulthandler.dump_traceback_later(seconds, exit=True, file=stderr)
    return outcome


def pytest_unconfigure() -> None:
    """Let the process end."""
    faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where all tests have to run, and printed credentials always."""
    report = _require((yield))
    leaked = credentials_in(report.sections)
    if leaked and report.passed:
        report.outcome, report.longrepr = "failed", f"its output has credentials: {leaked}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure, too."""
    return _require((yield))


def _require(report: Report) -> Report:
    is_expected_failure = hasattr(report, "wasxfail")
    is_checkout_missing = "foreign/" in report.nodeid  # nothing that CI could install
    is_required = os.environ.get("BFF_REQUIRE_ALL") == "1" and not is_checkout_missing
    if report.skipped and not is_expected_failure and is_required:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {reason} (BFF_REQUIRE_ALL=1 makes a skip a failure)"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Give an asynchronous test its loop; pytest then calls it like any other."""
    run = functools.partial(_run_on_loop, _loop_factory(pyfuncitem))
    test = pyfuncitem.obj
    if inspect.iscoroutinefunction(test):
        pyfuncitem.obj = functools.wraps(test)(lambda **fixtures: run(test(**fixtures)))
    elif inspect.iscoroutinefunction(inner := _property_of(test)):
        test.hypothesis.inner_test = functools.wraps(inner)(
            lambda *args, **examples: run(inner(*args, **examples))
        )


def _property_of(test: Callable[..., object]) -> Callable[..., object] | None:
    """Return the function inside hypothesis' `@given`, which runs once per example."""
    return getattr(getattr(test, "hypothesis", None), "inner_test", None)


def _loop_factory(item: pytest.Item) -> Callable[[], asyncio.AbstractEventLoop]:
    if item.get_closest_marker("uvloop"):
        return pytest.importorskip("uvloop").new_event_loop
    is_real = item.get_closest_marker("alone") and not item.get_closest_marker("steady")
    return asyncio.new_event_loop if is_real else SteadyLoop


def _run_on_loop(
    factory: Callable[[], asyncio.AbstractEventLoop], test: Coroutine[Any, Any, None]
) -> None:
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_without_leaks(test))


async def _without_leaks(test: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(PATIENCE):
        await test
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        _, leaked = await asyncio.wait(others, timeout=AFTERMATH)
        names = sorted(task.get_coro().__qualname__ for task in leaked)
        assert not leaked, f"the test left tasks behind: {', '.join(names)}"
