"""From a plan to configuration files: nothing of the plan breaks out of them."""

import asyncio
import configparser
import re
from pathlib import Path
from typing import Any

import pytest

from perezvon.asterisk import conf, watchdog
from perezvon.asterisk.install import Pbx
from perezvon.asterisk.process import directories
from perezvon.asterisk.provision import Site, files
from perezvon.asterisk.sounds import FALLBACK_GOODBYE, SOUNDS, media
from perezvon.core.commands import Prompt, PromptKind
from perezvon.core.ids import AgentId, TenantId, TrunkId
from perezvon.core.plan import Agent, DeviceKind, Plan, PlanError, Trunk
from tests.support.asterisk import PASSWORD, asterisk_running, pbx, secrets_of
from tests.support.plans import plan_of

PBX = Pbx(("asterisk",), {}, Path("/opt/modules"), Path("/opt/data"), "22.10.1", None)

HOSTILE = (
    'Анна "Королева" <1>; [global]',
    "x\nexten => _.,1,System(id)",
    "#exec /bin/sh",
    "${SHELL(id)} $[1+1] ,()",
    "]\r\n[general](!)\x00\x1b[2J",
    ";--",
    "",
    "я" * 10_000,
)


def site(root: Path = Path("/run/p"), **changes: Any) -> Site:  # noqa: ANN401 - fields of Site
    values: dict[str, Any] = {
        "pbx": PBX, "places": directories(root), "sip_port": 5060, "http_port": 8088,
        "ari_password": "ari-secret",
    }  # fmt: skip
    return Site(**values | changes)


def written(plan: Plan, **changes: Any) -> dict[str, str]:  # noqa: ANN401 - fields of Site
    return files(plan, site(**changes), secrets_of(plan))


def sections(text: str) -> list[str]:
    return re.findall(r"^\[([^\]]*)\]", text, flags=re.MULTILINE)


def trunk(**changes: Any) -> Trunk:  # noqa: ANN401 - fields of Trunk
    return Trunk(**{"id": TrunkId("carrier"), "host": "sip.example", **changes})


def test_the_tenants_name_is_in_every_name_that_tenants_share() -> None:
    made = written(plan_of(callers_port=5070, tenant=TenantId("acme")))
    text = made["extensions.conf"]
    assert {"inbound-acme", "guard-acme", "localq-acme", "phones-acme"} <= set(sections(text))
    assert "GLOBAL(CC_HB_acme)" in text
    assert "Stasis(perezvon-acme,in,${CC_ID},${CC_IN})" in text
    assert "fallback-acme" in sections(made["queues.conf"])
    assert "context = inbound-acme" in made["pjsip.conf"]
    assert "context = phones-acme" in made["pjsip.conf"]


def test_the_guard_is_armed_with_the_sites_limits() -> None:
    text = written(plan_of(callers_port=5070), heartbeat_age_s=7, dead_man_s=33)["extensions.conf"]
    assert "$[${AGE} > 7 | ${AGE} < -7]" in text
    armed = text.index("Set(TIMEOUT(absolute)=33)")
    assert armed < text.index("Stasis("), "the dead-man comes before the application"


def test_a_reload_of_the_dialplan_cannot_reset_the_heartbeat() -> None:
    text = written(plan_of(callers_port=5070))["extensions.conf"]
    between = text.split("[globals]")[1].split("[inbound-t]")[0]
    assert not [line for line in between.splitlines() if line and not line.startswith(";")]
    assert "clearglobalvars" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_of_an_agent_adds_no_line_and_no_section(name: str) -> None:
    plain = written(plan_of((Agent(AgentId("anna"), "Anna"),), callers_port=5070))
    hostile = written(plan_of((Agent(AgentId("anna"), name),), callers_port=5070))
    for file, text in hostile.items():
        assert len(text.splitlines()) == len(plain[file].splitlines()), file
        assert sections(text) == sections(plain[file])
        assert text.isprintable() or set(text) - {"\n"} <= set(filter(str.isprintable, text))
    shown = conf.shown(name)
    assert not set(shown) & set(';"<>[]${}\\\n\r')
    assert len(shown) <= 60


@pytest.mark.parametrize(
    "bad", ["a b", "a;b", "a]", "a\nb", "../x", "", "-x", "a/b", "a,b", "анна", "x" * 65, "a&b@c"]
)
def test_an_id_that_asterisk_would_misread_is_refused(bad: str) -> None:
    with pytest.raises(PlanError, match="agents"):
        written(plan_of((Agent(AgentId(bad), "Anna"),), callers_port=5070))
    with pytest.raises(PlanError, match="trunks"):
        written(plan_of(callers_port=5070, dids=(), trunks=(trunk(id=TrunkId(bad)),)))
    with pytest.raises(PlanError, match="tenant"):
        written(plan_of(callers_port=5070, tenant=TenantId(bad)))


