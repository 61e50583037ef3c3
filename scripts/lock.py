"""Resolves the locks under `requirements/` from `pyproject.toml`, and checks that they are current.

`python scripts/lock.py write` resolves them again, with the same versions if they still fit (with
`--upgrade`, the newest); `python scripts/lock.py check` verifies them without the network.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"

SOURCES = {
    "dev": ("pyproject.toml", "--all-extras", "--group", "dev"),
    "runtime": ("pyproject.toml", "--all-extras", "--constraints", "requirements/dev.txt"),
    "build": ("--group", "build", "--constraints", "requirements/dev.txt"),
}
"""The arguments of each lock; `dev` is first, as it fixes the versions of the others."""

DIGEST_LINE = "# pyproject.toml: sha256:"

ADDRESS = "names an address"

PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?P<rest>.*)$", re.MULTILINE)


def main() -> int:
    """Write or check the locks."""
    options = _options()
    if options.action == "write":
        for name in SOURCES:
            _write(name, upgrade=options.upgrade)
    complaints = [line for name in SOURCES for line in _complaints(name)]
    complaints += [
        f"{lock}: {ADDRESS}" for lock in _npm_locks() if "://" in (ROOT / lock).read_text()
    ]
    for line in complaints:
        print(line, file=sys.stderr)
    return 1 if complaints else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("action", choices=("write", "check"))
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    return parser.parse_args()


def _write(name: str, *, upgrade: bool) -> None:
    target = FOLDER / f"{name}.txt"
    command = [
        *(_uv(), "pip", "compile", *SOURCES[name], "--output-file", str(target.relative_to(ROOT))),
        *("--universal", "--python-version", _oldest_python(), "--generate-hashes"),
        *("--no-emit-index-url", "--no-emit-find-links", "--annotation-style", "line"),
        *("--custom-compile-command", "make lock", "--quiet"),
        # The two smaller locks follow `dev`, which has just been upgraded.
        *(["--upgrade"] if upgrade or name != "dev" else []),
    ]
    FOLDER.mkdir(exist_ok=True)
    subprocess.run(command, cwd=ROOT, check=True)
    target.write_text(f"{DIGEST_LINE}{_digest()}\n{target.read_text()}")


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        sys.exit("lock: uv is not installed; `make lock` installs it from the present lock")
    return found


def _oldest_python() -> str:
    return str(_project()["project"]["requires-python"]).removeprefix(">=")


def _project() -> dict[str, dict[str, object]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _digest() -> str:
    """Return a digest of the tables that affect the locks."""
    project = _project()
    keys = ("requires-python", "dependencies", "optional-dependencies")
    wanted = {key: project["project"].get(key) for key in keys}
    facts = [wanted, project["dependency-groups"], project["build-system"]["requires"]]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _complaints(name: str) -> list[str]:
    path = FOLDER / f"{name}.txt"
    where = path.relative_to(ROOT)
    if not path.exists():
        return [f"{where}: missing; run `make lock`"]
    text = path.read_text()
    unhashed = [pin["name"] for pin in PIN.finditer(text) if not pin["rest"].endswith("\\")]
    strays = sorted(_versions(text) - _versions((FOLDER / "dev.txt").read_text()))
    findings = {
        "older than pyproject.toml; run `make lock`": f"{DIGEST_LINE}{_digest()}\n" not in text,
        f"has no hash for {', '.join(unhashed)}": unhashed,
        f"differs from dev.txt in {', '.join(strays)}": strays,
        ADDRESS: "://" in text,
    }
    return [f"{where}: {complaint}" for complaint, is_so in findings.items() if is_so]


def _npm_locks() -> list[Path]:
    """Return the locks of npm in the repository, without those of installed packages."""
    found = [
        lock
        for folder in ("bench", "console", "tests")
        for lock in (ROOT / folder).rglob("package-lock.json")
    ]
    return [path.relative_to(ROOT) for path in found if "node_modules" not in path.parts]


def _versions(lock: str) -> set[str]:
    return {f"{pin['name']}=={pin['version']}" for pin in PIN.finditer(lock)}


if __name__ == "__main__":
    sys.exit(main())
