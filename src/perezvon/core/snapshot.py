"""Snapshots: the engine's state as plain, versioned data, and an engine made of it again.

Indexes (pools, lines, calendars) are not in it: they are rebuilt from the state and the plan. The
golden snapshot of every release must load (tests/core/golden), so a change of the state's shape
comes with a step in `restore`.
"""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from perezvon.core.engine import Engine
from perezvon.core.ids import PlanVersion
from perezvon.core.plan import Plan
from perezvon.core.state import State
from perezvon.core.timers import Timer, Timers

FORMAT = 1

_T = TypeVar("_T")


class SnapshotError(ValueError):
    """The bytes are no snapshot of ours, or one of a newer version."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    format: int
    plan: PlanVersion
    state: State
    timers: list[Timer]


@dataclass(frozen=True, slots=True)
class _Head:
    format: int
    plan: PlanVersion


def take(engine: Engine) -> bytes:
    """Give the whole state as JSON."""
    return msgspec.json.encode(
        _Snapshot(FORMAT, engine.plan.version, engine.state, engine.timers.dump())
    )


def plan_version(data: bytes) -> PlanVersion:
    """Tell under which plan the snapshot was taken: `restore` wants that one."""
    return _decode(data, _Head).plan


def restore(data: bytes, plan: Plan) -> Engine:
    """Make an engine that goes on where the snapshot was taken."""
    head = _decode(data, _Head)
    if head.format != FORMAT:
        raise SnapshotError(f"snapshot of format {head.format}, this version reads {FORMAT}")
    if head.plan != plan.version:
        raise SnapshotError(f"snapshot of plan {head.plan}, but plan {plan.version} was given")
    snapshot = _decode(data, _Snapshot)
    state = snapshot.state
    return Engine(state.era, plan, state, Timers.load(snapshot.timers))


def _decode(data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"not a snapshot: {error}") from error
