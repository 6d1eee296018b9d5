"""What a browser hears of a recording: the loudest tone of each side."""

from playwright.sync_api import Page

LOUDEST: str = """async (address) => {
  const reply = await fetch(address);
  if (!reply.ok) throw new Error(String(reply.status));
  const context = new OfflineAudioContext(2, 1, 48000);
  const sound = await context.decodeAudioData(await reply.arrayBuffer());
  const share = (samples, hertz) => {
    const turn = 2 * Math.cos((2 * Math.PI * hertz) / sound.sampleRate);
    let [before, last] = [0, 0];
    for (const sample of samples) [before, last] = [last, sample + turn * last - before];
    return last * last + before * before - turn * last * before;
  };
  const heard = (side) => {
    const samples = sound.getChannelData(side);
    let [best, loudest] = [0, 1e-6];
    for (let hertz = 100; hertz <= 2000; hertz += 10) {
      const power = share(samples, hertz) / samples.length;
      if (power > loudest) [best, loudest] = [hertz, power];
    }
    return best;
  };
  const sides = sound.numberOfChannels;
  return { left: heard(0), right: heard(sides - 1), seconds: sound.duration, sides };
}"""
"""Goertzel's way, over the whole of it; 0 Hz when a side is silent."""


def loudest_tones(page: Page, recording: str) -> dict[str, float]:
    told: dict[str, float] = page.evaluate(LOUDEST, f"/api/v1/recordings/{recording}")
    return told
