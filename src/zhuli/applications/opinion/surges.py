"""Whether negative opinion surges: a robust baseline, a count model that knows overdispersion, a sequential test. Pure; NumPy.

The count of negative stories y of a series in an hour t is taken for negative binomial with the mean m(t) (1 + x(t) + z) and
the dispersion a. The baseline m(t) = level(t) h(hour of day) d(day of week) is fitted on the weeks before the window that is
tested, so that a surge does not enter what it is held against:

- h and d from all items of the monitor (trimmed means over days and weeks), times what the series' own counts say more, shrunk;
- level(t): a line through the days' counts without their season, as Huber's weights see them, its slope shrunk towards 0 by its
  own uncertainty, and changing by half at most.

Moods x cling for hours: a stationary process with the variance v whose correlation falls to 1/e in some hours, the same for all
series. Both are read from the autocovariances of what the baseline left over; v and a are shrunk towards what series have
together: a constant, as moods have it, and a part that falls with the rate, as clusters of stories have it.

z is what the baseline itself is wrong by, which is known by its variance. A filter (Kalman's, with innovations cut at three
deviations) tells from the hours before what x + z is now. It is this conditional mean that an hour is held against: a test that
takes hours for independent counts a mood's every hour as evidence anew, whatever its dispersion.

The test is the mixture of Shiryaev-Roberts procedures over rates r = 1.5 to 30 times the usual (an e-detector: Shin, Ramdas,
Rinaldo 2022, section 2): M_r(t) = (M_r(t-1) + 1) L_r(t), L_r the likelihood ratio of r times the conditional mean to it, which
has the mean 1, given the past, where the model holds, and less where there is less. An alarm is raised where the mean of M_r
exceeds A, and then it begins anew. The time to a false alarm of one series is A hours or more on average, so all K series
together have at most f false alarms a month with A = K * 730.5 / f.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HOURS_A_MONTH = 730.5
DAY = 24
WEEK = 168

WINDOW = 96
"""Hours that are tested; the baseline is of what was before them."""

RATES: Floats = np.array([1.5, 2.0, 3.0, 5.0, 10.0, 30.0])

LEAST_HISTORY = 14 * DAY
"""Hours of history without which nothing is tested."""

_SHRINK = 30.0
"""Stories by which the season of a series is drawn to that of the monitor."""

_POOLED = 300.0
"""Stories by which a series' mood and dispersion are drawn to what series have together."""

_CALM = 5_000.0
"""The same for moods that were found to be less than that: eight weeks have few of them, and may have been calm."""

_MEMORIES = (1, 2, 3, 5, 8, 12, 20, 32, 48)
"""Hours that moods may cling for."""

_LAGS = np.arange(1, 49)

_MOOD_MARGIN = 3.0
"""By which the variance of moods is taken for larger than it was found: it is estimated from few weeks, of which loud hours and
days were cut, and from what a fit has left over. Chosen on drawn years; docs/opinion.md has what others showed."""

_EDGE = 8.0
"""Variance of the line at the end of the window, in that of its middle: 1 + 12 d^2 / n^2 is 5 at d = n / 2 + 4.5 days; and
that of the season."""

_FLOOR = 1.0 / WEEK
"""Stories an hour that are thought possible in any series."""

_THURSDAY = 3
"""The day of the week of hour 0 since the epoch, Monday being 0."""


@dataclass(frozen=True, slots=True)
class Baselines:
    """Of K series for T hours: means, K x T; levels a day, trends a week (as shares), K each.

    dispersions: a, of an hour given its mean. moods: v. kept: how much of a mood the next hour has. doubts: the variance of z.
    """

    means: Floats
    levels: Floats
    trends: Floats
    dispersions: Floats
    moods: Floats
    kept: float
    doubts: Floats


@dataclass(frozen=True, slots=True)
class Surge:
    """An alarm. hour and onset: places in what was tested; counts and expectation are from onset to hour, both included."""

    series: int
    hour: int
    onset: int
    observed: int
    expected: float
    log_evidence: float
    level: float
    trend: float
    dispersion: float

    @property
    def ratio(self) -> float:
        return self.observed / max(self.expected, 1e-9)

    @property
    def severity(self) -> str:
        """high: four times the expected and twenty more, medium: twice and ten more, else low."""
        more = self.observed - self.expected
        if self.ratio >= 4 and more >= 20:
            return "high"
        return "medium" if self.ratio >= 2 and more >= 10 else "low"


