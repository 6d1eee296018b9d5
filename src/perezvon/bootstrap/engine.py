"""The engine process: journal, switch, core and local socket put together, and nothing else.

Exit status: 0 when asked to stop; 1 when it has to start anew (a poison event, an overflown
inbox) or another engine has taken its place; 2 when it cannot start and the operator has to mend
something.

A standby loads everything and waits until the engine that leads is dead, or frozen for the length
of a lease; then it is the engine.
"""

import asyncio
import gc
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

import structlog
import uvloop

from perezvon.asterisk import install, numbers
from perezvon.asterisk.provision import heartbeat_variable
from perezvon.asterisk.switch import AsteriskSwitch, Guard
from perezvon.asterisk.traces import TRACE
from perezvon.asterisk.witness import Witness as AsteriskWitness
from perezvon.bootstrap import logs
from perezvon.bootstrap import secrets as secrets_of
from perezvon.bootstrap.asterisk import ari_address, places
from perezvon.bootstrap.phone_actions import phone_actions
from perezvon.bootstrap.plan_actions import plan_actions
from perezvon.core.events import Caller
from perezvon.core.ids import SECOND, PersonId, TenantId
from perezvon.core.plan import Plan
from perezvon.runtime import faultpoint
from perezvon.runtime.actions import (
    Args,
    TrimArgs,
    alert_actions,
    checked,
    engine_actions,
)
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.board import Feed
from perezvon.runtime.call_actions import Target, call_actions
from perezvon.runtime.clock import SystemClock
from perezvon.runtime.faultpoint import FaultTextError
from perezvon.runtime.host import Host
from perezvon.runtime.local import Action, LocalServer, Refused
from perezvon.runtime.loop import Loop
from perezvon.runtime.measures import Guard as GuardState
from perezvon.runtime.measures import Measures
from perezvon.runtime.ports import Directory, Recovered, Switch, Unavailable, Witness
from perezvon.runtime.recover import NoPlan, Recovery, recover
from perezvon.runtime.ring import Ring
from perezvon.settings import Settings
from perezvon.sim import scenario as scenario_of
from perezvon.sim.realtime import SimulatedSwitch
from perezvon.store import plan_file
from perezvon.store.database import Location
from perezvon.store.journal import SqlJournal
from perezvon.store.leader import EngineRunning
from perezvon.store.persons import SqlDirectory
from perezvon.store.plans import applied_plan

log = structlog.get_logger("engine")

ENDS = (signal.SIGTERM, signal.SIGINT)


def run(settings: Settings, *, standby: bool = False) -> int:
    """Run until SIGTERM. See the module's docstring for the status."""
    logs.configure("engine", settings.log_level)
    location = Location(settings.data_dir, settings.database_url or "")
    try:
        faultpoint.switch(os.environ.get(faultpoint.VARIABLE, ""))
        # The file matters once: what was applied is in the store, whatever became of the file.
        plan = applied_plan(location) or _first_plan(settings)
        logs.bind(tenant=plan.tenant)
        lead = _follow if standby else SqlJournal.open
        journal = lead(location, tenant=plan.tenant)
    except (EngineRunning, FaultTextError, Unavailable, plan_file.PlanFileError) as error:
        log.error("cannot_start", reason=str(error))  # noqa: TRY400 - its text says all
        return 2
    if journal is None:
        return 0
    try:
        if standby:
            # A frozen forerunner still listens there, and would not answer.
            settings.engine_socket.unlink(missing_ok=True)
        found = journal.recover()
        recovery = recover(found, lambda: plan)
        # What is here now stays: else each full collection would walk through the libraries, and
        # stop us for a tenth of a second.
        gc.collect()
        gc.freeze()
        return uvloop.run(_serve(settings, location, journal, found, recovery, standby=standby))
    except NoPlan as error:
        log.error("cannot_start", reason=str(error))  # noqa: TRY400 - the same
        return 2
    finally:
        journal.close()


def _follow(location: Location, *, tenant: TenantId) -> SqlJournal | None:
    """Stand by until it is ours to lead. None when asked to stop before."""
    stopped = threading.Event()
    for number in ENDS:
        signal.signal(number, lambda *_: stopped.set())
    log.info("standing_by")
    journal = SqlJournal.stand_by(location, stopped, tenant=tenant)
    for number in ENDS:
        signal.signal(number, signal.SIG_DFL)
    return journal


def _end_at_once() -> NoReturn:
    """Another engine has our place: no hanging up, no tidying, not one more word to the switch."""
    sys.stderr.flush()
    os._exit(1)


def _first_plan(settings: Settings) -> Plan:
    return plan_file.load(settings.plan_file or settings.data_dir / "plan.yaml")


