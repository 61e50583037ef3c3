"""Policy reload: from a file at start-up, by SIGHUP, and by an admin endpoint."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from bff_core import ConfigurationError, Gateway, Settings
from bff_core.errors import DeadlineExceeded
from bff_core.events import AnyEvent, Events, PoliciesChanged, PoliciesRefused
from bff_core.policy_reload import MAX_FILE_BYTES
from bff_core.scope import Scope
from bff_core.server.reloading import reloads
from bff_core.server.sighup import reload_on_hangup
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply
from tests.policy_reload.club import Users, make
from tests.processes.waiting import until

TOKEN = "x" * 20
OPERATOR = {"authorization": f"Bearer {TOKEN}"}
HOST = "10.0.0.1"


class Club:
    """The gateway over a scripted service, its file, and its events."""

    def __init__(
        self, path: Path, text: str = "", *, token: str = TOKEN, has_file: bool = True
    ) -> None:
        self.path = path / "policies.toml"
        self.write(text)
        self.heard: list[AnyEvent] = []
        self.service = Scripted(reply(200, {"id": "7"}))
        self.app: Gateway = make(
            settings=Settings(
                env="development",
                upstreams={"users": (f"http://{HOST}",)},
                policies=str(self.path) if has_file else "",
                operator_token=SecretStr(token),
            ),
            events=Events(self.heard.append),
            transport=lambda *_: ScriptedTransport({HOST: self.service}),
        )

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def events(self, kind: type) -> list:
        return [event for event in self.heard if isinstance(event, kind)]

    @property
    def timeout(self) -> float:
        """The timeout that the next request gets."""
        (stack,) = self.app.running.upstreams.stacks
        return stack.policy.timeout


async def test_the_file_is_in_force_from_the_start(tmp_path: Path) -> None:
    """Its timeout ends a call, and the log has the options that differ from the code."""
    club = Club(tmp_path, "[users]\ntimeout = 0.05")
    club.service.then(reply(200, {"id": "7"}, after=1))
    async with running(club.app):
        users = club.app.services[Users].bind(Scope(asyncio.get_running_loop().time() + 60))
        with pytest.raises(DeadlineExceeded):
            await users.member("7")

    assert club.events(PoliciesChanged) == [PoliciesChanged(("users.timeout: 5.0 -> 0.05",))]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[users]\ntimout = 1", "users.timout is no option: did you mean timeout?"),
        ("[user]\ntimeout = 1", "[user] is no upstream of this gateway: did you mean users?"),
        ("\ufeff\x00", "policies.toml: "),
    ],
)
def test_a_wrong_file_stops_the_start(tmp_path: Path, text: str, complaint: str) -> None:
    """The error names the file, the mistake, and what to write instead."""
    with pytest.raises(ConfigurationError) as caught:
        Club(tmp_path, text)

    assert complaint in str(caught.value)
    assert "policies.toml" in str(caught.value)


def test_a_file_that_can_not_be_read_stops_the_start(tmp_path: Path) -> None:
    """It is missing, not text, or too large."""
    settings = Settings(env="development", upstreams={"users": (f"http://{HOST}",)})
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    errors = []
    for name in ("missing", "binary", "long", ""):
        with pytest.raises(ConfigurationError) as error:
            make(settings=settings.model_copy(update={"policies": str(tmp_path / name)}))
        errors.append(str(error.value))

    assert "missing can't be read: No such file or directory" in errors[0]
    assert "binary can't be read: it is not UTF-8" in errors[1]
    assert "long: is larger than 1,048,576 bytes" in errors[2]
    assert "can't be read: Is a directory" in errors[3]


async def test_a_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    """The call returns what changed, and the log shows it."""
    club = Club(tmp_path)
    async with running(club.app) as client:
        club.write("[users]\ntimeout = 0.5\nretry = false")
        changes = club.app.reload_policies()
        status = (await client.get("/members/7")).status_code
        timeout = club.timeout

    assert changes == ("users.timeout: 5.0 -> 0.5", "users.retry: on -> off")
    assert club.events(PoliciesChanged) == [PoliciesChanged(changes)]
    assert (status, timeout) == (200, 0.5)


async def test_a_wrong_file_changes_nothing(tmp_path: Path) -> None:
    """The stack stays the same, and the reason is logged."""
    club = Club(tmp_path, "[users]\ntimeout = 0.5")
    async with running(club.app) as client:
        before = club.app.running.upstreams.stacks
        club.write("[users]\ntimeout = 0\nretry.attempts = 1")
        with pytest.raises(ConfigurationError):
            club.app.reload_policies()
        status = (await client.get("/members/7")).status_code
        after = club.app.running.upstreams.stacks

    (refused,) = club.events(PoliciesRefused)
    assert refused.reason == f"{club.path}: users.timeout must be 0.001 to 3,600, not 0"
    assert list(map(id, before)) == list(map(id, after))
    assert status == 200


async def test_an_option_removed_from_the_file_has_the_value_in_the_code(tmp_path: Path) -> None:
    """An option that is removed from the file has the value in the code again."""
    club = Club(tmp_path, "[users]\ntimeout = 0.5")
    async with running(club.app):
        club.write("")
        changes = club.app.reload_policies()

    assert changes == ("users.timeout: 0.5 -> 5.0",)


async def test_a_hangup_reads_the_file_again_and_nothing_else_is_left(tmp_path: Path) -> None:
    """Our server handles SIGHUP while it runs, and restores the handler afterwards."""
    before, hangups = signal.getsignal(signal.SIGHUP), []
    signal.signal(signal.SIGHUP, lambda *_: hangups.append(1))
    mine = signal.getsignal(signal.SIGHUP)
    try:
        club = Club(tmp_path)
        async with running(club.app), AsyncExitStack() as listening:
            reloading = await listening.enter_async_context(reloads(club.app, None))
            loop = asyncio.get_running_loop()
            listening.enter_context(reload_on_hangup(club.app, reloading, loop))
            club.write("[users]\ntimeout = 0.5")
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: len(club.heard) == 1)
            club.write("broken")
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: len(club.heard) == 2)
            timeout = club.timeout

        assert signal.getsignal(signal.SIGHUP) is mine
    finally:
        signal.signal(signal.SIGHUP, before)
    assert [type(event) for event in club.heard] == [PoliciesChanged, PoliciesRefused]
    assert (timeout, hangups) == (0.5, [])


async def test_a_hangup_without_a_file_goes_to_the_application(tmp_path: Path) -> None:
    """Without a policy file the application's own SIGHUP handler stays."""
    before, hangups = signal.getsignal(signal.SIGHUP), []
    signal.signal(signal.SIGHUP, lambda *_: hangups.append(1))
    try:
        club = Club(tmp_path, has_file=False)
        async with running(club.app), AsyncExitStack() as listening:
            reloading = await listening.enter_async_context(reloads(club.app, None))
            loop = asyncio.get_running_loop()
            listening.enter_context(reload_on_hangup(club.app, reloading, loop))
            os.kill(os.getpid(), signal.SIGHUP)
            await until(lambda: hangups == [1])
    finally:
        signal.signal(signal.SIGHUP, before)

    assert club.heard == []


