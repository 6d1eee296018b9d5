/** A telephone without a network, for tests of components: a test rings it, and sees what is done. */

import type { Levels, Phone, PhoneCall, SoundKind, Sounds } from "./phone";
import { NO_SOUNDS, OFF, Viewed } from "./phone";

const SOUNDS: Sounds = {
  ...NO_SOUNDS,
  microphones: [{ id: "headset", label: "Headset" }],
  speakers: [{ id: "headset", label: "Headset" }],
};

export class FakePhone extends Viewed implements Phone {
  /** What was pressed on the keypad so far. */
  pressed = "";
  loudness: Levels = { microphone: 0, speaker: 0 };

  async start(): Promise<void> {
    this.change({ state: "ready", problem: null, sounds: SOUNDS });
  }

  stop(): void {
    this.change({ ...OFF, sounds: this.view.sounds });
  }

  takeOver(): void {
    if (this.view.state === "elsewhere") this.change({ state: "ready" });
  }

  async answer(): Promise<void> {
    if (this.view.call?.state !== "ringing") return;
    this.changeCall({ state: "talking", answeredAt: Date.now(), sound: true });
  }

  reject(): void {
    if (this.view.call?.state === "ringing") this.change({ call: null });
  }

  hangUp(): void {
    this.change({ call: null });
  }

  mute(on: boolean): void {
    this.changeCall({ muted: on });
  }

  hold(on: boolean): void {
    if (this.view.call?.state === "talking") this.changeCall({ held: on });
  }

  press(keys: string): void {
    if (this.view.call !== null) this.pressed += keys;
  }

  async testSound(): Promise<void> {
    this.ring({
      id: null,
      number: "*43",
      outgoing: true,
      state: "talking",
      answeredAt: Date.now(),
    });
  }

  choose(kind: SoundKind, id: string): void {
    const { sounds } = this.view;
    this.change({ sounds: { ...sounds, chosen: { ...sounds.chosen, [kind]: id } } });
  }

  async refreshSounds(): Promise<void> {
    this.change({ sounds: { ...this.view.sounds } });
  }

  levels(): Levels {
    return this.loudness;
  }

  // What a test does to it.

  /** A call comes. */
  ring(call: Partial<PhoneCall> = {}): void {
    this.change({
      call: {
        id: "c1",
        number: "+79161234567",
        name: "",
        outgoing: false,
        state: "ringing",
        beganAt: Date.now(),
        answeredAt: null,
        muted: false,
        held: false,
        sound: false,
        ...call,
      },
    });
  }

  /** The other side hangs up, or the call is taken by somebody else. */
  callEnds(): void {
    this.change({ call: null });
  }

  /** The line is cut, another page has the telephone, and so on. */
  become(changes: Parameters<FakePhone["change"]>[0]): void {
    this.change(changes);
  }
}
