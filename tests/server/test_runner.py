"""`bff serve`: error messages, and several worker processes."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bff_core.events import Events
from bff_core.gateway.app import Gateway
from bff_core.server.listening_socket import CannotListen, adopt, bind
from bff_core.server.target import AppFailed, CannotServe, load
from bff_core.server.workers import Worker, Workers
from bff_core_cli import main
from tests.processes.process import Process
from tests.processes.services import answers, request
from tests.server import factories
from tests.server.conftest import free_port
from tests.server.talking import connect, until

ROOT = Path(__file__).parents[2]

SHARED = {"BFF_IDEMPOTENCY_URL": "redis://127.0.0.1:1/0"}
"""What lets several processes serve a gateway that takes writes; no test here sends a key."""


def run(*arguments: str, **environ: str) -> tuple[int, str]:
    """Run the command; return its status and what it said."""
    done = subprocess.run(
        (sys.executable, "-m", "bff_core", "serve", *arguments),
        cwd=ROOT,
        env={**os.environ, "BFF_ENV": "development", **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr.strip()


def serve(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """Run the command in this process; return its status. Variables that it sets end with it."""
    monkeypatch.setattr(sys, "argv", ["bff", "serve", *arguments])
    before = dict(os.environ)
    with pytest.raises(SystemExit) as end:
        main()
    os.environ.clear()
    os.environ.update(before)
    return end.value.code


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("depot", "'depot' is not an application: write module:attribute, as in shop.app:app"),
        ("no.such:app", "there is no module 'no' (in 'no.such:app')"),
        ("tests.server.nowhere:app", "there is no module 'tests.server.nowhere'"),
        (
            "tests.server.talking:nothing",
            "module 'tests.server.talking' has no 'nothing', and neither a gateway nor a factory",
        ),
        ("tests.server.factories:ap", "module 'tests.server.factories' has no 'ap': it has app, "),
        (
            "tests.server.factories:VIEWS",
            "'tests.server.factories:VIEWS' is not an application: it is",
        ),
        (
            "tests.server:factories",
            "'tests.server:factories' is not an application: it is a module",
        ),
        (
            "tests.server.factories:makes_a_factory",
            "'tests.server.factories:makes_a_factory' retur",
        ),
        ("tests.server.conftest:DEPOT", "'tests.server.conftest:DEPOT' is not an application: it"),
        (
            "tests.server.factories:needs_settings",
            "'tests.server.factories:needs_settings' takes arguments, (settings: bff",
        ),
        ("tests.server.factories:opens_later", "'tests.server.factories:opens_later' is a factory"),
        ("tests.server.factories:forgets", "'tests.server.factories:forgets' returned None, not"),
        ("tests.server.factories:counts", "'tests.server.factories:counts' returned an object of"),
    ],
)
def test_an_application_that_can_not_be_served_is_a_line(name, reason):
    """The error for a mistyped name says which part of it is wrong."""
    with pytest.raises(CannotServe) as caught:
        load(name)

    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


def test_a_face_is_no_application():
    """The error says what to serve instead."""
    with pytest.raises(CannotServe, match=r"it is a Views: serve the gateway that has it"):
        load("tests.server.factories:VIEWS")


@pytest.mark.parametrize("name", ["app", "Shop.app", "with_a_default", "lazily", "NAMED"])
def test_a_factory_is_called(name):
    """A function without required arguments returns the gateway; so may a static method."""
    assert isinstance(load(f"tests.server.factories:{name}"), Gateway)


@pytest.mark.parametrize("name", ["plain", "CALLABLE", "any_arguments"])
def test_an_asgi_application_is_not_called(name):
    """A function that takes scope, receive and send is the application itself."""
    assert load(f"tests.server.factories:{name}") is getattr(factories, name)


async def test_a_factory_is_served(depot):
    """The command takes `module:factory`, also for several processes."""
    process = depot("--workers", "2", app="tests.server.factories:app")

    assert request(process.port, "GET", "/version")[0] == 200


def test_an_import_error_inside_the_module_shows_where(tmp_path, monkeypatch):
    """A module that imports a missing one is not missing itself."""
    (tmp_path / "faulty_shop.py").write_text("import no_such_library")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(AppFailed, match=r"faulty_shop.py, line 1: .* 'no_such_library'"):
        load("faulty_shop:app")


@pytest.mark.parametrize(
    ("variable", "value"), [("BFF_PORT", "many"), ("BFF_ALLOWED_HOSTS", ""), ("BFF_GRACE", "-1")]
)
def test_a_wrong_setting_is_a_line_without_a_traceback(variable, value, capsys, monkeypatch):
    """The log of a container shows the reason."""
    monkeypatch.setenv("BFF_ENV", "production")
    monkeypatch.setenv(variable, value)

    assert serve("tests.server.depot:app", "--port", "0", monkeypatch=monkeypatch) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"bff: {variable}")


def test_a_busy_port_is_a_line():
    """It names port and host, and how to choose another."""
    with bind("127.0.0.1", 0) as taken, pytest.raises(CannotListen) as caught:
        bind("127.0.0.1", taken.getsockname()[1])

    assert "is busy: free it, or choose another one with --port or BFF_PORT" in str(caught.value)


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1"])
def test_an_unavailable_address_is_a_line(host):
    """An unknown name, or an address of another machine."""
    with pytest.raises(CannotListen) as caught:
        bind(host, 0)

    assert host in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_descriptor_that_is_no_socket_is_a_line(tmp_path):
    """A service manager that passes the wrong one gets an error."""
    with (
        (tmp_path / "file").open("w") as file,
        pytest.raises(CannotListen, match="is not a socket"),
    ):
        adopt(file.fileno())
    with pytest.raises(CannotListen, match="Bad file descriptor"):
        adopt(9999)


@pytest.mark.parametrize(
    "options", [("--port", "70000"), ("--workers", "0"), ("--grace", "-1"), ("--grace", "nan")]
)
def test_wrong_options_are_usage_errors(options, capsys, monkeypatch):
    """As for any command, the error names the option."""
    assert serve("a:b", *options, monkeypatch=monkeypatch) == 2
    assert options[0] in capsys.readouterr().err


def test_two_options_that_contradict_each_other_are_an_error(capsys, monkeypatch):
    """A file of variables is named, or none is read."""
    options = ("--env-file", "x", "--no-env-file")

    assert serve("a:b", *options, monkeypatch=monkeypatch) == 2
    assert "--env-file and --no-env-file contradict" in capsys.readouterr().err


def test_options_take_precedence_over_settings(capsys, monkeypatch, tmp_path):
    """The environment has the default of the port: 0 is free, and the other one is taken."""
    (tmp_path / "ending_shop.py").write_text("import sys\ndef app():\n    sys.exit(7)\n")
    monkeypatch.chdir(tmp_path)
    with bind("127.0.0.1", 0) as taken:
        monkeypatch.setenv("BFF_PORT", str(taken.getsockname()[1]))
        by_option = serve("ending_shop:app", "--port", "0", monkeypatch=monkeypatch)
        by_setting = serve("ending_shop:app", monkeypatch=monkeypatch)

    assert (by_option, by_setting) == (1, 2)
    assert re.search(r"SystemExit: 7\n(.*\n)*.* is busy", capsys.readouterr().err)


PROJECT = """
[tool.bff.gateways.mobile]
app = "bffs_of_test.mobile:app"
port = {port}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Work in a folder below a project with one gateway, whose factory prints where it runs."""
    with bind("127.0.0.1", 0) as free:
        table = PROJECT.format(port=free.getsockname()[1])
    (tmp_path / "pyproject.toml").write_text(table)
    package = tmp_path / "bffs_of_test"
    package.mkdir()
    (package / "mobile.py").write_text(
        "import os, sys\ndef app():\n    print(os.getcwd())\n    sys.exit(7)\n"
    )
    monkeypatch.chdir(package)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("BFF_PORT", raising=False)
    return tmp_path


def test_a_gateway_of_the_project_is_served_by_its_name(project, capsys, monkeypatch):
    """`bff serve mobile` works in each folder of the project, and runs in its root."""
    assert serve("mobile", monkeypatch=monkeypatch) == 1
    out, err = capsys.readouterr()
    assert out.strip() == str(project)
    assert "SystemExit: 7" in err


TABLE = """
[tool.bff.gateways.mobile]
app = "printing:app"
port = 8002
env = { BFF_AUTH = "demo", BFF_PUBLIC_URL = "http://localhost:{port}", SHOP_NAME = "table" }