async def _serve(
    settings: Settings,
    location: Location,
    journal: SqlJournal,
    found: Recovered,
    recovery: Recovery,
    *,
    standby: bool,
) -> int:
    directory = SqlDirectory.open(location)
    plan = recovery.engine.plan
    clock = SystemClock(recovery.now)
    alerts = Alerts(clock.now)
    trace = Ring(settings.trace_dir, TRACE, bytes_max=settings.trace_bytes_max)
    switch, witness = _switch(settings, directory, plan, found, alerts, journal, trace)
    measures = Measures()
    loop = Loop(
        recovery,
        journal,
        switch,
        clock,
        directory,
        snapshot_every_ms=settings.snapshot_every_s * SECOND,
        meter=measures,
    )
    feed = Feed()
    actions: dict[str, Action] = {}
    server = LocalServer(settings.engine_socket, actions, feed, _tell_bug)
    host = Host(
        loop,
        switch,
        server,
        feed,
        witness=witness,
        refresh_ms=settings.refresh_s * SECOND,
        alerts=alerts,
        lease=journal.lease,
        on_lease_lost=_end_at_once,
        who=lambda person: _who(directory, person),
    )
    actions.update(engine_actions(lambda: loop.engine, loop.submit))
    actions.update(_call_actions(loop, directory))
    actions.update(alert_actions(alerts))
    actions.update(_own_actions(loop, host, journal.epoch))
    actions["metrics"] = _metrics(measures)
    actions.update(phone_actions(loop, switch))
    measures.watch(loop, lambda: _guard_of(host, loop, journal), alerts)
    if standby and journal.forerunner:
        alerts.note(AlertKind.STANDBY_TOOK_OVER, "", f"from {journal.forerunner}")
    running = asyncio.get_running_loop()
    for number in ENDS:
        running.add_signal_handler(number, host.stop)
    try:
        return await host.run()
    finally:
        trace.close()
        directory.close()


def _switch(
    settings: Settings,
    directory: SqlDirectory,
    plan: Plan,
    found: Recovered,
    alerts: Alerts,
    journal: SqlJournal,
    trace: Ring,
) -> tuple[Switch, Witness | None]:
    if settings.switch == "sim":
        played = settings.scenario_file
        scenario = scenario_of.load(played) if played is not None else None
        return SimulatedSwitch(scenario, person_of=directory.person_of), None

    def on_replaced() -> None:
        log.critical("replaced", reason="another engine has our application")
        _end_at_once()

    files = places(settings)
    secrets = secrets_of.read(settings.secrets_file)
    switch = AsteriskSwitch(
        plan,
        ari_address(settings, secrets, plan.tenant),
        directory,
        guard=Guard(heartbeat_variable(plan.tenant), settings.dead_man_s * SECOND),
        cel_path=files.cel,
        on_replaced=on_replaced,
        may_act=journal.lease.held,
        recordings=_voices(settings),
        console=files.socket,
        alerts=alerts,
        trace=trace.put if settings.trace_mb else None,
    )

    def identify(number: str) -> Caller:
        return numbers.identify(number, "", plan.country, directory)

    witness = AsteriskWitness(
        plan.tenant,
        files.cel,
        files.queue_log,
        identify,
        found.witness_offset,
        lambda: switch.listing,
    )
    return switch, witness


def _voices(settings: Settings) -> Path | None:
    """Where the prompts lie, to know how long they speak."""
    try:
        pbx = install.find(settings.asterisk, settings.cache_dir)
    except install.AsteriskMissing:
        return None
    return pbx.data / "sounds" if pbx is not None else None


def _who(directory: SqlDirectory, person: PersonId) -> tuple[str, str]:
    try:
        return directory.number_of(person) or "", directory.name_of(person)
    except Unavailable:
        # The board goes on without his name.
        return "", ""


def _call_actions(loop: Loop, directory: Directory) -> dict[str, Action]:
    def target(number: str) -> Target:
        return target_of(number, loop.engine.plan, directory)

    return call_actions(lambda: loop.engine, loop.submit, target)


def target_of(number: str, plan: Plan, directory: Directory) -> Target:
    """Whom an agent wants to dial, if the plan lets him."""
    try:
        known = numbers.to_call(number, plan)
    except numbers.NotDialled as no:
        raise Refused(no.code, str(no), "number") from no
    return Target(directory.person_of(known.text), known.number_class)


def _tell_bug(action: str, error: Exception) -> None:
    log.error("action_failed", action=action, exc_info=error)


def _guard_of(host: Host, loop: Loop, journal: SqlJournal) -> GuardState:
    return GuardState(
        beating=host.health.beating,
        halted=host.health.halted,
        durable=loop.durable,
        lease_held=journal.lease.held(),
        inbox=loop.inbox_length,
    )


def _metrics(measures: Measures) -> Action:
    async def metrics(_args: Args) -> dict[str, Any]:
        return {"text": measures.text()}

    return checked(Args, metrics)


def _own_actions(loop: Loop, host: Host, epoch: int) -> dict[str, Action]:
    """What needs more than the engine: its plan as a file, and its health."""

    async def health(_args: Args) -> dict[str, Any]:
        state = host.health
        return {
            "beating": state.beating,
            "beats": state.beats,
            "epoch": epoch,
            "halted": state.halted,
            "durable": loop.durable,
            "told": loop.told,
            "resynced": loop.audited.is_set(),
            "plan": loop.engine.plan.version,
            "balanced": loop.engine.ledger.balanced,
        }

    async def trim(args: TrimArgs) -> dict[str, Any]:
        return {"rows": await loop.trim(args.facts_copied)}

    return {
        "health": checked(Args, health),
        "journal.trim": checked(TrimArgs, trim),
    } | plan_actions(lambda: loop.engine.plan, loop.submit)
