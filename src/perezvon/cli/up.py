"""`perezvon up` and the processes that it starts, each of which can be started by hand."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from perezvon import settings as settings_of
from perezvon.asterisk.install import AsteriskMissing
from perezvon.asterisk.process import AsteriskFailed
from perezvon.bootstrap import demo as demo_of
from perezvon.bootstrap import up as up_of
from perezvon.bootstrap.ports import PortTaken
from perezvon.bootstrap.secrets import SecretError
from perezvon.bootstrap.words import UP, Language, say_as
from perezvon.core.plan import PlanError
from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings
from perezvon.sim.scenario import ScenarioError
from perezvon.store.plan_file import PlanFileError

app = typer.Typer()

STARTING_ERRORS = (
    settings_of.SettingsError,
    up_of.UpError,
    AsteriskMissing,
    AsteriskFailed,
    SecretError,
    PlanError,
    PlanFileError,
    ScenarioError,
    Unavailable,
    OSError,
)
"""What the operator can mend: told without a traceback."""


@app.command("up")
def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="A town of callers plays with it / Городок звонящих")
    ] = False,
    switch: Annotated[
        str | None, typer.Option("--switch", help="asterisk | sim", metavar="SWITCH")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Taken when none was applied / Первый план")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder for all that is kept / Папка данных")
    ] = None,
    for_s: Annotated[
        int | None,
        typer.Option(
            "--for", min=1, max=86_400, help="Demo: stop after so many seconds, 0 if well"
        ),
    ] = None,
) -> None:
    """Start everything and keep it running / Запустить всё и держать работающим."""
    up_of.interruptible()
    try:
        if demo:
            options = demo_of.Options(data=data, for_s=for_s, plan=plan)
            raise typer.Exit(demo_of.run(options, _say))
        ours = settings_of.load(switch=switch, plan_file=plan, data_dir=data)
        raise typer.Exit(up_of.run(ours, _say))
    except PortTaken as taken:
        _fail(_taken(taken))
    except STARTING_ERRORS as error:
        _fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command("engine", hidden=True)
def engine() -> None:
    """ARI, core and journal; nothing else."""
    from perezvon.bootstrap import engine as engine_of  # noqa: PLC0415 - each loads its own part

    raise typer.Exit(engine_of.run(_settings()))


@app.command("web", hidden=True)
def web() -> None:
    """API, page, live feed."""
    from perezvon.bootstrap import web as web_of  # noqa: PLC0415 - each loads its own part

    try:
        raise typer.Exit(web_of.run(_settings()))
    except PortTaken as taken:
        _fail(_taken(taken))


@app.command("worker", hidden=True)
def worker() -> None:
    """Copying facts, and what takes long."""
    from perezvon.bootstrap import worker as worker_of  # noqa: PLC0415 - each loads its own part

    ours = _settings()
    location = up_of.location_of(ours)
    raise typer.Exit(worker_of.run(worker_of.WorkerOptions(location)))


def _settings() -> Settings:
    try:
        ours = settings_of.load()
        ours.prepare()
    except settings_of.SettingsError as error:
        _fail(str(error))
    return ours


def _language() -> Language:
    try:
        return settings_of.load().language
    except settings_of.SettingsError:
        return "ru"


def _taken(taken: PortTaken) -> str:
    variable = f"{settings_of.PREFIX}{taken.setting.upper()}"
    return say_as(UP, "port_taken", _language(), port=taken.port, variable=variable)


def _say(line: str) -> None:
    print(line, flush=True)


def _fail(text: str) -> NoReturn:
    print(text, file=sys.stderr, flush=True)
    raise typer.Exit(1)
