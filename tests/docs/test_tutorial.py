"""What the pages tell a reader to do, done: each file written, each command run and compared."""

import pytest
from markdown_pages import DOCS, ROOT, page
from page_runner import steady

pytestmark = pytest.mark.needs("curl")


@pytest.mark.parametrize(
    ("path", "app", "fewest"),
    [
        (DOCS / "tutorial.md", "shop.app:app", 7),
        (DOCS / "how-to/testing.md", "", 1),
        (DOCS / "how-to/migrate-from-fastapi.md", "shop:app", 2),
        (DOCS / "how-to/migrate-from-krakend.md", "shop:app", 1),
        (DOCS / "how-to/migrate-from-ocelot.md", "shop:app", 1),
        (DOCS / "how-to/migrate-from-node-bff.md", "shop:app", 1),
        (ROOT / "README.md", "shop:app", 1),
    ],
    ids=["tutorial", "testing", "fastapi", "krakend", "ocelot", "node", "readme"],
)
def test_a_page_that_is_followed_shows_what_it_says(reader, path, app, fewest):
    """A newcomer who types what stands there sees what stands there."""
    someone = reader(app)
    says, shows = {}, {}
    for block in page(path).blocks:
        if block.language == "python":
            someone.write(block)
        elif block.language == "console":
            says[block.line] = steady(block.text)
            shows[block.line] = steady(someone.run(block))

    assert len(says) >= fewest
    assert shows == says
