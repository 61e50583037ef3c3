"""What a second run of `bff add service` changes: in words, as a diff, and whose edits it meets."""

import ast
import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from bff_core.cli.scaffold.tree import Tree

DIGESTS: Final = ".bff/services"
"""The folder with the digests of generated files, in the format of `sha256sum`."""

MAX_DIFF_LINES: Final = 5_000
"""Lines of a diff that is shown, of one file."""


def digest_of(path: str, text: str) -> str:
    """Return the digest of a generated file; that of JSON does not depend on its layout."""
    plain = text.replace("\r\n", "\n")
    if path.endswith(".json"):
        with suppress(ValueError):
            plain = json.dumps(json.loads(plain), sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def read_digests(tree: Tree, name: str) -> dict[str, str]:
    """Return the digests of the generated files of a service, by their path in the project."""
    lines = (tree.read(f"{DIGESTS}/{name}.sha256") or "").splitlines()
    pairs = (line.partition("  ") for line in lines)
    return {path: digest for digest, _, path in pairs if path}


def write_digests(tree: Tree, name: str, files: Mapping[str, str]) -> None:
    """Store the digests of the generated files of a service."""
    lines = [f"{digest_of(path, text)}  {path}\n" for path, text in sorted(files.items())]
    tree.write(f"{DIGESTS}/{name}.sha256", "".join(lines))


def same_code(path: str, first: str, second: str) -> bool:
    """Whether two files are equal, the layout of code aside."""
    if not path.endswith(".py"):
        return digest_of(path, first) == digest_of(path, second)
    try:
        return ast.dump(ast.parse(first)) == ast.dump(ast.parse(second))
    except (SyntaxError, ValueError, RecursionError):
        return first == second


def diff_of(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the unified diff of files by path; of a contract its length only."""
    return "".join(
        line
        for path in sorted({*before, *after})
        for line in _diff(path, before.get(path, ""), after.get(path, ""))
    )


def _diff(path: str, before: str, after: str) -> Iterator[str]:
    lines = list(
        difflib.unified_diff(
            before.splitlines(keepends=True),
            after.splitlines(keepends=True),
            f"a/{path}" if before else "/dev/null",
            f"b/{path}" if after else "/dev/null",
        )
    )
    yield from lines[:MAX_DIFF_LINES]
    if len(lines) > MAX_DIFF_LINES:
        yield f"… and {len(lines) - MAX_DIFF_LINES:,} more lines: git diff {path}\n"


def changes_of(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return what users of the generated code notice, in words: methods, classes, fields."""
    old, new = _members(before), _members(after)
    found = []
    for name in [*old, *(one for one in new if one not in old)]:
        if name not in new:
            if name.rpartition(".")[0] in {*new, ""} or not _is_class_in(name, old):
                found.append(f"removed: {name}{_shown(old[name])}")
        elif name not in old:
            if name.rpartition(".")[0] in {*old, ""} or not _is_class_in(name, new):
                found.append(f"new: {name}{_shown(new[name])}")
        elif old[name] != new[name]:
            found.append(f"changed: {name}: {old[name]} → {new[name]}")
    return found


def _is_class_in(name: str, members: Mapping[str, str]) -> bool:
    """Whether a member belongs to a class, which is listed itself."""
    return name.rpartition(".")[0] in members


def _shown(text: str) -> str:
    return f": {text}" if text else ""


def _members(files: Mapping[str, str]) -> dict[str, str]:
    """Return the classes of modules, their methods and fields, each with its signature or type."""
    found: dict[str, str] = {}
    for path, text in files.items():
        if path.endswith(".py"):
            try:
                tree = ast.parse(text)
            except SyntaxError:
                continue
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    found[node.name] = ""
                    found |= {f"{node.name}.{name}": one for name, one in _of_class(node.body)}
    return found


def _of_class(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for one in body:
        if isinstance(one, ast.AsyncFunctionDef | ast.FunctionDef) and not one.name.startswith("_"):
            returns = f" → {ast.unparse(one.returns)}" if one.returns else ""
            arguments = ast.unparse(one.args).removeprefix("self").lstrip(", ").removeprefix("*, ")
            yield one.name, f"({arguments}){returns}"
        elif isinstance(one, ast.AnnAssign):
            yield ast.unparse(one.target), ast.unparse(one.annotation)
        elif isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            yield one.targets[0].id, ast.unparse(one.value)
