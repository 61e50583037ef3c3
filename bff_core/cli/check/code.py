"""Loads gateways and checks their code: import, wiring, and what production needs."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from bff_core.cli.check.options import CheckOptions
from bff_core.cli.check.results import CheckResult, ResultLevel
from bff_core.cli.errors import CannotRun
from bff_core.cli.findings import Finding, State
from bff_core.cli.gateway_checks import (
    declaration_findings,
    gateway_findings,
    needs_of_production,
)
from bff_core.cli.gateways import LoadedGateway, load_gateway
from bff_core.cli.output import counted
from bff_core.cli.project import Project
from bff_core.errors import ConfigurationError
from bff_core.proxy.data.faults import ProxyFileError
from bff_core.server.target import AppFailed, CannotServe

LEVELS: Final[dict[State, ResultLevel]] = {"ok": "info", "note": "warning", "fail": "error"}


def loaded_gateways(
    project: Project, names: Sequence[str]
) -> tuple[list[LoadedGateway], list[CheckResult]]:
    """Return the gateways that can be loaded, and why others can't."""
    loaded: list[LoadedGateway] = []
    failed: list[CheckResult] = []
    for name in names:
        project.gateway(name)
        try:
            loaded.append(load_gateway(name))
        except ProxyFileError as error:
            failed += _file_results(name, error)
        except (CannotRun, CannotServe, ConfigurationError) as error:
            below = error.traceback if isinstance(error, AppFailed) else []
            what = "\n".join([str(error), *below])
            area, advice = f"gateway {name}", "Correct it: its other checks need the gateway"
            failed.append(CheckResult("code", area, "error", what, advice, _place_in(str(error))))
    return loaded, failed


def _file_results(name: str, error: ProxyFileError) -> Iterator[CheckResult]:
    """Yield each fault of a file of routes; annotations of GitHub have its line."""
    for fault in error.faults:
        place = f"{fault.file}:{fault.place.line}:{fault.place.column}"
        yield CheckResult("code", f"gateway {name}", "error", fault.what, "", place)


def _place_in(message: str) -> str:
    """Return the file and the line that a message names; empty if it names none."""
    found = re.search(r"([^\s(]+\.py), line (\d+)", message)
    return "" if found is None else f"{found[1]}:{found[2]}"


def code_results(loaded: Sequence[LoadedGateway]) -> Iterator[CheckResult]:
    """Yield what a start would refuse, or log, for each gateway."""
    for one in loaded:
        area = f"gateway {one.name}"
        findings = list(declaration_findings(area, one.app))
        if all(each.state != "fail" for each in findings):
            services = counted(len(one.app.services), "service")
            routes = counted(len(one.app.routes), "route")
            yield CheckResult("code", area, "info", f"loads, with {services} and {routes}")
        for each in findings:
            yield _of_finding("code", each)


def production_results(
    project: Project, loaded: Sequence[LoadedGateway], options: CheckOptions
) -> Iterator[CheckResult]:
    """Yield what prevents a start in production.

    Without `--production` nothing of it is an error: CI has no variables of production. Which ones
    production needs is named then.
    """
    for one in loaded:
        if one.entry is None:
            continue
        if options.is_production:
            for each in gateway_findings(project, one.name, one.entry, is_production=True):
                if each.state != "ok":
                    yield _of_finding("production", each)
            continue
        needs = [
            *needs_of_production(one.app, one.variables),
            *(f"BFF_UPSTREAM_{kind.name.upper()}" for kind in one.app.services),
        ]
        if needs:
            yield CheckResult(
                "production",
                f"gateway {one.name}",
                "detail",
                f"production needs: {', '.join(dict.fromkeys(needs))}",
                "Judge the variables of production: bff check --production",
            )


def _of_finding(step: str, one: Finding) -> CheckResult:
    kind = "production" if step == "production" else "code"
    return CheckResult(kind, one.area, LEVELS[one.state], one.what, one.advice)  # type: ignore[arg-type]  # as chosen
