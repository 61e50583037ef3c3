"""Which programs `bff dev` runs: ports, addresses and environments of `[tool.bff]`."""

import socket
import sys
from pathlib import Path

import pytest

from bff_core.cli.dev.plan import Plan
from bff_core.cli.errors import CannotRun
from bff_core.cli.ports import Port, PortUnusable, check, port_from
from bff_core.cli.project import read_project
from tests.reference_project import PROJECT, programs

TABLE = """
[tool.bff.gateways.mobile]
app = "bffs.mobile.app:app"
port = 8002
about = "REST"
env = { BFF_ISSUER = "{identity-provider}", SELF = "{port} of {mobile}" }
examples.none = "curl {mobile}/v1?query={home{name}}"
examples.demo = "curl demo {mobile}/v1"

[tool.bff.services.catalog]
command = "python -m mocks.catalog --port {port} --name 'two words'"
port = 9004

[tool.bff.services.identity-provider]
command = "./provider --web {mobile}"
port = 9007

[tool.bff.services.maps]
url = "https://maps.example"
"""


@pytest.fixture
def plan(tmp_path):
    """Plan the project of a table, in an environment."""

    def made(*, table: str = TABLE, gateways: tuple[str, ...] = (), **environ: str) -> Plan:
        (tmp_path / "pyproject.toml").write_text(table)
        return Plan(read_project(tmp_path), environ, gateways)

    return made


def by_name(plan: Plan):
    return {one.name: one for one in plan.programs}


@pytest.mark.parametrize("text", ["http", "0", "-1", "65536", "8001.5", "٣"])
def test_a_variable_that_holds_no_port_is_named(text):
    """A port that can't be is one line that names the variable and its value."""
    with pytest.raises(PortUnusable, match=f"^WEB_PORT={text} is no port: give a number from 1"):
        port_from({"WEB_PORT": text}, "WEB_PORT", 8001)


def test_services_need_room_for_all_of_them():
    """A base port so high that the last service has none is refused by the name of the variable."""
    with pytest.raises(PortUnusable, match=r"^SERVICES_PORT=65530 is too high: port 65536 would"):
        programs(SERVICES_PORT="65530")


def test_two_gateways_on_one_port_are_refused():
    """The message names both variables."""
    with pytest.raises(PortUnusable, match=r"^port 8002 is named twice: by WEB_PORT and MOBILE"):
        check(one.port for one in programs(WEB_PORT="8002").values())