def threshold(series: int, false_alarms_per_month: float) -> float:
    """A, for so many series with so many false alarms a month together."""
    return max(1.0, series * HOURS_A_MONTH / false_alarms_per_month)


def baselines(volume: Floats, negative: Floats, first: int, ahead: int) -> Baselines:
    """For `ahead` hours behind the history. volume: T, of all items; negative: K x T, of the series; first: hour of the first."""
    hours = first + np.arange(volume.shape[0] + ahead)
    season = _season(volume, hours[: volume.shape[0]])
    slots = _slots(hours)
    before, behind = slots[: volume.shape[0]], slots[volume.shape[0] :]
    made = [_of_series(one, season, before, behind) for one in negative]
    if not made:
        none = np.zeros(0)
        return Baselines(np.zeros((0, ahead)), none, none, none, none, 0.0, none)
    means, past, levels, trends, usual = (np.array([each[part] for each in made]) for part in range(5))
    stories = usual.sum(axis=1)
    kept, moods, dispersions = _clinging(usual, past, stories)
    clumps = moods * (1 + kept) / (1 - kept) + dispersions
    doubts = np.minimum(1.0, _EDGE * (1 / np.maximum(stories, 1.0) + clumps / volume.shape[0]))
    return Baselines(means, levels, trends, dispersions, moods, kept, doubts)


