"""The plan file: what it gives, what it refuses and where, and that an export reads back."""

import contextlib
import json
import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perezvon.core.ids import DAY, HOUR, MINUTE, SECOND
from perezvon.core.plan import (
    CallbackRule,
    DeviceKind,
    Holiday,
    Interval,
    Member,
    Plan,
    Ranking,
    Thresholds,
)
from perezvon.store.plan_file import PlanFileError, dump, json_schema, load, parse
from perezvon.store.plan_reasons import TEXTS
from perezvon.store.plan_yaml import read
from perezvon.store.plans import version_of
from tests.store.plans_drawn import plans

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "plans").glob("*.yaml"))
GUIDES = sorted((ROOT / "docs").glob("plan*.md"))

SMALL = """\
zone: Europe/Moscow
agents:
  anna: Анна
  boris:
groups:
  shop: [anna, boris]
queues:
  shop:
    steps: {groups: shop}
numbers:
  74951234567: shop
"""


def refused(text: str) -> PlanFileError:
    with pytest.raises(PlanFileError) as caught:
        parse(text, "p.yaml")
    return caught.value


def only_reason(text: str) -> str:
    """Of a file with one thing wrong."""
    error = refused(text)
    assert len(error.problems) == 1, str(error)
    return str(error)


def with_more(more: str) -> str:
    return SMALL + more


