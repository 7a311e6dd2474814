"""Choose the micro-batch that fills a card, by a prediction and a few real steps. Pure.

The policy. An update keeps its rows, so a micro-batch divides them. Of those, one whose peak lies
in the band (0.90 to 0.95 of the card) is taken, the fastest where there are several: memory that
lies idle is what a bigger batch was not given. Where none lies in the band, because the rows of an
update are too few or the next divisor is too large, the fastest below it is taken, and of equally
fast ones the smallest. One that ran out of memory is never taken.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

PROBES = 5
EQUAL = 0.02  # rates of steps that differ by less are the same: their noise is as large
# How much the predicted memory without any rows counts beside a measured one.
PRIOR = 0.3


@dataclass(frozen=True)
class Probe:
    """What real steps of one micro-batch took.

    `peak_bytes` is of the whole card, with what the driver and others hold; it means nothing after
    an `oom`. `tokens_per_second` counts padding.
    """

    micro_batch: int
    peak_bytes: int
    tokens_per_second: float
    oom: bool


class Card(Protocol):
    """A card on which steps can be tried."""

    @property
    def bytes(self) -> int:
        """All its memory."""
        ...

    def probe(self, micro_batch: int, length: int) -> Probe:
        """Run steps of `micro_batch` sequences of `length` tokens, and leave the card as it was."""
        ...


@dataclass(frozen=True)
class Plan:
    """The chosen micro-batch; `accumulation` of them make an update."""

    micro_batch: int
    accumulation: int
    peak_bytes: int
    probes: list[Probe]
    in_band: bool
    reason: str

    @property
    def report(self) -> list[dict[str, Any]]:
        """The probes, for JSON."""
        return [asdict(probe) for probe in self.probes]


class NothingFitsError(ValueError):
    """Not even the smallest micro-batch fits the card."""

    def __init__(self, message: str, probes: list[Probe]) -> None:
        super().__init__(message)
        self.probes = probes


def divisors(units: int) -> list[int]:
    """Return every number that divides `units`, the smallest first."""
    return [part for part in range(1, units + 1) if units % part == 0]


class Search:
    """Looks for the micro-batch of a band.

    Args:
        card: what can be tried on.
        guess: the predicted peak of a micro-batch, in bytes; None: nothing is known.
        candidates: the micro-batches that keep an update, the smallest first.
        length: tokens of the longest sequence, padding too.
        band: least and largest share of the card.
        most: probes at most.
    """

    def __init__(
        self,
        card: Card,
        guess: Callable[[int], int] | None,
        candidates: Sequence[int],
        length: int,
        band: tuple[float, float],
        most: int,
    ) -> None:
        self.card = card
        self.guess = guess
        self.candidates = candidates
        self.length = length
        self.low, self.high = (share * card.bytes for share in band)
        self.most = most
        self.probes: list[Probe] = []

    def run(self) -> list[Probe]:
        """Probe until a micro-batch of the band is found or nothing is left to try."""
        while len(self.probes) < self.most:
            following = self.following()
            if following is None:
                break
            self.probes.append(self.card.probe(following, self.length))
        return self.probes

    def fits(self, probe: Probe) -> bool:
        """Return whether a probe is not above the band."""
        return not probe.oom and probe.peak_bytes <= self.high

    def in_band(self, probe: Probe) -> bool:
        """Return whether a probe lies in the band."""
        return self.fits(probe) and probe.peak_bytes >= self.low

    def following(self) -> int | None:
        """Return what to probe next, or None."""
        below = max((each.micro_batch for each in self.probes if self.fits(each)), default=0)
        above = min(
            (each.micro_batch for each in self.probes if not self.fits(each)),
            default=self.candidates[-1] + 1,
        )
        between = [each for each in self.candidates if below < each < above]
        if any(self.in_band(each) for each in self.probes):
            return self.rival(between)
        if not between:
            return self.smaller(below)
        if not self.probes and self.guess is None:
            return between[0]
        allowed = [each for each in between if self.expected(each) <= self.high]
        if allowed:
            return allowed[-1]
        # The estimate says that nothing between fits; it may be wrong, and a probe is cheap.
        return between[0]

    def rival(self, between: Sequence[int]) -> int | None:
        """Return another micro-batch that should lie in the band too, to compare their speed."""
        centred = [each for each in between if self.low <= self.expected(each) <= self.high]
        return centred[-1] if centred else None

    def smaller(self, largest: int) -> int | None:
        """Return the micro-batch below the largest one that fits, if it was not tried."""
        tried = {each.micro_batch for each in self.probes}
        less = [each for each in self.candidates if each < largest]
        return less[-1] if less and less[-1] not in tried else None

    def expected(self, micro: int) -> float:
        """Return the peak that a micro-batch should have: a line through what is known.

        Between two probes it is the line that joins them. Else the least squares of the probes and
        of the predicted memory without rows; before the first probe the prediction itself.
        """
        known = sorted((each.micro_batch, each.peak_bytes) for each in self.probes if not each.oom)
        under = [point for point in known if point[0] < micro]
        over = [point for point in known if point[0] > micro]
        if under and over:
            (x0, y0), (x1, y1) = under[-1], over[0]
            return y0 + (y1 - y0) * (micro - x0) / (x1 - x0)
        if not known and self.guess:
            return self.guess(micro)
        bare = 2 * self.guess(1) - self.guess(2) if self.guess else 0
        return line([(0.0, float(bare), PRIOR), *((x, y, 1.0) for x, y in known)], micro)


def line(points: Sequence[tuple[float, float, float]], at: float) -> float:
    """Return the value at `at` of the weighted least-squares line through (x, y, weight) points."""
    weight = sum(w for _, _, w in points)
    x_mean = sum(w * x for x, _, w in points) / weight
    y_mean = sum(w * y for _, y, w in points) / weight
    spread = sum(w * (x - x_mean) ** 2 for x, _, w in points)
    if spread == 0:
        return y_mean
    slope = sum(w * (x - x_mean) * (y - y_mean) for x, y, w in points) / spread
    return y_mean + slope * (at - x_mean)


def plan(
    card: Card,
    guess: Callable[[int], int] | None,
    *,
    units: int,
    length: int,
    band: tuple[float, float],
    candidates: Sequence[int] | None = None,
    most: int = PROBES,
) -> Plan:
    """Return the micro-batch for updates of `units` rows (packs) on each process.

    Args:
        card: what can be tried on.
        guess: the predicted peak of a micro-batch, in bytes; None: nothing is known.
        units: rows (packs) of an update on each process.
        length: tokens of the longest sequence, padding too.
        band: least and largest share of the card that the peak should take.
        candidates: the only micro-batches that a request allows, each a divisor of `units`.
        most: probes at most.

    Raises:
        NothingFitsError: every micro-batch that was tried ran out of memory.
    """
    search = Search(card, guess, candidates or divisors(units), length, band, most)
    return decided(search, search.run(), units)


def decided(search: Search, probes: list[Probe], units: int) -> Plan:
    """Return the plan that the probes speak for. Raises NothingFitsError."""
    ran = [probe for probe in probes if not probe.oom]
    if not ran:
        least = search.candidates[0]
        raise NothingFitsError(
            f"not even {least} sequence(s) of {search.length} tokens fit the card", probes
        )
    inside = [probe for probe in ran if search.in_band(probe)]
    fitting = [probe for probe in ran if search.fits(probe)]
    chosen = fastest(inside or fitting or [min(ran, key=lambda probe: probe.peak_bytes)])
    return Plan(
        chosen.micro_batch,
        units // chosen.micro_batch,
        chosen.peak_bytes,
        probes,
        bool(inside),
        reason(chosen, search, inside, fitting),
    )


def fastest(probes: Sequence[Probe]) -> Probe:
    """Return the fastest probe; of those that are as fast, the one that takes least memory."""
    best = max(probe.tokens_per_second for probe in probes)
    near = [probe for probe in probes if probe.tokens_per_second >= best * (1 - EQUAL)]
    return min(near, key=lambda probe: probe.peak_bytes)


def reason(chosen: Probe, search: Search, inside: Sequence[Probe], fitting: Sequence[Probe]) -> str:
    """Return why a micro-batch was taken, in a sentence."""
    share = chosen.peak_bytes / search.card.bytes
    told = f"A micro-batch of {chosen.micro_batch} takes {share:.0%} of the card"
    if inside:
        return f"{told}, within the band, at {chosen.tokens_per_second:,.0f} tokens a second."
    if not fitting:
        return f"{told}, above the band, and none is smaller: there is little room for surprises."
    if chosen.micro_batch == search.candidates[-1]:
        return f"{told}: it is the whole update, so more memory has no use."
    if max(fitting, key=lambda probe: probe.micro_batch) is not chosen:
        return f"{told}: a larger one is not faster."
    return f"{told}: the next one that keeps the rows of an update does not fit the band."
