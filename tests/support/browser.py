"""Chromium before a whole house: Asterisk, engine, web process, and people who are signed in.

    with house(tmp_path, ("anna", "boris")) as place, place.browser() as browser:
        page = place.page(browser, "anna")        # signed in, at the pages of the web process
        page.goto("/desk")
        phone = place.softphone(browser, "anna")  # a page with the telephone alone
        with Ear(440) as ear, place.caller(ear):
            ...

The driver's API is the one without `async`: ask engine and switch as in any other test. Fails where
there is no Chromium and CI is set, else skips; `scripts/browser.sh` installs it. Screenshots go to
`ARTEFACTS`.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from perezvon.api.browser import SECURE, SESSION
from perezvon.bootstrap.addresses import own_addresses
from perezvon.core.ids import AgentId
from perezvon.core.plan import Agent, DeviceKind, Thresholds
from perezvon.store import sessions, users
from perezvon.store.books import Books
from perezvon.store.database import Location
from perezvon.store.journal import wall_clock
from tests.support.asterisk import Running, asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import LOOPBACK, free_udp_port
from tests.support.sipp import Call, Caller, until_now
from tests.support.tone import Ear, write_wave
from tests.support.web import WebProcess

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / ".artefacts"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = "/usr/bin/chromium"
MICROPHONE_HZ = 700
"""What all browsers of tests say."""
SOON_S = 15
OUTSIDE = "203.0.113.5"
"""By which the house is seen outside; nobody is there."""
PACKETS = 20
"""So many of each direction, to say that sound passes."""
EVERYWHERE = "0.0.0.0"  # noqa: S104 - where sound of a TURN server comes in too

FLAGS = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # Pages that a test makes are of no network; addresses shall be real ones.
    "--disable-features=WebRtcHideLocalIpsWithMdns,LocalNetworkAccessChecks",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--no-first-run",
)

ALONE = "--allow-loopback-in-peer-connection"
"""Where there is no network. Else it would be a second way of sound on one machine, as there is
none in the world: both sides then changed ways and lost each other (measured)."""

WATCHED = """
const Native = window.RTCPeerConnection;
window.connections = [];
window.RTCPeerConnection = class extends Native {
  constructor(...all) { super(...all); window.connections.push(this); }
};
"""
"""The sound of a page is looked at from outside, whatever the page is."""

SOUND = """async () => {
  const told = { received: 0, sent: 0, relayed: false };
  const connection = window.connections.at(-1);
  if (!connection) return told;
  const all = await connection.getStats();
  for (const one of all.values()) {
    if (one.type === "inbound-rtp") told.received = one.packetsReceived;
    if (one.type === "outbound-rtp") told.sent = one.packetsSent;
    if (one.type === "candidate-pair" && one.nominated)
      told.relayed = all.get(one.localCandidateId).candidateType === "relay";
  }
  return told;
}"""

HEARD = """async (wanted) => {
  const track = window.connections.at(-1)?.getReceivers()[0]?.track;
  if (!track) return { loudest: 0, heard: [] };
  window.ears ??= new AudioContext();
  const analyser = new AnalyserNode(window.ears, { fftSize: 8192, smoothingTimeConstant: 0 });
  const source = window.ears.createMediaStreamSource(new MediaStream([track]));
  source.connect(analyser);
  const powers = new Float32Array(analyser.frequencyBinCount);
  const hertz = window.ears.sampleRate / analyser.fftSize;
  const heard = new Set();
  let [best, loudest] = [0, -60];
  for (let look = 0; look < 10; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    analyser.getFloatFrequencyData(powers);
    powers.forEach((power, place) => { if (power > loudest) [best, loudest] = [place, power]; });
    for (const one of wanted) if (powers[Math.round(one / hertz)] > -50) heard.add(one);
  }
  source.disconnect();
  return { loudest: best * hertz, heard: [...heard] };
}"""
"""Of a second: hertz of the loudest tone, 0 when it was silent; which of the wanted there were."""

SAYS = """
navigator.mediaDevices.getUserMedia = async () => {
  const context = new AudioContext();
  const voice = new OscillatorNode(context, { frequency: HERTZ });
  const quieter = new GainNode(context, { gain: 0.25 });
  const microphone = new MediaStreamAudioDestinationNode(context);
  voice.connect(quieter).connect(microphone);
  voice.start();
  return microphone.stream;
};
"""
"""A microphone of its own for one page, where its voice must differ from that of the others."""

PHONE_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>telephone</title>
<script type="module">
import { SipPhone } from "/phone-of-tests.js";
const ask = async (path, how) => {
  const reply = await fetch(`/api/v1/phone/${path}`, how);
  if ([401, 403, 404, 422].includes(reply.status)) return null;
  if (!reply.ok) throw new Error(String(reply.status));
  return reply.json();
};
const api = {
  credentials: () => ask("credentials", { method: "POST" }),
  iceServers: async () => (await ask("ice")).servers.map(({ urls, username, credential }) =>
    username === null ? { urls } : { urls, username, credential }),
};
window.phone = new SipPhone(api, { iceTransportPolicy: "POLICY" });
window.ready = phone.start();
</script>
"""


