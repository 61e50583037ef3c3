"""Installs the TypeScript compilers of these tests, and runs them."""

import fcntl
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"
COMPILERS: Mapping[str, str] = {
    "7": "typescript/bin/tsc",
    "5.9": "typescript-5/bin/tsc",
}
"""The programs, by version of the language."""

STRICT = (
    *("--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"),
    *("--isolatedModules", "--verbatimModuleSyntax", "--erasableSyntaxOnly"),
    *("--noUnusedLocals", "--noUnusedParameters", "--noImplicitReturns", "--noImplicitOverride"),
    *("--noPropertyAccessFromIndexSignature", "--noFallthroughCasesInSwitch"),
    *("--module", "esnext", "--moduleResolution", "bundler"),
)
WITHOUT_PLATFORM = ("--noEmit", "--target", "es2020", "--lib", "es2020")
"""Neither a browser nor Node: all that a client needs of them, it declares itself."""

IN_NODE = ("--target", "es2022", "--lib", "es2022,dom,dom.iterable", "--outDir", "compiled")
"""Programs that Node runs; its types of `fetch` are those of browsers."""


def install() -> None:
    """Install the compilers from the lock file; skip where npm can't."""
    with (FOLDER / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # tests of several files run at the same time
        if not all((MODULES / program).exists() for program in COMPILERS.values()):
            npm = shutil.which("npm") or "npm"
            command = (npm, "ci", "--prefer-offline", "--no-audit", "--no-fund")
            done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"npm can't install TypeScript: {done.stderr[-200:]}")


def compile_files(version: str, folder: Path, *options: str) -> list[str]:
    """Compile files in a folder under all strict options; return what the compiler reports."""
    install()
    done = subprocess.run(
        ("node", MODULES / COMPILERS[version], *STRICT, *options),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode or not done.stdout
    return done.stdout.splitlines()
