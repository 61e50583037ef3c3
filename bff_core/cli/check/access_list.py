"""The access rules of all routes, and which of them require less than the pinned ones."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bff_core.auth.access import ANYONE, Access, Require
from bff_core.cli.check.options import CheckOptions, has_conflict, pinned_text, read_pinned
from bff_core.cli.check.results import CheckResult
from bff_core.cli.gateways import LoadedGateway
from bff_core.cli.output import counted
from bff_core.cli.project import Project
from bff_core.cli.source_places import place_of
from bff_core.inspection.routes import RouteDescription, routes_of

FILE: Final = "contracts/access.txt"

HEADING: Final = (
    "# The access rule of each route and each root field of GraphQL: written by bff check --pin.\n"
)

OPEN: Final = "anyone"

Requirements = frozenset[str]
"""What a viewer needs: `signed in`, `scope orders:read`, `role admin|support`; none if open."""


def requirements_of(rules: Sequence[Access]) -> Requirements:
    """Return what the rules of a route require of a viewer."""
    found: set[str] = set()
    for rule in rules:
        if rule is ANYONE or not isinstance(rule, Require):
            continue
        found.add("signed in")
        found |= {f"scope {one}" for one in rule.scopes}
        found |= {f"role {'|'.join(sorted(rule.roles))}"} if rule.roles else set()
        found |= {"fitting inputs"} if rule.when is not None else set()
        found |= {f"acr {'|'.join(sorted(rule.acr))}"} if rule.acr else set()
        found |= {f"sign-in within {rule.max_age} s"} if rule.max_age else set()
    return frozenset(found)


def access_of(loaded: LoadedGateway) -> dict[str, tuple[Requirements, RouteDescription]]:
    """Return what the routes of a gateway require, by "mobile: GET /v1/home"."""
    found: dict[str, tuple[Requirements, RouteDescription]] = {}
    for route in routes_of(loaded.app):
        if route.kind not in {"fastapi", "sign-in"}:
            title = route.title.replace("GET HEAD", "GET")
            found[f"{loaded.name}: {title}"] = requirements_of(route.rules), route
    return found


def text_of(found: Mapping[str, Requirements]) -> str:
    """Return the text of the pinned file, a line for each route."""
    lines = [f"{title} | {_words(found[title])}\n" for title in sorted(found)]
    return "".join([HEADING, *lines])


def _words(requirements: Requirements) -> str:
    return ", ".join(sorted(requirements, key=_rank)) or OPEN


def _rank(one: str) -> tuple[bool, str]:
    return one != "signed in", one


def read_pin(text: str) -> dict[str, Requirements]:
    """Return the requirements of routes in a pinned file."""
    found: dict[str, Requirements] = {}
    for line in text.splitlines():
        title, bar, words = line.rpartition(" | ")
        if bar and not line.startswith("#"):
            parts = words.strip().split(", ")
            found[title] = frozenset() if parts == [OPEN] else frozenset(parts)
    return found


def lost(before: Requirements, now: Requirements) -> list[str]:
    """Return the requirements that were pinned and are gone, or that more viewers meet now."""
    return [one for one in sorted(before, key=_rank) if not _is_still_met(one, now)]


def _is_still_met(one: str, now: Requirements) -> bool:
    if one in now:
        return True
    kind, _, value = one.partition(" ")
    if kind in {"role", "acr"}:  # one of several is enough: fewer are stricter
        stricter = (other.partition(" ") for other in now)
        return any(
            name == kind and set(of.split("|")) <= set(value.split("|")) for name, _, of in stricter
        )
    if one.startswith("sign-in within "):
        limit = _seconds(one)
        return any(_seconds(other) <= limit for other in now if other.startswith("sign-in within "))
    return False


def _seconds(one: str) -> int:
    digits = one.removeprefix("sign-in within ").removesuffix(" s")
    return int(digits) if digits.isdigit() else 0


def access_results(
    project: Project, loaded: Sequence[LoadedGateway], options: CheckOptions
) -> Iterator[CheckResult]:
    """Yield the routes that became open or lost a requirement, and new ones that are open."""
    text = pinned_text(project, project.root / FILE, options.since)
    if text is not None and has_conflict(text):
        yield CheckResult(
            *("access", "access rules", "error", f"{FILE} has conflict markers of git"),
            *("Resolve the conflict, or write it again: bff check --pin", FILE),
        )  # fmt: skip
        return
    pin = None if text is None else read_pin(text)
    for one in loaded:
        now = access_of(one)
        known = (
            {}
            if pin is None
            else {title: rules for title, rules in pin.items() if title.startswith(f"{one.name}: ")}
        )
        if not known:
            yield from _without_pin(one.name, now)
            continue
        yield from _compared(one.name, known, now)


def _without_pin(
    name: str, now: Mapping[str, tuple[Requirements, RouteDescription]]
) -> Iterator[CheckResult]:
    opened = [title.partition(": ")[2] for title, (rules, _) in now.items() if not rules]
    shown = f"open to anyone: {', '.join(opened)}" if opened else "no route is open to anyone"
    yield CheckResult(
        "access",
        f"gateway {name}",
        "info",
        f"{counted(len(now), 'access rule')}; {shown}",
        f"Pin them, so that a change is found: bff check --pin writes {FILE}",
    )


def _compared(
    name: str,
    known: Mapping[str, Requirements],
    now: Mapping[str, tuple[Requirements, RouteDescription]],
) -> Iterator[CheckResult]:
    area, faults = f"gateway {name}", 0
    for title, (rules, route) in now.items():
        operation = title.partition(": ")[2]
        place = "" if route.function is None else place_of(route.function)
        if title not in known:
            if not rules:
                yield CheckResult(
                    *("access", area, "warning", f"{operation} is new, and open to anyone"),
                    *("Give it an access rule, or accept it: bff check --pin", place),
                    rule="access-open", operation=operation,
                )  # fmt: skip
            continue
        gone = lost(known[title], rules)
        if gone:
            faults += 1
            change = "is open to anyone now" if not rules else f"requires {_words(rules)} now"
            what = f"{operation} {change}: it required {_words(known[title])}"
            yield CheckResult(
                *("access", area, "error", what),
                *("Restore its access rule, or accept the change: bff check --pin", place),
                rule="access-widened", operation=operation,
            )  # fmt: skip
    added = sum(title not in known for title in now)
    removed = sum(title not in now for title in known)
    if not faults:
        more = f", {added} not pinned" if added else ""
        more += f", {removed} pinned that are gone" if removed else ""
        yield CheckResult(
            "access", area, "info", f"{counted(len(now), 'access rule')} as pinned{more}",
            "bff check --pin brings the list up to date" if more else "",
        )  # fmt: skip


def write_pin(project: Project, loaded: Sequence[LoadedGateway]) -> Path:
    """Write the access rules of these gateways; those of others stay as they are."""
    path = project.root / FILE
    before = read_pin(read_pinned(path)) if path.is_file() else {}
    ours = tuple(f"{one.name}: " for one in loaded)
    others = {
        title: rules
        for title, rules in before.items()
        if not title.startswith(ours) and title.partition(": ")[0] in project.gateways
    }
    now = {title: rules for one in loaded for title, (rules, _) in access_of(one).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of(others | now), encoding="utf-8")
    return path
