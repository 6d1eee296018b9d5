"""Secrets: made once and kept closed, taken from the environment, never shown."""

import json
import stat
from pathlib import Path

import pytest

from perezvon.bootstrap import secrets
from perezvon.bootstrap.secrets import SecretError, resolve
from perezvon.core.plan import Plan
from perezvon.store import plan_file

PLAN = """
zone: Europe/Moscow
agents:
  anna: Анна
  boris: {name: Борис, secret: shop-phone}
groups: {shop: [anna, boris]}
queues: {shop: {steps: {groups: shop}}}
"""
CARRIER = PLAN + "trunks: {beeline: {host: sip.example.com, username: shop, secret: carrier-key}}\n"
LONG = "a-secret-of-twenty-characters"


def plan(text: str = PLAN) -> Plan:
    return plan_file.parse(text)


def test_telephones_get_secrets_that_stay_the_same(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = resolve(path, plan(), {})
    assert set(first.by_name) == {"anna", "shop-phone"}
    assert all(len(value) >= secrets.LENGTH_MIN for value in first.by_name.values())
    assert len({*first.by_name.values(), first.ari_password}) == 3
    assert resolve(path, plan(), {}) == first
    assert secrets.read(path) == first


def test_the_file_is_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    resolve(path, plan(), {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        resolve(path, plan(), {})


def test_the_environment_wins_and_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    resolve(path, plan(), {})
    given = resolve(path, plan(), {"PEREZVON_SECRET_SHOP_PHONE": LONG})
    assert given.by_name["shop-phone"] == LONG
    assert resolve(path, plan(), {}).by_name["shop-phone"] == LONG


def test_a_short_secret_of_a_telephone_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"PEREZVON_SECRET_ANNA.*20 characters") as error:
        resolve(tmp_path / "s.json", plan(), {"PEREZVON_SECRET_ANNA": "hunter2"})
    assert "hunter2" not in str(error.value)


def test_a_carriers_secret_is_not_invented(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    with pytest.raises(SecretError, match="set PEREZVON_SECRET_CARRIER_KEY"):
        resolve(path, plan(CARRIER), {})
    given = resolve(path, plan(CARRIER), {"PEREZVON_SECRET_CARRIER_KEY": "short"})
    assert given.by_name["carrier-key"] == "short"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ari_password": "x", "secrets": 5}', "\x00"])
def test_a_damaged_file_is_an_error_and_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets.json"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(SecretError, match="damaged"):
        resolve(path, plan(), {})
    assert path.read_text() == text


def test_secrets_do_not_show_in_their_repr(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    found = resolve(path, plan(), {})
    kept = json.loads(path.read_text())
    assert not any(
        value in repr(found) for value in (*kept["secrets"].values(), found.ari_password)
    )
