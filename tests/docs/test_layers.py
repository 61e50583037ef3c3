"""The pages of layers against the code: what they promise is what the layers do."""

import importlib
from dataclasses import fields
from pathlib import Path

import pytest
from markdown_pages import DOCS, page, table

import bff_core
from bff_core.events import (
    CacheLookup,
    EndpointProbed,
    Event,
    HealthChanged,
    Purged,
    Resolved,
    TokenRefused,
)
from bff_core.observe.log_levels import LEVELS
from scripts.docs.tables import names_of_tables, shown_level

HEADINGS = ["About", "Usage", "Defaults", "Events", "Do / Don't"]
PAGES = sorted((DOCS / "layers").glob("*.md"))

OPTIONS = {
    "affinity": ("Affinity", []),
    "attempt": ("Policy", ["attempt_timeout"]),
    "balance": ("Balance", []),
    "breaker": ("Breaker", []),
    "bulkhead": ("Bulkhead", []),
    "cache": ("Cache", []),
    "coalesce": ("Policy", ["coalesce", "public"]),
    "credentials": ("ClientCredentials", []),
    "deadline": ("Policy", ["timeout"]),
    "cache_fill": ("Cache", ["heuristic", "vary", "tags", "targeted", "max_body"]),
    "graphql": ("Policy", ["keyed"]),
    "hedge": ("Hedge", []),
    "purge": ("Cache", ["tags"]),
    "redirect": ("Policy", ["redirects"]),
    "retry": ("Retry", []),
}
"""Which options a page lists: those of a whole policy, or the ones named."""

INDIRECT_EVENTS = {
    "balance": (Resolved, HealthChanged, EndpointProbed),
    "cache": (CacheLookup,),
    "credentials": (TokenRefused,),
    "cache_fill": (CacheLookup,),
    "purge": (Purged,),
}
"""Events of a layer that the cache, the token cache or the prober emits for it."""


def all_pages(test):
    """Run a test for the page of every layer."""
    return pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)(test)


def module_of(path: Path):
    """Return the module of a page's layer."""
    return importlib.import_module(f"bff_core.upstream.layers.{path.stem}")


def test_each_layer_has_a_page():
    """Every layer has an explanation."""
    assert [path.stem for path in PAGES] == sorted(OPTIONS)


@all_pages
def test_a_page_has_the_five_sections_in_order(path):
    """Who has read one page finds their way on all of them."""
    lines = page(path).text.splitlines()

    assert [line[3:] for line in lines if line.startswith("## ")] == HEADINGS
    assert path.stem.replace("_", " ") in lines[0].lower()


@all_pages
def test_a_page_begins_as_the_code_does(path):
    """One sentence says where a layer stands, the same in both."""
    assert page(path).text.splitlines()[2] == module_of(path).__doc__.splitlines()[0]


@all_pages
def test_a_page_lists_the_options_of_its_layer(path):
    """The table of a page is generated from the options that the layer reads."""
    policy, names = OPTIONS[path.stem]

    first, *_ = names_of_tables(page(path).section("Defaults"))
    assert first.split() == ["options", policy, *names]


@pytest.mark.parametrize(
    ("stem", "kind"),
    [
        ("balance", "EndpointOptions"),
        ("balance", "HealthCheck"),
        ("bulkhead", "Adaptive"),
        ("credentials", "TokenExchange"),
        ("credentials", "ApiKey"),
        ("credentials", "Basic"),
        ("credentials", "Signature"),
    ],
)
def test_options_within_an_option_have_a_table(stem, kind):
    """What an option takes is listed below the first table."""
    defaults = page(DOCS / f"layers/{stem}.md").section("Defaults")

    assert f"options {kind}" in names_of_tables(defaults)


@pytest.mark.parametrize("stem", [stem for stem, (_, names) in OPTIONS.items() if not names])
def test_options_without_a_range_are_mentioned(stem):
    """Each field of a layer's policy is found on its page."""
    policy, _ = OPTIONS[stem]
    defaults = page(DOCS / f"layers/{stem}.md").section("Defaults")

    assert [one.name for one in fields(getattr(bff_core, policy)) if one.name not in defaults] == []


@all_pages
def test_events_are_those_that_the_layer_emits(path):
    """The events of a layer, and their log levels."""
    emitted = {
        f"`{name}`": shown_level(LEVELS[one])
        for name, one in vars(module_of(path)).items()
        if isinstance(one, type) and issubclass(one, Event)
    }
    for event in INDIRECT_EVENTS.get(path.stem, ()):
        emitted[f"`{event.__name__}`"] = shown_level(LEVELS[event])
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
