"""Creates and updates virtual environments; it installs only what changed since the last time.

`python scripts/environment.py .venv dev` creates `.venv`, installs `requirements/dev.txt` with
hashes and the project itself as an editable package. Silent if there is nothing to do.
"""

import argparse
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LOCKS = {"runtime": ("runtime.txt", "build.txt"), "dev": ("dev.txt",)}
"""The lock of each set; `dev` contains all of `runtime`."""


class InstallFailed(Exception):
    """A step of the installation failed; the message is its output."""


def main() -> int:
    """Bring the environment named on the command line up to date."""
    options = _options()
    try:
        with _alone():
            prepare(options.venv, options.set)
    except InstallFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def prepare(venv: Path, wanted: str) -> None:
    """Create `venv` if necessary, and install the set `wanted` unless its stamp is current."""
    stamps = {name: _fingerprint(locks) for name, locks in LOCKS.items()}
    if _runs_this_python(venv):
        installed = _stamps(venv)
        if any(installed.get(name) == stamps[name] for name in (wanted, "dev")):
            return
    else:
        _run("create the environment", sys.executable, "-m", "venv", "--clear", str(venv))
    _install(venv, LOCKS[wanted])
    _write_stamps(venv, {wanted: stamps[wanted]})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("venv", type=Path)
    parser.add_argument("set", choices=LOCKS)
    return parser.parse_args()


@contextmanager
def _alone() -> Iterator[None]:
    """Wait while another terminal installs."""
    with (ROOT / "pyproject.toml").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fingerprint(locks: tuple[str, ...]) -> str:
    """Return a digest of what affects the installation: interpreter, path, locks, tables."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    tables = [project["build-system"], project["project"], project["tool"].get("hatch")]
    facts = [sys.version, os.path.realpath(sys.executable), str(ROOT), tables]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for lock in locks:
        digest.update((ROOT / "requirements" / lock).read_bytes())
    return digest.hexdigest()


def _runs_this_python(venv: Path) -> bool:
    """Whether the environment uses the interpreter that runs this script."""
    config = venv / "pyvenv.cfg"
    if not config.exists() or not _python(venv).exists():
        return False
    rows = (line.partition("=") for line in config.read_text().splitlines())
    facts = {key.strip(): value.strip() for key, _, value in rows}
    version = ".".join(map(str, sys.version_info[:3]))
    return facts.get("version", "").startswith(version)


def _python(venv: Path) -> Path:
    return venv / "bin" / "python"


def _stamps(venv: Path) -> dict[str, str]:
    stamp = venv / "installed.json"
    found: dict[str, str] = json.loads(stamp.read_text()) if stamp.exists() else {}
    return found


def _write_stamps(venv: Path, stamps: dict[str, str]) -> None:
    (venv / "installed.json").write_text(json.dumps(stamps))


def _install(venv: Path, locks: tuple[str, ...]) -> None:
    print(f"installing {', '.join(locks)} into {venv} (only when they change) …", flush=True)
    pip = (str(_python(venv)), "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    files = [part for lock in locks for part in ("-r", str(ROOT / "requirements" / lock))]
    _run("install the locked packages", *pip, "--require-hashes", *files)
    # The build backend is locked as well, so pip must not fetch another one by itself.
    _run("install the project", *pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def _run(purpose: str, *command: str) -> None:
    """Run a step, and show its output only if it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shown = " ".join(command)
        raise InstallFailed(f"{done.stdout}{done.stderr}could not {purpose}: {shown}")


if __name__ == "__main__":
    sys.exit(main())