@dataclass
class Softphone:
    """A page that has the telephone of `web/src/phone` and nothing else."""

    page: Page

    @property
    def view(self) -> dict[str, Any]:
        seen: dict[str, Any] = self.page.evaluate("phone.view")
        return seen

    def until(self, condition: str, within_s: float = SOON_S) -> None:
        """`condition` is about `view`, `state` and `call`."""
        body = f"() => {{ const view = phone.view, {{ state, call }} = view; return {condition}; }}"
        try:
            self.page.wait_for_function(body, timeout=within_s * 1000)
        except Exception as error:
            raise AssertionError(f"not {condition}: {self.view}") from error

    def do(self, act: str) -> None:
        self.page.evaluate(f"() => phone.{act}")

    def talk(self) -> None:
        """Take the call that rings."""
        self.until("call?.state === 'ringing'")
        self.do("answer()")
        self.until("call?.state === 'talking' && call.sound")


def sound_of(page: Page) -> dict[str, Any]:
    """Packets `received` and `sent` by the newest connection, and whether a TURN server helps."""
    counted: dict[str, Any] = page.evaluate(SOUND)
    return counted


def page_hears(page: Page, hertz: float) -> bool:
    return abs(float(page.evaluate(HEARD, [])["loudest"]) - hertz) < 30


def tones_of(page: Page, *wanted: float) -> set[float]:
    """Which of these the page hears, all those that speak at once too."""
    return set(page.evaluate(HEARD, list(wanted))["heard"])


STILL = """async () => {
  const passing = document.getAnimations().filter(
    (one) => Number.isFinite(one.effect.getComputedTiming().endTime));
  await Promise.all(passing.map((one) => one.finished.catch(() => 0)));
}"""
"""What has just changed is in the middle of a fade, and paler than it will be."""


def photograph(page: Page, name: str) -> None:
    """A picture to keep: `NAME.LANGUAGE.png` among the artefacts of the build."""
    page.mouse.move(0, 0)
    page.evaluate(STILL)
    folder = _kept(ARTEFACTS / "screenshots")
    language = page.evaluate("document.documentElement.lang")
    # Written by us: the driver would do it in a thread that stays.
    (folder / f"{name}.{language}.png").write_bytes(page.screenshot())


def violations(page: Page, *rules: str) -> list[str]:
    """What axe says against a page, by all its rules or by these; each with its first element."""
    page.evaluate(STILL)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


def both_ways(page: Page, ear: Ear) -> None:
    """The agent hears the caller, the caller hears the agent, and packets go on in both ways."""
    ear.forget()
    before, received = sound_of(page), ear.received
    until_now(lambda: ear.hears(MICROPHONE_HZ), SOON_S, lambda: f"the caller: {ear.received}")
    until_now(lambda: page_hears(page, ear.hertz), SOON_S, lambda: sound_of(page))

    def goes_on() -> bool:
        after = sound_of(page)
        ways = [after[way] - before[way] for way in ("received", "sent")]
        return all(count > PACKETS for count in (*ways, ear.received - received))

    until_now(goes_on, SOON_S, lambda: (before, sound_of(page), received, ear.received))


