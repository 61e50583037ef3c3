"""The club as a process serves it."""

from tests.policies.club import make

app = make()
