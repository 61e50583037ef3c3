"""Creates an environment with the lowest, or the newest, versions that `pyproject.toml` allows.

`python scripts/version_range.py floors .venv-floors` installs the lowest version of each dependency
that is declared, `newest` the newest one of it and of what it needs. The tools of the tests are
those of `requirements/dev.txt` in both, so that what fails is the framework on those versions.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"

NAME = re.compile(r"^[A-Za-z0-9._-]+")

RESOLVE = ("--no-annotate", "--no-header", "--no-emit-index-url", "--quiet")


def main() -> int:
    """Update the environment on the command line; print its versions."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kind", choices=("floors", "newest"))
    parser.add_argument("venv", type=Path)
    options = parser.parse_args()
    venv: Path = options.venv.resolve()
    if not (venv / "bin" / "python").exists():
        _uv("venv", "--quiet", "--python", sys.executable, str(venv))
    packages = venv / "packages.txt"
    declared = _declared()
    _resolve(options.kind, packages, declared)
    into = ("--quiet", "--python", str(venv / "bin" / "python"))
    _uv("pip", "sync", *into, str(packages))
    _uv("pip", "install", *into, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    print(f"{options.kind}: {', '.join(sorted(_pins(packages.read_text(), declared)))}")
    return 0


def _resolve(kind: str, packages: Path, declared: set[str]) -> None:
    """Write the versions to install; those of the lock are preferred where nothing else is said."""
    lock = (LOCKS / "dev.txt").read_text()
    packages.write_text("\n".join(_pins(lock, _names(lock))))
    change: tuple[str, ...]
    if kind == "floors":
        floors = packages.with_name("floors.txt")
        _compile(floors, "--resolution", "lowest-direct")
        floors.write_text("\n".join(_pins(floors.read_text(), declared)))
        change = ("--constraints", str(floors))
    else:
        runtime = _names((LOCKS / "runtime.txt").read_text())
        change = tuple(f"--upgrade-package={name}" for name in sorted(runtime))
    _compile(packages, "--group", "test", "--group", "build", *change)


def _compile(target: Path, *options: str) -> None:
    python = str(target.parent / "bin" / "python")
    _uv(
        "pip",
        "compile",
        "pyproject.toml",
        "--all-extras",
        *options,
        *RESOLVE,
        "--python",
        python,
        "-o",
        str(target),
    )


def _declared() -> set[str]:
    """Return the names of the dependencies of the framework, with those of its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return {_name(one) for one in chain(project["dependencies"], *extras)}


def _pins(requirements: str, names: set[str]) -> list[str]:
    """Return the pins of these packages, without hashes and markers."""
    lines = [line.split(";")[0].rstrip(" \\") for line in requirements.splitlines() if "==" in line]
    return [line for line in lines if _name(line) in names]


def _names(requirements: str) -> set[str]:
    return {_name(line) for line in requirements.splitlines() if NAME.match(line)}


def _name(requirement: str) -> str:
    found = NAME.match(requirement)
    return "" if found is None else found[0].lower().replace("_", "-")


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    if subprocess.run((str(uv), *arguments), cwd=ROOT, check=False).returncode:
        sys.exit(f"version_range: uv {' '.join(arguments[:2])} failed, see above")


if __name__ == "__main__":
    sys.exit(main())