class TestReading:
    def test_the_smallest_useful_file_takes_all_else_from_the_defaults(self) -> None:
        plan = parse(SMALL)
        assert [(agent.id, agent.name) for agent in plan.agents] == [
            ("anna", "Анна"),
            ("boris", "boris"),
        ]
        (queue,) = plan.queues
        assert queue.steps[0].groups == ("shop",)
        assert (queue.steps[0].k, queue.steps[0].ring_ms) == (3, 10 * SECOND)
        assert (queue.wait_ms_max, queue.pause_after_misses) == (10 * MINUTE, 2)
        assert plan.dids[0].number == "74951234567"
        assert plan.callback_rules == (CallbackRule(plan.callback_rules[0].id),)
        assert plan.thresholds == Thresholds()
        assert (plan.tenant, plan.language, plan.country) == ("main", "ru", "RU")
        assert plan.version == version_of(plan)

    def test_the_example_of_a_shop_is_read_in_full(self) -> None:
        plan = load(ROOT / "examples/plans/shop.yaml")
        office = plan.hours[0].week
        assert office[4] == (Interval(9 * 60, 21 * 60),)
        assert office[6] == (Interval(10 * 60, 18 * 60),)
        assert plan.holidays[0] == Holiday("2026-01-01")
        assert plan.holidays[7] == Holiday("2026-01-08", open=(Interval(12 * 60, 18 * 60),))
        gleb = next(agent for agent in plan.agents if agent.id == "gleb")
        assert (gleb.device, gleb.number, gleb.trunk) == (
            DeviceKind.MOBILE,
            "+79161234567",
            "carrier",
        )
        assert plan.groups[0].members[2] == Member(gleb.id, level=2)
        assert plan.queues[0].steps[0].ranking is Ranking.BY_LEVEL
        assert [rule.id for rule in plan.callback_rules] == ["service-lines", "sales", "rest"]
        assert plan.callback_rules[1].ladder.offsets_ms[-1] == 3 * HOUR
        assert plan.shifts[1].days == (0, 1, 2, 3, 4)
        assert plan.thresholds.short_ms == 3 * SECOND

    @pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
    def test_every_example_loads_and_fits_the_json_schema(self, path: Path) -> None:
        assert load(path).queues
        node, _ = read(path.read_bytes())
        assert fits(node.value(), json_schema())

    def test_the_json_schema_tells_a_wrong_file_from_a_right_one(self) -> None:
        for wrong in (
            {},
            {"zone": 5},
            {"zone": "UTC", "colour": "red"},
            {"zone": "UTC", "agents": 3},
        ):
            assert not fits(wrong, json_schema())

    @pytest.mark.parametrize("name", ["ring-1x20", "ring-3x10", "ring-all", "ring-3x10-callback"])
    def test_the_policies_of_the_model_are_as_it_sets_them(self, name: str) -> None:
        (queue,) = load(ROOT / f"examples/plans/{name}.yaml").queues
        assert queue.pause_after_misses is None
        assert queue.rounds_max is None
        assert queue.gap_ms == SECOND
        assert queue.wait_ms_max == 365 * DAY
        assert queue.wrap_up_ms == 30 * SECOND

    @pytest.mark.parametrize(
        ("written", "length"),
        [
            ("10s", 10 * SECOND),
            ("10", 10 * SECOND),
            ("5m", 5 * MINUTE),
            ("1h30m", 90 * MINUTE),
            ("1h 30m", 90 * MINUTE),
            ("1500ms", 1_500),
            ("1d", DAY),
            ("0", 0),
        ],
    )
    def test_a_length_of_time_is_written_as_people_do(self, written: str, length: int) -> None:
        assert parse(with_more(f"thresholds: {{short: {written}}}")).thresholds.short_ms == length

    def test_hours_may_be_lists_go_over_the_weekend_or_never_end(self) -> None:
        plan = parse(
            with_more(
                "hours:\n  a: {fri-mon: [13:00-18:00, 09:00-12:00], wed: closed}\n  b: 24/7\n"
                "  c: {mon: 9:00-24:00, holidays: false}\n"
            )
        )
        split = (Interval(540, 720), Interval(780, 1080))
        assert plan.hours[0].week == (split, (), (), (), split, split, split)
        assert plan.hours[1].week == ((Interval(0, 1440),),) * 7
        assert plan.hours[2].week[0] == (Interval(540, 1440),)
        assert [hours.holidays for hours in plan.hours] == [True, False, False]

    def test_holidays_may_be_a_list_of_dates(self) -> None:
        plan = parse(with_more("holidays: [2026-01-01, 2026-05-09]"))
        assert plan.holidays == (Holiday("2026-01-01"), Holiday("2026-05-09"))

    def test_an_empty_callback_section_does_not_switch_call_backs_off(self) -> None:
        assert parse(with_more("callback:")).callback_rules == parse(SMALL).callback_rules
        assert parse(with_more("callback: []")).callback_rules == ()

    def test_null_takes_a_limit_away(self) -> None:
        text = SMALL.replace(
            "steps:", "pause_after_misses: null\n    rounds_max: 3\n    wait_max: null\n    steps:"
        )
        (queue,) = parse(text).queues
        assert (queue.pause_after_misses, queue.wait_ms_max, queue.rounds_max) == (None, None, 3)

    @pytest.mark.parametrize("way", ["windows", "mark", "mac"])
    def test_line_ends_and_marks_of_other_systems_are_taken(self, way: str) -> None:
        text = {
            "windows": SMALL.replace("\n", "\r\n"),
            "mark": "\ufeff" + SMALL,
            "mac": SMALL.replace("\n", "\r"),
        }[way]
        assert parse(text) == parse(SMALL)

    def test_aliases_are_written_out(self) -> None:
        text = SMALL.replace("anna: Анна\n  boris:", "anna: &a {skills: [x]}\n  boris: *a")
        assert [agent.skills for agent in parse(text).agents] == [("x",), ("x",)]


