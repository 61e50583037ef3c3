"""Enters a service into the files that list services: pyproject.toml, .env.example, Compose."""

from collections.abc import Mapping
from typing import Final

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import FILE, Project
from bff_core.cli.scaffold.pyproject import add_extras, add_program, set_program_keys
from bff_core.cli.scaffold.service_contract import Kind
from bff_core.cli.scaffold.text_files import (
    COMPOSE,
    ENV_EXAMPLE,
    NoPlace,
    add_environment,
    add_service,
    add_variables,
    published_ports,
)
from bff_core.cli.scaffold.tree import Tree
from bff_core.extras import has_extra, missing

FIRST_SERVICE_PORT: Final = 9001
DOCKERFILE: Final = "Dockerfile"

EXTRAS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "openapi": ("openapi",),
    "graphql": ("graphql", "openapi"),
}
"""What the mock of a service needs."""


def free_service_port(project: Project, tree: Tree, name: str, wanted: int | None) -> int:
    """Return the lowest port that no program of the project uses; raise if `wanted` is used."""
    others = {key: one for key, one in project.services.items() if key != name}
    used = {one.port for one in project.gateways.values()}
    used |= {one.port for one in others.values()}
    used |= published_ports(tree.read(COMPOSE) or "", but=name)
    if wanted in used:
        raise CannotRun(f"port {wanted} is used by another program of the project")
    return wanted or next(port for port in range(FIRST_SERVICE_PORT, 65536) if port not in used)


def check_extras(tree: Tree, kind: Kind) -> None:
    """Raise `CannotRun` if an extra that a service needs is not installed.

    In a project that requires the wheel the extras are added to pyproject.toml first.
    """
    absent = [one for one in EXTRAS[kind] if not has_extra(one)]
    if not absent:
        return
    text = tree.read(FILE) or ""
    changed = add_extras(text, EXTRAS[kind])
    if changed == text:
        raise CannotRun(str(missing(absent[0], f"a service with a contract of {kind}")))
    tree.write(FILE, changed)
    tree.commit()
    names = " and ".join(absent)
    raise CannotRun(
        f"the service needs {names}, which is not installed: {FILE} has it now. "
        "Run make test, then this command again"
    )


def add_entry(
    tree: Tree, name: str, keys: Mapping[str, object], *, port: int, url: str, kind: Kind
) -> list[str]:
    """Add a service to the files that list services; return what the user has to add by hand.

    A service that pyproject.toml has already gets its contract only.
    """
    text = tree.read(FILE) or ""
    command = f"python -m mocks.{name} --port {{port}}"
    entry = {"command": command, "port": port}
    text = add_program(text, "services", name, entry)
    text = set_program_keys(text, "services", name, keys)
    tree.write(FILE, add_extras(text, EXTRAS[kind]))
    variable = f"BFF_UPSTREAM_{name.upper()}"
    example = url or f"http://localhost:{port}"
    about = f"# The {name} service. Without this line `bff dev` starts its mock."
    if (env := tree.read(ENV_EXAMPLE)) is not None:
        tree.write(ENV_EXAMPLE, add_variables(env, f"{about}\n# {variable}={example}"))
    return _add_container(tree, name, variable, port, url)


def _add_container(tree: Tree, name: str, variable: str, port: int, url: str) -> list[str]:
    """Add the variable, and the mock if the image of the mocks is there, to docker-compose.yml."""
    text = tree.read(COMPOSE)
    if text is None:
        return []
    has_mocks = "AS mocks" in (tree.read(DOCKERFILE) or "")
    address = f"http://{name}:{port}" if has_mocks else url
    if not address:
        return [f"{COMPOSE} was not changed: the contract has no address; use --url"]
    try:
        text = add_environment(text, variable, f"${{{variable}:-{address}}}")
        if has_mocks:
            text = add_service(text, name, _container(name, port))
    except NoPlace as why:
        return [f"{COMPOSE} was not changed: {why}. Set {variable}={address} there."]
    tree.write(COMPOSE, text)
    return []


def _container(name: str, port: int) -> str:
    return f"""\
  {name}:
    <<: *program
    build: {{ context: ., target: mocks }}
    command: [python, -m, mocks.{name}, --host, 0.0.0.0, --port, "{port}"]
    environment: {{ PORT: "{port}" }}
    ports: ["127.0.0.1:{port}:{port}"]
"""
