"""Edits CODEOWNERS: which team reviews the changes of a folder."""

from bff_core.cli.scaffold.tree import Tree

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for the file, in its order."""

ABOUT = "# Who reviews what; the last line that matches counts.\n"


def place_of(tree: Tree) -> str:
    """Return the path of the file of a project, or where a new one goes."""
    return next((path for path in PLACES if tree.read(path) is not None), PLACES[0])


def with_owner(text: str | None, folders: list[str], owner: str) -> str:
    """Return the file with the owner of folders; a line of a folder that is there is changed."""
    lines = (ABOUT if text is None else text).splitlines()
    for folder in folders:
        pattern = f"/{folder}/"
        line = f"{pattern} {review_name(owner)}"
        places = [number for number, one in enumerate(lines) if one.split()[:1] == [pattern]]
        if places:
            lines[places[-1]] = line
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def review_name(owner: str) -> str:
    """Return an owner as CODEOWNERS names it: a team or a user has an @, an address has one."""
    return owner if "@" in owner else f"@{owner}"
