"""How figures get into the documentation."""

import pytest

from bench.markdown import BEGIN, END, PAGE, README, figures, put, summary

RESULTS = {
    "machine": "a computer",
    "ratios": [
        {"against": "nginx-ssi", "ratio": 4.5, "must": 5.0, "goal": 3.5, "verdict": "must met"}
    ],
    "rows": [
        {
            "name": "bff",
            "cpu_us": 1234.5,
            "rps": 4321.0,
            "p50_ms": 1.25,
            "p99_ms": 9.5,
            "rss_mib": 64.4,
        }
    ],
    "layers": [{"stack": "no stack", "us": 0.1, "added_us": 0.1}],
    "imports": [{"module": "fastapi", "ms": 400.4}],
    "ready": [{"app": "bench", "ready_ms": 800}],
    "workers": [],
    "disturbed": {"bff": 0.01},
    "skipped": {"go-net-http": "go not installed"},
}


def test_a_session_becomes_tables() -> None:
    """Each section that was measured is one, and a skipped peer is named."""
    text = figures(RESULTS)

    assert "| nginx-ssi | **4.50** | 5.00 | 3.50 | must met |" in text
    assert "| bff | 1,234 µs | 4,321 | 1.2 ms | 9.5 ms | 64 MiB |" in text
    assert "| workers |" not in text
    assert text.endswith("Skipped: go-net-http: go not installed.")


def test_a_disturbed_session_says_so() -> None:
    """Figures of a busy machine are not passed off as clean ones."""
    text = figures(RESULTS | {"disturbed": {"bff": 0.01, "nginx-ssi": 0.31}})

    assert "others took up to 31% of a core" in text
    assert "others" not in figures(RESULTS)


def test_only_what_is_between_the_marks_is_replaced() -> None:
    """Words around the figures stay as they were written."""
    page = f"before\n{BEGIN}\nold\n{END}\nafter"

    assert put(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter"


def test_the_summary_begins_the_figures() -> None:
    """The README shows the same ratios as the page of benchmarks."""
    assert "| nginx-ssi | **4.50** |" in summary(RESULTS)
    assert figures(RESULTS).startswith(summary(RESULTS))


@pytest.mark.parametrize("path", [PAGE, README], ids=lambda path: path.name)
def test_the_pages_have_a_place_for_figures(path) -> None:
    """Both marks are there, in order."""
    page = path.read_text()

    assert 0 < page.find(BEGIN) < page.find(END)
