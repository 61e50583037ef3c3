"""What is shown of programs that a run starts again."""

from pathlib import Path

from bff_core.cli.dev.logfmt import Logfmt
from bff_core.cli.dev.program import Program
from bff_core.cli.dev.program_changes import ProgramChanges
from bff_core.cli.dev.saved_files import SavedFiles
from bff_core.cli.ports import Port

ROOT = Path("/shop")
CATALOG = Program(name="catalog", port=Port(9002, "P"), ready="/", root=ROOT, command=("catalog",))


class Written:
    """A terminal that holds what is written."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, text: str) -> None:
        self.lines.append(text.partition(" ")[2])


class NoLauncher:
    """A launcher on a machine without the command of the program."""

    async def start(self, *_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file", "catalog")


async def test_a_program_that_can_not_be_launched_has_failed_with_a_reason():
    """Without a line of output, too, as when its command does not exist."""
    written = Written()
    changes = ProgramChanges(
        [CATALOG],
        NoLauncher(),
        Logfmt(written, [CATALOG]),
        SavedFiles(ROOT),
        on_end=lambda: None,
        ready_seconds=1,
        stop_seconds=1,
    )
    changes.restart("catalog")
    await changes.settled()

    assert changes.all_managed["catalog"].state == "failed"  # and a key can start it again
    reason = "did not come up: [Errno 2] No such file: 'catalog'"
    assert written.lines == [f'event=run.failed program=catalog message="{reason}"']
