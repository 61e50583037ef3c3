"""Which operations of services a project calls, and which fields of their replies it uses."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bff_core.contracts.usage import OperationUse
from bff_core.gateway.app import Gateway
from bff_core.inspection.usage.flow_facts import ClientCall, FieldPath, FieldRead, WholeUse
from bff_core.inspection.usage.reply_fields import (
    ANY,
    ReplyField,
    closed_objects,
    declared_fields,
    ends_of,
    fields_of,
    used_paths,
)
from bff_core.inspection.usage.source_readings import SourceReadings
from bff_core.inspection.usage.type_hints import are_related, classes_in, is_record
from bff_core.inspection.usage.view_roots import ViewFacts, views_of

_GENERATED: Final = re.compile(r"/operations\.py:\d+$")
"""The place of a read in the module of a generated client."""


@dataclass(frozen=True, slots=True)
class ReplyUse:
    """An operation that is called, with the fields that its reply type declares.

    `document` is that of a call of a GraphQL service, `selected` are the fields of the schema that
    it selects, read or not. `place` is where it is called. `closed` are the objects that can't be
    decoded if they have a field which their type does not declare. `needed` are the fields that the
    generated client reads itself, such as the cursor of the next page.
    """

    use: OperationUse
    declared: Mapping[FieldPath, ReplyField]
    place: str
    document: str = ""
    selected: frozenset[FieldPath] = frozenset()
    closed: frozenset[FieldPath] = frozenset()
    needed: frozenset[FieldPath] = frozenset()

    @property
    def required(self) -> frozenset[FieldPath]:
        """The fields without which replies can't be decoded; those within optional ones are not."""
        optional = {path for path, one in self.declared.items() if not one.is_required}
        return frozenset(
            path
            for path, one in self.declared.items()
            if one.is_required and not any(path[: len(each)] == each for each in optional)
        )


@dataclass(slots=True)
class ContractUsage:
    """What the views of a project use of its services."""

    views: list[ViewFacts] = field(default_factory=list)

    def add(self, name: str, app: Gateway, readings: SourceReadings) -> None:
        """Add the views of a gateway."""
        with readings.deeply():
            self.views += views_of(name, app, readings)

    def uses(self) -> Sequence[ReplyUse]:
        """Return the operations that are called; views that use the same of one are together."""
        found: dict[tuple[object, ...], list[tuple[str, ClientCall]]] = {}
        for view in self.views:
            facts = _Fields(view)
            for call in facts.calls:
                key = (call.service.name, call.method, call.path, facts.reads_of(call), call.sends)
                needed = facts.needed_of(call)
                found.setdefault((*key, needed, str(call.reply) + call.document), []).append(
                    (view.title, call)
                )
        return [_merged(key, calls) for key, calls in found.items()]

    def why(self, kind: str, name: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield why a field of a class counts as used: a reason, the place, the views.

        `kind` is the name of the class, with or without its module.
        """
        found: dict[tuple[str, str], list[str]] = {}
        for view in self.views:
            for facts in view.facts:
                for read in facts.reads:
                    if read.name == name and (read.kind is None or _is_named(read.kind, kind)):
                        reason = "read" if read.kind is not None else "read of an unknown object"
                        found.setdefault((reason, read.place), []).append(view.title)
                for whole in facts.wholes:
                    if any(_is_named(one, kind) for one in whole.kinds):
                        found.setdefault((whole.reason, whole.place), []).append(view.title)
        for (reason, place), views in found.items():
            yield reason, place, tuple(dict.fromkeys(views))

    def fields_of(self, name: str) -> Sequence[str]:
        """Return the attributes of the reply types of a name; none if there is no such type."""
        replies = {call.reply for view in self.views for one in view.facts for call in one.calls}
        kinds = {kind for reply in replies if reply is not None for kind in classes_in(reply)}
        named = [one for one in kinds if is_record(one) and _is_named(one, name)]
        return sorted({each.attribute for one in named for each in fields_of(one)})


class _Fields:
    """The fields that one view uses."""

    def __init__(self, view: ViewFacts) -> None:
        reads: Iterable[FieldRead] = [one for facts in view.facts for one in facts.reads]
        wholes: Iterable[WholeUse] = [one for facts in view.facts for one in facts.wholes]
        self.calls = dict.fromkeys(one for facts in view.facts for one in facts.calls)
        self._readers: dict[str, list[type | None]] = {}
        self._needed: dict[str, list[type]] = {}
        for read in reads:
            self._readers.setdefault(read.name, []).append(read.kind)
            if read.kind is not None and _GENERATED.search(read.place):
                self._needed.setdefault(read.name, []).append(read.kind)
        self._whole = {kind for one in wholes for kind in one.kinds}

    def reads_of(self, call: ClientCall) -> frozenset[FieldPath] | None:
        """Return the paths of the fields of a reply that are used; None if all may be."""
        if call.ignores_reply:
            return frozenset()
        if call.reply is None:
            return None
        return ends_of(used_paths(call.reply, self._is_read, self._is_whole))

    def needed_of(self, call: ClientCall) -> frozenset[FieldPath]:
        """Return the paths of the fields of a reply that the generated client reads itself."""
        if call.reply is None or call.ignores_reply:
            return frozenset()
        paths = used_paths(call.reply, self._is_needed, lambda _: False)
        return frozenset(path for path in paths if path[-1:] != (ANY,))

    def _is_needed(self, kind: type, name: str) -> bool:
        return any(are_related(one, kind) for one in self._needed.get(name, ()))

    def _is_read(self, kind: type, name: str) -> bool:
        return any(one is None or are_related(one, kind) for one in self._readers.get(name, ()))

    def _is_whole(self, kind: type) -> bool:
        return any(are_related(one, kind) for one in self._whole)


def _merged(key: tuple[object, ...], calls: Sequence[tuple[str, ClientCall]]) -> ReplyUse:
    service, method, path, reads, sends, needed, _ = key
    call = calls[0][1]
    use = OperationUse(
        service,  # type: ignore[arg-type]  # as made above
        method,  # type: ignore[arg-type]
        path,  # type: ignore[arg-type]
        reads,  # type: ignore[arg-type]
        sends,  # type: ignore[arg-type]
        tuple(dict.fromkeys(title for title, _ in calls)),
    )
    if call.reply is None:
        return ReplyUse(use, {}, call.place, call.document)
    declared, closed = declared_fields(call.reply), closed_objects(call.reply)
    return ReplyUse(
        use,
        declared,
        call.place,
        call.document,
        closed=closed,
        needed=needed,  # type: ignore[arg-type]  # as above
    )


def _is_named(kind: type, name: str) -> bool:
    full = f"{kind.__module__}.{kind.__qualname__}"
    return full == name or full.endswith(f".{name}")
