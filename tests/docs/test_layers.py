"""The pages of layers against the code: what they promise is what the layers do."""

import importlib
import logging
from dataclasses import fields
from pathlib import Path

import pytest
from layer_tables import option_rows
from reading import DOCS, page, table

import bff_core
from bff_core.events import CacheLookup, Event, Purged, TokenRefused
from bff_core.observe.log import LEVELS

HEADINGS = ["About", "Usage", "Defaults", "Events", "Do / Don't"]
PAGES = sorted((DOCS / "layers").glob("*.md"))

OPTIONS = {
    "attempt": ("Policy", ["attempt_timeout"]),
    "balance": ("Balance", []),
    "breaker": ("Breaker", []),
    "bulkhead": ("Bulkhead", []),
    "cache": ("Cache", []),
    "coalesce": ("Policy", ["coalesce", "public"]),
    "credentials": ("ClientCredentials", []),
    "deadline": ("Policy", ["timeout"]),
    "fill": ("Cache", ["heuristic", "vary", "tags", "targeted", "max_body"]),
    "hedge": ("Hedge", []),
    "purge": ("Cache", ["tags"]),
    "redirect": ("Policy", ["redirects"]),
    "retry": ("Retry", []),
}
"""Which options a page lists: those of a whole policy, or the ones named."""

TOLD_ELSEWHERE = {"cache": CacheLookup, "credentials": TokenRefused, "fill": CacheLookup, "purge": Purged}
"""The events that layers have the cache emit, or the tokens' keeper, which counts as well."""


def all_pages(test):
    """Run a test for the page of every layer."""
    return pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)(test)


def module_of(path: Path):
    """Return the module of a page's layer."""
    return importlib.import_module(f"bff_core.upstream.layers.{path.stem}")


def test_each_layer_has_a_page():
    """Nobody meets a layer that is not explained."""
    assert [path.stem for path in PAGES] == sorted(OPTIONS)


@all_pages
def test_a_page_has_the_five_sections_in_order(path):
    """Who has read one page finds their way on all of them."""
    lines = page(path).text.splitlines()

    assert [line[3:] for line in lines if line.startswith("## ")] == HEADINGS
    assert path.stem.replace("_", " ") in lines[0].lower()


@all_pages
def test_a_page_begins_as_the_code_does(path):
    """The place of a layer is told in one sentence, the same in both."""
    assert page(path).text.splitlines()[2] == module_of(path).__doc__.splitlines()[0]


@all_pages
def test_defaults_are_those_of_the_code(path):
    """Name, default, range and sentence of every option, and no others."""
    policy, names = OPTIONS[path.stem]

    assert table(page(path).section("Defaults")) == option_rows(getattr(bff_core, policy), names)


def test_defaults_within_an_option_are_those_of_the_code():
    """What `adaptive` of a bulkhead takes has a table of its own, below the first."""
    _, _, below = page(DOCS / "layers/bulkhead.md").section("Defaults").partition("`adaptive`")

    assert table(below) == option_rows(bff_core.Adaptive)


@pytest.mark.parametrize("kind", ["TokenExchange", "ApiKey", "Basic", "Signature"])
def test_defaults_of_each_kind_of_credentials_are_those_of_the_code(kind):
    """Each has a table of its own, below the first."""
    defaults = page(DOCS / "layers/credentials.md").section("Defaults")
    _, _, below = defaults.partition(f"`{kind}(...)` takes")

    assert table(below) == option_rows(getattr(bff_core, kind))


@pytest.mark.parametrize("stem", [stem for stem, (_, names) in OPTIONS.items() if not names])
def test_options_without_a_range_are_mentioned(stem):
    """Each field of a layer's policy is found on its page."""
    policy, _ = OPTIONS[stem]
    told = page(DOCS / f"layers/{stem}.md").section("Defaults")

    assert [one.name for one in fields(getattr(bff_core, policy)) if one.name not in told] == []


@all_pages
def test_events_are_those_that_the_layer_emits(path):
    """Which events, and at which level the log tells them."""
    emitted = {
        f"`{name}`": logging.getLevelName(LEVELS[one]).lower()
        for name, one in vars(module_of(path)).items()
        if isinstance(one, type) and issubclass(one, Event)
    }
    told = TOLD_ELSEWHERE.get(path.stem)
    if told is not None:
        emitted[f"`{told.__name__}`"] = logging.getLevelName(LEVELS[told]).lower()
    rows = table(page(path).section("Events"))

    assert {row[0]: row[2] for row in rows} == emitted


@all_pages
def test_usage_runs(path):
    """Every example is valid code with valid options."""
    blocks = [block for block in page(path).blocks if block.language == "python"]
    for block in blocks:
        source = compile(block.code, f"{path.name}:{block.line}", "exec")
        exec(source, {"__name__": path.stem})

    assert blocks
