"""The command `bff` as a program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from bff_core.cli.scaffold.clients import AUTHS, CLIENTS
from bff_core_cli import app, completion
from scripts.docs.commands import _verbs
from tests.cli.projects import write_shop

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


@pytest.mark.parametrize(
    "words", [(), ("routes",), ("keys",), ("keys", "issue"), ("serve",), ("new",)]
)
def test_flags_are_shown_without_a_type(words, bff) -> None:
    """A flag takes no value, so its help names none; other options have their type."""
    out = bff(*words, "--help").out

    assert "--help" in out
    assert "bool" not in out
    assert words != ("serve",) or "<str>" in out


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (("init",), "init [OPTIONS] NAME"),
        (("new",), "new [OPTIONS] [GATEWAY]"),
        (("explain",), "explain [OPTIONS] ROUTE..."),
        (("graph",), "graph [OPTIONS] [GATEWAY|SCREEN]"),
        (("keys", "revoke"), "keys revoke [OPTIONS] PREFIX"),
        (("keys", "list"), "keys list [OPTIONS]"),
    ],
)
def test_arguments_are_named_as_in_the_documentation(words, usage, bff) -> None:
    """Arguments are in capitals, and those that may be left out are in brackets."""
    line = next(one for one in bff(*words, "--help").out.splitlines() if "Usage: " in one)

    assert line.rstrip().endswith(f" {usage}")


def test_a_missing_argument_is_named_as_in_the_usage(bff) -> None:
    """The error and the usage line above it have one name for it."""
    done = bff("init")

    assert done.status == 2
    assert " init [OPTIONS] NAME\n" in done.err
    assert "Missing argument 'NAME'" in done.err


@pytest.mark.parametrize("command", [[str(BFF)], [sys.executable, "-m", "bff_core"]])
def test_an_error_is_one_message(command: list[str]) -> None:
    """A wrong argument gets one line that says what is wrong, no traceback, and status 2."""
    done = subprocess.run(
        [*command, "serve", "no_such_shop:app"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr == "bff: there is no module 'no_such_shop' (in 'no_such_shop:app')\n"


PROJECT_FILES = {
    "bffs/compositions/__init__.py": "",
    "bffs/compositions/home.py": "class Home(bff_core.Composition): pass\nclass Tile: pass\n",
    "bffs/compositions/shelf.py": '"""A shelf."""\nclass Shelf(Composition): pass\n',
    "bffs/services/broken.py": "class Broken(Upstream:\n",
    "bffs/services/catalog.py": (
        "class Catalog(Upstream):\n"
        "    async def product(self, id):\n        return await self.get('/p/{id}', str, id=id)\n"
        "    async def add(self):\n        await self.post('/p', None)\n"
    ),
    "bffs/services/opinions.py": (
        "class UserOpinions(Upstream):\n"
        "    async def latest(self):\n        return await self.get('/latest', list[str])\n"
    ),
}


def test_all_kinds_of_clients_are_completed():
    """The lists of completion, which load no framework, are those that the verbs take."""
    assert (*completion.CLIENTS,) == CLIENTS
    assert (*completion.AUTHS,) == AUTHS


THREAD = """
import threading

threading.Thread(target=threading.Event().wait).start()
"""


def test_threads_of_a_module_do_not_hold_up_a_verb(tmp_path) -> None:
    """A gateway that starts a thread when it is imported is inspected, and the command ends."""
    write_shop(tmp_path, "threaded_shop")
    module = tmp_path / "threaded_shop.py"
    module.write_text(module.read_text() + THREAD)
    done = subprocess.run(
        [BFF, "graph"], cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "ProductPage" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("words", [("--version",), ("routes",)])
def test_output_that_is_lost_is_a_failure(words, tmp_path) -> None:
    """A full disk gets one line and a status; a script does not go on with half a file."""
    write_shop(tmp_path, "written_shop")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [BFF, *words], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 1
    assert done.stderr == "bff: the output can't be written: No space left on device\n"


@pytest.mark.parametrize("redirected", [">&-", "| true"])
def test_the_output_need_not_be_read(redirected, tmp_path) -> None:
    """A closed output, and a reader that went away, give no traceback."""
    done = subprocess.run(
        f"{BFF} --help {redirected}", shell=True, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("bff rou", ["routes"]),
        ("bff routes w", ["web"]),
        ("bff explain x --gateway ", ["web", "mobile", "desktop"]),
        ("bff serve d", ["desktop"]),
        (
            "bff new tablet --client ",
            [*CLIENTS],
        ),
        ("bff new tablet --auth s", ["session"]),
        ("bff add screen x --part ", ["catalog.product", "user_opinions.latest"]),
        ("bff add screen x --part user", ["user_opinions.latest"]),
        ("bff add view ", ["home", "shelf"]),
        ("bff graph ", ["web", "mobile", "desktop", "Home", "Shelf"]),
        ("bff graph S", ["Shelf"]),
    ],
)
def test_the_shell_completes_verbs_and_names(words, completed, tmp_path):
    """Verbs, their options, and the names of the project are completed; broken files are not."""
    for path, text in PROJECT_FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "pyproject.toml").write_text(
        "".join(
            f'[tool.bff.gateways.{name}]\napp = "a:b"\nport = {port}\n'
            for port, name in enumerate(("web", "mobile", "desktop"), 8001)
        )
    )
    environ = {
        **os.environ,
        "_BFF_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(
        [str(BFF)], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.stdout.split() == completed


@pytest.mark.slow
def test_the_script_for_completion_is_printed():
    """`bff --show-completion` prints what a shell reads."""
    # Typer looks for the shell among the parent processes, and CI may have none.
    named = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [str(BFF), "--show-completion", "bash"],
        capture_output=True,
        text=True,
        check=False,
        env=named,
    )

    assert "_BFF_COMPLETE=complete_bash" in done.stdout


def test_paragraphs_of_help_have_no_line_breaks():
    """A terminal breaks the lines of a paragraph where it is wide enough for."""
    helps = [verb.help for _, verb in _verbs(typer.main.get_command(app))]

    assert all(helps)
    assert not [one for one in helps if "\n" in one.replace("\n\n", "")]


def test_brackets_in_help_are_shown():
    """Rich takes text in brackets for a style, and would drop [tool.bff]: each is escaped."""
    helps = [
        one.help or "" for _, verb in _verbs(typer.main.get_command(app)) for one in verb.params
    ]

    assert any(r"\[tool.bff]" in one for one in helps)
    assert not [one for one in helps if "[" in one.replace(r"\[", "")]


WITHOUT_EXTRAS = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"strawberry", "graphql", "redis"}:
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Missing())
from bff_core.cli import api_keys, diff, doctor, explain, graph, purge, routes, sagas
"""


@pytest.mark.slow
def test_verbs_need_no_library_of_graphql_or_redis() -> None:
    """A gateway without GraphQL and Redis is inspected where their libraries are not installed."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
