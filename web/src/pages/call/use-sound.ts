/** The sound of a recording: an element that plays it, and how loud each side is. */
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { gainsOf } from "./peaks";

export interface Sound {
  audio: RefObject<HTMLAudioElement | null>;
  atS: number;
  lengthS: number;
  isPlaying: boolean;
  hasFailed: boolean;
  toggle: () => void;
  seek: (toS: number) => void;
  setSpeed: (speed: number) => void;
  /** -1: the agent alone; 1: the client alone. */
  setBalance: (balance: number) => void;
}

interface Mixer {
  context: AudioContext;
  agent: GainNode;
  client: GainNode;
}

export function useSound(knownS: number): Sound {
  const audio = useRef<HTMLAudioElement>(null);
  const mixer = useRef<Mixer | null>(null);
  const balance = useRef(0);
  const [state, setState] = useState({ atS: 0, isPlaying: false, hasFailed: false });
  useEffect(() => {
    const element = audio.current;
    if (element === null) return;
    const look = () =>
      setState({
        atS: element.currentTime,
        isPlaying: !element.paused && !element.ended,
        hasFailed: element.error !== null,
      });
    const events = ["timeupdate", "seeked", "play", "pause", "ended", "error"];
    for (const event of events) element.addEventListener(event, look);
    return () => {
      for (const event of events) element.removeEventListener(event, look);
      void mixer.current?.context.close();
      mixer.current = null;
    };
  }, []);
  const toggle = useCallback(() => {
    const element = audio.current;
    if (element === null) return;
    // Made at a click: before one, a page may make no sound.
    mixer.current ??= mixed(element, balance.current);
    void mixer.current.context.resume();
    if (element.paused)
      element.play().catch(() => setState((now) => ({ ...now, hasFailed: true })));
    else element.pause();
  }, []);
  const seek = useCallback((toS: number) => {
    if (audio.current !== null) audio.current.currentTime = toS;
    setState((now) => ({ ...now, atS: toS }));
  }, []);
  const setSpeed = useCallback((speed: number) => {
    if (audio.current !== null) audio.current.playbackRate = speed;
  }, []);
  const setBalance = useCallback((to: number) => {
    balance.current = to;
    if (mixer.current !== null) weigh(mixer.current, to);
  }, []);
  return { audio, ...state, lengthS: knownS, toggle, seek, setSpeed, setBalance };
}

/** Left is the agent, right the client; both are heard in both ears when one is alone. */
function mixed(element: HTMLAudioElement, balance: number): Mixer {
  const context = new AudioContext();
  const source = context.createMediaElementSource(element);
  const splitter = context.createChannelSplitter(2);
  const [agent, client] = [context.createGain(), context.createGain()];
  source.connect(splitter);
  splitter.connect(agent, 0);
  splitter.connect(client, 1);
  agent.connect(context.destination);
  client.connect(context.destination);
  const made = { context, agent, client };
  weigh(made, balance);
  return made;
}

function weigh({ context, agent, client }: Mixer, balance: number): void {
  const gains = gainsOf(balance);
  agent.gain.setTargetAtTime(gains.agent, context.currentTime, 0.02);
  client.gain.setTargetAtTime(gains.client, context.currentTime, 0.02);
}
