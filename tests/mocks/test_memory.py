"""What a mock remembers is bounded."""

from bff_core.mocks.memory import Memory


def test_the_oldest_resources_are_forgotten() -> None:
    """A mock that runs for weeks stores only what was changed last."""
    memory = Memory(limit=2)
    for number in range(3):
        memory.put(f"/pets/{number}", {"id": number})
    memory.delete("/pets/2")

    assert "/pets/0" not in memory
    assert memory.below("/pets") == {"1": {"id": 1}, "2": None}
    assert memory.is_deleted("/pets/2/toys/1")
    assert not memory.is_deleted("/pets/1")


def test_large_resources_are_forgotten_too() -> None:
    """What is stored is bounded in bytes: a few large bodies don't fill the memory."""
    memory = Memory(max_bytes=250)
    for number in range(3):
        memory.put(f"/pets/{number}", {"name": "x" * 90})

    assert [*memory.below("/pets")] == ["1", "2"]
