"""Checks of `bff doctor` that concern one gateway: its settings, stores, policies, declarations."""

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from bff_core.auth.authenticator import HasKeys, each_of
from bff_core.cli.environment import development_variables, in_environment
from bff_core.cli.errors import CannotRun
from bff_core.cli.findings import Finding, fail, note, ok
from bff_core.cli.network_checks import store_finding
from bff_core.cli.output import counted
from bff_core.cli.project import GatewayEntry, Project
from bff_core.errors import ConfigurationError
from bff_core.gateway.app import Gateway
from bff_core.inspection.policy_sources import options_in_effect
from bff_core.routing.face import CallsServices
from bff_core.routing.owner import check_owners
from bff_core.server.target import AppFailed, CannotServe, load
from bff_core.startup.documented_types import check_documented_types
from bff_core.startup.production import production_errors, production_warnings
from bff_core.startup.screens import check_routes
from bff_core.startup.unused import unusable_access_rules, unused_limit_paths


def gateway_findings(
    project: Project, name: str, entry: GatewayEntry, *, is_production: bool
) -> Iterator[Finding]:
    """Yield what was found of a gateway with its real variables: nothing is made up for it."""
    area = f"gateway {name}"
    try:
        variables = {**os.environ, "BFF_ENV": "production"}
        if not is_production:
            variables = development_variables(project, entry, os.environ)
    except ConfigurationError:  # of .env, which has a finding of its own
        return
    with in_environment(variables, project.root), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        app = None
        try:
            app = _app(entry)
        except (CannotRun, CannotServe, ConfigurationError) as error:
            below = error.traceback if isinstance(error, AppFailed) else []
            shown = "\n".join([str(error), *below])
            yield fail(area, shown, "Then run bff doctor again: further checks need the app")
    for one in dict.fromkeys(str(one.message) for one in warned):
        if one.startswith("BFF_"):
            yield note(area, one, "Remove the variable, or correct its name")
    if app is not None:
        yield from _of_app(area, app, project.root, variables, is_production=is_production)


def _app(entry: GatewayEntry) -> Gateway:
    found = load(entry.app)
    if not isinstance(found, Gateway):
        raise CannotRun(f"{entry.app} is no gateway of bff-core, but a {type(found).__name__}")
    return found


def _of_app(
    area: str, app: Gateway, root: Path, variables: Mapping[str, str], *, is_production: bool
) -> Iterator[Finding]:
    services, routes = counted(len(app.services), "service"), counted(len(app.routes), "route")
    yield ok(area, f"loads, with {services} and {routes}")
    yield from _stores(area, app, root)
    yield from _policies(area, app)
    yield from declaration_findings(area, app)
    if not is_production:
        yield from _production(area, app, variables)


def _stores(area: str, app: Gateway, root: Path) -> Iterator[Finding]:
    settings = app.settings
    has_keys = any(isinstance(one, HasKeys) for one in each_of(app.config.authenticator))
    stores = {
        "journal": (settings.journal_url if app.config.sagas is not None else "", "journal"),
        "api_keys": (settings.api_keys_url if has_keys else "", "store of API keys"),
        "session": (settings.session_url, "store of sessions"),
        "cache": (settings.cache_url if app.has_cache else "", "shared cache"),
        "limits": (settings.limits_url, "store of rate limits"),
        "idempotency": (settings.idempotency_url, "store of idempotency keys"),
    }
    for name, (url, what) in stores.items():
        found = store_finding(area, what, f"BFF_{name.upper()}_URL", url, root) if url else None
        if found is not None:
            yield found


def _policies(area: str, app: Gateway) -> Iterator[Finding]:
    if not app.settings.policies:
        return
    effective = app.config.policies.read()  # it was valid when the gateway was made
    changed = [
        one
        for kind, policy in effective.items()
        for one in options_in_effect(kind.policy, policy)
        if one.source == "file"
    ]
    yield ok(
        area, f"{app.settings.policies} is valid and changes {counted(len(changed), 'option')}"
    )


def declaration_findings(area: str, app: Gateway) -> Iterator[Finding]:
    """Yield what the gateway would log at its start, or fail for."""
    config = app.config
    try:
        table = app.route_table()
        sagas = [] if config.sagas is None else list(config.sagas.classes.values())
        check_routes(app.routes, list(app.services), has_cache=app.has_cache, sagas=sagas)
        check_owners(table)
        for face in config.faces:
            if isinstance(face, CallsServices):
                face.check_routes(table)
        if app.openapi_url is not None:
            check_documented_types(app.routes)
    except ConfigurationError as error:
        yield fail(area, str(error), "Change the declaration")
        return
    for option, reason in (
        *unused_limit_paths(config.limits, table),
        *unusable_access_rules(app.access, config.authenticator),
        *app.fast_path.obstacles(),
        *app.settings.renamed.items(),
    ):
        yield note(area, f"{option}: {reason}", "Change the declaration, or the variable")


def _production(area: str, app: Gateway, variables: Mapping[str, str]) -> Iterator[Finding]:
    """Yield, as one note, what a start in production would refuse, or warn of."""
    shown = ", ".join(needs_of_production(app, variables))
    if shown:
        yield note(
            area,
            f"not ready for production: {shown}",
            "For details, with the variables of production: bff doctor --production",
        )


def needs_of_production(app: Gateway, variables: Mapping[str, str]) -> list[str]:
    """Return, in a few words each, what a start in production would refuse, or warn of."""
    config = app.config
    settings = app.settings.model_copy(update={"env": "production"})
    has_sagas = config.sagas is not None
    reasons = list(
        production_errors(settings, config.options, config.authenticator, has_sagas=has_sagas)
    )
    if not settings.allowed_hosts:
        reasons.insert(0, "BFF_ALLOWED_HOSTS is not set")
    if variables.get("BFF_AUTH") == "demo":
        reasons.append("BFF_AUTH=demo lets everybody be any user")
    warned = production_warnings(
        settings, config.options, list(app.services), config.authenticator, has_sagas=has_sagas
    )
    lines = [one.partition(": ")[0] for one in reasons]
    lines += [f"{name} (a warning)" for name, _ in warned]
    return list(dict.fromkeys(lines))
