"""What a party hears: ringing, music, prompts, and the other party once they are connected.

Also the dead-man of each leg: how long it may live without another word from us.

Whatever is asked of a channel while it plays a prompt waits for the prompt's end, and with it
everything behind it on the socket (measured: `POST …/variable` hung for the rest of a prompt of
seven seconds). So a leg that hears one is asked nothing: its dead-man is set beforehand for the
prompt's length, and whoever needs it sooner stops the prompt first.

A lost reply must leave nobody in silence: what is asked here is asked until it is answered, as
long as it is what the party shall hear (see `errands`). Only a prompt is not idempotent: of one
without a reply it is asked whether it is being played.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from perezvon.asterisk import sounds
from perezvon.asterisk.ari import part
from perezvon.asterisk.book import Book, Leg
from perezvon.asterisk.dialling import HEARD_MS, NOT_FOUND, Dialling, seconds
from perezvon.asterisk.errands import Errands, always, ignore
from perezvon.asterisk.replies import Reply
from perezvon.asterisk.translate import Side
from perezvon.core.commands import Prompt
from perezvon.core.events import PromptEnded
from perezvon.core.ids import SECOND, CallId, Duration, LegId, PlaybackId

PLAYS_MAX = 5
JOINS_MAX = 3
"""How often a prompt, or a place in the bridge, is asked for that is not given."""

log = logging.getLogger(__name__)


class Hearing:
    """See the module. `prompt_ended` is told of prompts that could not be played."""

    def __init__(
        self,
        errands: Errands,
        book: Book,
        dialling: Dialling,
        waiting_ms: Duration,
        recordings: Path | None,
        prompt_ended: Callable[[PromptEnded], None],
    ) -> None:
        self._errands = errands
        self._book = book
        self._dialling = dialling
        self._waiting_ms = waiting_ms
        self._recordings = recordings
        self._prompt_ended = prompt_ended
        self.language = "ru"
        self.talk_ms_max: Duration = 0

    def answer(self, leg: Leg) -> None:
        """Once is enough, as long as it is not refused."""
        if leg.answer_asked:
            return

        def check(reply: Reply) -> None:
            leg.answer_asked = reply.ok

        leg.answer_asked = True
        self._on(leg, "POST", "answer", lambda: not leg.answered, then=check)

    def ring(self, leg: Leg) -> None:
        if _rings_by_itself(leg):
            return
        self._stop_prompts(leg)
        leg.hears_ringing = True
        self._on(leg, "POST", "ring", lambda: leg.hears_ringing)

    def stop_ringing(self, leg: Leg) -> None:
        if leg.hears_ringing:
            leg.hears_ringing = False
            self._on(leg, "DELETE", "ring", lambda: not leg.hears_ringing)

    def music(self, leg: Leg, name: str) -> None:
        """Alone: whoever he talked with stays in the bridge and hears him no more."""
        self._stop_prompts(leg)
        self._take_out(leg)
        leg.hears_music = True
        self._on(leg, "POST", "moh", lambda: leg.hears_music, {"mohClass": name})

    def prompt(self, leg: Leg, playback: PlaybackId, prompt: Prompt) -> None:
        """Ends with `PromptEnded`, by the switch's report or at once when it refuses."""
        if playback in leg.playbacks:
            return
        said = sounds.media(prompt)
        length_ms = sounds.length_ms(said, self.language, self._recordings)
        begin = partial(self._play, leg, playback, said, 1)
        if self._is_unsure(leg):
            self.guard(leg, length_ms + self._waiting_ms)
            leg.playbacks.add(playback)
            begin()
        else:
            # Once it plays, his dead-man cannot be set.
            self.guard(leg, length_ms + self._waiting_ms, then=begin)
            leg.playbacks.add(playback)

    def connect(self, call: CallId, client: Leg, agent: Leg) -> None:
        """Let the two hear each other, whatever they hear now. Safe to repeat."""
        if client.call == call and agent.call == call:
            return
        for leg in (client, agent):
            self._silence(leg)
        if client.side is Side.CALLER and not client.answered:
            self.answer(client)
        self._open_bridge(call)
        for leg in (client, agent):
            self._book.join(leg, call)
        self._join_both(client, agent, call)
        for leg in (client, agent):
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
            self._errands.send(
                "DELETE", f"bridges/{part(call)}", still=lambda: not self._book.together(call)
            )
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

    def guard(self, leg: Leg, length_ms: Duration, then: Callable[[], None] | None = None) -> None:
        """Let it live so long without another word; `then` is called when that is settled."""
        until = leg.guarded_until = asyncio.get_running_loop().time() + length_ms / SECOND
        self._errands.send(
            "POST",
            f"channels/{part(leg.channel)}/variable",
            query={"variable": "TIMEOUT(absolute)", "value": seconds(length_ms)},
            still=lambda: self._lives(leg) and leg.guarded_until == until,
            # A leg from before our start may hear a prompt that we know nothing of.
            aside=lambda: self._is_unsure(leg),
            then=partial(self._guarded, leg, then),
        )

    def _lives(self, leg: Leg) -> bool:
        return self._book.get(leg.id) is leg

    def _is_unsure(self, leg: Leg) -> bool:
        return leg.unsure_until > asyncio.get_running_loop().time()

    def _on(
        self,
        leg: Leg,
        method: str,
        what: str,
        still: Callable[[], bool] = always,
        query: Mapping[str, str] | None = None,
        then: Callable[[Reply], None] = ignore,
    ) -> None:
        self._errands.send(
            method,
            f"channels/{part(leg.channel)}/{what}",
            query=query,
            still=lambda: self._lives(leg) and still(),
            then=then,
        )

    def _stop_prompts(self, leg: Leg) -> None:
        for playback in sorted(leg.playbacks):
            self._errands.send(
                "DELETE", f"playbacks/{part(playback)}", still=partial(self._lives, leg)
            )
        leg.playbacks.clear()

    def _silence(self, leg: Leg) -> None:
        self._stop_prompts(leg)
        self.stop_ringing(leg)
        if leg.hears_music:
            leg.hears_music = False
            self._on(leg, "DELETE", "moh", lambda: not leg.hears_music)

    def _stop_ringing_to(self, leg: Leg) -> None:
        listener = self._book.get(leg.rings_to)
        leg.rings_to = None
        if listener is not None:
            self.stop_ringing(listener)

    def _take_out(self, leg: Leg) -> None:
        """Music in the bridge would be silenced by the first sound of anybody else there."""
        call = leg.call
        if call is None:
            return
        self._book.separate(leg)
        self._errands.send(
            "POST",
            f"bridges/{part(call)}/removeChannel",
            query={"channel": leg.channel},
            still=lambda: self._lives(leg) and leg.call is None,
        )
        self.guard(leg, self._waiting_ms)

    def _open_bridge(self, call: CallId, then: Callable[[Reply], None] = ignore) -> None:
        self._errands.send(
            "POST",
            "bridges",
            query={"type": "mixing", "bridgeId": call},
            still=lambda: bool(self._book.together(call)),
            then=then,
        )

    def _join_both(self, client: Leg, agent: Leg, call: CallId) -> None:
        """In one request; when it fails nobody was added, and each is tried alone."""

        def join_each(reply: Reply) -> None:
            for leg in (client, agent):
                if not reply.ok and self._belongs(leg, call):
                    self._join(leg, call)

        self._errands.send(
            "POST",
            f"bridges/{part(call)}/addChannel",
            query={"channel": f"{client.channel},{agent.channel}"},
            still=lambda: self._belongs(client, call) and self._belongs(agent, call),
            then=join_each,
        )

    def _join(self, leg: Leg, call: CallId, tries: int = 1) -> None:
        self._errands.send(
            "POST",
            f"bridges/{part(call)}/addChannel",
            query={"channel": leg.channel},
            still=partial(self._belongs, leg, call),
            then=partial(self._joined, leg, call, tries),
        )

    def _belongs(self, leg: Leg, call: CallId) -> bool:
        return self._lives(leg) and leg.call == call

    def _joined(self, leg: Leg, call: CallId, tries: int, reply: Reply) -> None:
        if reply.ok or not self._belongs(leg, call):
            return
        # Usually he is gone; repeated blindly it would never end.
        self._dialling.look(leg)
        if tries < JOINS_MAX:
            self._open_bridge(call, lambda _: self._join_again(leg, call, tries + 1))
            return
        log.warning("leg cannot be connected", extra={"leg": leg.id, "status": reply.status})
        for one in self._book.together(call):
            if one.side is Side.AGENT and not one.withdrawn:
                # The client waits on: another agent may be luckier.
                self._dialling.withdraw(one, "normal")

    def _join_again(self, leg: Leg, call: CallId, tries: int) -> None:
        if self._belongs(leg, call):
            self._join(leg, call, tries)

    def _play(self, leg: Leg, playback: PlaybackId, said: Sequence[str], tries: int) -> None:
        if playback not in leg.playbacks or not self._lives(leg):
            return
        self._errands.once(
            "POST",
            f"channels/{part(leg.channel)}/play/{part(playback)}",
            body={"media": list(said), "lang": self.language},
            then=partial(self._played, leg, playback, said, tries),
        )

    def _played(
        self, leg: Leg, playback: PlaybackId, said: Sequence[str], tries: int, reply: Reply
    ) -> None:
        if reply.ok or playback not in leg.playbacks:
            return
        if reply.status is None and tries < PLAYS_MAX:
            self._errands.send(
                "GET",
                f"playbacks/{part(playback)}",
                still=lambda: self._lives(leg) and playback in leg.playbacks,
                then=partial(self._play_is_unknown, leg, playback, said, tries),
            )
        else:
            leg.playbacks.discard(playback)
            self._prompt_ended(PromptEnded(LegId(leg.id), playback))

    def _play_is_unknown(
        self, leg: Leg, playback: PlaybackId, said: Sequence[str], tries: int, reply: Reply
    ) -> None:
        if reply.status == NOT_FOUND:
            # Never begun, unless the word of its end is on its way to us.
            asyncio.get_running_loop().call_later(
                HEARD_MS / SECOND, self._play, leg, playback, said, tries + 1
            )

    def _guarded(self, leg: Leg, then: Callable[[], None] | None, reply: Reply) -> None:
        if reply.status == NOT_FOUND and self._lives(leg):
            # Nobody told us that he has gone.
            self._dialling.look_later(leg)
        if then is not None:
            then()


def _rings_by_itself(leg: Leg) -> bool:
    """The dialplan let him hear it ring, until he is answered."""
    return leg.side is Side.CALLER and not leg.answered
