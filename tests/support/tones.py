"""WAVs as the switch writes them: tones of a frequency each, so that who is who can be heard."""

import math
import os
import wave
from array import array
from pathlib import Path

AGENT_HZ, CLIENT_HZ = 440, 1_100


def write_tone(path: Path, hz: int, length_ms: int, rate: int = 8_000) -> None:
    """Nothing but a header when the length is 0."""
    count = rate * length_ms // 1_000
    samples = (int(9_000 * math.sin(2 * math.pi * hz * at / rate)) for at in range(count))
    with wave.open(os.fspath(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(array("h", samples).tobytes())


def write_take(
    folder: Path, stem: str, *, agent_ms: int = 3_000, client_ms: int = 2_500, at_ms: int
) -> list[Path]:
    """What MixMonitor leaves of a talk that ended then."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{stem}{end}" for end in (".wav", "-a.wav", "-c.wav")]
    write_tone(paths[0], AGENT_HZ, max(agent_ms, client_ms))
    write_tone(paths[1], AGENT_HZ, agent_ms)
    write_tone(paths[2], CLIENT_HZ, client_ms)
    for path in paths:
        os.utime(path, ns=(at_ms * 1_000_000, at_ms * 1_000_000))
    return paths
