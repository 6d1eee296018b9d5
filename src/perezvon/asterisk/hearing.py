"""What a party hears: ringing, music, prompts, and the other party once they are connected.

Also the dead-man of each leg: how long it may live without another word from us.

Whatever is asked of a channel while it plays a prompt waits for the prompt's end, and with it
everything behind it on the socket (measured: `POST …/variable` hung for the rest of a prompt of
seven seconds). So a leg that hears one is asked nothing: its dead-man is set beforehand for the
prompt's length, and whoever needs it sooner stops the prompt first.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from perezvon.asterisk import sounds
from perezvon.asterisk.ari import Ari, Reply, part
from perezvon.asterisk.book import Book, Leg
from perezvon.asterisk.dialling import NOT_FOUND, Dialling, seconds
from perezvon.asterisk.translate import Side
from perezvon.core.commands import Prompt
from perezvon.core.events import PromptEnded
from perezvon.core.ids import SECOND, CallId, Duration, LegId, PlaybackId

CONFLICT = 409

log = logging.getLogger(__name__)


class Hearing:
    """See the module. `prompt_ended` is told of prompts that could not be played."""

    def __init__(
        self,
        ari: Ari,
        book: Book,
        dialling: Dialling,
        *,
        waiting_ms: Duration,
        recordings: Path | None,
        prompt_ended: Callable[[PromptEnded], None],
    ) -> None:
        self._ari = ari
        self._book = book
        self._dialling = dialling
        self._waiting_ms = waiting_ms
        self._recordings = recordings
        self._prompt_ended = prompt_ended
        self.language = "ru"
        self.talk_ms_max: Duration = 0

    def answer(self, leg: Leg) -> None:
        self._on(leg, "POST", "answer")

    def ring(self, leg: Leg) -> None:
        self._stop_prompts(leg)
        leg.hears_ringing = True
        self._on(leg, "POST", "ring")

    def stop_ringing(self, leg: Leg) -> None:
        if leg.hears_ringing:
            leg.hears_ringing = False
            self._on(leg, "DELETE", "ring")

    def music(self, leg: Leg, name: str) -> None:
        self._stop_prompts(leg)
        leg.hears_music = True
        self._ari.submit("POST", f"channels/{part(leg.channel)}/moh", query={"mohClass": name})

    def prompt(self, leg: Leg, playback: PlaybackId, prompt: Prompt) -> None:
        """Ends with `PromptEnded`, by the switch's report or at once when it refuses."""
        if playback in leg.playbacks:
            return
        said = sounds.media(prompt)
        length_ms = sounds.length_ms(said, self.language, self._recordings)
        self.guard(leg, length_ms + self._waiting_ms)
        leg.playbacks.add(playback)
        played = self._ari.submit(
            "POST",
            f"channels/{part(leg.channel)}/play/{part(playback)}",
            body={"media": list(said), "lang": self.language},
        )
        played.add_done_callback(partial(self._played, leg, playback))

    def connect(self, call: CallId, client: Leg, agent: Leg) -> None:
        """Let the two hear each other, whatever they hear now. Safe to repeat."""
        if client.call == call and agent.call == call:
            return
        for leg in (client, agent):
            self._silence(leg)
        if client.side is Side.CALLER and not client.answered:
            self.answer(client)
        self._ari.submit("POST", "bridges", query={"type": "mixing", "bridgeId": call})
        for leg in (client, agent):
            self._join(leg, call)
            self.guard(leg, self.talk_ms_max)

    def leg_gone(self, leg: Leg) -> None:
        """It has ended; to be told before the book forgets it."""
        self._stop_ringing_to(leg)
        call = leg.call
        if call is None:
            return
        self._book.separate(leg)
        rest = self._book.together(call)
        if not rest:
            self._ari.submit("DELETE", f"bridges/{part(call)}")
        for other in rest:
            if other.side is Side.CALLER and not other.withdrawn:
                # If we die now, he must not sit in silence for the rest of the longest talk.
                self.guard(other, self._waiting_ms)

    def leg_answered(self, leg: Leg) -> None:
        self._stop_ringing_to(leg)

    def prompt_was_heard(self, leg: Leg, playback: str) -> None:
        """It is over: the dead-man is short again."""
        leg.playbacks.discard(playback)
        if not leg.leaving and leg.call is None:
            self.keep_waiting(leg)

    def keep_waiting(self, leg: Leg) -> None:
        if not leg.playbacks:
            self.guard(leg, self._waiting_ms)

    def keep_talking(self, leg: Leg) -> None:
        """Only when a quarter of its time is used up: a talk is long, and there are many."""
        left_s = leg.guarded_until - asyncio.get_running_loop().time()
        if left_s * SECOND < self.talk_ms_max * 3 // 4:
            self.guard(leg, self.talk_ms_max)

    def guard(self, leg: Leg, length_ms: Duration) -> None:
        now = asyncio.get_running_loop().time()
        leg.guarded_until = now + length_ms / SECOND
        query = {"variable": "TIMEOUT(absolute)", "value": seconds(length_ms)}
        uri = f"channels/{part(leg.channel)}/variable"
        # A leg from before our start may hear a prompt that we know nothing of.
        ask = self._ari.aside if leg.unsure_until > now else self._ari.submit
        ask("POST", uri, query=query).add_done_callback(partial(self._guarded, leg))

    def _on(self, leg: Leg, method: str, what: str) -> None:
        self._ari.submit(method, f"channels/{part(leg.channel)}/{what}")

    def _stop_prompts(self, leg: Leg) -> None:
        for playback in sorted(leg.playbacks):
            self._ari.submit("DELETE", f"playbacks/{part(playback)}")
        leg.playbacks.clear()

    def _silence(self, leg: Leg) -> None:
        self._stop_prompts(leg)
        self.stop_ringing(leg)
        if leg.hears_music:
            leg.hears_music = False
            self._on(leg, "DELETE", "moh")

    def _stop_ringing_to(self, leg: Leg) -> None:
        listener = self._book.get(leg.rings_to)
        leg.rings_to = None
        if listener is not None:
            self.stop_ringing(listener)

    def _join(self, leg: Leg, call: CallId, *, again: bool = False) -> None:
        self._book.join(leg, call)
        joined = self._ari.submit(
            "POST", f"bridges/{part(call)}/addChannel", query={"channel": leg.channel}
        )
        joined.add_done_callback(partial(self._joined, leg, call, again))

    def _joined(
        self, leg: Leg, call: CallId, again: bool, future: "asyncio.Future[Reply]"  # noqa: FBT001 - partial
    ) -> None:  # fmt: skip
        reply = future.result()
        if reply.ok or reply.status is None or self._book.get(leg.id) is not leg:
            return
        # Usually he is gone; repeated blindly it would never end.
        self._dialling.look(leg)
        if not again:
            self._ari.submit("POST", "bridges", query={"type": "mixing", "bridgeId": call})
            self._join(leg, call, again=True)
            return
        log.warning("leg cannot be connected", extra={"leg": leg.id, "status": reply.status})
        for one in self._book.together(call):
            if one.side is Side.AGENT and not one.withdrawn:
                # The client waits on: another agent may be luckier.
                self._dialling.withdraw(one, "normal")

    def _played(self, leg: Leg, playback: PlaybackId, future: "asyncio.Future[Reply]") -> None:
        reply = future.result()
        if not reply.ok and playback in leg.playbacks and reply.status is not None:
            leg.playbacks.discard(playback)
            self._prompt_ended(PromptEnded(LegId(leg.id), playback))

    def _guarded(self, leg: Leg, future: "asyncio.Future[Reply]") -> None:
        if future.result().status == NOT_FOUND and self._book.get(leg.id) is leg:
            # Nobody told us that he has gone.
            self._dialling.look_later(leg)