@pytest.mark.parametrize("taken", ["anonymous", "trunk-carrier", "Anonymous"])
def test_an_agent_cannot_take_a_name_with_a_meaning(taken: str) -> None:
    with pytest.raises(PlanError, match="meaning"):
        written(plan_of((Agent(AgentId(taken), "Anna"),), callers_port=5070))


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "sip.example\ntype=x"},
        {"host": "a;b"},
        {"match": ("1.2.3.4", "x y")},
        {"username": "me;x", "secret": "carrier"},
        {"register": True},
        {"register": True, "username": "me"},
    ],
)
def test_a_trunk_that_cannot_be_written_safely_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match=r"trunks\.carrier"):
        written(plan_of(callers_port=5070, dids=(), trunks=(trunk(**changes),)))


def test_a_secret_is_written_as_it_is_and_never_told() -> None:
    plan = plan_of((Agent(AgentId("anna"), "Anna", secret="phone.anna"),), callers_port=5070)
    made = files(plan, site(), {"phone.anna": ">a;b\\;c=d#e"})
    assert "password = >a\\;b\\\\;c=d#e\n" in made["pjsip.conf"]
    for bad in ("", " padded", "two\nlines", "tabbed\t", "ключ"):
        with pytest.raises(PlanError) as caught:
            files(plan, site(), {"phone.anna": bad})
        assert not bad or bad not in str(caught.value)
    with pytest.raises(PlanError, match=r"no secret named 'phone\.anna'"):
        files(plan, site(), {})
    assert "ari-secret" not in repr(site())


def test_nobody_gets_in_by_a_name_alone_and_no_trunk_may_transfer() -> None:
    made = written(plan_of(callers_port=5070))
    trunks = made["pjsip.conf"].split("[trunk-carrier]")[1]
    assert "identify_by = ip" in trunks
    assert "allow_transfer = yes" not in made["pjsip.conf"]
    assert "anonymous" not in made["pjsip.conf"] + made["modules.conf"]
    assert "taskprocessor_overload_trigger = pjsip_only" in made["pjsip.conf"]
    assert "websocket_write_timeout" not in made["ari.conf"]


def test_a_carrier_on_this_machine_is_known_by_its_port() -> None:
    here = written(plan_of(callers_port=1, dids=(), trunks=(trunk(host="127.0.0.1", port=5071),)))
    assert "match = 127.0.0.1:5071\n" in here["pjsip.conf"]
    away = written(plan_of(callers_port=1, dids=(), trunks=(trunk(),)))
    assert "match = sip.example\n" in away["pjsip.conf"]
    known = written(plan_of(callers_port=1, dids=(), trunks=(trunk(match=("10.0.0.0/8", "a.b")),)))
    assert "match = 10.0.0.0/8,a.b\n" in known["pjsip.conf"]


def test_a_trunk_that_registers_says_who_it_is() -> None:
    one = trunk(register=True, username="me", secret="carrier")
    plan = plan_of(callers_port=1, dids=(), trunks=(one,))
    made = files(plan, site(), secrets_of(plan))
    text = made["pjsip.conf"]
    assert "type = registration" in text
    assert "server_uri = sip:sip.example:5060" in text
    assert "client_uri = sip:me@sip.example:5060" in text


def test_a_browser_speaks_through_the_web_socket_and_a_mobile_has_no_telephone_of_ours() -> None:
    mobile = Agent(
        AgentId("mob-1"), "M", DeviceKind.MOBILE, number="+79161112233", trunk=TrunkId("carrier")
    )
    web = Agent(AgentId("web"), "W", DeviceKind.WEBRTC)
    made = written(plan_of(("anna", web, mobile), callers_port=5070))
    browser = made["pjsip.conf"].split("[web]")[1]
    assert "webrtc = yes" in browser
    assert "icesupport = yes" in made["rtp.conf"]
    assert "transport = transport-ws" in browser
    assert "mob-1" not in made["pjsip.conf"]
    assert "member = PJSIP/anna,0,anna,PJSIP/anna\n" in made["queues.conf"]
    assert "member = Local/2@mobiles-t/n,0,mob-1,\n" in made["queues.conf"]
    assert "Dial(PJSIP/+79161112233@trunk-carrier," in made["extensions.conf"]


def test_each_device_of_an_agent_is_an_endpoint_and_rung_in_the_fallback() -> None:
    anna = Agent(
        AgentId("anna"), "A", DeviceKind.SIP, "+79161112233", TrunkId("carrier"),
        others=(DeviceKind.WEBRTC, DeviceKind.MOBILE),
    )  # fmt: skip
    made = written(plan_of((anna, "boris"), callers_port=5070))
    desk, browser = made["pjsip.conf"].split("[anna]")[1], made["pjsip.conf"].split("[anna~webrtc]")
    assert "webrtc = yes" in browser[1]
    assert "transport = transport-udp" in desk
    assert len(browser) == 3, "endpoint and address of record; its password is given for a while"
    assert "~mobile" not in made["pjsip.conf"]
    # He may choose it at any time.
    assert "icesupport = yes" in made["rtp.conf"]
    assert "member = PJSIP/anna,0,anna,PJSIP/anna\n" in made["queues.conf"]
    assert "member = PJSIP/anna~webrtc,0,anna,PJSIP/anna~webrtc\n" in made["queues.conf"]
    assert "member = Local/0@mobiles-t/n,0,anna,\n" in made["queues.conf"]


