"""Whether a project has the home screen that `bff init` makes, which other templates build upon."""

import ast

from bff_core.cli.scaffold.tree import Tree

PATH = "bffs/compositions/home.py"
PARTS = {"banner", "featured", "product"}


def has_home(tree: Tree) -> bool:
    """Whether the project has a home screen with the parts of the one that `bff init` makes."""
    try:
        module = ast.parse(tree.read(PATH) or "")
    except SyntaxError:
        return False
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == "Home":
            return {one.name for one in node.body if isinstance(one, ast.AsyncFunctionDef)} >= (
                PARTS
            )
    return False
