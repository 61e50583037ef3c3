"""Panels and dashboards of Grafana, as far as ours use them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

SCHEMA_VERSION: Final = 39
"""The model of Grafana 11; newer ones read it."""

COLUMNS: Final = 24

SOURCE: Final = {"type": "prometheus", "uid": "${source}"}

GREEN, YELLOW, ORANGE, RED, BLUE = "#4b9e72", "#d9a93a", "#d9822b", "#c4443e", "#4f83c2"

STATE_COLORS: Final = {
    "complete": GREEN,
    "ok": GREEN,
    "stale": BLUE,
    "degraded": YELLOW,
    "failed": RED,
}

TRACES: Final = (
    '{"traces":{"datasource":"jaeger","queries":[{"refId":"A","queryType":"search"}],'
    '"range":{"from":"now-1h","to":"now"}}}'
)


@dataclass(frozen=True)
class Query:
    """A query of PromQL; `legend` names its series, such as `{{gateway}}`."""

    expr: str
    legend: str = ""
    is_instant: bool = False
    has_exemplars: bool = False


@dataclass(frozen=True)
class Panel:
    """A panel, 24 columns are a row; `unit` is Grafana's. `thresholds` are values with colours."""

    kind: str
    title: str
    description: str
    queries: Sequence[Query]
    unit: str = "short"
    width: int = 12
    height: int = 8
    thresholds: Sequence[tuple[float | None, str]] = ((None, GREEN),)
    is_stacked: bool = False
    maximum: float | None = None
    decimals: int | None = None
    mappings: Sequence[dict[str, Any]] = ()
    overrides: Sequence[dict[str, Any]] = ()
    columns: Sequence[tuple[str, str, str]] = ()
    """For tables: name in Grafana, title, unit. The columns are shown in this order."""
    sort_by: str = ""
    text: str = ""


@dataclass(frozen=True)
class Row:
    """A heading and its panels."""

    title: str
    panels: Sequence[Panel]


def stat(title: str, description: str, expr: str, **options: Any) -> Panel:
    """Return a large figure."""
    fields = {"width": 4, "height": 4, "decimals": 1, **options}
    return Panel("stat", title, description, (Query(expr, is_instant=True),), **fields)


def series(title: str, description: str, *queries: Query, **options: Any) -> Panel:
    """Return lines over time."""
    return Panel("timeseries", title, description, queries, **options)


def table(title: str, description: str, *queries: Query, **options: Any) -> Panel:
    """Return rows; the queries share labels, and each adds a column (`Value #A`, …)."""
    fields = {"width": COLUMNS, **options}
    return Panel(
        "table",
        title,
        description,
        [replace(one, is_instant=True) for one in queries],
        **fields,
    )


def variable(name: str, label: str, query: str) -> dict[str, Any]:
    """Return a variable whose values are those of a label; all of them by default."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": "A"},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
        "hide": 0,
    }


GATEWAY: Final = variable("gateway", "Gateway", "label_values(bff_worker_up, gateway)")

INSTANCE: Final = variable(
    "instance", "Instance", 'label_values(bff_worker_up{gateway=~"$gateway"}, instance)'
)

UPSTREAM: Final = variable(
    "upstream", "Service", 'label_values(bff_pool_connections{gateway=~"$gateway"}, upstream)'
)


def make_dashboard(
    uid: str,
    title: str,
    description: str,
    rows: Iterable[Row],
    *,
    variables: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return a dashboard; its panels are laid out from left to right."""
    source = {
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {"selected": False, "text": "default", "value": "default"},
        "options": [],
        "refresh": 1,
        "hide": 0,
    }
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["bff"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [source, *variables]},
        "annotations": {"list": [_alert_marks()] if variables else []},
        "links": _links(),
        "panels": [*_laid_out(rows)],
    }


def _alert_marks() -> dict[str, Any]:
    return {
        "name": "Alerts",
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": RED,
        "expr": 'ALERTS{alertstate="firing",gateway=~"$gateway"}',
        "step": "60s",
        "titleFormat": "{{alertname}}",
        "textFormat": "{{gateway}}",
    }


