"""The runbooks as a dashboard: the page of the documentation, a panel for each alert."""

import re
from pathlib import Path
from typing import Any, Final

from scripts.dashboards.panels import COLUMNS, Panel, Query, Row, make_dashboard, table

PAGE: Final = Path(__file__).parents[2] / "docs/how-to/runbooks.md"

LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]+\)")

RULES: Final = "prometheus/rules.yml"
"""Where the alert rules are, beside the runbooks of a project."""


def page() -> str:
    """Return the page as a file of projects, which have no other page of the documentation."""
    text = LINK.sub(r"\1", PAGE.read_text(encoding="utf-8"))
    return text.replace("`rules.yml`", f"[`rules.yml`]({RULES})", 1)


def sections(text: str) -> dict[str, str]:
    """Return the text of each alert by its name; links of the documentation become plain text."""
    found = {}
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        name, _, body = section.partition("\n")
        body = re.split(r"^## ", body, flags=re.MULTILINE)[0]
        found[name.strip()] = LINK.sub(r"\1", body).strip()
    return found


FIRING: Final = Row(
    "Now",
    (
        table(
            "Alerts",
            "Alerts that are firing or pending.",
            Query(
                "max by (alertname, alertstate, severity, gateway, instance, upstream, view) "
                "(ALERTS)"
                ' or label_replace(vector(0), "alertstate", "none", "", "")'
            ),
            columns=(
                ("alertname", "Alert", ""),
                ("alertstate", "State", ""),
                ("severity", "Severity", ""),
                ("gateway", "Gateway", ""),
                ("instance", "Instance", ""),
                ("upstream", "Service", ""),
                ("view", "View", ""),
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    panels = [
        Panel("text", name, "", (), width=COLUMNS // 2, height=11, text=text)
        for name, text in sections(PAGE.read_text(encoding="utf-8")).items()
    ]
    return make_dashboard(
        "bff-runbooks",
        "Gateways: runbooks",
        "What each alert means, and what to do.",
        (FIRING, Row("Runbooks", panels)),
    )
