"""The commands of a process about screens."""

from bff_core.console.screens.process import screen_commands as commands

__all__ = ["commands"]
