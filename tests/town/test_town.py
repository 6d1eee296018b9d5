"""The town on a real Asterisk, against a small hand-written switch in the place of the main one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from perezvon.asterisk.ari import Address
from perezvon.asterisk.process import AsteriskProcess, directories
from perezvon.core.events import ChosenStatus
from perezvon.core.ids import AgentId
from perezvon.core.plan import Agent
from perezvon.sim import scenario
from perezvon.town import pbx as town_pbx
from perezvon.town.driver import Person, Role, Town
from tests.support.asterisk import pbx as find_pbx
from tests.support.ports import free_port, free_udp_block, free_udp_port

pytestmark = pytest.mark.asterisk

DEADLINE_S = 30
ANNA, VERA = AgentId("anna"), AgentId("vera")

PJSIP = """
[global]
type=global
[t]
type=transport
protocol=udp
bind=127.0.0.1:{sip}
[carrier]
type=endpoint
context=inbound
disallow=all
allow=alaw
aors=carrier
[carrier]
type=aor
contact=sip:127.0.0.2:{town}
[carrier]
type=identify
endpoint=carrier
match=127.0.0.2
"""
PHONE = """
[{name}]
type=endpoint
context=none
disallow=all
allow=alaw
auth={name}
aors={name}
[{name}]
type=auth
auth_type=userpass
username={name}
password=a-long-secret-of-{name}
[{name}]
type=aor
max_contacts=1
"""
EXTENSIONS = """
[inbound]
exten => _X.,1,Answer()
 same => n,Dial(PJSIP/anna&PJSIP/vera,20)
[callback]
exten => _X.,1,Dial(PJSIP/${EXTEN}@carrier,20)
"""
SCENARIO = """
name: little
duration: 1m
calls:
  - {at: 200ms, did: "74951230001", number: "+79161110001", patience: 20s, talk: 1500ms}
  - {at: 4500ms, did: "74951230001", number: "+79161110002", patience: 500ms}
clients: {answers_callback: [1.0], answers_after: 300ms}
people:
  default: {pick_up: 400ms, away: {share: 0}, talk: 1s}
  agents: {vera: {pick_up: 15s}}
"""


class Bench:
    def __init__(self, town: Town, main: AsteriskProcess, chosen: list[AgentId]) -> None:
        self.town = town
        self.main = main
        self.chosen = chosen

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await asyncio.sleep(0.05)

    def roles(self) -> list[Role]:
        return sorted(leg.role for leg in self.town.legs.values() if leg.up)


@asynccontextmanager
async def bench(tmp: Path) -> AsyncIterator[Bench]:
    pbx = find_pbx()
    main = AsteriskProcess(pbx, directories(tmp / "main"))
    other = AsteriskProcess(pbx, directories(tmp / "town"))
    site = town_pbx.Site(
        sip_port=free_udp_port(),
        http_port=free_port(),
        rtp_ports=free_udp_block(40),
        ari_password="a-password-of-the-town",
        main_sip_port=free_udp_port(),
        phones=tuple(town_pbx.Phone(a, f"a-long-secret-of-{a}") for a in (ANNA, VERA)),
    )
    base = town_pbx.files(site, pbx, main.places)
    ports = {"sip": site.main_sip_port, "town": site.sip_port}
    pjsip = PJSIP.format(**ports) + "".join(PHONE.format(name=a) for a in (ANNA, VERA))
    rtp = free_udp_block(40)
    main.write(
        {
            "asterisk.conf": base["asterisk.conf"],
            "extensions.conf": EXTENSIONS,
            "http.conf": "[general]\nenabled=no\n",
            "logger.conf": base["logger.conf"],
            "modules.conf": base["modules.conf"] + "load = res_clioriginate.so\n",
            "pjsip.conf": pjsip,
            "rtp.conf": f"[general]\nrtpstart={rtp[0]}\nrtpend={rtp[1]}\n",
        }
    )
    other.write(town_pbx.files(site, pbx, other.places))
    chosen: list[AgentId] = []

    async def set_status(agent: AgentId, status: ChosenStatus) -> None:
        assert status is ChosenStatus.AVAILABLE
        chosen.append(agent)

    town = Town(
        scenario=scenario.loads(SCENARIO),
        people=[Person(Agent(a, a), ()) for a in (ANNA, VERA)],
        ari=Address(
            f"http://127.0.0.1:{site.http_port}/ari", town_pbx.ARI_USER, site.ari_password,
            town_pbx.APP,
        ),
        set_status=set_status,
    )  # fmt: skip
    try:
        await asyncio.gather(main.start(), other.start())
        async with asyncio.timeout(DEADLINE_S):
            contacts = ""
            while contacts.count("@127.0.0.1") < 2:
                await asyncio.sleep(0.05)
                contacts = await main.cli("pjsip show contacts")
        yield Bench(town, main, chosen)
    finally:
        await town.stop()
        await other.stop()
        await main.stop()


def test_the_town_calls_in_answers_and_is_called_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with bench(tmp_path) as b:
            await b.town.start()
            assert b.chosen == [ANNA, VERA]
            # A caller is rung through to two telephones; the quicker one has him.
            await b.until(lambda: b.roles() == [Role.CALLER, Role.PHONE])
            talking = {leg.agent for leg in b.town.legs.values() if leg.up and leg.agent}
            assert talking == {ANNA}
            # After the talk that the script asks for nobody is left on the line.
            await b.until(lambda: not b.town.legs)
            assert b.town.now() < 4_500
            # The impatient one leaves before anybody can pick up.
            await b.until(lambda: any(leg.role is Role.CALLER for leg in b.town.legs.values()))
            await b.until(lambda: not b.town.legs)
            # Called back, he answers, and hangs up when nobody speaks with him any more.
            await b.main.cli("channel originate Local/79161110001@callback application Wait 1")
            await b.until(lambda: b.roles() == [Role.CLIENT])
            await b.until(lambda: not b.town.legs)

    asyncio.run(story())
