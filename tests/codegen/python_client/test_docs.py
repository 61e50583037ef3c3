"""What docs/how-to/python-clients.md says of generated clients is so."""

import inspect
import re
from pathlib import Path

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "python-clients.md").read_text()


def rows(heading: str) -> list[str]:
    """Return the names in the first column of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_the_options_are_those_of_the_clients(kiosk):
    """Both take the same."""
    for client in (kiosk.KioskClient, kiosk.AsyncKioskClient):
        parameters = set(inspect.signature(client).parameters) - {"base_url"}
        assert set(rows("Options of a client")) == parameters


def test_the_errors_are_those_that_are_raised(kiosk):
    """Each is exported, and each exported one is on the page."""
    errors = {
        name
        for name in kiosk.__all__
        if inspect.isclass(getattr(kiosk, name)) and issubclass(getattr(kiosk, name), Exception)
    }

    assert set(rows("Errors")) == errors - {"GatewayError"}


def test_an_answer_has_what_the_page_lists(kiosk):
    """Nothing is missing there."""
    answer = kiosk.GatewayAnswer(1)

    assert set(rows("Answers")) >= {name for name in dir(answer) if not name.startswith("_")}
    assert all(
        hasattr(answer, name) or name in {"status", "reason", "age"} for name in rows("Answers")
    )