[tool.bff.services.catalog]
url = "https://catalog.example"
"""
PRINTING = """
import os, sys
def app():
    names = ("BFF_AUTH", "BFF_PUBLIC_URL", "SHOP_NAME", "BFF_UPSTREAM_CATALOG")
    print(*(os.environ.get(name) for name in names))
    sys.exit("that is all")
"""


@pytest.mark.parametrize(
    ("environ", "options", "shown"),
    [
        ({}, [], "demo http://localhost:{port} .env https://catalog.example"),
        ({}, ["--no-env-file"], "demo http://localhost:{port} table https://catalog.example"),
        ({"SHOP_NAME": "mine"}, [], "demo http://localhost:{port} mine https://catalog.example"),
        ({"BFF_AUTH": "none"}, [], "none http://localhost:{port} .env https://catalog.example"),
        ({"BFF_ENV": "production"}, [], "None None None None"),
        ({"BFF_ENV": ""}, [], "None None None None"),
    ],
    ids=str,
)
def test_a_gateway_of_the_project_has_its_variables_in_development(
    tmp_path, environ, options, shown
):
    """Those of the process win, then `.env`, then the table; in production there is no table."""
    port = str(free_port())
    (tmp_path / "pyproject.toml").write_text(TABLE)
    (tmp_path / "printing.py").write_text(PRINTING)
    (tmp_path / ".env").write_text("SHOP_NAME=.env\n")

    done = subprocess.run(
        [sys.executable, "-m", "bff_core", "serve", "mobile", "--port", port, *options],
        cwd=tmp_path,
        env={"PATH": os.defpath, "BFF_ENV": "development", **environ},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr.endswith("SystemExit: that is all\n")
    assert done.stdout.strip() == shown.format(port=port)


def test_a_gateway_that_the_project_does_not_have_is_a_line(project, capsys, monkeypatch):
    """The error names those that it has."""
    assert serve("mobil", monkeypatch=monkeypatch) == 2
    assert "mobile" in capsys.readouterr().err


def test_a_name_outside_of_a_project_is_a_line(tmp_path, capsys, monkeypatch):
    """It says how an application is named."""
    monkeypatch.chdir(tmp_path)

    assert serve("mobile", monkeypatch=monkeypatch) == 2
    assert "write module:attribute, as in shop.app:app" in capsys.readouterr().err


def test_a_wrong_option_of_an_application_is_reported_with_its_line(capsys, monkeypatch, tmp_path):
    """The message alone does not say which of many upstreams has the option."""
    file = tmp_path / "wrongly_configured.py"
    file.write_text(
        "from bff_core import Policy\n\n\nclass Orders:\n    policy = Policy(timeout=-1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    serve("wrongly_configured:app", "--port", "0", monkeypatch=monkeypatch)

    line = capsys.readouterr().err
    assert line.startswith("bff: Policy.timeout must be 0.001 to 3,600, not -1")
    assert line.endswith(f" ({file}, line 5)\n")


def test_an_application_that_can_not_be_served_exits_with_two(capsys, monkeypatch):
    """A script can distinguish it from an application that failed."""
    assert serve("no.such:app", "--port", "0", monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == "bff: there is no module 'no' (in 'no.such:app')\n"


def test_an_application_that_fails_to_start_shows_why(tmp_path, capsys, monkeypatch):
    """A bug in a lifespan is a bug: with its traceback, and exit status 1."""
    (tmp_path / "failing_shop.py").write_text(
        "async def app(scope, receive, send):\n    raise ValueError('no database')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    assert serve("failing_shop:app", "--port", "0", monkeypatch=monkeypatch) == 1
    assert "ValueError: no database" in capsys.readouterr().err


async def test_workers_share_a_port_and_end_together(depot):
    """Two processes answer; SIGTERM to the supervisor ends all, within the grace period."""
    process = depot("--workers=2", "--drain-delay=0", "--grace=5", **SHARED)
    await until(lambda: process.output.count('"server.started"') == 2)
    workers = children(process.pid)
    client = await connect(process.port)
    client.send(b"GET /items/1?seconds=0.5 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await asyncio.sleep(0.2)

    process.ask_to_end()
    answer = await client.answer()
    await until(lambda: not process.is_alive)

    assert answer.status == 200
    assert len(workers) == 2
    assert not any(_lives(pid) for pid in workers)


WORKER = """
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
line = socket.socket(fileno=int(sys.argv[sys.argv.index("--lifeline") + 1]))
line.sendall(b"ready\\n")
line.recv(1)
"""


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_a_signal_while_workers_start_ends_all(count):
    """No further process is started, and none is left behind."""
    before = set(children(os.getpid()))
    command = [sys.executable, "-S", "-c", WORKER]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        workers = Workers(command, 20, listener, Events())
        running = asyncio.ensure_future(workers.run())
        await until(lambda: len(set(children(os.getpid())) - before) >= count)
        os.kill(os.getpid(), signal.SIGTERM)
        status = await asyncio.wait_for(running, 20)

    assert status == 0
    assert set(children(os.getpid())) <= before


async def test_sighup_ends_no_worker_and_one_that_dies_is_replaced(depot):
    """The signal reloads policies; the other worker serves until the new one does."""
    process = depot("--workers=2", **SHARED)
    await until(lambda: process.output.count('"server.started"') == 2)
    victim, survivor = before = children(process.pid)

    process.signal(signal.SIGHUP)
    statuses = {request(process.port, "GET", "/items/1")[0] for _ in range(10)}
    unchanged = children(process.pid)
    os.kill(victim, signal.SIGKILL)
    await until(lambda: process.output.count('"server.started"') == 3)

    assert (statuses, unchanged) == ({200}, before)
    assert '"worker.ended"' in process.output
    assert "SIGKILL" in process.output
    assert survivor in children(process.pid)
    assert victim not in children(process.pid)
    assert request(process.port, "GET", "/items/1")[0] == 200


@pytest.mark.parametrize("workers", [1, 2])
async def test_sighup_during_the_start_ends_nothing(depot, workers):
    """Not even an application that is no gateway, or is still being imported."""
    process = depot(f"--workers={workers}", app="tests.server.hanging_up:app")

    process.signal(signal.SIGHUP)
    statuses = {request(process.port, "GET", "/")[0] for _ in range(10)}

    assert (statuses, process.is_alive) == ({200}, True)
    assert "worker.ended" not in process.output


def test_sighup_during_shutdown_does_not_change_the_exit_status():
    """A process that was stopped regularly has not failed."""
    options = ("--port", str(free_port()), "--drain-delay=0")

    assert run("tests.server.leaving:app", *options) == (0, "")


LATE = """
import signal, socket, sys
sys.stdin.read(1)
signal.signal(signal.SIGHUP, lambda *_: sys.exit(7))
line = socket.socket(fileno=int(sys.argv[1]))
line.sendall(b"ready\\n")
line.recv(1)
"""


async def test_sighup_waits_until_a_worker_serves():
    """The signal would end a worker that was just started; it gets it a moment later."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", LATE, str(theirs.fileno())),
        pass_fds=(theirs.fileno(),),
        stdin=asyncio.subprocess.PIPE,
    )
    theirs.close()
    worker = Worker(process, ours, lambda: None)
    assert process.stdin is not None

    worker.hang_up()
    process.stdin.write(b"x")

    assert await worker.is_ready()
    assert await worker.ended() == 7


