"""The dashboards: as they are generated, as Grafana reads them, and each panel has data."""

import itertools
import json
import math
import re

import pytest

from bff_core.observe.metrics.families import FAMILIES
from bff_core.operations import FOLDER
from scripts.dashboards import runbooks as page_of_runbooks
from scripts.dashboards.files import RUNBOOKS, dashboards, text_of
from tests.operations.promql import NAME, family_of, mistakes
from tests.operations.test_alert_rules import ALERTS

FILES = sorted((FOLDER / "grafana/dashboards").glob("*.json"))
BOARDS = {path.name: json.loads(path.read_text()) for path in FILES}
PANELS = [
    pytest.param(panel, id=f"{name.removesuffix('.json')}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] not in {"row", "text"}
]
VALUES = {
    "$__rate_interval": "5m",
    "$__range": "5m",
    "$gateway": "observed",
    "$instance": ".*",
    "$upstream": ".*",
}


def test_the_files_are_as_they_are_generated():
    """`python -m scripts.dashboards` writes them."""
    assert {path.name: path.read_text() for path in FILES} == {
        name: text_of(board) for name, board in dashboards().items()
    }
    assert RUNBOOKS.read_text() == page_of_runbooks.page()


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_is_laid_out_without_overlaps(name):
    """Each panel has an id and a place of its own in 24 columns."""
    board = BOARDS[name]
    cells = [
        (x, y)
        for panel in board["panels"]
        for place in [panel["gridPos"]]
        for x, y in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
    ]

    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert len(cells) == len({*cells})
    assert max(x for x, _ in cells) < 24
    assert board["uid"].startswith("bff-")


def test_dashboards_differ_in_uid_and_title():
    """Grafana finds them by their uid."""
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)
    assert len({board["title"] for board in BOARDS.values()}) == len(BOARDS)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_in_metrics_that_exist(panel):
    """With a unit and a description; labels of legends and columns are those of its queries."""
    columns = [
        name
        for change in panel.get("transformations", ())
        for name in change["options"].get("renameByName", ())
        if not name.startswith("Value")
    ]
    for target in panel["targets"]:
        legend = target["legendFormat"] + "".join(f"{{{{{one}}}}}" for one in columns)
        if "ALERTS" not in target["expr"]:
            assert mistakes(target["expr"], legend) == []

    assert panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"]


def test_variables_list_labels_that_exist():
    """`label_values(METRIC, LABEL)`."""
    queries = {
        variable["definition"]
        for board in BOARDS.values()
        for variable in board["templating"]["list"]
        if variable["type"] == "query"
    }

    assert queries
    for query in queries:
        metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
        assert mistakes(metric, f"{{{{{label}}}}}") == []


def test_all_metrics_are_shown():
    """A metric that no dashboard shows is of no help at night."""
    shown = {
        family_of(name)
        for board in BOARDS.values()
        for panel in board["panels"]
        for target in panel.get("targets", ())
        for name in NAME.findall(target["expr"])
    }

    assert FAMILIES.keys() - shown == {"bff_objective_target_ratio"}  # rules use it


def test_alerts_that_panels_name_exist():
    """And each alert has its runbook on the dashboard of runbooks."""
    text = " ".join(
        panel.get("description", "") for board in BOARDS.values() for panel in board["panels"]
    )
    named = {
        one for found in re.findall(r"Alerts?: ([\w, ]+)\.", text) for one in found.split(", ")
    }
    runbooks = [one["title"] for one in BOARDS["runbooks.json"]["panels"] if one["type"] == "text"]

    assert named
    assert named <= ALERTS.keys()
    assert runbooks == [*ALERTS]


@pytest.mark.needs("prometheus")
class TestLive:
    """Against a Prometheus that has scraped a gateway with two workers under load."""

    @pytest.mark.parametrize("name", BOARDS)
    def test_each_query_of_each_panel_has_data(self, observed, name):
        """A query that returns nothing is an empty panel."""
        empty = []
        for panel in BOARDS[name]["panels"]:
            for target in panel.get("targets", ()):
                expr = target["expr"]
                for variable, value in VALUES.items():
                    expr = expr.replace(variable, value)
                found = observed.get("query", query=expr, time=observed.time)["result"]
                if all(math.isnan(float(one["value"][1])) for one in found):
                    empty.append((panel["title"], expr))

        assert empty == []

    def test_prometheus_evaluates_each_alert(self, observed):
        """Without an error, such as labels that do not match one another."""
        rules = [one for group in observed.get("rules")["groups"] for one in group["rules"]]

        assert {one["name"] for one in rules} >= ALERTS.keys()
        assert [one for one in rules if one["health"] != "ok"] == []

    def test_alerts_say_what_they_are_about(self, observed):
        """Their texts have the labels and values that they name; a dozen is pending here."""
        active = observed.get("alerts")["alerts"]
        texts = [text for one in active for text in one["annotations"].values()]

        assert len({one["labels"]["alertname"] for one in active}) >= 10
        assert [text for text in texts if re.search(r"<error|<no value>|\{\{|  |: $", text)] == []

    def test_the_gateway_exports_every_family_with_its_labels(self, observed):
        """What the documentation lists is what Prometheus gets."""
        exported = {}
        for name, labels in re.findall(
            r"^(bff_\w+)\{(.*)\} \S+$", observed.exposition, re.MULTILINE
        ):
            found = {*re.findall(r'(\w+)="', labels)} - {"le"}
            exported.setdefault(family_of(name), found)
        expected = {
            name: {"gateway", *one.labels, *(["worker"] if is_of_worker(one) else [])}
            for name, one in FAMILIES.items()
        }

        assert exported == expected

    def test_durations_lead_to_traces(self, observed):
        """Prometheus stores the trace ids of requests."""
        found = observed.get(
            "query_exemplars",
            query="bff_request_duration_seconds_bucket",
            start=str(0),
            end=str(4_000_000_000),
        )
        traces = {one["labels"]["trace_id"] for series in found for one in series["exemplars"]}

        assert traces
        assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in traces)


def is_of_worker(family) -> bool:
    """Whether the series of a family are those of single workers."""
    return family.kind == "gauge" and not family.is_over_workers
