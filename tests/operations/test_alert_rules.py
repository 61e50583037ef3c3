"""The alert rules: Prometheus accepts them, they fire when they should, each has a runbook."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from bff_core.operations import FOLDER, RUNBOOKS
from tests.operations.promql import mistakes

ROOT = Path(__file__).parents[2]
PROMETHEUS = FOLDER / "prometheus"
RULES = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"]: {"gateway", "view"} for rule in RULES if "record" in rule}
TESTS = [
    test
    for name in ("rules_test.yml", "objectives_test.yml")
    for test in yaml.safe_load((PROMETHEUS / name).read_text())["tests"]
]
PAGE = (ROOT / RUNBOOKS).read_text()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_each_rule_is_about_metrics_and_labels_that_exist(rule):
    """A renamed metric or label must not silence an alert."""
    texts = " ".join(rule.get("annotations", {}).values())
    expr = rule["expr"].replace('up{job="gateways"}', "bff_worker_up")  # Prometheus' own

    assert mistakes(expr, texts, RECORDED) == []


@pytest.mark.parametrize(
    ("expr", "templates", "mistake"),
    [
        ("rate(bff_request_total[5m])", "", "bff_request_total is not exported"),
        ('bff_breaker_state{status="open"}', "", "bff_breaker_state has no label status"),
        ("sum by (service) (bff_pool_connections)", "", "has a label service"),
        ("bff_store_up == 0", "{{ $labels.upstream }} is down", "has a label upstream"),
        ("gateway_view:bff_burn:rate5m > 1", "", "gateway_view:bff_burn:rate5m is not exported"),
    ],
)
def test_names_that_do_not_exist_are_found(expr, templates, mistake):
    """The check of the test before can fail."""
    (found,) = mistakes(expr, templates)

    assert found.endswith(mistake)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=[*ALERTS])
def test_each_alert_says_what_it_is_and_links_to_its_runbook(alert):
    """Severity, summary, description, and a heading of the page."""
    notes = alert["annotations"]

    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert {*notes} == {"summary", "description", "runbook_url"}
    assert notes["runbook_url"] == f"{RUNBOOKS}#{alert['alert'].lower()}"


def test_each_alert_has_a_runbook_and_each_runbook_an_alert():
    """In the same order."""
    assert re.findall(r"^### (\w+)$", PAGE, re.MULTILINE) == [*ALERTS]


@pytest.mark.parametrize("alert", ALERTS)
def test_each_runbook_says_what_to_do(alert):
    """What clients notice, where to look, what to do, how to prevent it."""
    section = re.split(r"^##+ ", PAGE.partition(f"\n### {alert}\n")[2], flags=re.MULTILINE)[0]

    assert re.findall(r"^\*\*([\w ]+)\.\*\*", section, re.MULTILINE) == [
        "Clients",
        "Look",
        "Do",
        "Prevent",
    ]


def test_each_alert_has_a_test_that_fires_and_one_that_does_not():
    """`bad` has the alert and `good` has not; none fires before its time."""
    assert [test["name"] for test in TESTS] == [
        *[name for name in ALERTS if not name.startswith("ErrorBudget")],
        *[name for name in ALERTS if name.startswith("ErrorBudget")],
    ]
    for test in TESTS:
        gateways = " ".join(one["series"] for one in test["input_series"])
        check, *early = test["promql_expr_test"]
        assert "good" in gateways
        assert f'alertname="{test["name"]}"' in check["expr"]
        assert [
            ("bad" in one["labels"], "good" in one["labels"]) for one in check["exp_samples"]
        ] == [(True, False)]
        waits = "for" in ALERTS[test["name"]]
        assert [(one["expr"], one["exp_samples"]) for one in early] == [(check["expr"], [])] * waits


@pytest.mark.needs("promtool")
@pytest.mark.parametrize(
    "command",
    [
        ("check", "rules", "rules.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "rules_test.yml"),
        ("test", "rules", "objectives_test.yml"),
    ],
    ids=" ".join,
)
def test_prometheus_accepts_the_files(command):
    """`promtool` finds no error, and each alert fires for the gateway that has its trouble."""
    done = subprocess.run(
        ("promtool", *command), cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
