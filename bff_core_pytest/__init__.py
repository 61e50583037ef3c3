"""The pytest plugin of bff-core: the mark `virtual_time`, and the fixture `gateway_client`.

It is a package of its own, since pytest imports it at every start: it loads the framework only for
tests that use it.
"""

import asyncio
import functools
import inspect
import re
import traceback
import warnings
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable
from contextlib import nullcontext
from typing import Any, TypeAlias

import pytest

MARK = "virtual_time"

AFTERMATH_SECONDS = 0.5
"""How long the tasks that a test started may take to end after it, in virtual time."""

NO_APP = (
    "gateway_client needs a gateway: define a fixture `gateway_app` that returns one, or the "
    "function that makes one, or name it in the settings of pytest: bff_app = 'shop:make_app'"
)

NOT_ITS_RESULT = (
    "this gateway was made before the test kit had it, and read the environment of the process: "
    "pass the function, not its result, as in client(make_app, ...), or name it: "
    "client('shop:make_app', ...)"
)
"""What helps when a test makes a gateway itself: `client(make_app(), ...)`."""

TOO_LATE = (
    "request.getfixturevalue(...) can't set up an asynchronous fixture while a test runs: name the "
    "fixture as an argument of the test"
)

Asynchronous: TypeAlias = Callable[..., Coroutine[object, object, object]]
RUNNER = pytest.StashKey[asyncio.Runner]()
"""Where a test holds the loop on which it and its asynchronous fixtures run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting that names the gateway of `gateway_client`, and `--bff-record`."""
    parser.addini("bff_app", "the gateway of the fixture gateway_client: shop:make_app", default="")
    about = "record the outcomes of failure matrices in their snapshots"
    parser.getgroup("bff_core").addoption("--bff-record", action="store_true", help=about)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    about = "run on an event loop whose clock jumps to the next timer: waiting takes no time"
    config.addinivalue_line("markers", f"{MARK}(on=True): {about}; the closest mark decides")


@pytest.fixture
def gateway_app(request: pytest.FixtureRequest) -> object:
    """Return the gateway that `gateway_client` opens: that of the setting `bff_app`."""
    app = str(request.config.getini("bff_app"))
    if not app:
        pytest.fail(NO_APP, pytrace=False)
    return app