def _links() -> list[dict[str, Any]]:
    common = {"includeVars": True, "keepTime": True, "targetBlank": False, "tooltip": ""}
    return [
        {
            **common,
            "type": "dashboards",
            "title": "Gateways",
            "icon": "external link",
            "tags": ["bff"],
            "asDropdown": False,
        },
        {
            **common,
            "type": "link",
            "title": "Traces",
            "icon": "external link",
            "tags": [],
            "asDropdown": False,
            "includeVars": False,
            "url": f"/explore?schemaVersion=1&panes={quote(TRACES)}",
        },
    ]


def _laid_out(rows: Iterable[Row]) -> Iterable[dict[str, Any]]:
    number, x, y, height = 0, 0, 0, 0
    for row in rows:
        number, y = number + 1, y + height
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y},
            "panels": [],
        }
        x, y, height = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, height = 0, y + height, 0
            number += 1
            place = {"h": panel.height, "w": panel.width, "x": x, "y": y}
            yield {"id": number, "gridPos": place, **_panel(panel)}
            x, height = x + panel.width, max(height, panel.height)


def _panel(panel: Panel) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "transparent": panel.kind == "stat",
    }
    if panel.kind == "text":
        return {**found, "options": {"mode": "markdown", "content": panel.text}}
    found |= {
        "datasource": SOURCE,
        "targets": [_target(panel, one, place) for place, one in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": _options(panel),
    }
    if panel.kind == "table":
        names = [name for name, _, _ in panel.columns]
        found["transformations"] = [
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "indexByName": {name: place for place, name in enumerate(names)},
                    "renameByName": {name: title for name, title, _ in panel.columns},
                },
            },
        ]
    return found


def _target(panel: Panel, query: Query, place: int) -> dict[str, Any]:
    return {
        "refId": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[place],
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "instant": query.is_instant,
        "range": not query.is_instant,
        "format": "table" if panel.kind == "table" else "time_series",
        "exemplar": query.has_exemplars,
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    found: dict[str, Any] = {
        "unit": panel.unit,
        "mappings": [*panel.mappings],
        "thresholds": {
            "mode": "absolute",
            "steps": [{"value": value, "color": color} for value, color in panel.thresholds],
        },
        "color": {"mode": "thresholds" if panel.kind != "timeseries" else "palette-classic"},
    }
    if panel.maximum is not None:
        found |= {"min": 0, "max": panel.maximum}
    if panel.decimals is not None:
        found["decimals"] = panel.decimals
    if panel.kind == "timeseries":
        found["custom"] = {
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": 35 if panel.is_stacked else 6,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.is_stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if len(panel.thresholds) > 1 else "off"},
        }
        found.setdefault("min", 0)
    return found


def _overrides(panel: Panel) -> list[dict[str, Any]]:
    found = [*panel.overrides]
    for query in panel.queries:
        color = STATE_COLORS.get(query.legend)
        if color and panel.kind == "timeseries":
            found.append(_override(query.legend, "color", {"mode": "fixed", "fixedColor": color}))
    for _, title, unit in panel.columns:
        if unit:
            found.append(_override(title, "unit", unit))
    return found


def _override(name: str, key: str, value: object) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value}],
    }


def _options(panel: Panel) -> dict[str, Any]:
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    legend = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
    match panel.kind:
        case "stat":
            return {
                "reduceOptions": reduced,
                "colorMode": "value",
                "graphMode": "none",
                "textMode": "auto",
                "justifyMode": "auto",
                "orientation": "auto",
                "wideLayout": True,
                "showPercentChange": False,
                "percentChangeColorMode": "standard",
            }
        case "bargauge":
            return {
                "reduceOptions": reduced,
                "orientation": "horizontal",
                "displayMode": "basic",
                "showUnfilled": True,
                "valueMode": "color",
                "namePlacement": "auto",
                "sizing": "auto",
                "minVizWidth": 8,
                "minVizHeight": 16,
                "maxVizHeight": 300,
                "legend": legend,
            }
        case "table":
            sort = [{"displayName": panel.sort_by, "desc": True}] if panel.sort_by else []
            return {"showHeader": True, "cellHeight": "sm", "frameIndex": 0, "sortBy": sort}
        case "state-timeline":
            return {
                "mergeValues": True,
                "showValue": "never",
                "alignValue": "left",
                "rowHeight": 0.8,
                "legend": {**legend, "showLegend": False},
                "tooltip": {"mode": "single", "sort": "none"},
            }
    return {
        "legend": legend,
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
