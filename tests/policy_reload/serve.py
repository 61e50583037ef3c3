"""The gateway for a server process."""

from tests.policy_reload.club import make

app = make()
