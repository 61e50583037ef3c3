"""The command `bff` as a program."""

import subprocess
import sys
from pathlib import Path

import pytest

BFF = Path(sys.executable).with_name("bff")

WITHOUT_FRAMEWORK = """
import sys
from bff_core_cli import app
try:
    app(["--help"])
except SystemExit:
    heavy = {"bff_core", "fastapi", "pydantic", "strawberry", "httpx"} & sys.modules.keys()
    sys.exit(", ".join(sorted(heavy)) or 0)
"""


def test_help_does_not_load_the_framework() -> None:
    """`bff --help` answers at once, since a verb loads what it needs when it runs."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FRAMEWORK], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" in done.stdout


@pytest.mark.parametrize("command", [[str(BFF)], [sys.executable, "-m", "bff_core"]])
def test_an_error_is_one_message(command: list[str]) -> None:
    """A wrong argument gets one line that says what is wrong, no traceback, and status 2."""
    done = subprocess.run(
        [*command, "serve", "no_such_shop:app"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr == "bff: there is no module 'no_such_shop' (in 'no_such_shop:app')\n"
