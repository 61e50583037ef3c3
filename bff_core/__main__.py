"""`python -m bff_core`: the command `bff`, where its script is not on the path."""

from bff_core_cli import main

main()
