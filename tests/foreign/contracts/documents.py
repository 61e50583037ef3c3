"""Fetches OpenAPI documents of others: npm packages, and what frameworks write.

They are stored in `build/contract-documents`, and fetched once. None of them is in the repository.
"""

import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
FOLDER = ROOT / "build" / "contract-documents"

GITHUB = "@octokit/openapi@23.0.2"
EXAMPLES = "@readme/oas-examples@8.2.2"


def run(*command: str, cwd: Path, seconds: float = 300) -> str:
    """Run a program; return what it printed."""
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def github() -> Path:
    """Return GitHub's document: 13 MB, 811 paths. Only this file is unpacked."""
    path = FOLDER / "github.json"
    if not path.exists():
        with _package(GITHUB) as archive:
            _extract(archive, "package/generated/api.github.com.json", path)
    return path


def examples() -> list[Path]:
    """Return documents for corner cases of 3.0 and 3.1, in JSON and YAML."""
    folder = FOLDER / "examples"
    if not folder.exists():
        with _package(EXAMPLES) as archive:
            for name in archive.getnames():
                if name.startswith(("package/3.0/", "package/3.1/")) and _is_document(name):
                    _extract(archive, name, folder / name.removeprefix("package/"))
    return sorted(path for path in folder.rglob("*.*") if path.is_file())


def nest() -> Path:
    """Return what @nestjs/swagger writes of a small shop; npm installs about 110 MB."""
    path = FOLDER / "nest.json"
    if _is_current(path, HERE / "nest"):
        return path
    folder = FOLDER / "nest"
    shutil.copytree(HERE / "nest", folder, dirs_exist_ok=True)
    options = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
    run(program("npm"), "install", *options, cwd=folder)
    run(str(folder / "node_modules" / ".bin" / "tsc"), "-p", ".", cwd=folder)
    path.write_text(run(program("node"), "out/shop.js", cwd=folder))
    return path


def springdoc() -> Path:
    """Return what springdoc writes of a small shop on Spring Boot."""
    path = FOLDER / "springdoc.json"
    if _is_current(path, HERE / "springdoc"):
        return path
    folder = FOLDER / "springdoc"
    shutil.copytree(HERE / "springdoc", folder, dirs_exist_ok=True)
    run(program("mvn"), "-q", "-B", "package", cwd=folder, seconds=600)
    path.write_text(run(program("java"), "-jar", "target/shop.jar", cwd=folder))
    return path


def program(name: str) -> str:
    """Return the path of a program; skip the test, naming it, if it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _package(name: str) -> tarfile.TarFile:
    """Download a package of npm; return its archive."""
    folder = FOLDER / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    stem = name.removeprefix("@").replace("/", "-").replace("@", "-")
    path = folder / f"{stem}.tgz"
    if not path.exists():
        run(program("npm"), "pack", name, "--silent", cwd=folder)
    return tarfile.open(path)


def _extract(archive: tarfile.TarFile, name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    member = archive.extractfile(name)
    assert member is not None, f"{name} is no file"
    path.write_bytes(member.read())


def _is_document(name: str) -> bool:
    """Whether a file is a document: one folder of the package has parts of one."""
    return name.endswith((".json", ".yaml")) and name.count("/") == 3


def _is_current(path: Path, sources: Path) -> bool:
    """Whether a file is newer than those that it is made of."""
    files: Iterable[Path] = [one for one in sources.rglob("*") if one.is_file()]
    return path.exists() and all(one.stat().st_mtime <= path.stat().st_mtime for one in files)
