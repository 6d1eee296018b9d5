"""Both switches: the simulated one, and a real Asterisk with its people for all tests together."""

from collections.abc import Iterator

import pytest

from tests.switch.bench import House
from tests.switch.real import real_house
from tests.switch.simulated import SimulatedHouse


@pytest.fixture(
    scope="module", params=["sim", pytest.param("asterisk", marks=pytest.mark.asterisk)]
)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    if request.param == "sim":
        yield SimulatedHouse()
        return
    with real_house(tmp_path_factory.mktemp("contract")) as one:
        yield one
