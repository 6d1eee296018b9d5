"""What may be asked of the engine: every odd question is refused with its place, none fails."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perezvon.core.events import Event
from perezvon.runtime.actions import engine_actions
from perezvon.runtime.local import Action, Refused
from tests.core.office import ANA, START, Office, office_plan


def actions_of(office: Office) -> dict[str, Action]:
    async def submit(event: Event) -> None:
        office.tell(event)

    return engine_actions(lambda: office.engine, submit)


OFFICE = Office(office_plan(ANA))
ACTIONS = actions_of(OFFICE)


def told(action: str, args: dict[str, Any]) -> tuple[str, str]:
    """Code and place of the refusal; empty when it was done."""

    async def scenario() -> tuple[str, str]:
        try:
            await ACTIONS[action](args)
        except Refused as refused:
            return refused.code, refused.where
        return "", ""

    return asyncio.run(scenario())


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
fields = st.sampled_from(
    ["agent", "status", "reason", "by", "debt", "owner", "device", "group", "until_at", "nonsense"]
)


@settings(max_examples=60)
@given(st.sampled_from(sorted(ACTIONS)), st.dictionaries(fields, anything))
def test_no_arguments_make_an_action_fail(action: str, args: dict[str, Any]) -> None:
    code = told(action, args)[0]
    assert code in ("", "invalid", "unknown_agent", "unknown_debt", "unknown_device")


@pytest.mark.parametrize(
    ("action", "args", "code", "where"),
    [
        ("agent.status", {}, "invalid", ""),
        ("agent.status", {"agent": 1, "status": "paused"}, "invalid", "agent"),
        ("agent.status", {"agent": "ana", "status": "ringing"}, "invalid", "status"),
        ("agent.status", {"agent": "zoe", "status": "paused"}, "unknown_agent", "agent"),
        ("agent.status", {"agent": "a" * 101, "status": "paused"}, "invalid", "agent"),
        (
            "agent.status",
            {"agent": "ana", "status": "paused", "reason": "a\x1b"},
            "invalid",
            "reason",
        ),
        ("agent.status", {"agent": "ana", "status": "paused", "extra": 1}, "invalid", ""),
        ("agent.device", {"agent": "zoe", "device": "sip", "by": "me"}, "unknown_agent", "agent"),
        ("agent.device", {"agent": "ana", "device": "drum", "by": "me"}, "invalid", "device"),
        (
            "agent.device",
            {"agent": "ana", "device": "webrtc", "by": "me"},
            "unknown_device",
            "device",
        ),
        (
            "agent.lend",
            {"agent": "ana", "group": "none", "until_at": START + 1, "by": "me"},
            "unknown_group",
            "group",
        ),
        (
            "agent.lend",
            {"agent": "ana", "group": "all", "until_at": START + 1, "by": "me"},
            "invalid",
            "group",
        ),
        ("agent.give_back", {"agent": "zoe", "group": "all", "by": "me"}, "unknown_agent", "agent"),
        ("debt.waive", {"debt": "d", "by": "me", "reason": ""}, "invalid", "reason"),
        ("debt.waive", {"debt": "d", "by": "me", "reason": "x"}, "unknown_debt", "debt"),
        ("debt.assign", {"debt": "d", "owner": "ana", "by": "me"}, "unknown_debt", "debt"),
        ("debt.call", {"debt": "d"}, "invalid", ""),
        ("ledger", {"since": 1}, "invalid", ""),
    ],
)
def test_a_refusal_names_the_place(
    action: str, args: dict[str, Any], code: str, where: str
) -> None:
    assert told(action, args) == (code, where)


def test_the_ledger_is_told_by_its_keys() -> None:
    async def scenario() -> dict[str, Any]:
        return await actions_of(Office(office_plan(ANA)))["ledger"]({})

    assert asyncio.run(scenario()) == {
        "arrivals": 0,
        "in_progress": 0,
        "answered": 0,
        "recovered": 0,
        "reached_us": 0,
        "waived": 0,
        "open": 0,
        "debts_open": 0,
        "balanced": True,
    }
