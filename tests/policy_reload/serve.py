"""The club as a process serves it."""

from tests.policy_reload.club import make

app = make()
