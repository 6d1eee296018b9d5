"""A house as settings find it, and the command line run inside this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from perezvon import settings
from tests.api.house import House


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    monkeypatch.setenv("PEREZVON_SETTINGS", "")
    monkeypatch.setenv("PEREZVON_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PEREZVON_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PEREZVON_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")
    loaded = settings.load()
    loaded.prepare()
    return loaded


@pytest.fixture
def house(ours: settings.Settings) -> Iterator[House]:
    house = House(ours.data_dir.parent, ours.engine_socket)
    yield house
    house.close()
