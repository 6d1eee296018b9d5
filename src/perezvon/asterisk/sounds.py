"""Which recordings say what: the table that the driver plays from.

They are Asterisk's own voices, in Russian and in English, so that a new installation speaks
before anybody has recorded anything. Each language's set holds every name used here.
"""

from functools import cache
from pathlib import Path

from perezvon.core.commands import Prompt, PromptKind
from perezvon.core.ids import Duration

SOUNDS: dict[PromptKind, tuple[str, ...]] = {
    # Hello. Please hold while we try to connect you.
    PromptKind.GREETING: ("sound:hello", "sound:pls-hold-while-try"),
    # Nobody is available to take your call at the moment. Goodbye.
    PromptKind.CLOSED: ("sound:vm-nobodyavail", "sound:vm-goodbye"),
    # I'm sorry. Nobody is available to take your call at the moment. Thank you for your patience.
    PromptKind.PROMISE: ("sound:im-sorry", "sound:vm-nobodyavail", "sound:queue-thankyou"),
    # You have an incoming call. Press 1 to accept this call, or 2 to reject it.
    PromptKind.PRESS_ONE: ("sound:followme/no-recording", "sound:followme/options"),
    # Information about your last call. (The rest depends on the call.)
    PromptKind.BRIEFING: ("sound:info-about-last-call",),
}

FALLBACK_GOODBYE = "vm-nobodyavail&vm-goodbye"
"""In the local queue, when nobody took the call for minutes."""

BYTES_A_MS = 16
"""Of a WAV at 8 kHz, 16 bit."""

UNKNOWN_MS: Duration = 15_000
"""Of a recording that we cannot look at."""

SPOKEN_MS: Duration = 1_200
"""Of a digit or a word of a number."""

SECOND_MS = 1_000
MINUTE_S = 60


def media(prompt: Prompt) -> tuple[str, ...]:
    """What ARI shall play, in order. A sound of the plan replaces the kind's own."""
    if prompt.kind is PromptKind.BRIEFING:
        return (*SOUNDS[prompt.kind], *_clock(prompt.clock), *_waited(prompt.waited_ms))
    if prompt.sound:
        return (f"sound:{prompt.sound}",)
    return SOUNDS[prompt.kind]


def _clock(clock: str) -> tuple[str, ...]:
    """At twelve oh three; nothing when the text is no time of the day."""
    hours, _, minutes = clock.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal()):
        return ()
    said = (f"number:{int(minutes)}",) if int(minutes) > 9 else (f"digits:{minutes}",)  # noqa: PLR2004
    return ("sound:digits/at", f"number:{int(hours)}", *said)


def _waited(waited_ms: int) -> tuple[str, ...]:
    """Hold time: forty seconds, or: three minutes."""
    seconds = waited_ms // SECOND_MS
    if seconds <= 0:
        return ()
    if seconds < 2 * MINUTE_S:
        return ("sound:queue-reporthold", f"number:{seconds}", "sound:queue-seconds")
    return ("sound:queue-reporthold", f"number:{seconds // MINUTE_S}", "sound:queue-minutes")


def length_ms(said: tuple[str, ...], language: str, folder: Path | None) -> Duration:
    """How long the media take to be heard, rather too long than too short.

    `folder` holds the recordings, a folder a language; None when it is not known.
    """
    return sum(_length_ms(one, language, folder) for one in said)


@cache
def _length_ms(one: str, language: str, folder: Path | None) -> Duration:
    kind, _, name = one.partition(":")
    if kind != "sound":
        return SPOKEN_MS * max(2, len(name))
    if folder is not None:
        for place in (folder / language, folder):
            try:
                return (place / f"{name}.wav").stat().st_size // BYTES_A_MS
            except OSError:
                continue
    return UNKNOWN_MS
