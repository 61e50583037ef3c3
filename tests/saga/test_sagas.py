"""Sagas: steps in order, compensation in reverse, no effect twice, with any failure at any time."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core import ConfigurationError, Saga, SagaFailed, SagaPolicy, step
from bff_core.auth.viewer import Viewer
from bff_core.auth.viewer_codec import ViewerCodec
from bff_core.call import Attempt, Call, Reply
from bff_core.composition.wiring import Wiring
from bff_core.errors import (
    BadStatus,
    CircuitOpen,
    KeyReused,
    StoreUnavailable,
    TransportFailed,
)
from bff_core.events import Crashed, Events, SagaStuck
from bff_core.saga.coordinator import SagaRegistry
from bff_core.saga.errors import SagaUnderWay, SagaUnsettled
from bff_core.saga.step_runner import SagaResources
from bff_core.scope import Scope

pytestmark = pytest.mark.virtual_time


@dataclass
class Bank:
    """Services behind a saga, which honour keys: effects happen once per key.

    `story` says what happens to each next request: "ok"; "refused" (no effect, nor later); "lost"
    (the effect happens, its answer is lost); "dropped" (neither); "hang" (neither, and no end);
    "late" (the effect happens after a while; a request in the meantime gets 409);
    "unsent" (the circuit is open); "later" (429); "stray" (a proxy's 404).
    """

    story: list[str] = field(default_factory=list)
    effects: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    busy: dict[str, float] = field(default_factory=dict)
    scope: Scope | None = None

    def bind(self, scope):
        """Act for one request: its key is what a service sees."""
        return Bank(self.story, self.effects, self.log, self.refused, self.busy, scope)

    async def ask(self, effect):
        """Take effect once, however often the request is repeated."""
        what = self.story.pop(0) if self.story else "ok"
        key = f"{self.scope.idempotency_key} {effect}"
        call = Call("bank", "POST", "/", "POST /", now() + 9, headers=keyed(key))
        self.scope.step.unsafe_calls.append(call)
        if what == "unsent":
            raise CircuitOpen("open", call=call, retry_after=1.0)
        self.log.append(effect)
        call.trail.append(Attempt("bank", now()))
        if what in {"stray", "later"}:
            raise BadStatus(Reply(404 if what == "stray" else 429), call=call)
        if what not in {"dropped", "hang"}:
            self._serve(what, effect, key, call)
        if what in {"hang", "late"}:
            await asyncio.sleep(3600)
        if what in {"lost", "dropped"}:
            raise TransportFailed("cut", call=call, is_sent=True)
        return f"{effect} done"

    def _serve(self, what, effect, key, call):
        if now() < self.busy.get(key, 0.0):
            raise BadStatus(Reply(409, JSON), call=call)
        if what == "refused" and key not in self.effects:
            self.refused.add(key)
        if key in self.refused:
            raise BadStatus(Reply(422, JSON), call=call)
        if what == "late" and key not in self.effects:
            self.busy[key] = now() + LATE
        self.effects[key] = effect

    def count(self, effect):
        """Return how often something happened."""
        return sum(one == effect for one in self.effects.values())


JSON = ((b"content-type", b"application/problem+json"),)
LATE = 20.0


def keyed(key):
    """Return the headers of a write."""
    return ((b"idempotency-key", key.encode()),)


class Buying(Saga):
    """Three steps, as a checkout has them."""

    policy = SagaPolicy(
        step_timeout=1.0, tries=3, backoff=0.05, pause=5.0, longest_pause=20.0, key_lifetime=600.0
    )

    bank: Bank
    viewer: Viewer
    item: str

    @step
    async def hold(self) -> str:
        """Hold the goods."""
        return await self.bank.ask("hold")

    @hold.compensation
    async def release(self, held: str) -> None:
        """Let go of it."""
        assert held == "hold done"
        await self.bank.ask("release")

    @step
    async def charge(self) -> str:
        """Charge the money."""
        assert await self.hold() == "hold done"
        return await self.bank.ask("charge")

    @charge.compensation
    async def refund(self, charged: str) -> None:
        """Give it back."""
        assert charged == "charge done"
        await self.bank.ask("refund")

    @step
    async def place(self) -> str:
        """Place the order."""
        assert await self.charge() == "charge done"
        return await self.bank.ask(f"place {self.item} for {self.viewer.subject}")


class Papers:
    """A journal in memory that outlives gateways; `crash` fails from some record on."""

    def __init__(self):
        self.rows = {}
        self.left = None

    def _write(self):
        if self.left is not None:
            if self.left <= 0:
                raise StoreUnavailable("journal", "crashed")
            self.left -= 1

    async def begin(self, entry_id, kind, body, owner, seconds):
        self._write()
        row = self.rows.get(entry_id)
        if row is not None and (row[3] or now() < row[2]):
            return row[0]
        self.rows[entry_id] = (body, owner, now() + seconds, True)
        return None

    async def record(self, entry_id, body, owner, seconds):
        self._write()
        if self.rows[entry_id][1] != owner:
            return False
        self.rows[entry_id] = (body, owner, now() + seconds, True)
        return True

    async def park(self, entry_id, body, owner, seconds):
        self._write()
        self.rows[entry_id] = (body, "", now() + seconds, True)

    async def end(self, entry_id, body, owner, retention):
        self._write()
        self.rows[entry_id] = (body, "", now() + retention, False)
        return True

    async def claim(self, kind, owner, seconds, most):
        self._write()
        due = [key for key, row in self.rows.items() if row[3] and row[2] < now()][:most]
        for key in due:
            self.rows[key] = (self.rows[key][0], owner, now() + seconds, True)
        return [self.rows[key][0] for key in due]

    async def open_records(self, most):
        return [row[0] for row in self.rows.values() if row[3]][:most]

    async def drop(self, entry_id):
        return self.rows.pop(entry_id, None) is not None

    async def aclose(self):
        pass

    @property
    def is_settled(self):
        """Whether every entry has ended."""
        return not any(row[3] for row in self.rows.values())


def now():
    """Return the instant of the running loop."""
    return asyncio.get_running_loop().time()


def scope_of(key="", within=10.0):
    """Return a request of ann's."""
    return Scope(now() + within, idempotency_key=key, viewer=Viewer("ann"), audience="ann")


class Life:
    """One life of a gateway: a coordinator over papers and a bank, until it is killed."""

    def __init__(self, bank, papers, heard=None, kinds=None):
        loop = asyncio.get_running_loop()
        self._tasks = set()
        events = Events(*([heard.append] if heard is not None else []))
        self.wiring = Wiring([bank], loop=loop, clock=loop.time, events=events)
        self.coordinator = SagaRegistry(kinds or [Buying]).open(
            SagaResources(
                wiring=self.wiring,
                journal=papers,
                viewers=ViewerCodec(),
                spawn=self._spawn,
                clock=loop.time,
                wall=loop.time,
                chance=Random(7).random,
                events=events,
                lease=2.0,
                name="shop",
            )
        )
        self.wiring.add(self.coordinator)

    def _spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def buy(self, *, key="", within=10.0, item="book", scope=None):
        """Run the saga as a view does, and return what it shows."""
        scope = scope or scope_of(key, within)
        buying = self.wiring.build(Buying, scope, {"item": item})
        await buying.run()
        return await buying.place()

    async def kill(self):
        """End at once, with nothing tidied up; papers that are written from now on are lost."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def test_steps_run_in_order_and_have_results():
    """The view sees what the last step returned."""
    bank, papers = Bank(), Papers()
    life = Life(bank, papers)

    assert await life.buy() == "place book for ann done"
    assert bank.log == ["hold", "charge", "place book for ann"]
    assert papers.is_settled
    await life.kill()


async def test_a_refused_step_compensates_earlier_ones_in_reverse():
    """The error has the state of each step."""
    bank, papers = Bank(["ok", "ok", "refused"]), Papers()
    life = Life(bank, papers)

    with pytest.raises(SagaFailed) as failed:
        await life.buy()

    assert bank.log[3:] == ["refund", "release"]
    assert (failed.value.status, failed.value.code) == (422, "unprocessable_content")
    assert failed.value.members["steps"] == [
        {"step": "hold", "state": "undone"},
        {"step": "charge", "state": "undone"},
        {"step": "place", "state": "failed"},
    ]
    await life.kill()


async def test_a_request_with_a_lost_answer_is_repeated_under_its_key():
    """A charge whose answer was cut is neither repeated nor forgotten."""
    bank = Bank(["ok", "lost", "ok"])
    life = Life(bank, Papers())

    assert await life.buy() == "place book for ann done"
    assert bank.log == ["hold", "charge", "charge", "place book for ann"]
    assert bank.count("charge") == 1
    await life.kill()


async def test_a_late_saga_answers_504_and_is_compensated():
    """The client gets 504 with the steps' states; the saga is compensated in the background."""
    bank, papers = Bank(["ok", "hang"]), Papers()
    life = Life(bank, papers)

    with pytest.raises(SagaUnsettled) as unsettled:
        await life.buy(within=0.5)
    await asyncio.sleep(30)

    assert unsettled.value.members["steps"][1] == {"step": "charge", "state": "unknown"}
    assert bank.count("charge") == bank.count("refund") == 1
    assert bank.count("hold") == bank.count("release") == 1
    assert papers.is_settled
    await life.kill()


async def test_a_saga_is_compensated_if_its_client_disconnects():
    """The gateway compensates the completed steps."""
    bank, papers = Bank(["ok", "hang"]), Papers()
    life = Life(bank, papers)
    request = asyncio.create_task(life.buy())
    await asyncio.sleep(0.3)
    request.cancel()
    await asyncio.sleep(30)

    assert bank.count("hold") == bank.count("release") == 1
    assert papers.is_settled
    await life.kill()


async def test_after_the_commit_point_a_saga_only_goes_forward():
    """An order whose reply is lost at the deadline is placed, not refunded."""
    bank, papers = Bank(["ok", "ok", "dropped", "dropped", "dropped"]), Papers()
    life = Life(bank, papers)

    with pytest.raises(SagaUnsettled):
        await life.buy(within=0.2)
    await asyncio.sleep(60)

    assert bank.count("place book for ann") == 1
    assert bank.count("refund") == 0
    assert papers.is_settled
    await life.kill()


async def test_a_failed_compensation_is_reported_and_retried():
    """The answer and an event report it, and a later attempt compensates it."""
    heard = []
    bank = Bank(["ok", "ok", "refused", "dropped", "dropped", "dropped"])
    papers = Papers()
    life = Life(bank, papers, heard)

    with pytest.raises(SagaFailed) as failed:
        await life.buy()
    (stuck,) = [event for event in heard if isinstance(event, SagaStuck)]
    await asyncio.sleep(120)

    assert {"step": "charge", "state": "not-undone"} in failed.value.members["steps"]
    assert {"step": "hold", "state": "undone"} in failed.value.members["steps"]
    assert (stuck.step, stuck.pause) == ("charge", 5.0)
    assert bank.count("refund") == 1
    assert papers.is_settled
    await life.kill()


async def test_a_repeated_key_gets_the_outcome_of_its_saga():
    """A second request gets the outcome of the first, also from another process."""
    bank, papers = Bank(), Papers()
    first = Life(bank, papers)
    await first.buy(key="k-1")
    await first.kill()
    second = Life(bank, papers)

    assert await second.buy(key="k-1") == "place book for ann done"
    assert len(bank.log) == 3
    await second.kill()


async def test_a_key_whose_saga_is_running_is_a_conflict():
    """The saga is not started again, and no outcome is made up."""
    bank, papers = Bank(["ok", "hang"]), Papers()
    life = Life(bank, papers)
    first = asyncio.create_task(life.buy(key="k-1"))
    await asyncio.sleep(0.2)

    with pytest.raises(SagaUnderWay) as waiting:
        await life.buy(key="k-1")

    assert waiting.value.status == 409
    assert waiting.value.retry_after
    first.cancel()
    await asyncio.sleep(30)
    await life.kill()


async def test_a_saga_compensated_after_an_outage_may_run_again_under_its_key():
    """A retry after an outage buys, with keys that are new to the services."""
    bank, papers = Bank(["ok", "dropped", "dropped", "dropped"]), Papers()
    life = Life(bank, papers)
    with pytest.raises(SagaFailed) as failed:
        await life.buy(key="k-1")
    keys = set(bank.effects)

    assert failed.value.status == 502
    assert await life.buy(key="k-1") == "place book for ann done"
    assert bank.count("charge") - bank.count("refund") == 1
    assert len(set(bank.effects) - keys) == 3
    await life.kill()


async def test_a_refusal_is_replayed_under_its_key():
    """No service is called again."""
    bank = Bank(["ok", "refused"])
    life = Life(bank, Papers())
    scopes = [scope_of("k-1"), scope_of("k-1")]
    for scope in scopes:
        with pytest.raises(SagaFailed):
            await life.buy(scope=scope)

    assert bank.log == ["hold", "charge", "release"]
    assert [scope.outcome for scope in scopes] == ["final", "final"]
    await life.kill()


async def test_a_key_with_other_inputs_is_refused():
    """A key that was used for another purchase is refused."""
    life = Life(Bank(), Papers())
    await life.buy(key="k-1")

    with pytest.raises(KeyReused):
        await life.buy(key="k-1", item="lamp")

    await life.kill()


async def test_a_key_is_refused_after_a_change_of_rights():
    """The result of other rights is neither replayed nor executed again."""
    bank = Bank()
    life = Life(bank, Papers())
    scopes = [scope_of("k-1") for _ in range(3)]
    scopes[0].viewer = Viewer("ann", scopes=frozenset({"buy"}), session="s-1")
    scopes[1].viewer = Viewer("ann")
    scopes[2].viewer = Viewer("ann", scopes=frozenset({"buy"}), session="s-2")
    first = await life.buy(scope=scopes[0])
    with pytest.raises(KeyReused, match="rights"):
        await life.buy(scope=scopes[1])
    again = await life.buy(scope=scopes[2])

    assert again == first
    assert bank.log == ["hold", "charge", "place book for ann"]
    await life.kill()


async def test_two_sagas_of_one_request_are_two():
    """A request that buys twice buys twice, and its repetition buys nothing more."""
    bank = Bank()
    life = Life(bank, Papers())
    for scope in (scope_of("k-1"), scope_of("k-1")):
        await life.buy(scope=scope)
        await life.buy(scope=scope)

    assert bank.count("place book for ann") == 2
    await life.kill()


async def test_an_open_circuit_proves_nothing_about_earlier_attempts():
    """A charge whose reply was lost does not count as refused because a retry was not sent."""
    bank = Bank(["ok", "lost", "unsent", "unsent", "unsent", "unsent", "unsent"])
    papers = Papers()
    life = Life(bank, papers)
    with pytest.raises(SagaUnsettled) as unsettled:
        await life.buy()
    states = [step["state"] for step in unsettled.value.members["steps"]]
    await asyncio.sleep(60)

    assert states == ["undone", "unknown", "not-started"]
    assert bank.count("charge") == bank.count("refund") == 1
    assert papers.is_settled
    await life.kill()


async def test_a_step_that_was_never_sent_fails_at_once():
    """With an open circuit the saga fails at once, and the answer has Retry-After."""
    bank = Bank(["ok", "unsent"])
    life = Life(bank, Papers())
    with pytest.raises(SagaFailed) as failed:
        await life.buy()

    assert bank.log == ["hold", "release"]
    assert (failed.value.status, failed.value.retry_after) == (503, 1.0)
    assert failed.value.members["steps"][1] == {"step": "charge", "state": "failed"}
    await life.kill()


async def test_a_conflict_may_mean_that_the_request_is_in_progress():
    """A 409 to a repeated request is no refusal; the charge is found and compensated."""
    bank, papers = Bank(["ok", "late"]), Papers()
    life = Life(bank, papers)
    with pytest.raises(SagaUnsettled):
        await life.buy()
    await asyncio.sleep(120)

    assert bank.count("charge") == bank.count("refund") == 1
    assert papers.is_settled
    await life.kill()


async def test_a_journal_that_fails_half_way_leaves_nothing_out_of_the_answer():
    """The client gets the known states, and the rest is compensated once the journal is back."""
    bank, papers = Bank(), Papers()
    life = Life(bank, papers)
    papers.left = 3
    with pytest.raises(SagaUnsettled) as unsettled:
        await life.buy()
    states = [step["state"] for step in unsettled.value.members["steps"]]
    papers.left = None
    await asyncio.sleep(60)

    assert states == ["done", "not-started", "not-started"]
    assert bank.count("hold") == bank.count("release") == 1
    assert papers.is_settled
    await life.kill()


async def test_a_gateway_that_shuts_down_lets_sagas_end():
    """Within the grace period, sagas without a waiting request are settled too."""
    bank, papers = Bank(["ok", "dropped", "dropped"]), Papers()
    life = Life(bank, papers)
    client = asyncio.create_task(life.buy())
    await asyncio.sleep(0.01)
    client.cancel()
    await life.coordinator.aclose(grace=5.0)

    assert bank.count("hold") == bank.count("release") == 1
    assert papers.is_settled
    await life.kill()


async def test_a_cancelled_saga_is_released_at_once():
    """The next process does not have to wait for the lease."""
    bank, papers = Bank(["ok", "hang"]), Papers()
    first = Life(bank, papers)
    client = asyncio.create_task(first.buy())
    await asyncio.sleep(0.01)
    client.cancel()
    await first.coordinator.aclose(grace=0.2)
    await first.kill()
    second = Life(bank, papers)
    await asyncio.sleep(1.5)

    assert bank.count("hold") == bank.count("release") == 1
    assert papers.is_settled
    await second.kill()


async def test_a_request_is_not_repeated_after_its_key_lifetime():
    """A refund of yesterday whose reply was lost is reported and left to operators."""
    heard = []
    bank, papers = Bank(["ok", "ok", "refused", "lost", "dropped", "dropped"]), Papers()
    life = Life(bank, papers)
    with pytest.raises(SagaFailed):
        await life.buy()
    await life.kill()
    await asyncio.sleep(601)
    bank.log.clear()
    later = Life(bank, papers, heard)
    await asyncio.sleep(60)

    assert bank.log == []
    assert heard[0].step == "charge"
    assert not papers.is_settled
    await later.kill()


async def test_a_coordinator_that_takes_over_its_own_saga_loses_the_former_lease():
    """A clock that jumps ahead ends a lease early; no order is placed on money given back."""
    bank, papers = Bank(["ok", "hang", "ok", "ok", "hang"]), Papers()
    life = Life(bank, papers)
    client = asyncio.create_task(life.buy())
    await asyncio.sleep(0.5)  # in the middle of the charge
    for key, (body, owner, _, is_open) in papers.rows.items():
        papers.rows[key] = (body, owner, 0.0, is_open)
    with pytest.raises(SagaUnsettled):
        await client
    await asyncio.sleep(30)

    assert bank.count("charge") == bank.count("refund") == 1
    assert bank.count("place book for ann") == 0
    assert papers.is_settled
    await life.kill()


async def test_an_unreadable_record_does_not_block_others():
    """It is reported, and the records after it are resumed."""
    heard = []
    bank, papers = Bank(["ok", "hang"]), Papers()
    first = Life(bank, papers)
    with pytest.raises(SagaUnsettled):
        await first.buy(within=0.5)
    await first.kill()
    papers.rows = {"broken": (b"{}", "", 0.0, True), **papers.rows}
    await asyncio.sleep(0.1)
    second = Life(bank, papers, heard)
    await asyncio.sleep(30)

    assert bank.count("hold") == bank.count("release") == 1
    assert any(isinstance(event, Crashed) for event in heard)
    await second.kill()


async def test_running_sagas_do_not_block_abandoned_ones():
    """With any number of running sagas, those of a dead process are resumed."""
    bank, papers = Bank(["ok", "hang"]), Papers()
    first = Life(bank, papers)
    with pytest.raises(SagaUnsettled):
        await first.buy(within=0.5)
    await first.kill()
    bank.story[:] = ["hang"] * 20
    second = Life(bank, papers)
    clients = [asyncio.create_task(second.buy(within=900)) for _ in range(20)]
    await asyncio.sleep(0.01)
    bank.story.clear()
    await asyncio.sleep(30)

    assert bank.count("release") == 1
    await asyncio.gather(*clients, return_exceptions=True)
    await second.kill()


class Doubtful(Saga):
    """A step that makes two writes, as none should."""

    policy = SagaPolicy(step_timeout=1.0, tries=2, backoff=0.05)

    bank: Bank

    @step
    async def both(self) -> str:
        """Do one thing, then another."""
        await self.bank.ask("one")
        return await self.bank.ask("two")

    @both.compensation
    async def neither(self, both: str) -> None:
        """Undo them."""

    @step
    async def close(self) -> str:
        """Come to an end."""
        return await self.bank.ask("three")


async def test_a_refusal_counts_only_for_the_write_that_it_answers():
    """A step whose second write is refused may have had an effect."""
    bank = Bank(["ok", "refused"] * 9)
    life = Life(bank, Papers(), kinds=[Doubtful])
    scope = scope_of()
    with pytest.raises(SagaUnsettled) as unsettled:
        await life.wiring.build(Doubtful, scope, {}).run()

    assert unsettled.value.members["steps"][0] == {"step": "both", "state": "unknown"}
    await life.kill()


async def test_without_a_journal_no_saga_starts():
    """A write that could not be resumed is refused, and no service is called."""
    bank, papers = Bank(), Papers()
    life = Life(bank, papers)
    papers.left = 0

    with pytest.raises(StoreUnavailable):
        await life.buy()

    assert bank.log == []
    await life.kill()


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            [
                *["ok"] * 3,
                *("refused", "lost", "dropped", "hang", "late", "unsent", "later", "stray"),
            ]
        ),
        max_size=12,
    ),
    st.lists(st.integers(0, 9), max_size=3),
    st.floats(0.05, 3.0),
)
async def test_no_money_is_lost(story, crashes, within):
    """With any failures and crashes: an order, or all of it compensated; no effect twice."""
    bank, papers = Bank(list(story)), Papers()
    for records in crashes:
        papers.left = records
        life = Life(bank, papers)
        await _try(life, within)
        papers.left = 0
        await life.kill()
        papers.left = None
    last = Life(bank, papers)
    await _try(last, within)
    bank.story.clear()
    await asyncio.sleep(180)

    orders = bank.count("place book for ann")
    assert papers.is_settled
    assert bank.count("charge") - bank.count("refund") == orders
    assert bank.count("hold") - bank.count("release") == orders
    assert orders <= 1
    await last.kill()


async def _try(life, within):
    with suppress(SagaFailed, SagaUnsettled, StoreUnavailable):
        await life.buy(key="k-1", within=within)
    await asyncio.sleep(within)


async def test_wrong_declarations_are_refused():
    """The errors name the fix."""
    with pytest.raises(ConfigurationError, match="has no steps"):
        type("Empty", (Saga,), {})
    with pytest.raises(ConfigurationError, match="async def"):
        step(lambda self: None)

    async def two(self, other): ...

    with pytest.raises(ConfigurationError, match="takes only self"):
        step(two)

    async def untyped(self): ...

    with pytest.raises(ConfigurationError, match="annotate its return type"):
        type("Untyped", (Saga,), {"untyped": step(untyped)})

    async def last(self) -> int: ...
    async def undo(self, result) -> None: ...

    final = step(last)
    final.compensation(undo)
    with pytest.raises(ConfigurationError, match="can't have a compensation"):
        type("Final", (Saga,), {"last": final})
