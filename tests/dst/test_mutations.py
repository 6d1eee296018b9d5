"""The checkers bite: a few broken engines are caught; `make mutate` tries all of them."""

from pathlib import Path

import pytest

from tests.dst.mutate import MUTATIONS, Mutation, breaks, caught

QUICKLY_CAUGHT = (
    "a withdrawn telephone rings on",
    "the winner is never connected",
    "who reached us himself is still owed",
)
FEW_SEEDS = 6


def by_name(name: str) -> Mutation:
    return next(mutation for mutation in MUTATIONS if mutation.name == name)


@pytest.mark.parametrize("name", QUICKLY_CAUGHT)
def test_a_broken_engine_is_caught(name: str) -> None:
    assert caught(by_name(name), seeds=FEW_SEEDS).startswith("seed ")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_still_finds_its_line(mutation: Mutation, tmp_path: Path) -> None:
    breaks(mutation, tmp_path)
