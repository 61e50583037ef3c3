"""`bff doctor`: checks the project and the machine, and says what to do."""

import os
from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from bff_core.cli.addresses import with_addresses
from bff_core.cli.environment import development_project
from bff_core.cli.errors import CannotRun
from bff_core.cli.findings import Finding, fail, ok, tables_of
from bff_core.cli.gateway_checks import gateway_findings
from bff_core.cli.machine_checks import env_file_findings, machine_findings
from bff_core.cli.network_checks import port_findings, service_findings
from bff_core.cli.output import console, counted, print_json, print_lines
from bff_core.cli.project import GatewayEntry, Project, find_project
from bff_core.errors import ConfigurationError


def examine(gateway: str, *, is_production: bool, as_json: bool) -> int:
    """Print all findings; return 1 if something has to be mended, else 0."""
    findings = list(findings_of(gateway, is_production=is_production))
    failed = sum(one.state == "fail" for one in findings)
    if as_json:
        print_json(findings)
    else:
        out = console()
        is_utf8 = (out.encoding or "").lower().startswith("utf")
        print_lines(out, *tables_of(findings, is_utf8=is_utf8), _summary(failed))
    return 1 if failed else 0


def findings_of(gateway: str, *, is_production: bool) -> Iterator[Finding]:
    """Yield the findings of the machine, of the project, of its services and gateways."""
    yield from machine_findings()
    if ":" in gateway:  # it needs no project, as in a container
        alone, entry = Project(Path.cwd(), {}, {}), GatewayEntry(app=gateway, port=0)
        yield from gateway_findings(alone, gateway, entry, is_production=is_production)
        return
    try:
        project = _project()
        gateways = {gateway: project.gateway(gateway)} if gateway else project.gateways
    except CannotRun as error:
        yield fail("project", str(error), "All other checks need a project")
        return
    yield _summary_of(project)
    if not is_production:
        yield from env_file_findings(project.root, os.environ)
        yield from service_findings(project)
        yield from port_findings(project, gateways)
    for name, entry in gateways.items():
        yield from gateway_findings(project, name, entry, is_production=is_production)


def _project() -> Project:
    """Return the project with its ports. A wrong `.env` moves none: it has a finding of its own."""
    try:
        return development_project()
    except ConfigurationError:
        return with_addresses(find_project(), os.environ)


def _summary_of(project: Project) -> Finding:
    gateways, services = len(project.gateways), len(project.services)
    count = f"{counted(gateways, 'gateway')}, {counted(services, 'service')}"
    if not project.gateways:
        return fail("project", f"{project.root}: no gateway", "Add one: bff new NAME")
    return ok("project", f"{project.root}: {count}")


def _summary(failed: int) -> Text:
    if not failed:
        return Text("\nnothing has to be mended", "green")
    return Text(f"\n{failed} {'thing has' if failed == 1 else 'things have'} to be mended", "red")
