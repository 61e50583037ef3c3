"""The error of the command line."""


class CannotRun(Exception):
    """A verb can't do its work; the message says why, and what to do."""
