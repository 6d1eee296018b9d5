"""Two plans compared, in the words of the plan file."""

from typing import Any

import pytest
from hypothesis import given, settings

from perezvon.core.plan import Plan
from perezvon.store.plan_diff import Change, ChangeKind, changes
from perezvon.store.plan_export import text_of, tree
from perezvon.store.plan_file import parse, parse_tree
from tests.store.plans_drawn import plans

PLAN = """
zone: Europe/Moscow
hours: {office: {mon-fri: 09:00-18:00}}
agents: {anna: Anna, boris: Boris, vera: Vera}
groups: {shop: [anna, boris]}
queues: {shop: {steps: [{groups: shop}, {agents: anna, ring: 20s}], hours: office}}
numbers: {"100": shop}
callback: [{id: one, queues: shop}, {id: two}]
"""


def told(old: str, new: str) -> list[tuple[Any, ...]]:
    changed = PLAN.replace(old, new)
    assert changed != PLAN
    return [
        (each.kind.value, each.noun, each.id, each.path, each.before, each.after)
        for each in changes(parse(PLAN), parse(changed))
    ]


CASES = [
    ("zone: Europe/Moscow", "zone: UTC", "zone", "", (), "Europe/Moscow", "UTC"),
    ("mon-fri: 09:00-18:00", "mon-fri: 09:00-17:00", "hours", "office", ("mon-fri",),
     "09:00-18:00", "09:00-17:00"),
    ("anna: Anna", "anna: Anya", "agents", "anna", ("name",), "Anna", "Anya"),
    ("{groups: shop}", "{groups: shop, k: 5}", "queues", "shop", ("steps", 0, "k"), 3, 5),
    ("ring: 20s", "ring: 25s", "queues", "shop", ("steps", 1, "ring"), "20s", "25s"),
    ("[anna, boris]", "[anna, {agent: boris, level: 2}]", "groups", "shop", ("members", "boris"),
     1, 2),
    ("[{id: one, queues: shop}, {id: two}]", "[{id: two}, {id: one, queues: shop}]", "callback", "",
     ("order",), ["one", "two"], ["two", "one"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_told_by_noun_id_and_key(case: tuple[Any, ...]) -> None:
    old, new, noun, id_, path, before, after = case
    assert told(old, new) == [("changed", noun, id_, path, before, after)]


def test_what_comes_and_goes_is_told_whole() -> None:
    assert told("[anna, boris]", "[anna, boris, vera]") == [
        ("added", "groups", "shop", ("members", "vera"), None, 1)
    ]
    assert told("[anna, boris]", "[anna]") == [
        ("removed", "groups", "shop", ("members", "boris"), 1, None)
    ]
    [gone] = told(", vera: Vera", "")
    assert gone[:4] == ("removed", "agents", "vera", ())
    assert gone[4]["name"] == "Vera"
    [step] = told(", {agents: anna, ring: 20s}]", "]")
    assert step[:4] == ("removed", "queues", "shop", ("steps", 1))
    [rule] = told(", {id: two}", ", {id: two}, {id: three, waive: true}")
    assert (rule[:3], rule[5]["waive"]) == (("added", "callback", "three"), True)


def test_a_default_that_is_written_out_changes_nothing() -> None:
    assert told("{groups: shop}", "{groups: shop, k: 3, ring: 10s}") == []


@settings(max_examples=40)
@given(plans(), plans())
def test_both_ways_tell_the_same_and_a_plan_differs_not_from_itself(a: Plan, b: Plan) -> None:
    assert changes(a, a) == ()
    forth = {_key(each) for each in changes(a, b)}
    back = [
        Change(MIRROR[each.kind], each.noun, each.id, each.path, each.after, each.before)
        for each in changes(b, a)
    ]
    assert forth == {_key(each) for each in back}


MIRROR = {
    ChangeKind.ADDED: ChangeKind.REMOVED,
    ChangeKind.REMOVED: ChangeKind.ADDED,
    ChangeKind.CHANGED: ChangeKind.CHANGED,
}


def _key(change: Change) -> str:
    return repr(change)


@settings(max_examples=40)
@given(plans())
def test_the_tree_of_a_plan_gives_the_same_plan(plan: Plan) -> None:
    again, _ = parse_tree(tree(plan), plan)
    assert again == plan
    assert parse(text_of(tree(plan))) == plan
