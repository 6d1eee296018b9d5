"""The plan through the front door: versions, check, differences, applying, and what it would do."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from perezvon.core.ids import DAY, HOUR, MINUTE
from perezvon.store.plan_export import dump
from tests.api.house import House
from tests.core.office import ANA, BOB

Tree = dict[str, Any]
SATURDAY_19_40 = 1_790_440_800_000
"""2026-09-26 in Moscow."""
MONDAY_9 = SATURDAY_19_40 + DAY + 13 * HOUR + 20 * MINUTE


async def the_tree(client: httpx.AsyncClient) -> tuple[str, Tree]:
    reply = (await client.get("/plan/tree")).json()
    return reply["version"], reply["tree"]


def as_admin(house: House, scenario: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    house.serve(scenario, "admin")


def test_a_changed_tree_is_checked_told_and_put_in_force_by_name(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        base, tree = await the_tree(client)
        tree["queues"]["sales"]["steps"][0]["k"] = 1
        checked = (await client.post("/plan/check", json={"tree": tree})).json()
        assert checked["flaws"] == []
        assert checked["base"] == base
        assert checked["changes"] == [
            {
                "kind": "changed",
                "noun": "queues",
                "id": "sales",
                "path": ["steps", 0, "k"],
                "before": 3,
                "after": 1,
            }
        ]
        assert house.office.engine.plan.version == base

        body = {"tree": tree, "base": base, "comment": "one at a time"}
        applied = (await client.put("/plan", json=body)).json()
        assert applied["version"] == checked["version"]
        assert house.office.engine.plan.queues[0].steps[0].k == 1
        versions = (await client.get("/plan/versions")).json()
        assert [(row["version"], row["by"], row["comment"]) for row in versions["items"]] == [
            (applied["version"], "the adminer", "one at a time"),
            (base, "", ""),
        ]
        changes = (
            await client.get(f"/plan/versions/{applied['version']}/changes", params={"since": base})
        ).json()
        assert changes == checked["changes"]

    as_admin(house, scenario)


def test_versions_come_in_pages(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        _, tree = await the_tree(client)
        for k in (1, 2):
            tree["queues"]["sales"]["steps"][0]["k"] = k
            await client.put("/plan", json={"tree": tree})
        first = (await client.get("/plan/versions", params={"limit": 2})).json()
        rest = (
            await client.get("/plan/versions", params={"limit": 2, "cursor": first["next"]})
        ).json()
        assert len(first["items"]) == 2
        assert [row["version"] for row in rest["items"]] == [house.plan.version]
        assert rest["next"] is None

    as_admin(house, scenario)


def test_an_old_version_is_put_in_force_again_from_its_text(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        base, tree = await the_tree(client)
        tree["queues"]["sales"]["wrap_up"] = "1m"
        changed = (await client.put("/plan", json={"tree": tree})).json()["version"]
        old = (await client.get(f"/plan/versions/{base}")).json()
        reply = await client.put("/plan", json={"text": old["text"], "base": changed})
        assert reply.json()["version"] == base
        assert dump(house.office.engine.plan) == old["text"]

    as_admin(house, scenario)


def test_a_stale_base_is_told_with_what_changed_meanwhile(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        base, tree = await the_tree(client)
        tree["agents"]["eva"] = {"name": "Eva"}
        now = (await client.put("/plan", json={"tree": tree, "base": base})).json()["version"]
        del tree["agents"]["eva"]
        tree["language"] = "en"
        reply = await client.put("/plan", json={"tree": tree, "base": base})
        assert reply.status_code == 409
        error = reply.json()["error"]
        assert (error["code"], error["version"]) == ("stale_base", now)
        assert [(row["kind"], row["noun"], row["id"]) for row in error["changes"]] == [
            ("added", "agents", "eva")
        ]
        assert house.office.engine.plan.version == now

    as_admin(house, scenario)


def test_a_base_that_never_was_is_stale_too(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        _, tree = await the_tree(client)
        reply = await client.put("/plan", json={"tree": tree, "base": "0123"})
        assert reply.status_code == 409
        assert reply.json()["error"]["changes"] == []

    as_admin(house, scenario)


def test_each_flaw_is_told_with_its_place_in_the_tree(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        base, tree = await the_tree(client)
        tree["queues"]["sales"]["steps"][0]["k"] = 0
        tree["queues"]["sales"]["hours"] = "office"
        tree["hours"] = {"shop": {"mon-fri": "9-18"}}
        tree["holidays"] = {"2026-13-01..2026-13-02": "closed"}
        body = {"tree": tree, "language": "ru"}
        checked = (await client.post("/plan/check", json=body)).json()
        assert checked["version"] is None
        told = {tuple(flaw["place"]): flaw["code"] for flaw in checked["flaws"]}
        assert told == {
            ("queues", "sales", "steps", 0, "k"): "too_small",
            ("queues", "sales", "hours"): "unknown",
            ("hours", "shop", "mon-fri"): "bad_time",
            ("holidays", "2026-13-01..2026-13-02"): "bad_date",
        }
        assert "не меньше 1" in {flaw["reason"] for flaw in checked["flaws"]}
        refused = await client.put("/plan", json={"tree": tree, "base": base})
        assert refused.status_code == 422
        assert len(refused.json()["error"]["flaws"]) == 4
        assert house.office.engine.plan.version == base

    as_admin(house, scenario)


def test_flaws_of_a_text_are_told_with_their_lines(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        checked = (await client.post("/plan/check", json={"text": "zone: UTC\nx: 1\n"})).json()
        assert (2, "unknown_key") in {(flaw["line"], flaw["code"]) for flaw in checked["flaws"]}

    as_admin(house, scenario)


def test_a_tree_whose_names_come_in_another_order_is_the_same_plan(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        base, tree = await the_tree(client)
        tree["agents"] = dict(reversed(tree["agents"].items()))
        checked = (await client.post("/plan/check", json={"tree": tree})).json()
        assert (checked["version"], checked["changes"]) == (base, [])

    as_admin(house, scenario)


NOT_PLANS: list[Any] = [
    {},
    {"tree": {}},
    {"tree": []},
    {"text": ""},
    {"tree": {"zone": "UTC"}, "text": "zone: UTC"},
    {"tree": {"zone": {"a": [[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]}}},
    {"tree": {"zone": "\ud800", "x\ud800": 1}},
    {"tree": {"zone": 1.5, "queues": float("1e300"), "": None, "tenant": True}},
    {"tree": {"agents": {"<b>": None, "a" * 5_000: 1}}},
]


@pytest.mark.parametrize("body", NOT_PLANS)
def test_what_is_no_plan_is_refused_with_reasons(house: House, body: Any) -> None:  # noqa: ANN401
    async def scenario(client: httpx.AsyncClient) -> None:
        sent = {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}
        checked = await client.post("/plan/check", **sent)  # type: ignore[arg-type]
        assert checked.status_code == 422 or checked.json()["flaws"], checked.text
        assert (await client.put("/plan", **sent)).status_code == 422  # type: ignore[arg-type]
        assert (await client.get("/plan")).json()["version"] == house.plan.version

    as_admin(house, scenario)


def test_a_version_that_never_was_is_not_found(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        version = house.plan.version
        for path in ("/plan/versions/nope", "/plan/versions/nope/changes?since=" + version):
            assert (await client.get(path)).status_code == 404, path
        missing = await client.get(f"/plan/versions/{version}/changes", params={"since": "nope"})
        assert missing.status_code == 404

    as_admin(house, scenario)


def test_the_schema_tells_defaults_and_limits(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        fields = (await client.get("/plan/schema")).json()["fields"]
        k = fields["$defs"]["StepFile"]["properties"]["k"]
        assert (k["default"], k["minimum"], k["maximum"]) == (3, 1, 50)

    as_admin(house, scenario)


def test_a_preview_says_when_a_missed_call_will_be_called_back(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        _, tree = await the_tree(client)
        tree["hours"] = {"office": {"mon-fri": "09:00-18:00"}}
        tree["queues"]["sales"]["hours"] = "office"
        tree["callback"] = [
            {"id": "landlines", "number_classes": ["landline"], "waive": True},
            {"id": "rest", "ladder": ["0s", "5m", "10m", "3h"], "give_up_after": "3d"},
        ]
        asked = {"tree": tree, "missed_at": SATURDAY_19_40, "queue": "sales"}
        reply = (await client.post("/plan/preview/callback", json=asked)).json()
        assert (reply["rule"], reply["waiver"]) == ("rest", None)
        assert reply["tries_at"] == [
            MONDAY_9 + length for length in (0, 5 * MINUTE, 10 * MINUTE, 3 * HOUR)
        ]
        assert reply["give_up_at"] == SATURDAY_19_40 + 3 * DAY
        for own, waiver in (
            ({"number_class": "landline"}, "rule"),
            ({"number_class": "withheld"}, "no_number"),
            ({"waited_ms": 1_000}, "short"),
        ):
            waived = (await client.post("/plan/preview/callback", json=asked | own)).json()
            assert (waived["waiver"], waived["tries_at"]) == (waiver, [])

    as_admin(house, scenario)


def test_a_preview_of_a_month_knows_holidays(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        _, tree = await the_tree(client)
        tree["hours"] = {"office": {"mon-fri": "09:00-12:00, 13:00-18:00"}}
        tree["holidays"] = {"2026-09-22": "closed", "2026-09-26": "10:00-12:00"}
        asked = {"tree": tree, "hours": "office", "month": "2026-09"}
        days = (await client.post("/plan/preview/hours", json=asked)).json()["days"]
        by_date = {day["date"]: (day["open"], day["is_holiday"]) for day in days}
        assert len(by_date) == 30
        assert by_date["2026-09-21"] == (["09:00-12:00", "13:00-18:00"], False)
        assert by_date["2026-09-22"] == ([], True)
        assert by_date["2026-09-26"] == (["10:00-12:00"], True)
        assert by_date["2026-09-27"] == ([], False)

    as_admin(house, scenario)


def test_a_preview_of_what_is_not_there_or_of_no_plan_is_refused(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        for path, body in (
            ("callback", {"missed_at": 1, "queue": "nope"}),
            ("callback", {"missed_at": -1, "queue": "sales"}),
            ("callback", {"missed_at": 1, "queue": "sales", "tree": {"zone": "Mars"}}),
            ("hours", {"hours": "nope", "month": "2026-09"}),
            ("hours", {"hours": "nope", "month": "2026-13"}),
        ):
            reply = await client.post(f"/plan/preview/{path}", json=body)
            assert reply.status_code == 422, (path, body)

    as_admin(house, scenario)


def test_a_question_leaves_no_row_in_the_audit_log_and_a_change_does(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        _, tree = await the_tree(client)
        await client.post("/plan/check", json={"tree": tree})
        asked = {"hours": "nope", "month": "2026-09"}
        await client.post("/plan/preview/hours", json=asked)
        assert (await client.get("/audit")).json()["items"] == []
        tree["language"] = "en"
        await client.put("/plan", json={"tree": tree})
        await client.post(f"/phones/{ANA}/settings")
        rows = (await client.get("/audit")).json()["items"]
        assert [row["action"] for row in rows] == ["POST /phones/{agent}/settings", "PUT /plan"]
        assert "the secret of Ana" not in str(rows)

    as_admin(house, scenario)


def test_what_is_typed_into_a_telephone_is_shown_for_one_at_a_time(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        shown = (await client.post(f"/phones/{ANA}/settings")).json()
        assert (shown["server"], shown["port"], shown["username"]) == ("192.0.2.5", 5060, ANA)
        assert "Password: the secret of Ana" in shown["text"].splitlines()
        assert shown["svg"].startswith("<svg")
        assert (await client.post("/phones/nobody/settings")).status_code == 404
        assert (await client.post(f"/phones/{BOB}/settings")).status_code == 503

    as_admin(house, scenario)


def test_a_telephone_that_is_no_sip_phone_has_no_settings(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        _, tree = await the_tree(client)
        tree["agents"][ANA]["device"] = "webrtc"
        await client.put("/plan", json={"tree": tree})
        reply = await client.post(f"/phones/{ANA}/settings")
        assert (reply.status_code, reply.json()["error"]["code"]) == (422, "no_sip_phone")
        tree["agents"][ANA]["devices"] = ["sip"]
        await client.put("/plan", json={"tree": tree, "force": True})
        shown = (await client.post(f"/phones/{ANA}/settings")).json()
        assert shown["username"] == f"{ANA}~sip"

    as_admin(house, scenario)
