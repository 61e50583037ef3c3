"""Runs the command `bff` in this process."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from bff_core_cli import main


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def bff(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return a function that runs `bff` with these words, without variables of the machine.

    Those that a command sets end with the test.
    """
    before = dict(os.environ)
    for name in [one for one in os.environ if one.startswith("BFF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BFF_ENV", "development")

    def run(*words: str) -> Done:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = capfd.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    yield run
    os.environ.clear()
    os.environ.update(before)
