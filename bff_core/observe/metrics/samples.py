"""What a process has counted, as others get it, and how the counts of several are added."""

from collections.abc import Iterable, Mapping

import msgspec

from bff_core.observe.metrics.budget import Spent
from bff_core.observe.metrics.histogram import Exemplar, added
from bff_core.observe.metrics.occurrences import Occurrence

Labels = tuple[str, ...]


class HistogramSample(msgspec.Struct, array_like=True):
    """Counts by bucket, the sum in seconds, and exemplars by bucket."""

    counts: list[int]
    total: float
    exemplars: dict[int, Exemplar] = {}


class Totals(msgspec.Struct):
    """Counters and histograms since a process started, by family and labels."""

    counters: dict[str, list[tuple[Labels, float]]] = {}
    histograms: dict[str, list[tuple[Labels, HistogramSample]]] = {}


class ViewStep(msgspec.Struct, array_like=True):
    """The answers of a view in a step: by state (`stale` are among the complete), and by bucket."""

    complete: int = 0
    stale: int = 0
    degraded: int = 0
    failed: int = 0
    buckets: dict[int, int] = {}

    @property
    def answers(self) -> int:
        """How many there were."""
        return self.complete + self.degraded + self.failed


class CallStep(msgspec.Struct, array_like=True):
    """The calls of a service in a step: all but those that a cache answered (`saved`).

    `errors` of the calls failed, or were rejected and not sent. `buckets` have the sent ones.
    """

    calls: int = 0
    errors: int = 0
    saved: int = 0
    buckets: dict[int, int] = {}


class Blamed(msgspec.Struct, array_like=True, frozen=True):
    """What spoilt answers of a view; names that are not known are empty."""

    view: str
    part: str
    upstream: str
    reason: str
    client: str = ""
    version: str = ""


class WindowStep(msgspec.Struct):
    """What was counted in `STEP_SECONDS`; it began at `number` times that, in Unix time.

    `refused` requests were shed or refused by the server, `joined` calls waited for an equal one.
    """

    number: int
    views: dict[str, ViewStep] = {}
    calls: dict[str, CallStep] = {}
    blames: list[tuple[Blamed, int]] = []
    refused: int = 0
    joined: int = 0


class SampledView(msgspec.Struct):
    """A view of a gateway: the name of its screen, and the text of its objective, or empty texts.

    `spent` is how much of its error budget was spent, by window.
    """

    screen: str = ""
    objective: str = ""
    spent: dict[str, Spent] = {}


class Samples(msgspec.Struct):
    """What one process of a gateway has counted; `time` and `started` are Unix time.

    `gauges` are the current values by family and labels. `upstreams` are the services that the
    gateway can call.
    """

    gateway: str
    pid: int
    started: float
    time: float
    totals: Totals
    gauges: dict[str, list[tuple[Labels, float]]]
    views: dict[str, SampledView]
    steps: list[WindowStep] = []
    breakers: dict[str, str] = {}
    occurrences: list[Occurrence] = []
    upstreams: list[str] = []


class SamplesQuery(msgspec.Struct):
    """Which samples to return: the steps from number `since` on, and totals if wanted.

    With `is_scrape` Prometheus gets the totals: so they are stored, since they must not decrease.
    """

    since: int = 0
    has_totals: bool = True
    is_scrape: bool = False


def added_totals(every: Iterable[Totals]) -> Totals:
    """Return the sum of totals; of several exemplars for a bucket the newest."""
    counters: dict[str, dict[Labels, float]] = {}
    histograms: dict[str, dict[Labels, HistogramSample]] = {}
    for one in every:
        for family, series in one.counters.items():
            sums = counters.setdefault(family, {})
            for labels, value in series:
                sums[labels] = sums.get(labels, 0) + value
        for family, samples in one.histograms.items():
            known = histograms.setdefault(family, {})
            for labels, sample in samples:
                known[labels] = _added_histogram(known.get(labels), sample)
    return Totals(
        {family: sorted(sums.items()) for family, sums in counters.items()},
        {
            family: [(labels, known[labels]) for labels in sorted(known)]
            for family, known in histograms.items()
        },
    )


def _added_histogram(known: HistogramSample | None, other: HistogramSample) -> HistogramSample:
    if known is None:
        return other
    counts = [a + b for a, b in zip(known.counts, other.counts, strict=True)]
    exemplars = dict(known.exemplars)
    for place, exemplar in other.exemplars.items():
        exemplars[place] = max(exemplar, exemplars.get(place, exemplar), key=lambda one: one[2])
    return HistogramSample(counts, known.total + other.total, exemplars)


def added_views(one: ViewStep, other: ViewStep) -> ViewStep:
    """Return the sum of two."""
    return ViewStep(
        one.complete + other.complete,
        one.stale + other.stale,
        one.degraded + other.degraded,
        one.failed + other.failed,
        added(one.buckets, other.buckets),
    )


def added_calls(one: CallStep, other: CallStep) -> CallStep:
    """Return the sum of two."""
    return CallStep(
        one.calls + other.calls,
        one.errors + other.errors,
        one.saved + other.saved,
        added(one.buckets, other.buckets),
    )


def added_spent(every: Iterable[Mapping[str, Spent]]) -> dict[str, Spent]:
    """Return the sum of what several processes spent, by window."""
    found: dict[str, Spent] = {}
    for one in every:
        for window, (total, bad) in one.items():
            before = found.get(window, (0, 0))
            found[window] = before[0] + total, before[1] + bad
    return found


def encoded(value: object) -> bytes:
    """Return a Struct as JSON."""
    return msgspec.json.encode(value)


def decoded_samples(body: bytes) -> Samples:
    """Return the samples of another process."""
    return _samples.decode(body)


_samples = msgspec.json.Decoder(Samples)
