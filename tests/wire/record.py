"""Records the golden files on purpose: `python -m tests.wire.record [file …]`.

Run it only in a commit that changes what clients see, and read the diff. Without arguments it
records all files; `python -m tests.wire.record log-events.json` records one again, and
`python -m tests.wire.record stores` the stores that later commits have to read.
"""

import sys
import tempfile
from pathlib import Path

from tests.wire import old_stores
from tests.wire.documents import DOCUMENTS, GOLDEN
from tests.wire.house import open_house


def main(names: list[str]) -> int:
    """Write the golden files; return the exit status."""
    if names == ["stores"]:
        return record_stores()
    if unknown := set(names) - DOCUMENTS.keys():
        sys.exit(f"no golden file is called {', '.join(sorted(unknown))}: {', '.join(DOCUMENTS)}")
    with tempfile.TemporaryDirectory() as folder, open_house(Path(folder)) as house:
        written = {name: make(house) for name, make in DOCUMENTS.items()}
    for name in names or written:
        path = GOLDEN / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written[name])
        sys.stdout.write(f"{path.relative_to(Path.cwd())}\n")
    return 0


def record_stores() -> int:
    """Write the stores that later commits have to read."""
    with tempfile.TemporaryDirectory() as folder, open_house(Path(folder)) as house:
        files = old_stores.record(house)
    old_stores.STORES.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (old_stores.STORES / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
