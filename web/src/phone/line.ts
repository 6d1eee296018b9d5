/**
 * The line to the relay, as the SIP library's socket: it may be cut and comes back by itself, and
 * the library never notices. (It would end the talk, whose sound goes on all the time.)
 *
 * Messages are counted on both sides. After a cut each side tells how many it has, and the other
 * sends the rest again. When the relay had to let go of our connection to the switch (`new`), the
 * telephone is told to register. See `api/phone_relay.py` for the frames.
 */

const PROVE_MS = 4_000;
const DEAD_MS = 10_000;
const AGAIN_MS = [200, 500, 1_000, 2_000, 4_000];
const KEPT_MAX = 200;

/** How we end a connection that seems dead; 1000 would end the line itself. */
const COMING_BACK = 4000;

/** Signed out: trying again is of no use. */
const REFUSED = 4401;
/** The relay lets a message of ours not through: it must not come again with the next line. */
const NOT_ALLOWED = 4403;

interface Control {
  readonly hello?: "new" | "again";
  readonly got?: number;
  readonly active?: boolean;
}

export interface LineEvents {
  /** Our connection to the switch is another one now: it has to learn where we are. */
  renewed(): void;
  /** The line is cut, or stands again. */
  cut(isCut: boolean): void;
  /** Whether the telephone is on this page. */
  active(isActive: boolean): void;
  /** We are not let in: signed out, most likely. */
  refused(): void;
}

export class Line {
  readonly url: string;
  readonly sip_uri = "sip:relay.invalid;transport=ws";
  via_transport = "WS";

  onconnect: () => void = () => {};
  ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => {};
  ondata: (message: unknown) => void = () => {};

  readonly #events: LineEvents;
  readonly #page = randomId();
  #socket: WebSocket | null = null;
  #wanted = false;
  /** The library was told that it is connected. */
  #connected = false;
  #got = 0;
  #kept: string[] = [];
  /** How many of ours the relay has confirmed: the number of the first of `#kept`. */
  #confirmed = 0;
  /** The relay has said where we are; before that, nothing of the library's may go. */
  #greeted = false;
  #failures = 0;
  #heardAt = 0;
  #isCut = false;
  #again: ReturnType<typeof setTimeout> | undefined;
  #prove: ReturnType<typeof setInterval> | undefined;

  constructor(url: string, events: LineEvents) {
    this.url = url;
    this.#events = events;
    globalThis.addEventListener?.("online", () => this.#tryNow());
  }

  // As the library's socket.

  connect(): void {
    this.#wanted = true;
    if (this.#socket === null) this.#open();
    else if (this.#greeted && !this.#connected) this.#tellConnected();
  }

  disconnect(): void {
    this.#wanted = false;
    this.#connected = false;
    clearTimeout(this.#again);
    this.#drop(1000);
    this.#kept = [];
  }

  send(message: string | ArrayBufferLike | Blob | ArrayBufferView): boolean {
    if (typeof message !== "string" || this.#kept.length >= KEPT_MAX) return false;
    this.#kept.push(message);
    if (this.#greeted) this.#socket?.send(message);
    return true;
  }

  isConnected(): boolean {
    return this.#connected;
  }

  isConnecting(): boolean {
    return this.#wanted && !this.#connected;
  }

  // Our own.

  /** Have the telephone here. */
  take(): void {
    if (this.#greeted) this.#socket?.send(JSON.stringify({ take: true }));
  }

  #open(): void {
    clearTimeout(this.#again);
    const socket = new WebSocket(`${this.url}?page=${this.#page}&got=${this.#got}`, "sip");
    this.#socket = socket;
    this.#greeted = false;
    socket.onmessage = ({ data }) => this.#hear(socket, String(data));
    socket.onclose = ({ code }) => {
      if (this.#socket === socket) this.#closed(code);
    };
    this.#heardAt = Date.now();
    clearInterval(this.#prove);
    this.#prove = setInterval(() => this.#proveLife(socket), PROVE_MS);
  }

  #hear(socket: WebSocket, text: string): void {
    if (this.#socket !== socket) return;
    this.#heardAt = Date.now();
    if (!text.startsWith("{")) {
      this.#got += 1;
      this.ondata(text);
      return;
    }
    const control = JSON.parse(text) as Control;
    if (control.hello !== undefined) this.#begin(control.hello, control.got ?? 0);
    else if (control.got !== undefined) this.#confirm(control.got);
    if (control.active !== undefined) this.#events.active(control.active);
  }

  #begin(hello: "new" | "again", got: number): void {
    this.#failures = 0;
    this.#isCut = false;
    this.#greeted = true;
    if (hello === "new") {
      this.#got = 0;
      this.#confirmed = 0;
    } else this.#confirm(got);
    // What the other side may have already is known to it by its number, or as a repetition.
    for (const message of this.#kept) this.#socket?.send(message);
    if (!this.#connected) this.#tellConnected();
    else if (hello === "new") this.#events.renewed();
    this.#events.cut(false);
  }

  #tellConnected(): void {
    this.#connected = true;
    this.onconnect();
  }

  #confirm(got: number): void {
    if (got <= this.#confirmed) return;
    this.#kept.splice(0, got - this.#confirmed);
    this.#confirmed = got;
  }

  #proveLife(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    if (Date.now() - this.#heardAt > DEAD_MS) {
      // Nothing comes and nothing is refused: a network that swallows all.
      this.#drop();
      this.#closed(1006);
    } else if (this.#greeted) socket.send(JSON.stringify({ got: this.#got }));
  }

  #closed(code: number): void {
    this.#drop();
    if (!this.#wanted) return;
    if (code === NOT_ALLOWED) this.#kept = [];
    if (code === REFUSED) {
      this.#wanted = false;
      this.#events.refused();
      return;
    }
    if (!this.#isCut) {
      this.#isCut = true;
      this.#events.cut(true);
    }
    const wait = AGAIN_MS[Math.min(this.#failures, AGAIN_MS.length - 1)] ?? 0;
    this.#failures += 1;
    this.#again = setTimeout(() => this.#open(), wait);
  }

  #tryNow(): void {
    if (!this.#wanted || !this.#isCut || this.#socket !== null) return;
    this.#failures = 0;
    this.#open();
  }

  #drop(code = COMING_BACK): void {
    clearInterval(this.#prove);
    const socket = this.#socket;
    this.#socket = null;
    this.#greeted = false;
    if (socket !== null && socket.readyState < WebSocket.CLOSING) socket.close(code);
  }
}

/** `crypto.randomUUID` is for secure pages only; there, a telephone is of no use, and says so. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
