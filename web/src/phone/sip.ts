/** The telephone over SIP: JsSIP on our own line to the relay. */

import { UA } from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { IncomingRTCSessionEvent } from "jssip/lib/UA";
import { Line } from "./line";
import type { Phone, PhoneProblem, SoundKind } from "./phone";
import { OFF, Viewed } from "./phone";
import { Sound } from "./sound";

const DOMAIN = "perezvon.invalid";
const ECHO = "*43";
const RENEW_SHARE = 2 / 3;
const AGAIN_MS = [500, 1_000, 2_000, 5_000, 10_000];
const GATHER_MS = 500;
/** With a relay of sound alone there is nothing to offer before it has answered. */
const GATHER_RELAYED_MS = 3_000;
const BUSY = 486;
const DECLINED = 603;

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly expires_at: number;
}

/** What the telephone asks of our API. A refusal is null, a failure is an exception. */
export interface PhoneApi {
  credentials(): Promise<Credentials | null>;
  iceServers(): Promise<RTCIceServer[]>;
}

export interface SipOptions {
  /** Of the relay; by default where the page comes from. */
  readonly url?: string;
  /** "relay": sound by way of the TURN server only. */
  readonly iceTransportPolicy?: RTCIceTransportPolicy;
}

export class SipPhone extends Viewed implements Phone {
  readonly #api: PhoneApi;
  readonly #options: SipOptions;
  readonly #sound = new Sound();
  #line: Line | null = null;
  #ua: UA | null = null;
  #session: RTCSession | null = null;
  #microphone: MediaStream | null = null;
  #iceServers: RTCIceServer[] = [];
  #active = false;
  #failures = 0;
  #renew: ReturnType<typeof setTimeout> | undefined;

  constructor(api: PhoneApi, options: SipOptions = {}) {
    super();
    this.#api = api;
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#line !== null) return;
    if (!globalThis.isSecureContext || navigator.mediaDevices === undefined) {
      this.change({ state: "refused", problem: "insecure_page" });
      return;
    }
    this.change({ state: "connecting", problem: null });
    this.#sound.unlock();
    await this.#askForMicrophone();
    await this.refreshSounds();
    navigator.mediaDevices.ondevicechange = () => void this.refreshSounds();
    await this.#begin();
  }

