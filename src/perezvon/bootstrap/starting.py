"""What the command line needs to start an installation or the demo, and to tell why it cannot."""

from pathlib import Path
from typing import Final

from perezvon import settings as settings_of
from perezvon.asterisk.install import AsteriskMissing
from perezvon.asterisk.process import AsteriskFailed
from perezvon.bootstrap import demo as demo_of
from perezvon.bootstrap import up as up_of
from perezvon.bootstrap.ports import PortTaken
from perezvon.bootstrap.secrets import SecretError
from perezvon.bootstrap.tls import CertificateError
from perezvon.bootstrap.words import UP, Language, say_as
from perezvon.core.plan import PlanError
from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings
from perezvon.sim.scenario import ScenarioError
from perezvon.store.plan_file import PlanFileError

ERRORS: Final = (
    settings_of.SettingsError,
    up_of.UpError,
    AsteriskMissing,
    AsteriskFailed,
    SecretError,
    CertificateError,
    PlanError,
    PlanFileError,
    ScenarioError,
    Unavailable,
    # A taken port too, and whatever the file system refuses.
    PortTaken,
    OSError,
)
"""What the operator can mend: told without a traceback."""


def up(settings: Settings, say: up_of.Say) -> int:
    """`perezvon up`; the exit status."""
    up_of.interruptible()
    return up_of.run(settings, say)


def demo(
    *,
    data: Path | None,
    for_s: int | None,
    plan: Path | None,
    switch: str | None,
    say: up_of.Say,
) -> int:
    """`perezvon up --demo`; the exit status."""
    up_of.interruptible()
    return demo_of.run(demo_of.Options(data=data, for_s=for_s, plan=plan, switch=switch), say)


def explain(error: Exception) -> str:
    """What to tell the operator, in his language."""
    if isinstance(error, PortTaken):
        variable = f"{settings_of.PREFIX}{error.setting.upper()}"
        return say_as(UP, "port_taken", _language(), port=error.port, variable=variable)
    return str(error)


def _language() -> Language:
    try:
        return settings_of.load().language
    except settings_of.SettingsError:
        return "ru"
