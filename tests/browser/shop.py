"""A furniture shop on a lively Monday, in either language: what the pictures of the guides show.

Everything in it is made up and happens at the same moments in every run.
"""

import math
import os
import wave
from array import array
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Final

from perezvon.api.roles import Role
from perezvon.bootstrap.recorder import Recorder, RecorderOptions
from perezvon.core.commands import DialClient
from perezvon.core.events import (
    AgentStatusSet,
    CallArrived,
    Caller,
    ChosenStatus,
    DeviceChanged,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    NumberClass,
    PromptEnded,
)
from perezvon.core.ids import MINUTE, SECOND, AgentId, LegId
from perezvon.core.plan import Plan
from perezvon.runtime.recordings import stem_of
from perezvon.store.plan_file import parse
from perezvon.store.users import create_user
from tests.api.house import House, kept_password
from tests.support.tones import AGENT_HZ, CLIENT_HZ

ANNA, BORIS, VERA, GLEB, DINA, EGOR = (
    AgentId(one) for one in ("anna", "boris", "vera", "gleb", "dina", "egor")
)
SHOP, SERVICE = "74951230001", "74951230002"

NAMES: Final = {
    "ru": {
        "anna": "Анна Лебедева", "boris": "Борис Орлов", "vera": "Вера Соколова",
        "gleb": "Глеб Зайцев", "dina": "Дина Воробьёва", "egor": "Егор Синицын",
        "sales": "Продажи", "service": "Сервис", "project": "Мебель",
        "owner": "Ольга Павлова", "admin": "Антон Громов", "supervisor": "Семён Волков",
        "script": "Здравствуйте! Чем могу помочь?", "comment": "Диван «Лофт», синий",
        "hall": "Зал продаж", "why": "Осенью звонят чаще",
    },
    "en": {
        "anna": "Anna Swan", "boris": "Boris Eagle", "vera": "Vera Falcon",
        "gleb": "Gleb Hare", "dina": "Dina Sparrow", "egor": "Egor Finch",
        "sales": "Sales", "service": "Service", "project": "Furniture",
        "owner": "Olga Peacock", "admin": "Anton Thunder", "supervisor": "Simon Wolf",
        "script": "Good day! How can I help?", "comment": "Sofa “Loft”, blue",
        "hall": "Sales floor", "why": "More calls in autumn",
    },
}  # fmt: skip

CLIENTS: Final = {
    "ru": ["Мария Осипова", "Павел Крылов", "", "Нина Фомина", "Илья Гусев", "", "Лев Титов"],
    "en": ["Mary Osborne", "Paul Wing", "", "Nina Thomas", "Elias Goose", "", "Leo Titus"],
}
NUMBERS: Final = [
    "+79161234567", "+79035550142", "+79260007788", "+74951112299", "+79851239900",
    "+79099998877", "+79167770011",
]  # fmt: skip

PLAN: Final = """
tenant: shop
zone: Europe/Moscow
language: {language}
hours:
  office: {{mon-fri: 09:00-20:00, sat: 10:00-16:00}}
holidays:
  2026-09-28: closed
trunks:
  city: {{host: sip.example.net, username: "74951230001", secret: city, register: true}}
agents:
  anna: {{name: "{anna}", device: webrtc, devices: [sip, mobile], number: "+79160000001"}}
  boris: {{name: "{boris}", device: webrtc}}
  vera: {{name: "{vera}", skills: [english]}}
  gleb: {{name: "{gleb}"}}
  dina: {{name: "{dina}", device: webrtc}}
  egor: {{name: "{egor}", device: mobile, number: "+79160000006"}}
groups:
  sales: {{name: "{sales}", members: [anna, boris, vera, dina], leader: anna}}
  service: {{name: "{service}", members: [gleb, {{agent: egor, level: 2}}], leader: gleb}}
projects:
  shop:
    name: "{project}"
    results: [done, order, consulted, call_again, complaint, no_talk]
    script: "{script}"
queues:
  sales:
    name: "{sales}"
    project: shop
    hours: office
    steps:
      - {{groups: sales, k: 3, ring: 10s}}
      - {{groups: [sales, service], k: 5, ring: 15s, mode: add}}
    wait_max: 5m
    wrap_up: 30s
    pause_after_misses: null
  service:
    name: "{service}"
    project: shop
    hours: office
    steps: {{groups: service, k: 2, ring: 20s}}
    wrap_up: 30s
    pause_after_misses: null
numbers:
  "74951230001": {{queue: sales, trunk: city}}
  "74951230002": {{queue: service, trunk: city}}
callback:
  - id: mobiles
    number_classes: mobile
    ladder: [0s, 5m, 10m, 15m, 1h, 3h, 6h]
    reserve: 1
    deadline: 1h
  - id: others
    order: client_first
"""