def fits(value: object, schema: dict[str, Any], root: dict[str, Any] | None = None) -> bool:
    """As much of JSON Schema as ours makes use of."""
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return any(fits(value, one, root) for one in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if value is None:
        return "null" in wanted
    if not any(isinstance(value, kinds[kind]) for kind in wanted if kind in kinds):
        return False
    if isinstance(value, list):
        return all(fits(item, schema["items"], root) for item in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", False)
        named = schema.get("patternProperties", {})
        for key, entry in value.items():
            one = known.get(key) or next((s for p, s in named.items() if re.match(p, key)), others)
            if not one or not fits(entry, one, root):
                return False
        return set(schema.get("required", [])) <= set(value)
    return "pattern" not in schema or re.match(schema["pattern"], str(value)) is not None


class TestExport:
    @settings(max_examples=40, deadline=None)
    @given(plans())
    def test_an_export_reads_back_as_the_same_plan(self, plan: Plan) -> None:
        text = dump(plan)
        assert parse(text) == plan
        assert plan.version in text.splitlines()[0]

    @pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
    def test_the_examples_survive_an_export(self, path: Path) -> None:
        plan = load(path)
        assert parse(dump(plan)) == plan

    def test_an_export_says_only_what_differs_from_the_defaults(self) -> None:
        assert "callback" not in dump(parse(SMALL))
        assert "steps:\n    - groups: [shop]\n" in dump(parse(SMALL))


class TestRefusals:
    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ("zones: x", "12: zones: no such setting; did you mean 'zone'?"),
            ("country: XX", "12: country: 'XX' is not a country code"),
            ("tenant: my-shop", "12: tenant: 'my-shop' is no identifier"),
            ("language: de", "12: language: must be one of 'ru', 'en'"),
            ("default_queue: shopp", "'shopp' is not among the queues; did you mean 'shop'?"),
            ("thresholds: {short: -1}", "'-1' is no length of time"),
            ("thresholds: {short: 1.5s}", "'1.5s' is no length of time"),
            ("thresholds: {short: true}", "'True' is no length of time"),
            ("thresholds: {short: 99999d}", "is no length of time"),
            ("thresholds: {press_one: 0s}", "12: thresholds.press_one: must be 1s at least"),
            ("thresholds: {missed_share_percent: 101}", "must be 100 at most"),
            ("thresholds: {missed_share_percent: '80'}", "must be a whole number"),
            ("hours: {o: {mon: 25:00-26:00}}", "hours.o.mon: '25:00' is not a time of day"),
            ("hours: {o: {mon: 18:00-09:00}}", "'18:00-09:00' ends before it begins"),
            ("hours: {o: {mon: 24:00-24:00}}", "ends before it begins"),
            ("hours: {o: {mon: 9-18}}", "'9' is not a time of day"),
            ("hours: {o: {mon: yes}}", "'yes' is no opening time"),
            ("hours: {o: {mon: []}}", "'[]' is no opening time"),
            ("hours: {o: {mon: '9:00-12:00, 11:00-13:00'}}", "09:00-12:00 and 11:00-13:00 overlap"),
            ("hours: {o: {mon-fri: 9:00-12:00, fri: closed}}", "hours.o: fri is given twice"),
            ("hours: {o: {mom: 9:00-12:00}}", "hours.o.mom: 'mom' names no days"),
            ("hours: {o: {mon: closed}}", "hours.o: is never open"),
            ("hours: {o: 9:00-18:00}", "hours.o: must have settings of its own"),
            ("hours: {o: {mon: 9:00-18:00, holidays: no}}", "holidays: must be true or false"),
            ("holidays: [2026-02-30]", "'2026-02-30' is no date"),
            ("holidays: [01.05.2026]", "'01.05.2026' is no date"),
            ("holidays: [2026-01-08..2026-01-01]", "ends before it begins"),
            ("holidays: [2026-01-01..2028-01-01]", "may have 366 at most"),
            ("holidays: [2026-01-01, 2025-12-31..2026-01-02]", "2026-01-01 is given twice"),
            ("trunks: {t: {host: 'a b'}}", "'a b' is neither a host name nor an address"),
            ("trunks: {t: {host: 'a;b'}}", "neither a host name"),
            ("trunks: {t: {}}", "trunks.t.host: is missing"),
            ("trunks: {t: {host: h, port: 0}}", "trunks.t.port: must be 1 at least"),
            ("trunks: {t: {host: h, register: true}}", "a username is needed"),
            ("trunks: {t: {host: h, username: 'a]b'}}", "trunks.t.username: 'a]b' is no ident"),
            ("trunks: {t: {host: h, match: 10.0.0.0/33}}", "neither an IP address nor a network"),
            ("projects: {p: {name: ' \\\\'}}\nx: 1", "13: x: no such setting"),
            ('projects: {p: "a\\u202eb"}', "U+202E RIGHT-TO-LEFT OVERRIDE"),
            ('projects: {p: "a\\nb"}', "must be one line"),
            ("shifts: {s: {days: mon, hours: 22:00-06:00}}", "shifts.s.hours: '22:00-06:00' ends"),
            ("shifts: {s: {days: [], hours: 9:00-10:00}}", "shifts.s.days: '[]' names no days"),
            ("shifts: {s: {days: mon, hours: 9:00-10:00, members: [x]}}", "'x' is not among the"),
            ("callback: [{id: a, ladder: [5m, 1m]}]", "callback[0]: the offsets must increase"),
            ("callback: [{id: a, ladder: []}]", "callback[0].ladder: needs 1 at least"),
            ("callback: [{}]", "callback[0].id: is missing"),
            ("callback: [{id: a}, {id: a}]", "callback[1]: 'a' is there twice"),
            ("callback: [{id: a, number_classes: fax}]", "must be one of 'mobile', 'landline',"),
            ("callback: [{id: a, group: shopp}]", "'shopp' is not among the groups; did you mean"),
            ("callback: [{id: a, attempts_max: 0}]", "attempts_max: must be 1 at least"),
            ("callback: no", "callback[0]: must have settings of its own"),
        ],
    )
    def test_one_wrong_thing_is_told_with_its_line_path_and_reason(
        self, more: str, reason: str
    ) -> None:
        text = only_reason(with_more(more))
        assert reason in text
        assert re.match(r"p\.yaml:1[23]: [a-z_]+", text)

    @pytest.mark.parametrize(
        ("instead", "by", "reason"),
        [
            ("zone: Europe/Moscow", "", "2: zone: is missing"),
            ("Europe/Moscow", "Mars/Phobos", "1: zone: 'Mars/Phobos' is not a time zone"),
            ("Europe/Moscow", "Europe/Moskow", "did you mean 'Europe/Moscow'?"),
            ("shop: [anna, boris]", "shop: []", "6: groups.shop.members: needs 1 at least"),
            ("[anna, boris]", "[anna, bors]", "[1].agent: 'bors' is not among the agents; did"),
            ("[anna, boris]", "[anna, anna]", "groups.shop.members[1]: 'anna' is there twice"),
            ("[anna, boris]", "{members: anna, leader: x}", "groups.shop.leader: 'x' is not"),
            ("{groups: shop}", "{}", "9: queues.shop.steps[0]: names no group and no agent"),
            ("{groups: shop}", "[]", "9: queues.shop.steps: needs 1 at least"),
            ("{groups: shop}", "{groups: shp}", "9: queues.shop.steps[0].groups[0]: 'shp' is not"),
            ("{groups: shop}", "{groups: shop, k: 51}", "steps[0].k: must be 50 at most"),
            ("{groups: shop}", "{groups: shop, ring: 0.5}", "'0.5' is no length of time"),
            ("{groups: shop}", "{groups: shop, rings: 5}", "rings: no such setting; did you mean"),
            ("{groups: shop}", "{groups: shop, mode: ad}", "must be one of 'replace', 'add'"),
            ("steps:", "hours: x\n    steps:", "9: queues.shop.hours: 'x' is not among the hours"),
            ("steps:", "wait_max: null\n    steps:", "9: queues.shop.wait_max: either wait_max"),
            ("steps:", "greeting: ../x\n    steps:", "'../x' names no sound"),
            ("steps:", "music: 'a b'\n    steps:", "'a b' names no sound"),
            ("74951234567: shop", "+7 495: shop", "11: numbers.+7 495: '+7 495' is no number"),
            ("74951234567: shop", "1: shops", "11: numbers.1.queue: 'shops' is not among the"),
            ("74951234567: shop", "1:", "11: numbers.1.queue: is missing"),
            ("boris:", "boris: {device: mobile, number: '8916'}", "agents.boris.number: '8916'"),
            ("boris:", "boris: {number: '+79161234567'}", "only a mobile has a number"),
            ("boris:", "boris: {device: fax}", "4: agents.boris.device: must be one of 'sip'"),
            ("boris:", "boris: [x]", "4: agents.boris: must have settings of its own"),
            ("boris:", "boris: {secret: 'p w'}", "4: agents.boris.secret: 'p w' is no identifier"),
            ("boris:", "boris:\n  boris:", "5: boris: 'boris' is there twice, first in line 4"),
            ("boris:", "boris:\n  Vera:", "5: agents.Vera: 'Vera' is no identifier: a-z, 0-9"),
            ("boris:", "boris:\n  -x:", "5: agents.-x: '-x' is no identifier"),
            ("boris:", f"boris:\n  {'x' * 33}:", "is no identifier"),
            ("boris:", "boris:\n  аnna:", "it has U+0430 CYRILLIC SMALL LETTER A"),
            ("boris:", "boris:\n\u00a0 vera:", "U+00A0 NO-BREAK SPACE"),
        ],
    )
    def test_a_wrong_part_is_told_where_it_stands(self, instead: str, by: str, reason: str) -> None:
        assert instead in SMALL
        assert reason in only_reason(SMALL.replace(instead, by, 1))

    def test_a_mobile_needs_a_number_and_a_trunk_that_is_plain_to_see(self) -> None:
        mobile = SMALL.replace("boris:", "boris: {device: mobile, number: '+79161234567'}")
        one, two = "trunks: {a: {host: h}}\n", "trunks: {a: {host: h}, b: {host: h}}\n"
        assert "a mobile needs a trunk, and the plan has 0" in only_reason(mobile)
        assert parse(mobile + one).agents[1].trunk == "a"
        assert "the plan has 2 to choose from" in only_reason(mobile + two)
        nameless = SMALL.replace("boris:", "boris: {device: mobile}")
        assert "a mobile needs a number" in only_reason(nameless + one)

    def test_a_plan_without_a_queue_is_refused(self) -> None:
        assert only_reason("zone: UTC") == "p.yaml:1: queues: a plan needs one queue at least"

    def test_all_that_is_wrong_is_told_at_once_in_the_order_of_lines(self) -> None:
        error = refused(
            SMALL.replace("Europe/Moscow", "Moon")
            .replace("[anna, boris]", "[ana, boris, {agent: anna, levl: 2}]")
            .replace("{groups: shop}", "[{groups: shop, k: 0}, {groups: nobody}]")
            + "colour: red\n"
        )
        assert [(problem.line, problem.path) for problem in error.problems] == [
            (1, "zone"),
            (6, "groups.shop.members[2].levl"),
            (6, "groups.shop.members[0].agent"),
            (9, "queues.shop.steps[0].k"),
            (9, "queues.shop.steps[1].groups[0]"),
            (12, "colour"),
        ]

    def test_what_only_misses_a_wrong_part_is_no_news(self) -> None:
        text = SMALL.replace("boris:", "boris: {device: mobile, number: x, trunk: t}")
        assert "agents.boris.number: 'x'" in only_reason(text + "trunks: {t: {host: h}}\n")

    def test_more_than_fifty_problems_are_counted_only(self) -> None:
        error = refused(SMALL + "".join(f"x{number}: 1\n" for number in range(120)))
        assert len(error.problems) == 50
        assert str(error).endswith("… and 70 more")

    def test_the_reasons_can_be_read_in_russian(self) -> None:
        text = refused(with_more("zones: x\nlanguage: de")).text("ru")
        assert "p.yaml:12: zones: такой настройки нет; может быть, 'zone'?" in text
        assert "p.yaml:13: language: нужно одно из: 'ru', 'en'" in text

    @pytest.mark.parametrize("code", sorted(TEXTS))
    def test_both_languages_mention_the_same(self, code: str) -> None:
        english, russian = (
            {part for _, part, _, _ in Formatter().parse(text) if part} for text in TEXTS[code]
        )
        assert english == russian

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(PlanFileError, match=r"missing\.yaml:1: cannot be read: No such"):
            load(tmp_path / "missing.yaml")
        with pytest.raises(PlanFileError, match="Is a directory"):
            load(tmp_path)
        (tmp_path / "latin.yaml").write_bytes(b"zone: UTC\nagents:\n  anna: \xc0\xed\xed\xe0\n")
        with pytest.raises(PlanFileError, match=r"latin\.yaml:3: is not UTF-8 text"):
            load(tmp_path / "latin.yaml")


