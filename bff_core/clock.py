"""Time and chance as values: code that decides is passed them, so that tests control both."""

import random
import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns an instant in monotonic seconds; deadlines are instants of this clock."""

Chance = Callable[[], float]
"""Returns a number in [0, 1)."""

monotonic: Clock = time.monotonic
chance: Chance = random.random
