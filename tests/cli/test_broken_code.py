"""What commands say of a module of the project that raises an exception."""

import json
from itertools import count

import pytest

from tests.cli.projects import PORTS, write_shop

NUMBERS = count()

COMMANDS = [
    ("routes", "mobile"),
    ("graph",),
    ("explain", "GET /v1/products/all"),
    ("diff", "mobile", "web"),
    ("serve", "mobile", "--port", "0"),
]

CONFLICT = """
import json
<<<<<<< yours
A = 1
=======
A = 2
>>>>>>> template
"""

HELPER = """
def checked(value):
    return json_of(value)["limit"]


def json_of(value):
    import json

    return json.loads(value)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a shop, and the name of its module, which no other test has imported."""
    monkeypatch.chdir(tmp_path)
    name = f"broken_shop_{next(NUMBERS)}"
    write_shop(tmp_path, name, **PORTS)
    return tmp_path, name


@pytest.mark.parametrize("words", COMMANDS)
def test_an_exception_of_a_module_is_one_message(project, bff, words):
    """It has the file and the line, then the frames of the project, and the status is 1."""
    folder, name = project
    (folder / f"{name}_helper.py").write_text(HELPER)
    (folder / f"{name}.py").write_text(f"from {name}_helper import checked\n\nchecked('nothing')\n")
    done = bff(*words)

    assert (done.status, done.out) == (1, "")
    first, *below = done.err.splitlines()
    assert first.startswith(f"bff: {name}:")
    assert f"{name}_helper.py, line 9: JSONDecodeError: Expecting value" in first
    assert f'  File "{folder}/{name}.py", line 3, in <module>' in below
    assert below[-1].startswith("json.decoder.JSONDecodeError: Expecting value")
    assert "decoder.py" not in done.err
    assert "bff_core" not in done.err


@pytest.mark.parametrize("words", COMMANDS)
def test_conflict_markers_are_named(project, bff, words):
    """A merge that is not finished is no riddle of syntax."""
    folder, name = project
    (folder / f"{name}.py").write_text(CONFLICT)
    done = bff(*words)

    assert done.status == 1
    (line,) = done.err.splitlines()
    assert f"{name}.py, line 3: there are conflict markers of a merge: choose one side" in line


def test_the_doctor_names_conflict_markers_too(project, bff):
    """A finding says the same as the other commands."""
    folder, name = project
    (folder / f"{name}.py").write_text(CONFLICT)
    findings = json.loads(bff("doctor", "mobile", "--json").out)
    whats = [one["what"] for one in findings if one["area"] == "gateway mobile"]

    assert f"{name}.py, line 3: there are conflict markers of a merge" in whats[-1]


def test_a_syntax_error_shows_the_line(project, bff):
    """It has no frame of its own in the traceback."""
    folder, name = project
    (folder / f"{name}.py").write_text("\nA = (\n")
    done = bff("routes")

    assert done.status == 1
    assert f"{name}.py, line 2: SyntaxError: '(' was never closed" in done.err
    assert "    A = (" in done.err.splitlines()


def test_a_factory_that_raises_is_reported_with_its_cause(project, bff):
    """The cause of an exception is part of the traceback."""
    folder, name = project
    (folder / f"{name}.py").write_text(
        "def mobile():\n"
        "    try:\n"
        "        open('no-such-file')\n"
        "    except OSError as error:\n"
        "        raise RuntimeError('no rates') from error\n"
    )
    done = bff("routes", "mobile")

    assert done.status == 1
    assert f"bff: {name}:mobile can't be loaded: {name}.py, line 5: RuntimeError: no rates" in (
        done.err.splitlines()
    )
    assert "FileNotFoundError: [Errno 2] No such file or directory: 'no-such-file'" in done.err


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(7)\n", "SystemExit: 7"),
        ("import sys\n\nsys.exit()\n", "SystemExit"),
        ("raise BaseException('odd')\n", "BaseException: odd"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
    ],
)
@pytest.mark.parametrize("words", COMMANDS)
def test_a_module_does_not_end_the_command_silently(project, bff, words, code, reason):
    """Even sys.exit() in a module is reported with its line; the status is that of a failure."""
    folder, name = project
    (folder / f"{name}.py").write_text(code)
    done = bff(*words)

    assert (done.status, done.out) == (1, "")
    line = code.count("\n")
    assert f"can't be loaded: {name}.py, line {line}: {reason}" in done.err.splitlines()[0]


def test_the_doctor_survives_a_module_that_exits(project, bff):
    """It is a finding, and the other checks go on."""
    folder, name = project
    (folder / f"{name}.py").write_text("raise SystemExit(7)\n")
    findings = json.loads(bff("doctor", "--json").out)
    whats = {one["area"]: one["what"] for one in findings if one["area"].startswith("gateway ")}

    assert whats.keys() == {"gateway mobile", "gateway web"}
    assert all(f"{name}.py, line 1: SystemExit: 7" in one for one in whats.values())
