"""`perezvon up` and the processes that it starts, each of which can be started by hand.

Whatever a process does not need is not imported: the engine has to be back in less than four
seconds, and half of that would go into loading a web server.
"""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from perezvon import settings as settings_of
from perezvon.settings import Settings

app = typer.Typer()


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
            "--for",
            min=1,
            max=86_400,
            help="Demo: end when all was seen, after so many seconds at the latest"
            " / Демо: закончить, когда показано всё, но не позже",
        ),
    ] = None,
) -> None:
    """Start everything and keep it running / Запустить всё и держать работающим."""
    from perezvon.bootstrap import starting  # noqa: PLC0415 - see the module

    def work() -> int:
        if demo:
            return starting.demo(data=data, for_s=for_s, plan=plan, switch=switch, say=_say)
        ours = settings_of.load(switch=switch, plan_file=plan, data_dir=data)
        return starting.up(ours, _say)

    try:
        raise typer.Exit(work())
    except starting.ERRORS as error:
        _fail(starting.explain(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command("engine", hidden=True)
def engine(
    wait: Annotated[
        bool, typer.Option("--wait", help="Load everything, begin at a line of input")
    ] = False,
    standby: Annotated[
        bool,
        typer.Option(
            "--standby",
            help="Take over when the engine that leads dies or freezes"
            " / Занять место ведущего, когда он умрёт или замрёт",
        ),
    ] = False,
) -> None:
    """ARI, core and journal; nothing else."""
    from perezvon.bootstrap import engine as engine_of  # noqa: PLC0415 - see the module

    if wait and not sys.stdin.readline():
        return
    raise typer.Exit(engine_of.run(_settings(), standby=standby))


@app.command("web", hidden=True)
def web() -> None:
    """API, page, live feed."""
    from perezvon.bootstrap import starting  # noqa: PLC0415 - see the module
    from perezvon.bootstrap import web as web_of  # noqa: PLC0415 - see the module

    ours = _settings()
    _log_as("web", ours)
    try:
        raise typer.Exit(web_of.run(ours))
    except starting.ERRORS as error:
        _fail(starting.explain(error))


@app.command("worker", hidden=True)
def worker() -> None:
    """Copying facts, and what takes long."""
    from perezvon.bootstrap import worker as worker_of  # noqa: PLC0415 - see the module
    from perezvon.store.database import Location  # noqa: PLC0415 - see the module

    ours = _settings()
    _log_as("worker", ours)
    location = Location(ours.data_dir, ours.database_url or "")
    options = worker_of.WorkerOptions(
        location,
        engine_socket=ours.engine_socket,
        evidence=worker_of.evidence_of(ours),
        recordings=ours.recordings_dir,
    )
    raise typer.Exit(worker_of.run(options))


def _log_as(process: str, ours: Settings) -> None:
    """The engine knows its plan; the others ask the store whose they are."""
    from perezvon.bootstrap import logs  # noqa: PLC0415 - see the module
    from perezvon.store.database import Location  # noqa: PLC0415
    from perezvon.store.plans import applied_plan  # noqa: PLC0415

    logs.configure(process, ours.log_level)
    plan = applied_plan(Location(ours.data_dir, ours.database_url or ""))
    if plan is not None:
        logs.bind(tenant=plan.tenant)


def _settings() -> Settings:
    try:
        ours = settings_of.load()
        ours.prepare()
    except settings_of.SettingsError as error:
        _fail(str(error))
    return ours


def _say(line: str) -> None:
    print(line, flush=True)


def _fail(text: str) -> NoReturn:
    print(text, file=sys.stderr, flush=True)
    raise typer.Exit(1)