def test_the_sound_of_browsers_comes_in_where_the_site_says() -> None:
    made = written(plan_of(callers_port=5070), media_host="192.0.2.7")
    assert "protocol = ws\nbind = 192.0.2.7\n" in made["pjsip.conf"]


def test_browsers_outside_are_told_another_address_than_those_inside() -> None:
    anna = Agent(AgentId("anna"), "A", DeviceKind.WEBRTC)
    inside = ("192.168.1.5", "10.0.0.5", "203.0.113.5")
    made = written(
        plan_of((anna,), callers_port=5070), outside_address="203.0.113.5", own_addresses=inside
    )
    assert made["rtp.conf"].split("[ice_host_candidates]\n")[1].split("\n")[:2] == [
        "192.168.1.5 = 203.0.113.5,include_local_address",
        "10.0.0.5 = 203.0.113.5,include_local_address",
    ]
    assert "ice_host" not in written(plan_of((anna,), callers_port=5070))["rtp.conf"]


def test_without_a_browser_no_candidates_are_sought() -> None:
    assert "icesupport = no" in written(plan_of(("anna",), callers_port=5070))["rtp.conf"]


def test_paths_of_the_site_are_the_only_ones_used() -> None:
    text = written(plan_of(callers_port=1))["asterisk.conf"]
    parsed = configparser.ConfigParser()
    parsed.read_string(text)
    for value in parsed["directories"].values():
        assert value.startswith(("/run/p", "/opt"))


def test_a_briefing_says_when_the_call_was_missed_and_how_long_he_waited() -> None:
    said = media(Prompt(PromptKind.BRIEFING, clock="12:03", waited_ms=40_999))
    assert said == (
        "sound:info-about-last-call", "sound:digits/at", "number:12", "digits:03",
        "sound:queue-reporthold", "number:40", "sound:queue-seconds",
    )  # fmt: skip
    assert media(Prompt(PromptKind.BRIEFING, clock="", waited_ms=0)) == said[:1]
    assert media(Prompt(PromptKind.BRIEFING, clock="9:45"))[1:] == (
        "sound:digits/at", "number:9", "number:45",
    )  # fmt: skip
    assert media(Prompt(PromptKind.GREETING, sound="ours")) == ("sound:ours",)


@pytest.mark.asterisk
def test_every_prompt_has_its_recordings_in_both_languages() -> None:
    sounds = pbx().data / "sounds"
    briefing = [
        media(Prompt(PromptKind.BRIEFING, clock="12:03", waited_ms=ms)) for ms in (9**5, 9**7)
    ]
    for said in (*SOUNDS.values(), *briefing):
        for one in said:
            if one.startswith("sound:"):
                for language in ("ru", "en"):
                    name = one.removeprefix("sound:")
                    assert (sounds / language / f"{name}.wav").is_file(), (language, name)
    for name in FALLBACK_GOODBYE.split("&"):
        assert (sounds / "ru" / f"{name}.wav").is_file()


@pytest.mark.asterisk
def test_an_asterisk_boots_without_an_error_whatever_the_names_are(tmp_path: Path) -> None:
    agents = tuple(
        Agent(AgentId(f"a{place}"), name, DeviceKind.WEBRTC if place % 2 else DeviceKind.SIP)
        for place, name in enumerate(HOSTILE)
    )
    mobile = Agent(
        AgentId("mobile"), "M", DeviceKind.MOBILE, number="+79161112233", trunk=TrunkId("carrier")
    )
    plan = plan_of((*agents, mobile), callers_port=5070)
    secrets = dict.fromkeys([str(agent.id) for agent in plan.agents], f">{PASSWORD};\\;#x")

    async def play() -> None:
        async with asterisk_running(plan, tmp_path, secrets=secrets) as running:
            endpoints = await running.process.cli("pjsip show endpoints")
            found = re.findall(r"Endpoint:  ([a-z0-9-]+)", endpoints)
            assert sorted(found) == sorted(
                [a.id for a in agents] + ["trunk-carrier", watchdog.ENDPOINT]
            )
            auth = await running.process.cli("pjsip show auth a0")
            assert f">{PASSWORD};\\;#x" in auth
            members = await running.process.cli("queue show fallback-t")
            assert members.count("ringinuse disabled") == len(plan.agents)
            assert "2 priorities" in await running.process.cli("dialplan show mobiles-t")
            log = (running.process.places.log / "messages").read_text()
            assert "ERROR" not in log, log
            # One kind alone: the pattern that takes every number is meant.
            warnings = [line for line in log.splitlines() if "WARNING" in line]
            assert all("for an extension is strongly discouraged" in one for one in warnings)

    asyncio.run(play())