@pytest.fixture
def gateway_client(gateway_app: Any) -> Callable[..., object]:
    """Return `bff_core.testing.client` for the gateway of `gateway_app` (type `OpenClient`)."""
    from bff_core.testing import client  # noqa: PLC0415 # only tests that use it load the framework

    return functools.partial(client, gateway_app)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pycollect_makeitem() -> Generator[None, object, object]:
    """Take marked tests before other plugins, such as pytest-asyncio, take asynchronous tests."""
    made = yield
    for item in made if isinstance(made, Iterable) else [made]:
        if isinstance(item, pytest.Function):
            _take(item)
    return made


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(
    fixturedef: Any, request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Run asynchronous fixtures of a marked test on its loop; those of its module run elsewhere."""
    fixture, item = fixturedef.func, request.node
    if isinstance(item, pytest.Function) and _is_marked(item):
        if inspect.isasyncgenfunction(fixture):
            fixturedef.func = _generator_on(item, fixture)
        elif inspect.iscoroutinefunction(fixture):
            fixturedef.func = _function_on(item, fixture)
    try:
        return (yield)
    except Exception as error:
        _explain(error)
        raise
    finally:
        fixturedef.func = fixture


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Take tests that got their mark after they were collected."""
    _take(pyfuncitem)
    is_of_both = _is_marked(pyfuncitem) and pyfuncitem.get_closest_marker("asyncio")
    with warnings.catch_warnings() if is_of_both else nullcontext():
        if is_of_both:
            # pytest-asyncio warns of marked tests that are not asynchronous any more.
            warnings.filterwarnings("ignore", ".*marked with '@pytest.mark.asyncio'.* not an async")
        try:
            return (yield)
        except Exception as error:
            _explain(error)
            raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Close the loop of a test after its fixtures."""
    try:
        return (yield)
    finally:
        runner = item.stash.get(RUNNER, None)
        if runner is not None:
            del item.stash[RUNNER]
            runner.close()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Explain a module that could not be imported, since it makes a gateway."""
    report = yield
    if report.failed and _is_unset(str(report.longrepr)):
        report.sections.append(("bff-core", NOT_ITS_RESULT))
    return report


def _explain(error: BaseException) -> None:
    """Add what helps to the error of a gateway that a test has made itself."""
    frames = [
        frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    is_made_by_kit = "bff_core.testing.gateway_under_test" in frames
    text = f"{type(error).__name__}: {error}"
    if _is_unset(text) and "bff_core.gateway.factory" in frames and not is_made_by_kit:
        error.add_note(NOT_ITS_RESULT)


def _is_unset(text: str) -> bool:
    return re.search(r"ConfigurationError: BFF_\w+ is not set", text) is not None


def _is_marked(item: pytest.Function) -> bool:
    mark = item.get_closest_marker(MARK)
    return mark is not None and _is_on(*mark.args, **mark.kwargs)


def _is_on(on: bool = True) -> bool:  # the argument of the mark
    return on


def _take(item: pytest.Function) -> None:
    """Run an asynchronous test on a loop in virtual time if it is marked so."""
    if not _is_marked(item):
        return
    test = item.obj
    if inspect.iscoroutinefunction(test):
        item.obj = _function_on(item, _checked(test))
    elif inspect.iscoroutinefunction(inner := _property_of(test)):
        test.hypothesis.inner_test = _on_fresh_loops(_checked(inner))


def _property_of(test: Callable[..., object]) -> Callable[..., Any] | None:
    """Return the function inside hypothesis' `@given`, which runs once for each example."""
    return getattr(getattr(test, "hypothesis", None), "inner_test", None)


def _new_runner() -> asyncio.Runner:
    from bff_core.testing import VirtualTimeLoop  # noqa: PLC0415 # only tests that need it load it

    return asyncio.Runner(loop_factory=VirtualTimeLoop)


def _runner_of(item: pytest.Item) -> asyncio.Runner:
    runner = item.stash.get(RUNNER, None)
    if runner is None:
        runner = item.stash[RUNNER] = _new_runner()
    return runner


def _free_runner_of(item: pytest.Item) -> asyncio.Runner:
    """Return the loop of a test; fail if the test runs on it right now."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _runner_of(item)
    pytest.fail(TOO_LATE, pytrace=False)


def _function_on(item: pytest.Item, run: Asynchronous) -> Callable[..., object]:
    """Return a test or a fixture as a function that runs on the loop of a test."""

    @functools.wraps(run)
    def synchronous(*args: object, **kwargs: object) -> object:
        return _free_runner_of(item).run(run(*args, **kwargs))

    return synchronous


def _generator_on(
    item: pytest.Item, fixture: Callable[..., AsyncGenerator[object]]
) -> Callable[..., Generator[object]]:
    """Return a fixture that yields as a generator that runs on the loop of a test."""

    @functools.wraps(fixture)
    def synchronous(*args: object, **kwargs: object) -> Generator[object]:
        made, runner = fixture(*args, **kwargs), _free_runner_of(item)
        yield runner.run(_next(made))
        try:
            runner.run(_next(made))
        except StopAsyncIteration:
            return
        raise RuntimeError(f"the fixture {fixture.__name__} yields more than once")

    return synchronous


async def _next(made: AsyncGenerator[object]) -> object:
    return await anext(made)


def _on_fresh_loops(test: Asynchronous) -> Callable[..., object]:
    """Return a property as a function; each example has a loop of its own."""
    _new_runner().close()  # loads the framework, which would count as the time of an example

    @functools.wraps(test)
    def synchronous(*args: object, **kwargs: object) -> object:
        with _new_runner() as runner:
            return runner.run(test(*args, **kwargs))

    return synchronous


def _checked(test: Asynchronous) -> Asynchronous:
    """Return a test that fails if it leaves tasks behind, which would run into nothing."""

    @functools.wraps(test)
    async def check(*args: object, **kwargs: object) -> None:
        known = asyncio.all_tasks()
        await test(*args, **kwargs)
        if others := asyncio.all_tasks() - known:
            _, leaked = await asyncio.wait(others, timeout=AFTERMATH_SECONDS)
            names = sorted(getattr(task.get_coro(), "__qualname__", "?") for task in leaked)
            assert not leaked, f"the test left tasks behind: {', '.join(names)}"  # noqa: S101 # of a test

    return check