def write_take(folder: Path, stem: str, length: int) -> None:
    """Two who speak by turns, as the switch writes them; seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    rate, turn = 8_000, 5
    for end, hertz, first in (
        (".wav", AGENT_HZ, 0),
        ("-a.wav", AGENT_HZ, 0),
        ("-c.wav", CLIENT_HZ, turn),
    ):
        sound = array("h")
        for at in range(rate * length):
            second = at / rate
            speaks = int(second + first) % (2 * turn) < turn - (int(second) % 3) / 2
            loud = 9_000 * abs(math.sin(second * 2.1) * math.sin(second * 7.3)) if speaks else 0
            sound.append(int(loud * math.sin(2 * math.pi * hertz * second)))
        with wave.open(str(folder / f"{stem}{end}"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(sound.tobytes())


def plan_in(language: str) -> Plan:
    return parse(PLAN.format(language=language, **NAMES[language]))


@dataclass
class Shop:
    """Who is there, and what they do; `Office` moves the engine and lets time pass."""

    house: House
    language: str

    def people(self) -> None:
        """Users with names, each with his role for a login, as the house looks for them."""
        names, store = NAMES[self.language], self.house.books.stored
        for role, agent in (
            (Role.OWNER, None), (Role.ADMIN, None), (Role.SUPERVISOR, None), (Role.AGENT, ANNA),
        ):  # fmt: skip
            create_user(
                store,
                login=role.value,
                name=names[agent or role.value],
                role=role.value,
                password=kept_password(),
                now=self.house.wall,
                agent=agent,
                language=self.language,
            )

    def call(self, client: int, did: str = SHOP) -> LegId:
        house = self.house
        name, number = CLIENTS[self.language][client], NUMBERS[client]
        person = house.directory.person_of(number, name)
        leg = LegId(f"1.{len(house.office.facts)}")
        known = NumberClass.LANDLINE if number.startswith("+7495") else NumberClass.MOBILE
        house.office.tell(CallArrived(leg, did, Caller(person, known)))
        house.office.all_ring()
        return leg

    def later(self, seconds: int) -> None:
        """Whichever telephone is rung meanwhile gives a sign of life at once."""
        office = self.house.office
        end = office.now + seconds * SECOND
        while (due_at := office.engine.next_deadline()) is not None and due_at < end:
            office.later(due_at - office.now)
            office.all_ring()
        office.later(end - office.now)
        office.all_ring()

    def talk(self, client: int, wait: int, length: int, did: str = SHOP) -> LegId:
        """Whoever is rung first answers, and his wrap-up passes; seconds."""
        leg = self.begin(client, wait, length, did)
        self.house.hang_up(leg)
        self.later(31)
        return leg

    def begin(self, client: int, wait: int, length: int, did: str = SHOP) -> LegId:
        leg = self.call(client, did)
        self.later(wait)
        # Egor's mobile wants a key pressed besides.
        first = next(one for one in self.house.office.rings() if one != EGOR)
        self.house.office.answer(first, length * SECOND)
        return leg

    def miss(self, client: int, wait: int) -> None:
        leg = self.call(client)
        self.later(wait)
        self.house.hang_up(leg)

    def status(self, status: ChosenStatus, *agents: AgentId, reason: str = "") -> None:
        for agent in agents:
            self.house.office.tell(AgentStatusSet(agent, status, reason, by=agent))

    def alone(self, agent: AgentId) -> None:
        """He has not come yet, and the others rest."""
        others = [one.id for one in self.house.plan.agents if one.id != agent]
        self.status(ChosenStatus.PAUSED, *others, reason="meeting")
        self.status(ChosenStatus.SIGNED_OUT, agent)

    def dials(self, agent: AgentId) -> LegId:
        """The telephone of who dials by hand takes it, and the client picks up: his leg."""
        office = self.house.office
        office.tell(LegAnswered(office.rings()[agent]))
        client = office.told(DialClient)[-1].leg
        office.tell(LegRinging(client))
        self.later(3)
        office.tell(LegAnswered(client))
        return client

    def call_back(self, cause: EndCause | None, length: int = 40) -> None:
        """Whoever is rung for a debt takes it; the client talks, or his call ends so."""
        office = self.house.office
        while not office.rings():
            self.later(1)
        agent = next(iter(office.rings()))
        office.answer(agent)
        (call,) = (one for one in office.engine.calls.values() if one.won is not None)
        if call.playback is not None and call.won is not None:
            office.tell(PromptEnded(call.won.leg, call.playback))
        assert call.client is not None
        office.tell(LegRinging(call.client))
        self.later(7)
        if cause is not None:
            office.tell(LegEnded(call.client, cause))
        else:
            client = call.client
            office.tell(LegAnswered(client))
            self.later(length)
            self.house.hang_up(client)
        self.later(31)

    def recorded(self, leg: LegId, length: int) -> None:
        """What the switch has recorded of the talk that just ended is kept as the worker does."""
        house = self.house
        house.save()
        write_take(house.recordings, stem_of(leg), length)
        at = house.office.now * 1_000_000
        for path in house.recordings.glob("*.wav"):
            os.utime(path, ns=(at, at))
        house.books.fresh()
        options = RecorderOptions(house.location, house.recordings)
        recorder = Recorder(options, Flag(), lambda: house.office.now + MINUTE)
        recorder.work()
        recorder.close()


def a_monday(house: House, language: str) -> Shop:
    """An hour of work. At its end two clients are owed a call, and everybody is free."""
    shop = Shop(house, language)
    shop.people()
    house.office.tell(*(DeviceChanged(one.id, reachable=True) for one in house.plan.agents))
    shop.talk(0, 4, 95)
    shop.talk(1, 7, 62)
    shop.miss(2, 14)
    shop.call_back(None)
    shop.talk(3, 3, 140)
    shop.talk(5, 9, 33, SERVICE)
    shop.miss(6, 18)
    shop.call_back(EndCause.NO_ANSWER)
    shop.talk(6, 5, 71)
    shop.miss(1, 26)
    shop.call_back(EndCause.BUSY)
    leg = shop.begin(0, 6, 84)
    house.hang_up(leg)
    shop.recorded(leg, 84)
    shop.later(31)
    shop.miss(4, 31)
    shop.call_back(EndCause.NO_ANSWER)
    house.save()
    return shop


def a_rush(shop: Shop) -> None:
    """Two talk, one rests, one is at lunch, one is rung; two wait, and one left in vain."""
    office = shop.house.office
    shop.status(ChosenStatus.PAUSED, DINA, reason="lunch")
    shop.status(ChosenStatus.SIGNED_OUT, GLEB)
    shop.begin(3, 3, 41)
    leg = shop.begin(0, 4, 15)
    shop.begin(5, 5, 12)
    shop.house.hang_up(leg)
    shop.call(2, SERVICE)
    shop.miss(6, 21)
    shop.call(6)
    shop.later(9)
    office.all_ring()
