"""The ports of `make run`: read from the environment, checked before anything starts."""

import socket
import sys

import pytest

from scripts.run.ports import Port, PortUnusable, check, port_from
from scripts.run.shop import shop


@pytest.mark.parametrize("text", ["http", "0", "-1", "65536", "8001.5", "٣"])
def test_a_variable_that_holds_no_port_is_named(text):
    """A port that cannot be is one line that names the variable and what it held."""
    with pytest.raises(PortUnusable, match=f"^WEB_PORT={text} is no port: give a number from 1"):
        port_from({"WEB_PORT": text}, "WEB_PORT", 8001)


def test_services_need_room_for_all_of_them():
    """A base port so high that the last service has none is refused by the name of the variable."""
    with pytest.raises(PortUnusable, match=r"^SERVICES_PORT=65530 is too high: port 65536 would"):
        shop({"SERVICES_PORT": "65530"})


def test_two_gateways_on_one_port_are_refused():
    """Asking twice for a port names both variables."""
    programs = shop({"WEB_PORT": "8002"})

    with pytest.raises(PortUnusable, match=r"^port 8002 is named twice: by WEB_PORT and MOBILE"):
        check(program.port for program in programs)


def test_a_port_of_an_earlier_run_is_free_again(free_ports):
    """Connections that linger after their listener closed do not make a port busy."""
    (port,) = free_ports(1)
    with (
        socket.create_server(("127.0.0.1", port)) as listener,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        listener.accept()[0].close()
        client.recv(1)

    check([Port(port, "WEB_PORT")])


def test_a_busy_port_is_one_line_and_nothing_starts(start, free_ports):
    """A busy port ends the command with a line that names port and variable, before any start."""
    ports = free_ports(12)
    environ = dict(zip(("WEB_PORT", "MOBILE_PORT", "DESKTOP_PORT"), map(str, ports), strict=False))
    with socket.create_server(("127.0.0.1", ports[5])):
        run = start(sys.executable, "-m", "scripts.run", SERVICES_PORT=str(ports[3]), **environ)
        status = run.wait()

    assert status == 2
    assert run.output == (
        f"run: port {ports[5]} is busy: free it or choose another with SERVICES_PORT\n"
    )


def test_an_address_from_the_environment_replaces_a_mock():
    """`BFF_UPSTREAM_CATALOG=… make run` points the gateways at that catalog instead of the mock."""
    environ = {"BFF_UPSTREAM_CATALOG": "http://127.0.0.1:7000", "SERVICES_PORT": "9101"}
    gateways = [program for program in shop(environ) if program.is_vital]

    assert {program.env["BFF_UPSTREAM_CATALOG"] for program in gateways} == {
        "http://127.0.0.1:7000"
    }
    assert {program.env["BFF_UPSTREAM_USERS"] for program in gateways} == {"http://127.0.0.1:9101"}


def test_the_shop_runs_in_development_with_real_logins_by_default():
    """`make run` is for development; both settings can be overridden."""
    plain, demo = shop({})[-1], shop({"BFF_AUTH": "demo"})[-1]

    assert (plain.env["BFF_ENV"], plain.env["BFF_AUTH"]) == ("development", "none")
    assert demo.env["BFF_AUTH"] == "demo"
