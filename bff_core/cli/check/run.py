"""`bff check`: runs the steps, and reports all that they find."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bff_core.cli.check.access_list import access_results, write_pin
from bff_core.cli.check.code import code_results, loaded_gateways, production_results
from bff_core.cli.check.options import CheckOptions
from bff_core.cli.check.releases import release_results, write_contracts
from bff_core.cli.check.results import CheckResult, print_results, status_of
from bff_core.cli.check.service_contracts import service_results
from bff_core.cli.environment import development_project
from bff_core.cli.errors import CannotRun
from bff_core.cli.gateways import LoadedGateway
from bff_core.cli.output import columns, console, print_json, print_lines
from bff_core.cli.project import Project
from bff_core.inspection.function_source import shown_place
from bff_core.inspection.usage.operation_uses import ContractUsage
from bff_core.inspection.usage.source_readings import SourceReadings


def check(options: CheckOptions, form: str, *, shows_all: bool) -> int:
    """Print what the steps find; return 1 if something is wrong, else 0."""
    project = development_project()
    results = list(results_of(project, options))
    print_results(results, form, shows_all=shows_all)
    return status_of(results)


def results_of(project: Project, options: CheckOptions) -> Iterator[CheckResult]:
    """Yield the results of all steps; a gateway that can't be loaded has no others.

    With `services` only their contracts are checked.
    """
    names = _gateways(project, options)
    loaded, failed = loaded_gateways(project, names)
    yield from failed
    if not options.services:
        yield from code_results(loaded)
        yield from production_results(project, loaded, options)
        yield from access_results(project, loaded, options)
    if not loaded:  # no view is known, so no change could be judged
        return
    if failed:
        names = ", ".join(one.area.removeprefix("gateway ") for one in failed)
        yield CheckResult(
            "services",
            "services",
            "warning",
            f"the views of {names} are not known: changes that affect only them are not found",
            "Correct these gateways first",
        )
    yield from service_results(project, usage_of(project, loaded).uses(), options)
    if not options.services:
        yield from release_results(project, loaded, options)


def _gateways(project: Project, options: CheckOptions) -> Sequence[str]:
    if not project.gateways:
        raise CannotRun("the project has no gateway: add one with bff new NAME --client mobile")
    for name in options.gateways:
        project.gateway(name)
    for name in options.live:
        if name not in project.services:
            known = ", ".join(project.services) or "none"
            raise CannotRun(
                f"--live {name}: there is no such service in [tool.bff]: it has {known}"
            )
    return options.gateways or list(project.gateways)


def usage_of(project: Project, loaded: Sequence[LoadedGateway]) -> ContractUsage:
    """Return what the views of gateways use of services."""
    usage, readings = ContractUsage(), SourceReadings(project.root)
    for one in loaded:
        usage.add(one.name, one.app, readings)
    return usage


def pin(options: CheckOptions, *, as_json: bool) -> int:
    """Write access rules and contracts of the gateways as those of the last release."""
    project = development_project()
    loaded, failed = loaded_gateways(project, _gateways(project, options))
    if failed:
        print_results(failed, "json" if as_json else "text", shows_all=False)
        return 1
    written = [write_pin(project, loaded), *write_contracts(project, loaded)]
    names = [_shown(project, one) for one in written]
    if as_json:
        print_json({"written": names})
    else:
        sys.stdout.writelines(f"wrote {name}\n" for name in names)
    return 0


def _shown(project: Project, path: Path) -> str:
    return str(path.relative_to(project.root))


def explain_field(named: str, options: CheckOptions, *, as_json: bool) -> int:
    """Print why a field of a reply type counts as used; return 1 if it does not."""
    kind, dot, name = named.rpartition(".")
    if not (kind and dot and name):
        raise CannotRun(f"--explain {named!r}: write CLASS.ATTRIBUTE, such as Product.price")
    project = development_project()
    loaded, failed = loaded_gateways(project, _gateways(project, options))
    if failed:
        print_results(failed, "json" if as_json else "text", shows_all=False)
        return 1
    found = sorted(usage_of(project, loaded).why(kind, name), key=lambda one: one[1])
    if as_json:
        print_json(
            [
                {"reason": reason, "place": shown_place(place), "views": views}
                for reason, place, views in found
            ]
        )
        return 0 if found else 1
    if not found:
        fields = usage_of(project, loaded).fields_of(kind)
        if name not in fields:
            known = f"it has {', '.join(fields)}" if fields else "no reply type has this name"
            raise CannotRun(f"--explain {named}: there is no such field: {known}")
        sys.stdout.write(f"{named} is not used by any view\n")
        return 1
    table = columns("place", "why", "views", fixed={"place"})
    for reason, place, views in found:
        table.add_row(shown_place(place), reason, ", ".join(views))
    print_lines(console(), table)
    return 0