async def test_workers_do_not_outlive_their_supervisor(depot):
    """A supervisor that is killed leaves no orphans on its port."""
    process = depot("--workers=2", "--drain-delay=0", **SHARED)
    await until(lambda: process.output.count('"server.started"') == 2)
    workers = children(process.pid)

    process.kill()
    await until(lambda: not any(_lives(pid) for pid in workers))


async def test_a_gateway_that_can_not_start_ends_its_supervisor():
    """It is not restarted for ever; the reason is logged once."""
    status, said = run("no.such:app", "--workers=3", "--port", str(free_port()))

    assert status == 2
    assert said == "bff: there is no module 'no' (in 'no.such:app')"


def test_an_inherited_socket_is_served():
    """A service manager may listen, and pass the socket on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = subprocess.Popen(
            (
                *(sys.executable, "-m", "bff_core", "serve", "tests.server.depot:app"),
                *("--fd", str(listener.fileno())),
            ),
            cwd=ROOT,
            env={**os.environ, "BFF_ENV": "development", "BFF_LOG": "off"},
            pass_fds=(listener.fileno(),),
        )
        port = listener.getsockname()[1]
        try:
            status, _ = request(port, "GET", "/items/1")
        finally:
            serving.terminate()
            ended = serving.wait(30)

    assert (status, ended) == (200, 0)


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def _lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    "command", [("uvicorn", "--log-level", "error"), ("granian", "--interface", "asgi")]
)
def test_other_servers_take_the_factory(command, fork_server, tmp_path):
    """`--factory` is their option for it."""
    port = free_port()
    process = Process(
        fork_server,
        *(*command, "--factory", "tests.server.factories:app", "--port", str(port)),
        log=tmp_path / "log",
        environ={"BFF_LOG": "off"},
        is_ready=lambda: answers(port, "/readyz"),
    )
    process.start().wait_until_ready()

    assert request(port, "GET", "/version")[0] == 200

    process.ask_to_end()
    process.wait_for_end()


async def test_the_protocol_runs_under_uvicorn_s_own_server(fork_server, tmp_path):
    """With uvicorn's own command a gateway still has our parsing, limits and deadlines."""
    port = free_port()
    protocol = "bff_core.server.protocol:HTTPProtocol"
    process = Process(
        fork_server,
        *("uvicorn", "tests.server.depot:app", "--port", str(port), "--http", protocol),
        log=tmp_path / "log",
        environ={"BFF_ENV": "development", "BFF_LOG": "off", "BFF_HEADER_TIMEOUT": "0.2"},
        is_ready=lambda: answers(port, "/readyz"),
    )
    process.start().wait_until_ready()  # the fork server ends it, whatever happens
    slow, streaming = await connect(port), await connect(port)
    slow.send(b"GET /items/1 HTTP/1.1\r\n")
    streaming.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")

    status = (await slow.answer()).status
    await streaming.head()
    process.ask_to_end()
    last = [chunk async for chunk in streaming.chunks()][-1]
    process.wait_for_end()

    assert status == 408
    assert b"retry: " in last
