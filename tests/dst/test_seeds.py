"""Deterministic simulation: 200 fixed seeds, and fresh ones while the time given lasts.

PEREZVON_DST_SEED=4711 pytest tests/dst -k one_seed    one seed again
PEREZVON_DST_SECONDS=600 pytest tests/dst -k fresh     ten minutes of fresh seeds
"""

import os
import secrets
from dataclasses import fields
from time import monotonic

import pytest

from perezvon.sim.storm import Counts
from tests.dst.runs import explain, judge

FIXED = 200
CHUNK = 10
"""Seeds a test: few enough to spread over workers, many enough to start seldom."""


@pytest.mark.parametrize("first", range(0, FIXED, CHUNK))
def test_every_attempt_is_settled_or_owed_under_faults(first: int) -> None:
    failed = [v for seed in range(first, first + CHUNK) if (v := judge(seed)).wrongs]
    assert not failed, "\n".join(explain(verdict) for verdict in failed)


def test_fresh_seeds_hold_too() -> None:
    until = monotonic() + float(os.environ.get("PEREZVON_DST_SECONDS", "5"))
    while monotonic() < until:
        verdict = judge(secrets.randbelow(10**9) + FIXED)
        assert not verdict.wrongs, explain(verdict)


def test_one_seed() -> None:
    """For the reproduction of a failure; without a seed it is the first."""
    verdict = judge(int(os.environ.get("PEREZVON_DST_SEED", "0")))
    assert not verdict.wrongs, explain(verdict)


def test_the_seeds_hold_faults_of_every_kind() -> None:
    """A swarm that never draws a fault proves nothing about it."""
    counts = [judge(seed).counts for seed in range(20)]
    for kind in fields(Counts):
        assert sum(getattr(count, kind.name) for count in counts) > 1, kind.name