def test_all_ports_that_are_taken_are_named_at_once():
    """One line says which they are, and what moves them."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        numbers = [held.getsockname()[1] for held in (one, other)]
        ports = [Port(number, f"P{place}") for place, number in enumerate(numbers)]
        with pytest.raises(PortUnusable) as refused:
            check(ports)

    assert str(refused.value) == (
        f"ports {numbers[0]}, {numbers[1]} are busy, maybe by another `bff dev`: stop it, "
        "or choose others with P0, P1"
    )


@pytest.mark.parametrize(
    ("command", "reason"),
    [("python -m 'mocks", "No closing quotation"), ("  ", "no program"), ("'' -m x", "no program")],
)
def test_a_command_that_cannot_be_run_is_refused(plan, command, reason):
    """The message names the table and the command."""
    table = TABLE.replace("./provider --web {mobile}", command)

    with pytest.raises(CannotRun, match=rf"^\[tool.bff.services.identity-provider\] .*{reason}"):
        plan(table=table)


def test_services_port_moves_all_services_and_a_port_of_one_only_that(plan):
    """The lowest service gets the port, the others have their distance to it."""
    moved = by_name(plan(SERVICES_PORT="7001", CATALOG_PORT="6000", MOBILE_PORT="5000"))

    assert {name: one.port.number for name, one in moved.items()} == {
        "catalog": 6000,
        "identity-provider": 7004,
        "mobile": 5000,
    }
    assert moved["mobile"].env["BFF_UPSTREAM_CATALOG"] == "http://127.0.0.1:6000"
    assert moved["mobile"].env["BFF_UPSTREAM_IDENTITY_PROVIDER"] == "http://127.0.0.1:7004"


def test_placeholders_become_ports_and_addresses(plan):
    """In commands, in variables and in examples."""
    found = by_name(plan())

    assert found["mobile"].env["BFF_ISSUER"] == "http://localhost:9007"
    assert found["mobile"].env["SELF"] == "8002 of http://localhost:8002"
    assert found["identity-provider"].command == ("./provider", "--web", "http://localhost:8002")
    assert found["catalog"].command == (
        *(sys.executable, "-m", "mocks.catalog", "--port", "9004", "--name", "two words"),
    )


def test_the_example_is_that_of_the_authentication(plan):
    """With demo tokens another command works than with a sign-in."""
    assert by_name(plan())["mobile"].example == "curl http://localhost:8002/v1?query={home{name}}"
    table = TABLE.replace("env = {", 'env = { BFF_AUTH = "none",')
    demo = by_name(plan(table=table, BFF_AUTH="demo"))
    assert demo["mobile"].example == "curl demo http://localhost:8002/v1"


def test_an_address_from_the_environment_replaces_a_mock(plan):
    """`BFF_UPSTREAM_CATALOG=… bff dev` calls that catalog, and starts none."""
    found = plan(BFF_UPSTREAM_CATALOG="http://127.0.0.1:7000")

    assert "catalog" not in by_name(found)
    assert found.elsewhere == {"catalog": "http://127.0.0.1:7000", "maps": "https://maps.example"}
    env = by_name(found)["mobile"].env
    assert env["BFF_UPSTREAM_CATALOG"] == "http://127.0.0.1:7000"
    assert env["BFF_UPSTREAM_MAPS"] == "https://maps.example"


def test_gateways_can_be_chosen_by_name():
    """`bff dev mobile` runs that gateway and all services."""
    chosen = Plan(PROJECT, {}, ["mobile"]).programs

    assert [one.name for one in chosen if one.is_gateway] == ["mobile"]
    assert len(chosen) == len(PROJECT.services) + 1
    assert {one.name for one in Plan(PROJECT, {}, ["mobile"]).others} == {"web", "desktop"}


@pytest.mark.parametrize(
    ("changed", "into", "complaint"),
    [
        ("{identity-provider}", "{identity}", r"\[tool.bff.gateways.mobile\] has \{identity\}"),
        ('url = "https://maps.example"', "", "maps] has neither a command nor a url"),
        ("port = 9004", "", r"\[tool.bff.services.catalog\] has a command and no port"),
    ],
)
def test_a_table_that_can_not_be_run_is_a_line(plan, changed, into, complaint):
    """It names the program and what is missing."""
    with pytest.raises(CannotRun, match=complaint):
        plan(table=TABLE.replace(changed, into))


def test_a_project_without_gateways_has_nothing_to_run(plan):
    """The error says what to add."""
    with pytest.raises(CannotRun, match="has no gateway to run"):
        plan(table="[tool.bff.services.maps]\nurl = 'https://maps.example'\n")


def test_the_reference_project_runs_in_development_with_real_logins():
    """Both settings can be overridden."""
    plain, demo = programs()["web"], programs(BFF_AUTH="demo")["web"]

    assert (plain.env["BFF_ENV"], plain.env["BFF_AUTH"]) == ("development", "none")
    assert demo.env["BFF_AUTH"] == "demo"
    assert plain.root == Path(__file__).parents[3]


def test_the_table_of_the_docs_can_be_run(plan):
    """The page that explains the table has one that is valid."""
    page = (PROJECT.root / "docs/how-to/development.md").read_text(encoding="utf-8")
    table = page.partition("```text\n")[2].partition("```")[0]
    found = plan(table=table)

    assert by_name(found).keys() == {"mobile", "catalog"}
    assert found.elsewhere == {"maps": "https://maps.example"}
