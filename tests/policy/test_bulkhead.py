"""Permits: how many calls at once, and in which order the others follow."""

from hypothesis import given
from hypothesis import strategies as st

from bff_core.policy.upstream.bulkhead import Bulkhead, Permits


def permits(concurrent: int = 1, queue: int = 2) -> Permits[str]:
    return Permits(Bulkhead(concurrent=concurrent, queue=queue))


def test_no_more_than_the_limit_are_admitted() -> None:
    """Two permits are two calls."""
    both = permits(concurrent=2)

    assert [both.admit() for _ in range(3)] == [True, True, False]


def test_the_queue_is_bounded_and_served_in_its_order() -> None:
    """Who came first goes first; who finds the queue full is refused."""
    one = permits(queue=2)
    one.admit()

    joined = [one.join(name) for name in ("Ann", "Bob", "Cy")]
    one.release()
    first = one.promote()
    one.release()

    assert joined == [True, True, False]
    assert (first, one.promote(), one.promote()) == ("Ann", "Bob", None)


def test_a_newcomer_does_not_overtake_the_queue() -> None:
    """A permit that has just come free belongs to the first who waits."""
    one = permits()
    one.admit()
    one.join("Ann")
    one.release()

    assert not one.admit()
    assert one.promote() == "Ann"


def test_a_waiter_that_left_the_queue_is_skipped() -> None:
    """A caller that gave up does not block the queue."""
    one = permits()
    one.admit()
    one.join("Ann")
    one.join("Bob")

    one.leave("Ann")
    one.release()

    assert one.promote() == "Bob"


def test_a_lowered_limit_takes_effect_as_calls_end() -> None:
    """An adaptive limit may shrink below what is under way, and grow again."""
    two = permits(concurrent=2)
    two.admit()
    two.admit()
    two.join("Ann")

    two.limit = 1
    two.release()
    while_shrunk = two.promote()
    two.limit = 2

    assert (while_shrunk, two.promote()) == (None, "Ann")


moves = st.sampled_from(["arrive", "end", "leave"])


@given(st.integers(1, 4), st.integers(0, 4), st.lists(moves, max_size=80))
def test_permits_are_never_lost_and_never_too_many(limit, queue, script) -> None:
    """Whatever the order of events, each permit is used or free, and the queue is fair."""
    those, waiting, running = permits(limit, queue), [], 0
    for number, move in enumerate(script):
        if move == "arrive" and those.admit():
            running += 1
        elif move == "arrive" and those.join(str(number)):
            waiting.append(str(number))
        elif move == "leave" and waiting:
            those.leave(waiting.pop(len(waiting) // 2))
        elif move == "end" and running:
            those.release()
            next_one = those.promote()
            assert next_one == (waiting.pop(0) if waiting else None)
            running -= next_one is None

        assert (those.in_use, those.waiting) == (running, len(waiting))
        assert running <= limit
        assert not waiting or running == limit