async def test_an_admin_endpoint_reads_it_again(tmp_path: Path) -> None:
    """By POST with the token; the answer has the changes, or the mistake."""
    club = Club(tmp_path)
    async with running(club.app, headers=OPERATOR) as client:
        club.write("[users]\ntimeout = 0.5")
        good = await client.post("/operator/policies")
        club.write("[users]\ntimout = 0.5")
        bad = await client.post("/operator/policies")
        got = await client.get("/operator/policies")

    assert (good.status_code, good.json()) == (200, {"changed": ["users.timeout: 5.0 -> 0.5"]})
    assert good.headers["cache-control"] == "no-store"
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid_input")
    assert "did you mean timeout?" in bad.json()["detail"]
    assert (got.status_code, got.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "given", [{}, {"authorization": "Bearer y"}, {"authorization": TOKEN}, {"cookie": TOKEN}]
)
async def test_without_the_token_it_is_not_read(tmp_path: Path, given: dict[str, str]) -> None:
    """Without the token it is a 401, and nothing is read."""
    club = Club(tmp_path)
    async with running(club.app) as client:
        club.write("[users]\ntimeout = 0.5")
        answer = await client.post("/operator/policies", headers=given)
        timeout = club.timeout

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert timeout == 5.0


async def test_without_a_token_there_is_no_such_path(tmp_path: Path) -> None:
    """Admin endpoints are off by default, and not in OpenAPI."""
    club = Club(tmp_path, token="")
    async with running(club.app, headers=OPERATOR) as client:
        answer = await client.post("/operator/policies")
        document = (await client.get("/openapi.json")).text

    assert answer.status_code == 404
    assert "operator" not in document


@pytest.mark.parametrize("token", ["short", "x" * 19 + "é", "x" * 19 + "\n"])
def test_a_weak_token_is_refused_without_being_shown(token: str) -> None:
    """The error names the variable, never the secret."""
    environ = {"BFF_OPERATOR_TOKEN": token, "BFF_ENV": "development"}

    with pytest.raises(ConfigurationError) as caught:
        Settings.load(environ)

    assert "BFF_OPERATOR_TOKEN='***'" in str(caught.value)
    assert token.strip() not in str(caught.value)
