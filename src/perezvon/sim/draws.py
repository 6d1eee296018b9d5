"""Chance by name: every draw is a function of (seed, what, key) and of nothing else.

So two runs that differ in their plan still meet the same callers with the same patience and the
same talks (common random numbers), and a draw is the same in every process.
"""

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from math import exp, gamma, log, log1p, sqrt
from statistics import NormalDist
from struct import Struct
from typing import TypeAlias

Sampler: TypeAlias = Callable[[float], int]
"""From a uniform number in [0, 1) to a length in ms."""

_NORMAL = NormalDist()
_BITS = 2.0**-53
_WORDS = [Struct(f">{count}Q").unpack for count in range(9)]


class Draws:
    """Uniform numbers in [0, 1), keyed by what they decide and for whom."""

    __slots__ = ("_root", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._root = blake2b(str(seed).encode(), digest_size=32).digest()

    def one(self, what: str, key: str) -> float:
        digest = blake2b(f"{what}\0{key}".encode(), digest_size=8, key=self._root).digest()
        return (int.from_bytes(digest, "big") >> 11) * _BITS

    def some(self, what: str, key: str, count: int) -> tuple[float, ...]:
        """Several independent ones at the price of one; `count` is 8 at most."""
        digest = blake2b(f"{what}\0{key}".encode(), digest_size=8 * count, key=self._root).digest()
        return tuple([(word >> 11) * _BITS for word in _WORDS[count](digest)])


def fixed(length_ms: int) -> Sampler:
    return partial(_fixed, length_ms)


def uniform(from_ms: int, to_ms: int) -> Sampler:
    return partial(_uniform, from_ms, to_ms - from_ms)


def exponential(mean_ms: int) -> Sampler:
    return partial(_exponential, mean_ms)


def lognormal(mean_ms: int, sd_ms: int) -> Sampler:
    if sd_ms == 0:
        return fixed(mean_ms)
    variance = log1p((sd_ms / mean_ms) ** 2)
    return partial(_lognormal, log(mean_ms) - variance / 2, sqrt(variance))


def weibull(mean_ms: int, shape: float) -> Sampler:
    return partial(_weibull, mean_ms / gamma(1 + 1 / shape), 1 / shape)


def _fixed(length_ms: int, _: float) -> int:
    return length_ms


def _uniform(from_ms: int, width_ms: int, u: float) -> int:
    return from_ms + int(width_ms * u)


def _exponential(mean_ms: int, u: float) -> int:
    return int(-mean_ms * log1p(-u))


def _lognormal(mu: float, sigma: float, u: float) -> int:
    # The normal quantile is not defined at 0 itself.
    return int(exp(mu + sigma * _NORMAL.inv_cdf(u or _BITS)))


def _weibull(scale_ms: float, power: float, u: float) -> int:
    return int(scale_ms * (-log1p(-u)) ** power)
