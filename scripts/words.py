"""`python -m scripts.words`: finds banned words, also within names, and two classes of one name.

`scripts/allowed_words.txt` lists the lines that may use such a word: `path: the line`.
"""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALLOWED = ROOT / "scripts" / "allowed_words.txt"

BANNED = re.compile(
    r"\b(told|tells|kept|keeps|keeper|asks|asked|seen|whoever|nobody|errand|is had|be had)\b",
    re.IGNORECASE,
)

NAMES = re.compile(r"(?<!\w)(?:first|last)_seen(?![^\W_])", re.IGNORECASE)
"""Names of an API of ours that have such a word."""

INSIDE = re.compile(r"_|(?<=[a-z])(?=[A-Z])")
"""Where words of snake_case and camelCase meet."""

TEXT = {"", ".cjs", ".js", ".lua", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}
"""Endings of files that people write; data and recordings are not judged."""

WITHOUT = (
    "bff_core/console/assets/",
    "requirements/",
    "services_mock/data/texts/",
    "scripts/words.py",
    "scripts/allowed_words.txt",
    "LICENSE",
)


def main() -> int:
    """Print one line per finding; return 1 if there is one."""
    found = [*banned_words(), *classes_of_one_name()]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return int(bool(found))


def banned_words() -> Iterator[str]:
    """Yield each line with a banned word, and each unused line of the allow-list."""
    allowed = set(ALLOWED.read_text().splitlines())
    used = set()
    for path in _files():
        for number, line, word in banned_in((ROOT / path).read_text()):
            entry = f"{path}: {line}"
            if entry in allowed:
                used.add(entry)
            else:
                yield f"{path}:{number}: say it without {word!r}: {line}"
    for entry in sorted(allowed - used):
        yield f"{ALLOWED.relative_to(ROOT)}: no such line any more: {entry}"


def banned_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, line and word of each line with a banned word."""
    for number, line in enumerate(text.splitlines(), 1):
        word = BANNED.search(INSIDE.sub(" ", NAMES.sub("", line)))
        if word is not None:
            yield number, line.strip(), word[0]


def classes_of_one_name() -> Iterator[str]:
    """Yield the names of classes that occur twice in the framework."""
    places = defaultdict(list)
    for path in sorted((ROOT / "bff_core").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    for name, where in places.items():
        if len(where) > 1:
            yield f"{', '.join(where)}: two classes named {name}"


def _files() -> list[str]:
    listed = subprocess.run(  # a fixed command
        ["git", "ls-files"],  # git is on PATH wherever the repository is worked on
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [
        path
        for path in listed.stdout.splitlines()
        if not path.startswith(WITHOUT) and Path(path).suffix in TEXT and (ROOT / path).is_file()
    ]


if __name__ == "__main__":
    sys.exit(main())
