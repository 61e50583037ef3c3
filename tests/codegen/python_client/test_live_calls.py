"""Generated clients call a gateway over HTTP: answers, part states, problems, retries, tags."""

from itertools import count
from types import ModuleType

import httpx
import pytest

_names = (f"call {number}" for number in count())


@pytest.fixture
def now(kiosk: ModuleType):
    """Return settings that repeat a call without a wait."""
    return kiosk.RetrySettings(attempts=3, first_delay=0)


@pytest.fixture
def client(kiosk: ModuleType, kiosk_url: str, now):
    """Yield the client of a synchronous program, of user 1."""
    with kiosk.KioskClient(kiosk_url, token="demo-1", retries=now) as opened:
        yield opened


@pytest.fixture
def call() -> str:
    """Return a name that no other test gives a call."""
    return next(_names)


def test_an_answer_is_a_model_with_the_states_of_its_parts(kiosk, client):
    """A program reads fields with their types, and knows that nothing is missing."""
    answer = client.get_home()

    assert answer.value.points == 7
    assert answer.value.orders[1] == kiosk.models.Order(
        order_id=2, stage=kiosk.models.Stage.SENT, note="fragile"
    )
    assert answer.parts["points"] == kiosk.PartState("ok")
    assert not answer.is_degraded
    assert answer.request_id


def test_a_degraded_answer_says_which_part_is_missing_and_why(kiosk, client):
    """The value is null, and the state has the reason."""
    answer = client.get_home(down=True)

    assert answer.value.points is None
    assert answer.is_degraded
    assert answer.parts["points"] == kiosk.PartState("missing", "timeout")
    assert answer.parts["profile"] == kiosk.PartState("ok")


async def test_an_asynchronous_program_gets_the_same(kiosk, kiosk_url):
    """Both clients are made from one source."""
    async with kiosk.AsyncKioskClient(kiosk_url, token="demo-1") as client:
        answer = await client.get_home(down=True)

    assert answer.value.name == "Customer 1"
    assert answer.parts["points"].reason == "timeout"


def test_a_problem_is_an_exception_with_its_code(kiosk, client):
    """Programs compare the code, and log the request id."""
    other = kiosk.KioskClient(client._caller._base_url, token="demo-404")
    with other, pytest.raises(kiosk.GatewayProblem) as raised:
        other.get_home()

    problem = raised.value
    assert (problem.status, problem.code) == (404, "not_found")
    assert problem.detail == "There is no such customer."
    assert problem.request_id == problem.headers["x-request-id"]
    assert isinstance(problem, kiosk.GatewayError)
    assert "404 not_found: There is no such customer." in str(problem)


def test_wrong_input_is_named(kiosk, client):
    """Each fault has its place and a pointer."""
    with pytest.raises(kiosk.GatewayProblem) as raised:
        client.get_flaky(call="a", failures="many")

    [fault] = raised.value.errors
    assert (fault.place, fault.pointer) == ("query", "/failures")
    assert raised.value.code == "invalid_input"


def test_a_reply_of_another_server_is_a_problem_too(kiosk, client):
    """A proxy sends HTML; the program still gets one kind of exception."""
    settings = kiosk.CallSettings(retries=kiosk.RetrySettings(attempts=1))
    with pytest.raises(kiosk.GatewayProblem) as raised:
        client.get_proxy_error(settings=settings)

    assert raised.value.code == "http_502"


def test_a_reply_of_another_type_is_unexpected(kiosk, client):
    """A client that is older than its gateway says so, and does not return half a value."""
    with pytest.raises(kiosk.UnexpectedReply, match="does not fit its type"):
        client.get_wrong()


def test_a_read_is_sent_again(client, call):
    """A failure that soon passes does not reach the program."""
    assert client.get_flaky(call=call, failures=2).value == 3


def test_reads_are_sent_a_limited_number_of_times(kiosk, client, call):
    """The last failure is raised."""
    with pytest.raises(kiosk.GatewayProblem, match="unavailable_now"):
        client.get_flaky(call=call, failures=3)

    assert client.get_flaky(call=call, failures=3).value == 4


def test_a_write_is_sent_again_under_one_key(kiosk, client, call):
    """The client makes the key; the gateway runs the order once."""
    order = kiosk.models.NewOrder(sku="tent", note="gift")

    first = client.post_order(order, call=call)

    assert (first.status, first.value.order_id, first.value.note) == (201, 2, "gift")
    assert not first.is_replayed


def test_a_key_of_the_program_replays_the_answer(kiosk, client, call):
    """A program that was restarted repeats its write with the key that it had saved."""
    settings = kiosk.CallSettings(idempotency_key=f"9f8a7c6e-{call}")
    order = kiosk.models.NewOrder(sku="tent")

    first = client.post_order(order, call=call, settings=settings)
    again = client.post_order(order, call=call, settings=settings)

    assert again.value == first.value
    assert again.is_replayed


def test_an_unchanged_answer_is_not_sent_again(client):
    """The gateway confirms the entity tag, and the value is that of the first answer."""
    first = client.get_home()
    again = client.get_home()

    assert (first.is_unchanged, again.is_unchanged) == (False, True)
    assert again.value == first.value
    assert again.parts == first.parts