class TestHostileText:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "1: the file is empty"),
            ("# only a comment\n", "1: the file is empty"),
            ("~", "1: the file is empty"),
            ("hello", "1: must have settings of its own"),
            ("- a", "1: must have settings of its own"),
            ("zone: UTC\n\tagents: {}", "2: a tab; indent with spaces"),
            ("zone: UTC\nagents: [", "not YAML: "),
            ("zone: UTC\n---\nzone: UTC", "2: a second document begins here"),
            ("zone: !!python/object/apply:os.system [ls]", "1: tags such as tag:yaml.org"),
            ("zone: !!str 5", "1: tags such as"),
            ("? [a]\n: b", "a key must be plain text"),
            ("zone: *x", "1: *x names nothing above"),
            ("agents: &a [*a]", "1: *a contains itself"),
            ("agents: &a {b: {c: *a}}", "1: *a contains itself"),
            ("zone: \x00", "1: U+0000 is no character of a text file"),
            ("a: 1\nzone: \x1b[31m", "2: U+001B is no character"),
            ("zone: \ud800", "1: is not UTF-8 text"),
            ("[" * 1_000_000, "1: nested deeper than 24"),
            ("- " * 400_000, "1: nested deeper than 24"),
            ("#" * 1_048_577, "1: has more than 1048576 bytes"),
            ("a: &a x\nb: [" + "*a, " * 101 + "]", "2: more than 100 aliases"),
        ],
    )
    def test_it_is_refused_with_one_line(self, text: str, reason: str) -> None:
        assert reason in only_reason(text)

    def test_a_bomb_of_aliases_does_not_go_off(self) -> None:
        text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 11)
        )
        assert "more than 200000 values" in only_reason(text)

    def test_thousands_of_wrong_names_are_told_soon(self) -> None:
        agents = "".join(f"  a{number}:\n" for number in range(4_000))
        members = "".join(f"    - b{number}\n" for number in range(4_000))
        error = refused(f"zone: UTC\nagents:\n{agents}groups:\n  g:\n{members}")
        assert error.count == 4_001

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_no_mutilated_file_does_worse_than_a_refusal(self, data: st.DataObject) -> None:
        text = data.draw(st.sampled_from([SMALL, *(path.read_text() for path in EXAMPLES[-2:])]))
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(text)))
            end = data.draw(st.integers(start, min(len(text), start + 30)))
            scrap = data.draw(
                st.text(max_size=5) | st.sampled_from([" [", ": {", "*a", "&a ", "null", "- "])
            )
            text = text[:start] + scrap + text[end:]
        plan = None
        with contextlib.suppress(PlanFileError):
            plan = parse(text)
        assert plan is None or parse(dump(plan)) == plan


