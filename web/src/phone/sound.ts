/** Microphone, loudspeaker, ringer: devices, their choice, and how loud they are. */

import type { Levels, SoundDevice, SoundKind, Sounds } from "./phone";

const KEY = "perezvon.sounds";
const RING_MS = 4_000;
const RING_HZ = [440, 480] as const;

/** Browsers that cannot choose where sound goes have no `setSinkId`. */
interface Sinkable {
  setSinkId?(id: string): Promise<void>;
}

export class Sound {
  readonly #chosen: Record<SoundKind, string> = remembered();
  readonly #voice = new Audio();
  readonly #ring = new Audio();
  #context: AudioContext | null = null;
  #microphone: Meter | null = null;
  #speaker: Meter | null = null;
  #ringing: ReturnType<typeof setInterval> | undefined;
  #stopRing: () => void = () => {};

  /**
   * Called from a click, so that sound is let out later. After the browser itself was started anew
   * there was none: it begins with the first, and the telephone does not wait for it.
   */
  unlock(): void {
    this.#context ??= new AudioContext();
    const context = this.#context;
    void context.resume();
    this.#voice.autoplay = true;
    this.#route();
    for (const kind of ["pointerdown", "keydown"]) {
      addEventListener(
        kind,
        () => {
          void context.resume();
          if (this.#voice.srcObject !== null) void this.#voice.play().catch(() => {});
        },
        { once: true },
      );
    }
  }

  async openMicrophone(): Promise<MediaStream> {
    const wanted = this.#chosen.microphone;
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    try {
      return await navigator.mediaDevices.getUserMedia({
        audio: wanted ? { ...audio, deviceId: { exact: wanted } } : audio,
      });
    } catch (error) {
      // The chosen headset was unplugged: better any microphone than none.
      if (!wanted || !(error instanceof DOMException) || error.name === "NotAllowedError")
        throw error;
      return await navigator.mediaDevices.getUserMedia({ audio });
    }
  }

  hearMicrophone(stream: MediaStream): void {
    this.#microphone = this.#meter(stream);
  }

  play(stream: MediaStream): void {
    this.#voice.srcObject = stream;
    void this.#voice.play().catch(() => {});
    this.#speaker = this.#meter(stream);
  }

  silence(): void {
    this.#voice.srcObject = null;
    this.#microphone = null;
    this.#speaker = null;
  }

  levels(): Levels {
    return {
      microphone: this.#microphone?.level() ?? 0,
      speaker: this.#speaker?.level() ?? 0,
    };
  }

  startRinging(): void {
    this.stopRinging();
    this.#ringOnce();
    this.#ringing = setInterval(() => this.#ringOnce(), RING_MS);
  }

  stopRinging(): void {
    clearInterval(this.#ringing);
    this.#stopRing();
  }

  choose(kind: SoundKind, id: string): void {
    this.#chosen[kind] = id;
    localStorage.setItem(KEY, JSON.stringify(this.#chosen));
    this.#route();
  }

  async devices(): Promise<Sounds> {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const of = (kind: MediaDeviceKind): SoundDevice[] =>
      all
        .filter((one) => one.kind === kind && one.deviceId !== "")
        .map((one) => ({ id: one.deviceId, label: one.label }));
    return {
      microphones: of("audioinput"),
      speakers: of("audiooutput"),
      chosen: { ...this.#chosen },
    };
  }

  #route(): void {
    void setSink(this.#voice, this.#chosen.speaker);
    void setSink(this.#ring, this.#chosen.ringer);
  }

  #meter(stream: MediaStream): Meter | null {
    return this.#context === null ? null : new Meter(this.#context, stream);
  }

  #ringOnce(): void {
    const context = this.#context;
    if (context === null) return;
    // By way of an element: only elements can be sent to a device of their own.
    const out = context.createMediaStreamDestination();
    const gain = context.createGain();
    gain.gain.value = 0.15;
    gain.connect(out);
    const tones = RING_HZ.map((hertz) => {
      const tone = new OscillatorNode(context, { frequency: hertz });
      tone.connect(gain);
      tone.start();
      tone.stop(context.currentTime + 1);
      return tone;
    });
    this.#ring.srcObject = out.stream;
    void this.#ring.play().catch(() => {});
    this.#stopRing = () => {
      for (const tone of tones) tone.stop();
      this.#ring.srcObject = null;
    };
  }
}

class Meter {
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;

  constructor(context: AudioContext, stream: MediaStream) {
    this.#analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    context.createMediaStreamSource(stream).connect(this.#analyser);
  }

  level(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0);
    return Math.min(1, Math.sqrt(power / this.#samples.length) * 4);
  }
}

async function setSink(element: HTMLAudioElement & Sinkable, id: string): Promise<void> {
  // A device that went away leaves the sound where it was.
  await element.setSinkId?.(id).catch(() => {});
}

function remembered(): Record<SoundKind, string> {
  const none = { microphone: "", speaker: "", ringer: "" };
  try {
    return { ...none, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return none;
  }
}
