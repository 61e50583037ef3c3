"""Compares each service's pinned contract with the code, and with what it publishes now."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Final, TypeVar

from bff_core.cli.check.contract_sources import (
    document_of,
    is_graphql,
    is_url,
    live_source,
    project_file,
    schema_of,
    shown_source,
)
from bff_core.cli.check.decoding import ADDED, breaks_decoding
from bff_core.cli.check.fit import grouped, misfits
from bff_core.cli.check.options import CheckOptions, has_conflict
from bff_core.cli.check.results import CheckResult, ResultLevel
from bff_core.cli.errors import CannotRun
from bff_core.cli.output import counted
from bff_core.cli.project import Project, ServiceEntry
from bff_core.contracts.change import Change
from bff_core.contracts.changes import affected, change_location, find_operations, openapi_changes
from bff_core.contracts.changes.words import field_path
from bff_core.contracts.document import Document
from bff_core.contracts.errors import ContractError
from bff_core.inspection.function_source import shown_place
from bff_core.inspection.usage.operation_uses import ReplyUse

T = TypeVar("T")

MISSING_RULE: Final = "response-property-removed"


def service_results(
    project: Project, uses: Sequence[ReplyUse], options: CheckOptions
) -> Iterator[CheckResult]:
    """Yield the results of all services, or of those that the options name."""
    for name in options.services or project.services:
        if name not in project.services:
            known = ", ".join(project.services) or "none"
            raise CannotRun(f"there is no service {name!r} in [tool.bff.services]: it has {known}")
        ours = [one for one in uses if _same(one.use.service, name)]
        called = sorted({one.use.service for one in uses} if not ours else set())
        unknown = [one for one in called if not any(_same(one, each) for each in project.services)]
        yield from _Service(project, name, ours, options, unknown).results()


def _same(service: str, name: str) -> bool:
    return service.lower().replace("-", "_") == name.lower().replace("-", "_")


class _Service:
    """One service: its entry in `[tool.bff]`, and the calls that gateways make of it."""

    def __init__(
        self,
        project: Project,
        name: str,
        uses: Sequence[ReplyUse],
        options: CheckOptions,
        unknown: Sequence[str] = (),
    ) -> None:
        """`unknown` are services that views call, and that have no entry in `[tool.bff]`."""
        self._project = project
        self._entry: ServiceEntry = project.services[name]
        self._name = name
        self._uses = uses
        self._options = options
        self._unknown = unknown

    def results(self) -> Iterator[CheckResult]:
        """Yield what is wrong with the pinned contract, and what the live one changes."""
        if not self._entry.contract:
            yield self._result(
                "detail",
                "has no pinned contract",
                f'Add contract = "FILE" to [tool.bff.services.{self._name}]',
            )
            return
        if not self._uses and self._unknown:
            yield self._result(
                "warning" if self._options.gateways else "error",
                f"no view of these gateways calls {self._name}, but they call "
                f"{', '.join(self._unknown)}, which [tool.bff.services] does not have: "
                "changes of this contract can't be judged",
                f"If it is the same service, use one name: in the class name = {self._name!r}, or "
                f"[tool.bff.services.{self._unknown[0]}]",
            )
        elif not self._uses:
            yield self._result(
                "info",
                "no view of these gateways calls it, so no change affects one",
                f"If one does, give its client the name of the table: name = {self._name!r}",
            )
        path = project_file(self._project, self._entry.contract)
        try:
            if path.is_file() and has_conflict(path.read_text(encoding="utf-8", errors="replace")):
                what = f"{self._entry.contract} has conflict markers of git"
                yield self._result("error", what, "Resolve the conflict, or pin it again")
            elif is_graphql(str(path)):
                yield from self._graphql(path)
            else:
                yield from self._openapi(path)
        except ContractError as error:
            what = str(error).replace(f"{self._project.root}/", "")
            advice = "Restore it from git, or pin it again: bff add service, or copy the live one"
            yield self._result("error", what, advice)

    def _openapi(self, path: Path) -> Iterator[CheckResult]:
        pinned = document_of(str(path))
        yield from self._fit(pinned)
        source = live_source(self._project, self._entry, self._options.live.get(self._name, ""))
        live = self._live(source, lambda place: document_of(place, self._entry))
        if not isinstance(live, Document):
            yield live
            return
        if pinned.operations and not any(
            find_operations(live, one.method, one.path) for one in pinned.operations
        ):
            count = counted(len(pinned.operations), "operation")
            yield self._result(
                "error",
                f"{self._shown(source)} has none of the {count} of {self._entry.contract}: "
                "is it the contract of another service?",
                "Correct the address (contract_url), or pin the contract that it has",
                views=tuple(dict.fromkeys(view for one in self._uses for view in one.use.views)),
            )
            return
        if not pinned.servers:  # the reader adds the address that a document was fetched from
            live = replace(live, servers=())
        changes = openapi_changes(pinned, live)
        yield from self._changes(changes, source, pinned)

    def _graphql(self, path: Path) -> Iterator[CheckResult]:
        # Imported here because gateways without GraphQL need no library of it.
        from bff_core.cli.check.graphql_uses import field_uses  # noqa: PLC0415 # see above
        from bff_core.contracts.changes.graphql import graphql_changes  # noqa: PLC0415 # see above

        pinned = schema_of(str(path))
        uses, wrong = field_uses(pinned, self._uses)
        for what, place, views in wrong:
            yield self._result(
                "error", what, "Correct the document, or pin the schema", place, views=views
            )
        self._uses = uses
        source = live_source(self._project, self._entry, self._options.live.get(self._name, ""))
        live = self._live(source, schema_of)
        if not isinstance(live, str):
            yield live
            return
        try:
            changes = graphql_changes(pinned, live)
        except ValueError as error:
            yield self._result("error", f"{self._shown(source)}: {error}", "Publish a schema")
            return
        yield from self._changes(changes, source, None)

    def _fit(self, pinned: Document) -> Iterator[CheckResult]:
        """Yield the calls that the pinned contract does not have."""
        found = grouped((misfit, use) for use in self._uses for misfit in misfits(pinned, use))
        for misfit, uses in found.items():
            views = tuple(dict.fromkeys(view for one in uses for view in one.use.views))
            yield self._result(
                "error",
                misfit.what,
                misfit.advice,
                shown_place(uses[0].place),
                rule=misfit.rule,
                operation=misfit.operation,
                views=views,
            )

    def _live(self, source: str, read: Callable[[str], T]) -> T | CheckResult:
        """Return what the service publishes now, or why it is not compared."""
        if not source:
            return self._result(
                "info",
                f"{self._entry.contract} fits; no live contract is known",
                f'Add contract_url = "URL" to [tool.bff.services.{self._name}], or give --live',
            )
        is_local = not is_url(source)
        if self._options.is_offline and not is_local and self._name not in self._options.live:
            return self._result("info", f"{self._entry.contract} fits; --offline: not compared")
        try:
            return read(source)
        except ContractError as error:
            why = "; ".join(error.faults)
            return self._result(
                "error",
                f"the live contract can't be read: {self._shown(source)}: {why}",
                self._advice(source, why),
            )

    def _shown(self, source: str) -> str:
        """Return a source as it is printed: a file of the project by its path in it."""
        return shown_source(source).removeprefix(f"{self._project.root}/")

    def _advice(self, source: str, why: str) -> str:
        """Return what to do if a live contract can't be read."""
        if not is_url(source):
            return f"Correct the file, or give another one: --live {self._name}=FILE"
        is_down = "reached" in why or "did not answer" in why
        first = "Start the service" if is_down else "Correct the address (contract_url)"
        return f"{first}, give --live {self._name}=FILE, or check with --offline"

    def _changes(
        self, changes: Sequence[Change], source: str, pinned: Document | None
    ) -> Iterator[CheckResult]:
        """Yield the changes that touch what is used, and those that prevent decoding."""
        uses = [one.use for one in self._uses]
        touched = {id(one.change): one for one in affected(changes, uses, pinned)}
        undecodable = self._undecodable(changes, pinned)
        others = 0
        for change in changes:
            found = touched.get(id(change))
            if found is not None and change.level != "info":
                more = undecodable.get(id(change), ())
                is_error = change.level == "breaking" or bool(more)
                level: ResultLevel = "error" if is_error else "warning"
                yield self._change(level, change, found.views, more)
            elif id(change) in undecodable:
                yield self._change("error", change, undecodable[id(change)], is_unread=True)
            else:
                others += 1
                yield self._change("detail", change, () if found is None else found.views)
        if others:
            what = (
                f"{counted(others, 'other change')} of {self._shown(source)}: no view is affected"
            )
            yield self._result("info", what, "List them: bff check --all")
        elif not changes:
            yield self._result("info", f"{self._entry.contract} equals {self._shown(source)}")

    def _undecodable(
        self, changes: Sequence[Change], pinned: Document | None
    ) -> dict[int, tuple[str, ...]]:
        """Return the views whose replies can't be decoded, by the change that no code reads."""
        found: dict[int, list[str]] = {}
        for one in self._uses:
            risky = [each for each in changes if breaks_decoding(each, one)]
            removed = [replace(each, rule=MISSING_RULE) for each in risky]  # a rule that counts
            known = {id(each): id(change) for each, change in zip(removed, risky, strict=True)}
            use = replace(one.use, reads=frozenset(one.declared) | one.selected, sends=frozenset())
            for hit in affected(removed, [use], pinned):
                found.setdefault(known[id(hit.change)], []).extend(hit.views)
        return {key: tuple(dict.fromkeys(views)) for key, views in found.items()}

    def _change(
        self,
        level: ResultLevel,
        change: Change,
        views: tuple[str, ...],
        undecodable: tuple[str, ...] = (),
        *,
        is_unread: bool = False,
    ) -> CheckResult:
        if level in {"error", "warning"} and self._options.allows(change.rule, change.operation):
            level = "info"
        what = ": ".join(one for one in (change_location(change), change.text) if one)
        if set(undecodable) - set(views):
            views = tuple(dict.fromkeys((*views, *undecodable)))
            what += "; views that do not read it can't decode their replies either"
        named = f"{change.rule}:{change.operation}" if change.operation else change.rule
        advice = f"Adapt the code and pin the new contract, or accept it: --allow {quote(named)}"
        if is_unread and change.place == "type":
            what += "; no code reads it, but a document selects it"
            advice = "Remove it from the document and from the reply type"
        elif is_unread:
            is_new = change.rule == ADDED
            what += (
                "; the reply type forbids fields that it does not declare"
                if is_new
                else "; no code reads it, but replies can't be decoded"
            )
            advice = (
                "Allow other fields (forbid_unknown_fields, extra)"
                if is_new
                else "Give the field a default, or remove it from the reply type; a generated "
                "client is generated again: bff add service"
            )
        return self._result(
            level,
            what,
            advice if level in {"error", "warning"} else "",
            rule=change.rule,
            operation=change.operation,
            field=field_path(change.field),
            views=views,
        )

    def _result(
        self,
        level: ResultLevel,
        what: str,
        advice: str = "",
        place: str = "",
        *,
        rule: str = "",
        operation: str = "",
        field: str = "",
        views: tuple[str, ...] = (),
    ) -> CheckResult:
        return CheckResult(
            "services",
            f"service {self._name}",
            level,
            what,
            advice,
            place,
            rule=rule,
            operation=operation,
            field=field,
            views=views,
        )
