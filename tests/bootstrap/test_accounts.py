"""The first user's code, and the demo's accounts."""

import stat
from pathlib import Path

from perezvon import settings as settings_of
from perezvon.api.roles import Role
from perezvon.bootstrap import demo_accounts, setup_code
from perezvon.bootstrap.demo import example
from perezvon.settings import Settings
from perezvon.store import plan_file
from perezvon.store.database import Location, open_views
from perezvon.store.passwords import hashed, verify
from perezvon.store.tokens import check_token
from perezvon.store.users import create_user, find_user


def settings(tmp_path: Path) -> Settings:
    ours = settings_of.load(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
    ours.prepare()
    return ours


def test_the_code_stays_the_same_until_there_is_a_user_and_is_gone_then(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    code = setup_code.keep(ours)
    assert len(code.replace("-", "")) == 12
    assert stat.S_IMODE(ours.setup_file.stat().st_mode) == 0o600
    assert setup_code.keep(ours) == code
    views = open_views(Location(ours.data_dir))
    create_user(views, login="me", name="", role="owner", password=hashed("x"), now=1)
    views.close()
    assert setup_code.keep(ours) == ""
    assert not ours.setup_file.exists()


def test_the_demo_has_an_account_for_each_role(tmp_path: Path) -> None:
    ours = settings(tmp_path)
    plan = plan_file.load(example("plans/demo.yaml"))
    accounts = demo_accounts.make(ours, plan)
    assert {account.role for account in accounts} == set(Role)
    agents = [account.login for account in accounts if account.role is Role.AGENT]
    assert agents[0] == "olga", "who has no telephone but her browser"
    assert {"anna", "boris"} <= set(agents)
    assert len({account.password for account in accounts}) == len(accounts)
    views = open_views(Location(ours.data_dir))
    try:
        for account in accounts:
            if account.role is Role.INTEGRATOR:
                assert check_token(views, account.password, 1) is not None
                continue
            user = find_user(views, account.login)
            assert user is not None
            assert user.role == account.role
            assert verify(user.password, account.password)
            assert user.agent == (account.login if account.role is Role.AGENT else None)
        viewer = find_user(views, "viewer")
        assert viewer is not None
        assert viewer.projects == {"shop"}
    finally:
        views.close()