@dataclass
class House:
    """A whole installation but for its supervisor."""

    running: Running
    engine: EngineProcess
    web: WebProcess
    place: Path
    _users: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def browser(self, trusts: Path | None = None, *, shy: bool = False) -> Iterator[Browser]:
        """Its microphone says `MICROPHONE_HZ`. `trusts`: the authority that its user was told to
        trust; nobody else's browser is. `shy`: no sound before a click, as with people.
        """
        loud = [] if shy else ["--autoplay-policy=no-user-gesture-required"]
        voice = write_wave(self.place / "microphone.wav", MICROPHONE_HZ)
        home = {} if trusts is None else {"HOME": str(_home_of_who_trusts(trusts, self.place))}
        with sync_playwright() as driver:
            browser = driver.chromium.launch(
                executable_path=chromium(),
                args=[*flags(), *loud, f"--use-file-for-fake-audio-capture={voice}"],
                env={**os.environ, **home},
            )
            try:
                yield browser
            finally:
                browser.close()

    def session(self, agent: str | None, role: str = "agent", language: str = "ru") -> str:
        """The cookie of a user who has signed in; by the store, for passwords take their time."""
        books = Books.open(Location(self.engine.settings.data_dir))
        now = wall_clock()
        try:
            login = agent or role
            if login not in self._users:
                self._users[login] = users.create_user(
                    books.stored, login=login, name=login.title(), role=role, password="-",
                    now=now, agent=agent, language=language,
                ).id  # fmt: skip
            return sessions.open_session(books.stored, now, user=self._users[login])[1]
        finally:
            books.close()

    def page(
        self,
        browser: Browser,
        agent: str | None,
        role: str = "agent",
        *,
        port: int | None = None,
        address: str | None = None,
        says: float | None = None,
        **context: Any,  # noqa: ANN401 - as the driver's
    ) -> Page:
        """Of a browser of his own. `port`: of a cable that leads to the web process; `address`: by
        which it is found, if not so; `says`: a tone of his own.
        """
        address = address or f"http://{LOOPBACK}:{port or self.web.port}"
        known = browser.new_context(base_url=address, **context)
        known.set_default_timeout(SOON_S * 1000)
        known.add_init_script(WATCHED)
        if says is not None:
            known.add_init_script(SAYS.replace("HERTZ", str(says)))
        secret = self.session(agent, role)
        secure = address.startswith("https")
        name = SECURE[SESSION] if secure else SESSION
        known.add_cookies([{"name": name, "value": secret, "url": address, "secure": secure}])
        return known.new_page()

    def softphone(
        self,
        browser: Browser,
        agent: str,
        *,
        port: int | None = None,
        address: str | None = None,
        policy: str = "all",
    ) -> Softphone:
        """Registered, unless it is told otherwise."""
        page = self.page(browser, agent, port=port, address=address)
        script = built_phone().read_text(encoding="utf-8")

        def show(route: Route) -> None:
            is_page = route.request.url.endswith("/phone-of-tests")
            body = PHONE_PAGE.replace("POLICY", policy) if is_page else script
            route.fulfill(body=body, content_type="text/html" if is_page else "text/javascript")

        page.context.route("**/phone-of-tests*", show)
        return self.again(page)

    def again(self, page: Page) -> Softphone:
        """Load a page of a softphone, the first time or anew."""
        page.goto("/phone-of-tests")
        page.wait_for_function("window.ready !== undefined")
        page.evaluate("window.ready")
        return Softphone(page)

    @contextlib.contextmanager
    def caller(self, ear: Ear, number: str = "79161112233", name: str = "") -> Iterator[Caller]:
        """Somebody who calls, and stays until he is answered and let go."""
        port = int(self.running.plan.trunks[0].match[0].rpartition(":")[2])
        calls = [Call(number, NUMBER, name, ear.port)]
        with Caller(self.running, calls, self.place, port=port, talk_ms=120_000) as one:
            yield one


def _home_of_who_trusts(authority: Path, place: Path) -> Path:
    """Where Chromium keeps whom its user trusts, on Linux."""
    program = shutil.which("certutil")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no certutil: scripts/browser.sh installs it")
        pytest.skip("no certutil: as root, scripts/browser.sh installs it")
    home = place / "home"
    trusted = home / ".pki" / "nssdb"
    trusted.mkdir(parents=True)
    for act in (("-N", "--empty-password"), ("-A", "-n", "p", "-t", "C,,", "-i", str(authority))):
        subprocess.run([program, "-d", f"sql:{trusted}", *act], check=True, timeout=60)
    return home


def flags() -> list[str]:
    return [*FLAGS, *([] if network_address() else [ALONE])]


def network_address() -> str | None:
    """Of this machine, other than the loopback; None where it has no network."""
    return next((one for one in own_addresses() if "." in one), None)


def chromium() -> str:
    program = shutil.which("chromium") or CHROMIUM
    if not Path(program).exists():
        if os.environ.get("CI"):
            pytest.fail("no Chromium: scripts/browser.sh installs it")
        pytest.skip("no Chromium: as root, scripts/browser.sh installs it")
    return program


@contextlib.contextmanager
def house(
    place: Path, agents: Sequence[str] = ("anna", "boris"), **settings: object
) -> Iterator[House]:
    """All agents have their telephones in the browser; none is signed in."""
    chromium()
    people = tuple(Agent(AgentId(one), one.title(), DeviceKind.WEBRTC) for one in agents)
    # Talks of tests are short.
    shortened = Thresholds(dropped_at_answer_ms=200)
    plan = plan_of(people, callers_port=free_udp_port(), thresholds=shortened)
    with (
        asterisk(
            plan,
            place / "pbx",
            rtp_timeout_s=45,
            media_host=EVERYWHERE,
            outside_address=OUTSIDE,
            own_addresses=(network_address() or LOOPBACK,),
        ) as running,
        EngineProcess(running, _made(place / "data"), changes=settings) as engine,
        WebProcess(engine) as web,
    ):
        yield House(running, engine, web, place)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def built_phone() -> Path:
    """The telephone of the pages as one file; built when it has changed."""
    target = ARTEFACTS / "phone" / "phone.js"
    sources = sorted((ROOT / "web" / "src" / "phone").glob("*.ts"))
    if not target.exists() or target.stat().st_mtime < max(one.stat().st_mtime for one in sources):
        node = Path(sys.executable).with_name("node")
        script = ROOT / "tests" / "browser" / "phone.mjs"
        # Others may be at it too: each makes his own, and puts it there at once.
        with tempfile.TemporaryDirectory(dir=_kept(target.parent)) as folder:
            subprocess.run([node, script, ROOT / "web", folder], check=True, timeout=120)
            Path(folder, target.name).replace(target)
    return target


def _kept(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