  stop(): void {
    clearTimeout(this.#renew);
    this.#ua?.stop();
    this.#ua = null;
    this.#line = null;
    this.#endCall();
    this.change({ ...OFF, sounds: this.view.sounds });
  }

  takeOver(): void {
    this.#line?.take();
  }

  async answer(): Promise<void> {
    const session = this.#session;
    if (session === null || this.view.call?.state !== "ringing") return;
    this.#sound.stopRinging();
    this.changeCall({ state: "connecting" });
    await this.#take(session);
  }

  async #take(session: RTCSession): Promise<void> {
    const stream = await this.#openMicrophone();
    if (this.#session !== session || session.isEnded()) {
      stopTracks(stream);
      return;
    }
    if (stream === null) {
      session.terminate({ status_code: 480 });
      return;
    }
    this.#microphone = stream;
    session.answer({ mediaStream: stream, pcConfig: this.#pcConfig() });
  }

  reject(): void {
    if (this.view.call?.state === "ringing") this.#session?.terminate({ status_code: DECLINED });
  }

  hangUp(): void {
    if (this.#session !== null && !this.#session.isEnded()) this.#session.terminate();
  }

  mute(on: boolean): void {
    if (this.#session === null) return;
    if (on) this.#session.mute({ audio: true });
    else this.#session.unmute({ audio: true });
    this.changeCall({ muted: on });
  }

  hold(on: boolean): void {
    if (this.#session === null || this.view.call?.state !== "talking") return;
    if (on) this.#session.hold();
    else this.#session.unhold();
  }

  press(keys: string): void {
    if (this.#session === null || !/^[0-9*#]+$/.test(keys)) return;
    this.#session.sendDTMF(keys, { transportType: "RFC2833" as never });
  }

  async testSound(): Promise<void> {
    if (this.#ua === null || this.#session !== null) return;
    const stream = await this.#openMicrophone();
    if (stream === null) return;
    this.#microphone = stream;
    this.#ua.call(`sip:${ECHO}@${DOMAIN}`, { mediaStream: stream, pcConfig: this.#pcConfig() });
  }

  choose(kind: SoundKind, id: string): void {
    this.#sound.choose(kind, id);
    void this.refreshSounds();
    if (kind === "microphone") void this.#changeMicrophone();
  }

  async refreshSounds(): Promise<void> {
    this.change({ sounds: await this.#sound.devices() });
  }

  levels() {
    return this.#sound.levels();
  }

  // Registration.

  async #begin(): Promise<void> {
    const credentials = await this.#fetchCredentials();
    if (credentials === null || this.view.state === "off") return;
    const line = new Line(this.#options.url ?? relayUrl(), {
      renewed: () => this.#renewed(),
      cut: (isCut) => this.#cut(isCut),
      active: (isActive) => this.#activate(isActive),
      refused: () => this.#refuse(),
    });
    const ua = new UA({
      sockets: [line as never],
      uri: `sip:${credentials.username}@${DOMAIN}`,
      // The switch calls us by this name, and the relay knows by it who speaks.
      contact_uri: `sip:${credentials.username}@page.invalid;transport=ws`,
      password: credentials.password,
      user_agent: "Perezvon",
      register: false,
      register_expires: 120,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 4,
    });
    ua.on("connected", () => this.#register());
    ua.on("registered", () => this.#registered());
    ua.on("unregistered", () => this.#show());
    ua.on("registrationFailed", () => this.#registerAgain());
    ua.on("newRTCSession", (event: IncomingRTCSessionEvent) => this.#came(event));
    this.#line = line;
    this.#ua = ua;
    ua.start();
  }

  async #fetchCredentials(): Promise<Credentials | null> {
    for (;;) {
      try {
        const credentials = await this.#api.credentials();
        this.#iceServers = await this.#api.iceServers();
        if (credentials === null) this.#refuse();
        else this.#renewBefore(credentials.expires_at);
        return credentials;
      } catch {
        // The engine or the switch is away: it comes back, and nobody has to press anything.
        await pause(this.#backOff());
        if (this.view.state === "off") return null;
      }
    }
  }

  #renewBefore(expiresAt: number): void {
    clearTimeout(this.#renew);
    const left = Math.max(10_000, (expiresAt - Date.now()) * RENEW_SHARE);
    this.#renew = setTimeout(() => void this.#renewCredentials(), left);
  }

  async #renewCredentials(): Promise<void> {
    if (!this.#active) return;
    const credentials = await this.#fetchCredentials();
    if (credentials !== null) this.#ua?.set("password", credentials.password);
  }

  #activate(isActive: boolean): void {
    this.#active = isActive;
    if (isActive) this.#register();
    else this.#ua?.unregister();
    this.#show();
  }

  #register(): void {
    if (this.#active && this.#ua?.isConnected()) this.#ua.register();
  }

  #renewed(): void {
    const registrator = this.#ua?.registrator() as unknown as { onTransportClosed(): void };
    registrator?.onTransportClosed();
    // The switch learns by it where to send what concerns the talk; of one that it does not know,
    // for it was restarted, we learn that it is over.
    if (this.#session?.isEstablished()) this.#session.renegotiate();
    this.#register();
  }

  #registered(): void {
    this.#failures = 0;
    this.#show();
  }

  #registerAgain(): void {
    this.#show();
    // Any refusal may mean that our password is over: the switch was restarted, or we slept.
    void pause(this.#backOff())
      .then(() => this.#renewCredentials())
      .then(() => this.#register());
  }

  #backOff(): number {
    const wait = AGAIN_MS[Math.min(this.#failures, AGAIN_MS.length - 1)] ?? 0;
    this.#failures += 1;
    return wait;
  }

  #cut(isCut: boolean): void {
    if (isCut) this.change({ state: "reconnecting" });
    else this.#show();
  }

  #refuse(): void {
    clearTimeout(this.#renew);
    this.#ua?.stop();
    this.#ua = null;
    this.#line = null;
    this.change({ state: "refused" });
  }

  #show(): void {
    if (this.#ua === null) return;
    const registered = this.#ua.isRegistered();
    if (!this.#active && this.#ua.isConnected()) this.change({ state: "elsewhere" });
    else this.change({ state: registered ? "ready" : "connecting" });
  }

  // Calls.

  #came({ session, request, originator }: IncomingRTCSessionEvent): void {
    const outgoing = (originator as string) === "local";
    if (this.#session !== null && !this.#session.isEnded()) {
      if (session !== this.#session) session.terminate({ status_code: BUSY });
      return;
    }
    this.#session = session;
    this.#follow(session);
    const from = session.remote_identity;
    // It was asked for by him: it does not ring, and takes him to no other page.
    const byItself = !outgoing && request.getHeader("X-Perezvon-Answer") === "auto";
    this.change({
      problem: null,
      call: {
        id: outgoing ? null : (request.getHeader("X-Perezvon-Call") ?? null),
        number: from.uri.user ?? "",
        name: from.display_name ?? "",
        outgoing,
        state: outgoing || byItself ? "connecting" : "ringing",
        beganAt: Date.now(),
        answeredAt: null,
        muted: false,
        held: false,
        sound: false,
      },
    });
    if (byItself) void this.#take(session);
    else if (!outgoing) this.#sound.startRinging();
  }

  #follow(session: RTCSession): void {
    const ours = (act: () => void) => () => {
      if (this.#session === session) act();
    };
    session.on("peerconnection", ({ peerconnection }) => this.#watch(session, peerconnection));
    // The call that we make has its connection before anybody could listen to the event.
    if (session.connection) this.#watch(session, session.connection);
    session.on("icecandidate", this.#gatheringOf(session));
    session.on(
      "confirmed",
      ours(() => this.changeCall({ state: "talking", answeredAt: Date.now() })),
    );
    session.on(
      "hold",
      ours(() => this.changeCall({ held: session.isOnHold().local })),
    );
    session.on(
      "unhold",
      ours(() => this.changeCall({ held: session.isOnHold().local })),
    );
    session.on(
      "ended",
      ours(() => this.#endCall()),
    );
    session.on(
      "failed",
      ours(() => this.#endCall()),
    );
  }

  /** Not longer than it takes: a server for addresses that does not answer would cost 10 s. */
  #gatheringOf(session: RTCSession) {
    const wait = this.#options.iceTransportPolicy === "relay" ? GATHER_RELAYED_MS : GATHER_MS;
    let timer: ReturnType<typeof setTimeout> | undefined;
    session.on("sdp", () => {
      clearTimeout(timer);
      timer = undefined;
    });
    return ({ candidate, ready }: { candidate: RTCIceCandidate; ready: () => void }) => {
      if (candidate.type === "relay") ready();
      else timer ??= setTimeout(ready, wait);
    };
  }

  #watch(session: RTCSession, connection: RTCPeerConnection): void {
    connection.addEventListener("track", ({ streams, track }) => {
      if (this.#session === session) this.#sound.play(streams[0] ?? new MediaStream([track]));
    });
    connection.addEventListener("iceconnectionstatechange", () => {
      if (this.#session !== session) return;
      const state = connection.iceConnectionState;
      this.changeCall({ sound: state === "connected" || state === "completed" });
      // Another network, another address: the way of the sound is sought anew.
      if (state === "failed") {
        this.change({ problem: "no_media" });
        // What the talk began with may be over by now.
        connection.setConfiguration(this.#pcConfig());
        session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
      } else if (this.view.problem === "no_media" && state === "connected") {
        this.change({ problem: null });
      }
    });
  }

  #endCall(): void {
    this.#session = null;
    this.#sound.stopRinging();
    this.#sound.silence();
    stopTracks(this.#microphone);
    this.#microphone = null;
    this.change({ call: null });
  }

  #pcConfig(): RTCConfiguration {
    return {
      iceServers: this.#iceServers,
      iceTransportPolicy: this.#options.iceTransportPolicy ?? "all",
    };
  }

  // The microphone.

  async #askForMicrophone(): Promise<void> {
    // The browser asks its user once; later calls are answered without a question.
    stopTracks(await this.#openMicrophone());
  }

  async #openMicrophone(): Promise<MediaStream | null> {
    try {
      const stream = await this.#sound.openMicrophone();
      this.#sound.hearMicrophone(stream);
      return stream;
    } catch (error) {
      this.change({ problem: problemOf(error) });
      return null;
    }
  }

  async #changeMicrophone(): Promise<void> {
    const connection = this.#session?.connection;
    if (!connection || this.#microphone === null) return;
    const stream = await this.#openMicrophone();
    const track = stream?.getAudioTracks()[0];
    const sender = connection.getSenders().find((one) => one.track?.kind === "audio");
    if (stream === null || track === undefined || sender === undefined) return;
    track.enabled = !(this.view.call?.muted ?? false);
    await sender.replaceTrack(track);
    stopTracks(this.#microphone);
    this.#microphone = stream;
  }
}

function stopTracks(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function problemOf(error: unknown): PhoneProblem {
  const denied = error instanceof DOMException && error.name === "NotAllowedError";
  return denied ? "microphone_denied" : "microphone_missing";
}

function relayUrl(): string {
  return `${location.origin.replace(/^http/, "ws")}/api/v1/phone`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
