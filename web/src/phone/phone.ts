/**
 * The agent's telephone on this page, as the rest of the pages know it.
 *
 * `view` is a value that never changes; a new one comes with each change, and `subscribe` tells of
 * it: made for `useSyncExternalStore`. Two implementations: `SipPhone` over the relay, `FakePhone`
 * for tests of components.
 */

export type PhoneState =
  | "off" // not started, or stopped
  | "connecting"
  | "ready" // it will ring here
  | "reconnecting" // the line is cut; a talk goes on
  | "elsewhere" // another page of this agent has the telephone
  | "refused"; // signed out, or this agent has no telephone in the browser

export type PhoneProblem =
  | "microphone_denied"
  | "microphone_missing"
  | "insecure_page" // no browser gives the microphone to a page without TLS
  | "no_media"; // the sound found no way

export type CallState = "ringing" | "connecting" | "talking";

export interface PhoneCall {
  /** The call of ours, by which the board and the API know it; null for a test of the sound. */
  readonly id: string | null;
  readonly number: string;
  readonly name: string;
  readonly outgoing: boolean;
  readonly state: CallState;
  /** Milliseconds since 1970. */
  readonly beganAt: number;
  readonly answeredAt: number | null;
  readonly muted: boolean;
  readonly held: boolean;
  /** Whether sound passes now, as the browser sees it. */
  readonly sound: boolean;
}

export type SoundKind = "microphone" | "speaker" | "ringer";

export interface SoundDevice {
  readonly id: string;
  readonly label: string;
}

export interface Sounds {
  readonly microphones: readonly SoundDevice[];
  readonly speakers: readonly SoundDevice[];
  /** By kind; "" is what the machine prefers. */
  readonly chosen: Readonly<Record<SoundKind, string>>;
}

export interface PhoneView {
  readonly state: PhoneState;
  readonly problem: PhoneProblem | null;
  readonly call: PhoneCall | null;
  readonly sounds: Sounds;
}

/** Loudness of both directions, 0 to 1. */
export interface Levels {
  readonly microphone: number;
  readonly speaker: number;
}

export interface Phone {
  readonly view: PhoneView;
  subscribe(listener: () => void): () => void;

  /** Ask for the microphone and register. Call it from a click: sound needs one. */
  start(): Promise<void>;
  /** Unregister; a talk ends. */
  stop(): void;
  /** Have the telephone on this page although another one has it. */
  takeOver(): void;

  answer(): Promise<void>;
  reject(): void;
  hangUp(): void;
  mute(on: boolean): void;
  hold(on: boolean): void;
  /** Keys of the keypad, such as "1" or "12#". */
  press(keys: string): void;
  /** Call the echo: one hears oneself. */
  testSound(): Promise<void>;

  choose(kind: SoundKind, id: string): void;
  /** Look at the devices again, as after a headset was plugged in. */
  refreshSounds(): Promise<void>;
  /** For meters: to be asked at each frame that is drawn. */
  levels(): Levels;
}

export const NO_SOUNDS: Sounds = {
  microphones: [],
  speakers: [],
  chosen: { microphone: "", speaker: "", ringer: "" },
};

export const OFF: PhoneView = { state: "off", problem: null, call: null, sounds: NO_SOUNDS };

/** The part of both implementations that keeps the view and tells of it. */
export class Viewed {
  #view: PhoneView = OFF;
  readonly #listeners = new Set<() => void>();

  get view(): PhoneView {
    return this.#view;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  protected change(changes: Partial<PhoneView>): void {
    this.#view = { ...this.#view, ...changes };
    for (const listener of [...this.#listeners]) listener();
  }

  protected changeCall(changes: Partial<PhoneCall>): void {
    const { call } = this.#view;
    if (call !== null) this.change({ call: { ...call, ...changes } });
  }
}
