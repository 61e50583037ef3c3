"""The contracts of the gateways themselves, against those of their last release."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bff_core.cli.check.contract_sources import project_file
from bff_core.cli.check.options import CheckOptions, has_conflict, pinned_text
from bff_core.cli.check.results import CheckResult, ResultLevel
from bff_core.cli.gateways import LoadedGateway
from bff_core.cli.output import counted
from bff_core.cli.project import Project
from bff_core.contracts.change import Change
from bff_core.contracts.changes import change_location, openapi_changes
from bff_core.contracts.changes.words import field_path
from bff_core.contracts.errors import ContractError
from bff_core.inspection.attributes import uses_graphql


def pin_of_openapi(project: Project, one: LoadedGateway) -> Path:
    """Return the file with the OpenAPI document of a gateway's last release."""
    named = "" if one.entry is None else one.entry.contract
    return project_file(project, named or f"contracts/{one.name}.openapi.json")


def pin_of_graphql(project: Project, one: LoadedGateway) -> Path:
    """Return the file with the GraphQL schema of a gateway's last release."""
    named = "" if one.entry is None else one.entry.graphql_contract
    return project_file(project, named or f"contracts/{one.name}.graphql")


def openapi_of(one: LoadedGateway) -> dict[str, object] | None:
    """Return the OpenAPI document of a gateway; None if it documents no path."""
    document: dict[str, object] = msgspec.json.decode(msgspec.json.encode(one.app.openapi()))
    return document if document.get("paths") else None


def graphql_of(one: LoadedGateway) -> str | None:
    """Return the GraphQL schema of a gateway, sorted; None if it has none."""
    if not uses_graphql():
        return None
    # Imported here because gateways without GraphQL need no library of it.
    from bff_core.cli.check.graphql_release import schema_text  # noqa: PLC0415 # see above

    return schema_text(one.app)


def release_results(
    project: Project, loaded: Sequence[LoadedGateway], options: CheckOptions
) -> Iterator[CheckResult]:
    """Yield what changed for the clients of the gateways since their last release."""
    for one in loaded:
        yield from _Release(project, one, options).results()


class _Release:
    """One gateway, and what was pinned of it."""

    def __init__(self, project: Project, one: LoadedGateway, options: CheckOptions) -> None:
        self._project = project
        self._one = one
        self._options = options

    def results(self) -> Iterator[CheckResult]:
        """Yield the changes of the OpenAPI document and of the GraphQL schema."""
        document, sdl = openapi_of(self._one), graphql_of(self._one)
        entry = self._one.entry
        contracts = (
            (document, pin_of_openapi, "OpenAPI document", entry and entry.contract),
            (sdl, pin_of_graphql, "GraphQL schema", entry and entry.graphql_contract),
        )
        for now, pin, what, named in contracts:
            path = pin(self._project, self._one)
            text = pinned_text(self._project, path, self._options.since)
            if text is not None:
                yield from self._compared(path, text, now, what)
            elif named and not self._options.since:
                advice = "Write it: bff check --pin"
                yield self._result("error", f"{named}: there is no such file", advice)
            elif now is not None and self._options.since:
                shown = path.relative_to(self._project.root)
                yield self._result(
                    "warning",
                    f"{self._options.since} has no {shown}: its {what} is not compared",
                    "Take a revision that has it, or pin it: bff check --pin",
                )
            elif now is not None:
                advice = "Pin it, so that breaking changes are found: bff check --pin"
                yield self._result("warning", f"its {what} is not pinned", advice)

    def _compared(
        self, path: Path, text: str, now: dict[str, object] | str | None, what: str
    ) -> Iterator[CheckResult]:
        shown = str(path.relative_to(self._project.root))
        if now is None:
            yield self._result("error", f"it has no {what} any more", f"Delete {shown}, or --pin")
            return
        if has_conflict(text):
            advice = "Resolve the conflict, or write it again: bff check --pin"
            yield self._result("error", f"{shown} has conflict markers of git", advice)
            return
        try:
            changes = pinned_changes(text, now, shown)
        except (ContractError, ValueError) as error:
            yield self._result("error", f"{shown}: {error}", "Write it again: bff check --pin")
            return
        for change in changes:
            yield self._change(change)
        if not any(one.level == "breaking" for one in changes):
            added = f", {counted(len(changes), 'other change')}" if changes else ""
            since = f"{self._options.since}:{shown}" if self._options.since else shown
            yield self._result("info", f"no breaking change since {since}{added}")

    def _change(self, change: Change) -> CheckResult:
        levels: dict[str, ResultLevel] = {"breaking": "error", "warning": "warning"}
        level = levels.get(change.level, "detail")
        if level != "detail" and self._options.allows(change.rule, change.operation):
            level = "info"
        advice = "Restore it, or release it as intended: bff check --pin"
        return self._result(
            level,
            ": ".join(one for one in (change_location(change), change.text) if one)
            + f" ({change.rule})",
            advice if level in {"error", "warning"} else "",
            rule=change.rule,
            operation=change.operation,
            field=field_path(change.field),
        )

    def _result(
        self,
        level: ResultLevel,
        what: str,
        advice: str = "",
        *,
        rule: str = "",
        operation: str = "",
        field: str = "",
    ) -> CheckResult:
        area = f"contract of {self._one.name}"
        return CheckResult(
            "releases",
            area,
            level,
            what,
            advice,
            rule=rule,
            operation=operation,
            field=field,
        )


def pinned_changes(text: str, now: dict[str, object] | str, shown: str) -> list[Change]:
    """Return what changed since a pinned text; raise `ContractError` or `ValueError` if wrong."""
    if isinstance(now, str):
        # Imported here because gateways without GraphQL need no library of it.
        from bff_core.contracts.changes.graphql import graphql_changes  # noqa: PLC0415 # see above

        return graphql_changes(text, now)
    # Imported here because projects without contracts need no library of it.
    from bff_core.contracts.openapi import parse  # noqa: PLC0415 # see above

    try:
        pinned = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ContractError("", [f"it is no JSON: {error}"]) from None
    return openapi_changes(parse(pinned, shown), parse(now, "the gateway"))


def write_contracts(project: Project, loaded: Sequence[LoadedGateway]) -> list[Path]:
    """Write the contracts of these gateways as those of the last release; return the files."""
    written: list[Path] = []
    for one in loaded:
        document, sdl = openapi_of(one), graphql_of(one)
        if document is not None:
            written.append(_write(pin_of_openapi(project, one), _formatted(document)))
        if sdl is not None:
            written.append(_write(pin_of_graphql(project, one), sdl.encode()))
    return written


def _formatted(document: dict[str, object]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