def _slots(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """The hour of the week, Monday's first being 0."""
    return (hours // DAY + _THURSDAY) % 7 * DAY + hours % DAY


def _trimmed(values: Floats, share: float = 0.1) -> float:
    """The mean without the largest and the smallest."""
    cut = int(len(values) * share)
    return float(np.sort(values)[cut : len(values) - cut].mean()) if len(values) else 0.0


def _season(volume: Floats, hours: NDArray[np.int64]) -> Floats:
    """h x d for the 168 hours of a week, of mean 1."""
    day_of, hour_of = (hours // DAY + _THURSDAY) % 7, hours % DAY
    whole = max(_trimmed(volume), 1e-9)
    extra = 5.0 / len(volume) * WEEK  # a little of no season, for quiet hours of young monitors
    of_hour = np.array([_trimmed(volume[hour_of == each]) + extra * whole / WEEK for each in range(DAY)])
    of_day = np.array([_trimmed(volume[day_of == each]) + extra * whole / WEEK for each in range(7)])
    season = np.outer(of_day / max(of_day.mean(), 1e-9), of_hour / max(of_hour.mean(), 1e-9)).ravel()
    return np.asarray(season / season.mean())


def _of_series(counts: Floats, season: Floats, before: Any, behind: Any) -> tuple[Floats, Floats, float, float, Floats]:
    """Means of the hours behind and of those before, level a day, trend a week, and counts as they may be without a surge."""
    usual = _clipped(counts)
    own = _own_season(usual, season, before)
    level, slope = _line(usual, own[before])
    middle = (len(counts) - 1) / 2
    ahead = level * np.exp(np.clip(slope * (len(counts) + np.arange(len(behind)) - middle), -np.log(1.5), np.log(1.5)))
    past = np.maximum(level * np.exp(slope * (np.arange(len(counts)) - middle)), _FLOOR) * own[before]
    means = np.maximum(ahead, _FLOOR) * own[behind]
    return means, past, float(ahead[0] * DAY), float(np.expm1(slope * WEEK)), usual


def _clipped(counts: Floats) -> Floats:
    """Hours and days as they may be without a surge: what is more is cut."""
    days = counts[: len(counts) // DAY * DAY].reshape(-1, DAY).sum(axis=1)
    usual = np.median(days)
    spread = max(1.4826 * float(np.median(np.abs(days - usual))), np.sqrt(usual + 1.0))
    most = usual + 3 * spread
    rest = len(counts) - len(days) * DAY
    shares = np.minimum(1.0, most / np.maximum(days, 1e-9))
    return np.asarray(counts * np.concatenate([np.repeat(shares, DAY), np.ones(rest)]))


def _own_season(counts: Floats, season: Floats, before: Any) -> Floats:
    """The monitor's season times what the series' counts say of each hour of the day and day of the week, shrunk."""
    rate = counts.sum() / max(season[before].sum(), 1e-9)
    for part in (before % DAY, before // DAY):
        size = int(part.max()) + 1
        seen = np.bincount(part, weights=counts, minlength=size)
        expected = np.bincount(part, weights=rate * season[before], minlength=size)
        factor = (seen + _SHRINK) / (expected + _SHRINK)
        index = np.arange(WEEK) % DAY if size == DAY else np.arange(WEEK) // DAY
        season = season * factor[np.minimum(index, size - 1)]
    return np.asarray(season / season.mean())


def _line(counts: Floats, season: Floats) -> tuple[float, float]:
    """The level of an hour at the middle, and the slope of its logarithm an hour."""
    days = len(counts) // DAY
    seen = counts[: days * DAY].reshape(days, DAY).sum(axis=1)
    exposure = np.maximum(season[: days * DAY].reshape(days, DAY).sum(axis=1), 1e-3)
    level = (seen.sum() + 0.5) / exposure.sum()
    at = np.arange(days) - (days - 1) / 2
    weights = np.ones(days)
    slope = 0.0
    for _ in range(4):
        expected = level * np.exp(slope * at) * exposure
        residual = (seen - expected) / np.sqrt(expected + 0.25)
        spread = max(1.0, float(np.sqrt(np.average(residual**2, weights=weights))))
        weights = np.minimum(1.0, 1.5 * spread / np.maximum(np.abs(residual), 1e-9))
        level *= float((weights * seen).sum() + 0.5) / float((weights * expected).sum() + 0.5)
        information = float((weights * expected * at**2).sum()) / spread**2 + 1e-9
        step = float((weights * (seen - expected) * at).sum()) / (information * spread**2)
        slope = float(np.clip(slope + step, -0.1, 0.1))
    shrunk = slope * slope**2 / (slope**2 + 1.0 / information) if slope else 0.0
    return float(level), shrunk / DAY


def _clinging(counts: Floats, past: Floats, stories: Floats) -> tuple[float, Floats, Floats]:
    """How much of a mood is left an hour later; of K series the variance of moods, and the dispersion of an hour."""
    rest = np.minimum(counts, past + 4 * np.sqrt(past + past**2 + 0.25)) - past
    whole = ((rest**2 - past).sum(axis=1)) / (past**2).sum(axis=1)
    told = [
        (rest[:, lag:] * rest[:, :-lag]).sum(axis=1) / (past[:, lag:] * past[:, :-lag]).sum(axis=1) for lag in _LAGS
    ]
    covariances = np.array(told).T
    share = stories / (stories + _POOLED)
    weights = (share + 1e-9) / (share + 1e-9).sum()
    pooled = weights @ covariances
    best, shape = np.inf, np.exp(-_LAGS / _MEMORIES[0])
    for hours in _MEMORIES:
        falls = np.exp(-_LAGS / hours)
        error = float(((pooled - max(0.0, _fitted(pooled, falls)) * falls) ** 2).sum())
        if error < best:
            best, shape = error, falls
    found = covariances @ shape / (shape @ shape)
    own = np.maximum(0.0, found)
    rates = np.maximum(past.mean(axis=1), _FLOOR)
    together = _by_rate(found, rates, share)
    trust = np.where(own > together, share, stories / (stories + _CALM))
    moods = trust * own + (1 - trust) * together
    dispersion = np.maximum(0.02, _by_rate(whole, rates, share) - together)
    dispersions = np.maximum(0.02, share * np.maximum(0.0, whole - own) + (1 - share) * dispersion)
    return float(shape[0]), _MOOD_MARGIN * moods, dispersions


def _by_rate(values: Floats, rates: Floats, share: Floats) -> Floats:
    """What series of these rates have together: a constant, as of moods, and a part that falls with the rate, as of clusters.

    By least squares, neither below 0.
    """
    weights = share**2 + 1e-9
    terms = np.stack([np.ones_like(rates), 1 / rates])
    matrix = (terms * weights) @ terms.T + 1e-9 * np.eye(2)
    constant, falling = np.linalg.solve(matrix, (terms * weights) @ values)
    if falling < 0 or constant < 0:
        term = terms[0] if falling < 0 else terms[1]
        return np.asarray(max(0.0, float((weights * values) @ term) / float((weights * term) @ term)) * term)
    return np.asarray(constant + falling / rates)


def _fitted(values: Floats, shape: Floats) -> float:
    return float(values @ shape / (shape @ shape))


def log_ratios(counts: Floats, fitted: Baselines) -> Floats:
    """log L, K x rates x T, of counts K x T, each hour given those before."""
    number, length = counts.shape
    kept, moods, noise = fitted.kept, fitted.moods, fitted.dispersions
    state = np.zeros((number, 2))  # the mood, and what the baseline is wrong by, as shares of it
    spread = np.zeros((number, 2, 2))
    spread[:, 0, 0], spread[:, 1, 1] = moods, fitted.doubts
    found = np.empty((number, len(RATES), length))
    for hour in range(length):
        mean, y = fitted.means[:, hour], counts[:, hour]
        factor = np.maximum(0.2, 1 + state.sum(axis=1))
        unknown = np.maximum(spread.sum(axis=(1, 2)), 0.0)
        usual = mean * factor
        dispersion = np.maximum(noise + unknown / factor**2 * (1 + noise), 1e-4)
        found[:, :, hour] = _log_ratio(y[:, None], usual[:, None], dispersion[:, None])
        variance = mean**2 * unknown + usual + noise * usual**2
        deviation = np.sqrt(variance)
        surprise = np.clip(y - usual, -3 * deviation, 3 * deviation)
        seen = spread.sum(axis=2) * mean[:, None]
        state = state + seen / variance[:, None] * surprise[:, None]
        spread = spread - seen[:, :, None] * seen[:, None, :] / variance[:, None, None]
        state[:, 0] *= kept
        spread[:, 0, :] *= kept
        spread[:, :, 0] *= kept
        spread[:, 0, 0] += (1 - kept**2) * moods
    return found


def _log_ratio(y: Floats, mean: Floats, a: Floats) -> Floats:
    """Of negative binomial counts with each rate times the mean to those with the mean."""
    return np.asarray(y * np.log(RATES) + (y + 1 / a) * (np.log1p(a * mean) - np.log1p(a * RATES * mean)))


def surges(counts: Floats, fitted: Baselines, limit: float, *, begin: Sequence[int], least: int) -> list[Surge]:
    """Alarms of K series in T hours. begin: from which hour on each is tested; least: stories that a surge has."""
    ratios = log_ratios(counts, fitted)
    number, _, length = ratios.shape
    evidence = np.full((number, len(RATES)), -np.inf)
    started = np.asarray(begin)
    found: list[Surge] = []
    for hour in range(length):
        grown = np.logaddexp(evidence, 0.0) + ratios[:, :, hour]
        evidence = np.where((hour >= started)[:, None], grown, -np.inf)
        total = np.logaddexp.reduce(evidence, axis=1) - np.log(len(RATES))
        for series in np.flatnonzero(total >= np.log(limit)):
            best = int(evidence[series].argmax())
            onset = _onset(ratios[series, best], int(started[series]), hour)
            observed = round(float(counts[series, onset : hour + 1].sum()))
            if observed < least:
                continue
            evidence[series], started[series] = -np.inf, hour + 1
            expected = float(fitted.means[series, onset : hour + 1].sum())
            clumped = fitted.dispersions[series] + fitted.moods[series]
            facts = fitted.levels[series], fitted.trends[series], clumped
            found.append(Surge(int(series), hour, onset, observed, expected, float(total[series]), *map(float, facts)))
    return found


def _onset(ratios: Floats, begin: int, hour: int) -> int:
    """The hour from which on the evidence is largest: behind the least of its sums (Page 1954)."""
    sums = np.concatenate([[0.0], np.cumsum(ratios[begin : hour + 1])])
    return begin + int(sums[:-1].argmin())