def test_another_token_has_its_own_stored_answers(kiosk, kiosk_url):
    """A client that serves several users never shows one what another got."""
    tokens = iter(["demo-1", "demo-2", "demo-1"])
    with kiosk.KioskClient(kiosk_url, token=lambda: next(tokens)) as client:
        found = [client.get_home() for _ in range(3)]

    assert [one.value.name for one in found] == ["Customer 1", "Customer 2", "Customer 1"]
    assert [one.is_unchanged for one in found] == [False, False, True]


def test_a_degraded_answer_is_not_stored(client):
    """The next call gets the part, if it is back."""
    assert not client.get_home(down=True).is_unchanged
    assert not client.get_home(down=True).is_unchanged


def test_a_refused_token_is_renewed_once(kiosk, kiosk_url):
    """The function is called again, and the call is sent with what it returns."""
    tokens = iter(["expired", "demo-1"])
    current = [next(tokens)]

    def token() -> str:
        found = current[0]
        current[0] = next(tokens, current[0])
        return found

    with kiosk.KioskClient(kiosk_url, token=token) as client:
        assert client.get_home().value.name == "Customer 1"


def test_a_token_that_stays_refused_is_a_problem(kiosk, kiosk_url):
    """The call is not sent a third time."""
    tokens = count()
    client = kiosk.KioskClient(kiosk_url, token=lambda: f"bad {next(tokens)}")
    with client, pytest.raises(kiosk.GatewayProblem) as raised:
        client.get_home()

    assert raised.value.status == 401
    assert next(tokens) == 3  # that of the call, the renewed one, the one that was sent


async def test_a_token_may_come_from_a_coroutine(kiosk, kiosk_url):
    """An asynchronous program refreshes its token without blocking."""

    async def token() -> str:
        return "demo-3"

    async with kiosk.AsyncKioskClient(kiosk_url, token=token) as client:
        assert (await client.get_home()).value.name == "Customer 3"


@pytest.mark.parametrize("value", ["a/b", "a b?c#d", "ü%2F", "50%", "a+b&c=d", "..."])
def test_texts_reach_the_gateway_as_they_are(client, value):
    """Whatever a path or a query contains stays one value."""
    assert client.get_shelf(value.replace("/", "|")).value["shelf"] == value.replace("/", "|")
    got = client.get_item(value, label=[value, ""], x_channel="kiosk").value["got"]
    assert got == [value, "kiosk", value, ""]


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_segment_that_would_name_another_path_is_refused(client, value):
    """No request is sent."""
    with pytest.raises(ValueError, match="part of a path"):
        client.get_shelf(value)


def test_objects_of_several_kinds_have_classes_of_their_own(kiosk, client):
    """The tag decides."""
    cat, dog = client.get_pets().value

    assert cat == kiosk.models.Cat(nine_lives=9)
    assert dog == kiosk.models.Dog(likes_walks=True)


def test_a_file_is_uploaded(kiosk, client):
    """With the fields of its form."""
    picture = kiosk.UploadedFile(b"x" * 1000, "tent.png", "image/png")

    answer = client.add_picture(picture=picture, caption="Größe")

    assert answer.value == "tent.png 1000 Größe"


def test_an_answer_without_content_is_none(client):
    """A 204 has no body."""
    answer = client.delete_order(3)

    assert (answer.status, answer.value) == (204, None)


def test_a_text_is_a_text(client):
    """Not all answers are JSON."""
    assert client.get_text().value == "plain"


def test_each_item_of_a_bulk_write_has_its_result(kiosk, client):
    """A failed item has its problem, and the others are done."""
    wanted = [kiosk.models.NewOrder(sku="tent"), kiosk.models.NewOrder(sku="gone")]

    answer = client.place_orders(wanted)

    assert answer.status == 207
    assert [one.result for one in answer.value.items] == [4, None]
    assert answer.value.items[1].problem.code == "not_found"


def test_a_program_may_bring_its_http_client(kiosk, kiosk_url):
    """Its proxies and certificates apply, and it stays open."""
    with httpx.Client(headers={"user-agent": "kiosk/1"}) as http:
        with kiosk.KioskClient(kiosk_url, token="demo-1", http=http) as client:
            client.get_home()

        assert not http.is_closed


def test_a_gateway_that_does_not_listen_is_unreachable(kiosk, now):
    """After as many attempts as allowed."""
    client = kiosk.KioskClient("http://127.0.0.1:9", retries=now)
    with client, pytest.raises(kiosk.GatewayUnreachable, match=r"127\.0\.0\.1:9"):
        client.get_text()


async def test_a_call_ends_within_its_timeout(kiosk, kiosk_url):
    """The timeout includes retries."""
    settings = kiosk.CallSettings(timeout=0.01)
    async with kiosk.AsyncKioskClient(kiosk_url, token="demo-1") as client:
        with pytest.raises(kiosk.GatewayTimeout):
            await client.get_home(down=True, settings=settings)
