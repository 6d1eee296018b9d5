"""What Asterisk is told to copy is what the worker listens for."""

import json
from pathlib import Path

import pytest

from perezvon.asterisk.install import Pbx
from perezvon.asterisk.provision import files
from perezvon.bootstrap import asterisk, secrets
from perezvon.bootstrap.worker import evidence_of
from perezvon.settings import Settings, load
from tests.support.asterisk import PASSWORD, secrets_of
from tests.support.plans import plan_of

PBX = Pbx(("asterisk",), {}, Path("/opt/modules"), Path("/opt/data"), "22.10.1", None)
PLAN = plan_of(callers_port=5070)


def settings(root: Path, **changes: object) -> Settings:
    root.chmod(0o700)
    kept = root / "secrets.json"
    kept.write_text(json.dumps({"ari_password": PASSWORD, "secrets": secrets_of(PLAN)}))
    kept.chmod(0o600)
    return load(data_dir=root, **changes)


def written(ours: Settings) -> dict[str, str]:
    known = secrets.read(ours.secrets_file)
    return files(PLAN, asterisk.site(ours, PBX, known), known.by_name)


def test_port_and_password_are_the_same_on_both_sides(tmp_path: Path) -> None:
    ours = settings(tmp_path, hep_port=9_060)
    made, wanted = written(ours), evidence_of(ours)
    assert wanted is not None
    assert f"capture_address = 127.0.0.1:{wanted.port}\n" in made["hep.conf"]
    assert f"capture_password = {wanted.password}\n" in made["hep.conf"]
    assert "load = res_hep_pjsip.so" in made["modules.conf"]
    assert PASSWORD not in made["hep.conf"]


@pytest.mark.parametrize("changes", [{}, {"hep_port": 9_060, "trace_mb": 0}], ids=["unasked", "0"])
def test_nothing_is_copied_unasked(tmp_path: Path, changes: dict[str, int]) -> None:
    ours = settings(tmp_path, **changes)
    assert evidence_of(ours) is None
    assert "res_hep" not in written(ours)["modules.conf"]
    assert "enabled = no" in written(ours)["hep.conf"]
