"""`.env`: read in development beside the environment, never in production unless it is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bff_core.errors import ConfigurationError
from bff_core.settings.env_file import add_env_file, parse
from bff_core_cli import main

ROOT = Path(__file__).parents[2]

TEXT = r"""
# the services of a laptop
BFF_UPSTREAM_CATALOG=http://127.0.0.1:9002   # catalog
export BFF_SECRET_MAPS='as it is, with $ and # and \n'
  INDENTED = two words
EMPTY=
EMPTY_TOO=   # nothing
HASH=a#b
GREETING="two lines:\nwith \"quotes\", a \\, a \$ and \d"  # a comment
KEY="-----BEGIN-----
abc
-----END-----"
LAST=$HOME/x"""

VARIABLES = {
    "BFF_UPSTREAM_CATALOG": "http://127.0.0.1:9002",
    "BFF_SECRET_MAPS": r"as it is, with $ and # and \n",
    "INDENTED": "two words",
    "EMPTY": "",
    "EMPTY_TOO": "",
    "HASH": "a#b",
    "GREETING": 'two lines:\nwith "quotes", a \\, a $ and \\d',
    "KEY": "-----BEGIN-----\nabc\n-----END-----",
    "LAST": "$HOME/x",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_values_are_read_as_they_are_written():
    """Comments, quotes, several lines; nothing is expanded."""
    assert parse(TEXT, ".env") == VARIABLES


@pytest.mark.parametrize("encoded", [TEXT.encode("utf-8-sig"), TEXT.replace("\n", "\r\n").encode()])
def test_editors_of_other_systems_are_understood(folder, encoded):
    """A byte order mark and Windows' line ends are no part of a value."""
    (folder / ".env").write_bytes(encoded)
    environ = {"BFF_ENV": "development"}
    add_env_file(environ)

    assert environ == {"BFF_ENV": "development", **VARIABLES}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("A=1\n\n# x\nB 2\n", ".env, line 4: write NAME=value"),
        ("A=1\n1B=2", ".env, line 2: write NAME=value"),
        ("hunter2", ".env, line 1: write NAME=value"),
        ("A='x\ny'\nB='hunter2", ".env, line 3: B has an opening quote and no closing one"),
        ('A="hunter2" 7', ".env, line 1: A has text behind the closing quote"),
        ("A=hunter2\nB=1\nA=2", ".env, line 3: A is set in line 1 already"),
    ],
)
def test_a_wrong_line_is_named(text, error):
    """The error has file and line, and no value: it may be a secret."""
    with pytest.raises(ConfigurationError) as raised:
        parse(text, ".env")

    assert str(raised.value).startswith(error)
    assert "hunter2" not in str(raised.value)


def test_the_environment_takes_precedence(folder):
    """A variable that is set, even to nothing, is not replaced."""
    (folder / ".env").write_text("BFF_ENV=production\nBFF_PORT=1\nBFF_HOST=0.0.0.0\nNEW=1")
    environ = {"BFF_ENV": "development", "BFF_PORT": "2", "BFF_HOST": ""}
    add_env_file(environ)

    assert environ == {"BFF_ENV": "development", "BFF_PORT": "2", "BFF_HOST": "", "NEW": "1"}


@pytest.mark.parametrize("env", [{"BFF_ENV": "production"}, {"BFF_ENV": ""}, {}])
def test_production_reads_no_file_of_its_folder(folder, env):
    """A file that was copied into an image must not turn production into development."""
    (folder / ".env").write_text("BFF_ENV=development\nBFF_AUTH=demo")
    environ = dict(env)
    hint = add_env_file(environ)

    assert environ == env
    assert bool(hint) is (env.get("BFF_ENV") != "production")


def test_production_reads_a_file_that_is_named(folder):
    """`--env-file` says that it is meant."""
    (folder / "shop.env").write_text("BFF_ENV=production\nBFF_PORT=1")
    environ = {}
    add_env_file(environ, "shop.env")

    assert environ == {"BFF_ENV": "production", "BFF_PORT": "1"}


def test_a_folder_without_a_file_is_fine(folder):
    """The file is optional."""
    environ = {"BFF_ENV": "development"}

    assert add_env_file(environ) == ""
    assert environ == {"BFF_ENV": "development"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no.env can't be read: No such file"),
        (b"A=\xff", "no.env can't be read: it is not UTF-8"),
        (b"A=a\0b", "no.env can't be read: it has null characters"),
    ],
)
def test_a_named_file_that_can_not_be_read_is_an_error(folder, content, reason):
    """The server does not start without the variables that it was promised."""
    if content is not None:
        (folder / "no.env").write_bytes(content)
    with pytest.raises(ConfigurationError) as raised:
        add_env_file({}, "no.env")

    assert str(raised.value).startswith(reason)


def test_a_wrong_file_is_a_line(folder, capsys, monkeypatch):
    """The server names file and line, and ends with status 2."""
    (folder / ".env").write_text("BFF_PORT 8000")
    monkeypatch.setenv("BFF_ENV", "development")
    monkeypatch.setattr(sys, "argv", ["bff", "serve", "shop:app"])

    with pytest.raises(SystemExit, match="2"):
        main()
    assert capsys.readouterr().err.startswith("bff: .env, line 1: write NAME=value")


SHOP = """
import os, sys
def app():
    print(os.environ.get("GREETING"), os.environ.get("BFF_PORT"), file=sys.stderr)
    sys.exit(7)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "shown"),
    [((), "hello 0"), (("--no-env-file",), "None None"), (("--env-file", "b.env"), "bye 0")],
)
def test_the_server_reads_the_file(folder, arguments, shown):
    """The application finds the variables in its environment, and so do the settings."""
    (folder / ".env").write_text("GREETING=hello\nBFF_PORT=0")
    (folder / "b.env").write_text("GREETING=bye\nBFF_PORT=0")
    (folder / "shop.py").write_text(SHOP)
    environ = {one: value for one, value in os.environ.items() if not one.startswith("BFF_")}
    done = subprocess.run(
        (sys.executable, "-m", "bff_core", "serve", "shop:app", "--port", "0", *arguments),
        env={**environ, "BFF_ENV": "development", "PYTHONPATH": f"{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (done.returncode, done.stderr.splitlines()[0]) == (1, shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "variable", "file"),
    [
        (("bff_core", "keys", "list"), "BFF_API_KEYS_URL", "keys.db"),
        (("bff_core", "saga", "list"), "BFF_JOURNAL_URL", "journal.db"),
    ],
)
def test_commands_read_it_as_well(tmp_path, command, variable, file):
    """A key that a command issues has to be in the store that the gateway opens."""
    (tmp_path / ".env").write_text(f"{variable}=sqlite:///{file}\n", encoding="utf-8")
    environ = {"PATH": os.environ["PATH"], "BFF_ENV": "development", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        (sys.executable, "-m", *command),
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert file in done.stderr + done.stdout


def test_a_folder_of_this_name_is_no_file(folder):
    """A virtual environment called `.env` does not stop development."""
    (folder / ".env").mkdir()
    assert add_env_file({"BFF_ENV": "development"}) == ""