def blocks_of(guide: Path) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)


class TestGuides:
    def test_the_guide_is_there_in_both_languages(self) -> None:
        assert [guide.name for guide in GUIDES] == ["plan.md", "plan.ru.md"]

    @pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
    def test_every_example_of_the_guide_is_a_plan_or_part_of_one(self, guide: Path) -> None:
        blocks = blocks_of(guide)
        assert len(blocks) > 5
        whole = next(block for block in blocks if "zone:" in block)
        for block in blocks:
            parse(block if "zone:" in block else merged(whole, block), guide.name)

    @pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
    def test_the_guide_names_every_setting(self, guide: Path) -> None:
        text = guide.read_text(encoding="utf-8")
        schema = json_schema()
        nouns = [noun for name, noun in schema["$defs"].items() if name.endswith("File")]
        keys = {key for noun in [schema, *nouns] for key in noun.get("properties", {})}
        assert {key for key in keys if f"`{key}`" not in text and f"{key}:" not in text} == set()

    def test_the_schema_is_plain_json(self) -> None:
        assert json.loads(json.dumps(json_schema())) == json_schema()


def merged(whole: str, part: str) -> str:
    """The whole example, its sections replaced by those of the part."""
    sections = set(re.findall(r"^(\w+):", part, re.MULTILINE))
    kept = [
        section
        for section in re.split(r"^(?=\w)", whole, flags=re.MULTILINE)
        if section.partition(":")[0] not in sections
    ]
    return "".join(kept) + part
