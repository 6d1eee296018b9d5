/** The recording as a drawing: the agent above the line, the client below; a slider over time. */
import { useComputedColorScheme } from "@mantine/core";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef } from "react";
import { clock } from "@/i18n/format";
import { columnOf, fullOf, type Loudness } from "./peaks";
import classes from "./player.module.css";
import { words } from "./words";

const BAR_PX = 2;
const GAP_PX = 1;
const STEP_S = 5;
const LEAP_S = 30;

/** Those of the legend in `player.module.css`. */
const COLOURS = {
  light: { agent: "#0b6b63", client: "#3b5bdb" },
  dark: { agent: "#4fb0a4", client: "#91a7ff" },
};

interface Props {
  peaks: Loudness;
  atS: number;
  lengthS: number;
  seek: (toS: number) => void;
  toggle: () => void;
}

export function Waveform({ peaks, atS, lengthS, seek, toggle }: Props) {
  const t = words.use();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme();
  const share = lengthS > 0 ? atS / lengthS : 0;
  useEffect(() => {
    const drawn = canvas.current;
    if (drawn === null) return;
    const redraw = () => draw(drawn, peaks, share, COLOURS[scheme]);
    redraw();
    const watch = new ResizeObserver(redraw);
    watch.observe(drawn);
    return () => watch.disconnect();
  }, [peaks, share, scheme]);

  function point(event: PointerEvent<HTMLDivElement>) {
    if (event.type === "pointermove" && event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const to = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    seek(to * lengthS);
  }

  function press(event: KeyboardEvent) {
    const to = keyTarget(event.code, atS, lengthS);
    if (to === null && event.code !== "Space") return;
    event.preventDefault();
    if (to === null) toggle();
    else seek(Math.min(lengthS, Math.max(0, to)));
  }

  return (
    <div
      role="slider"
      tabIndex={0}
      className={classes.wave}
      aria-label={t("position")}
      aria-valuemin={0}
      aria-valuemax={Math.round(lengthS)}
      aria-valuenow={Math.round(atS)}
      aria-valuetext={t("position_text", {
        at: clock(atS * 1_000),
        length: clock(lengthS * 1_000),
      })}
      onPointerDown={point}
      onPointerMove={point}
      onKeyDown={press}
    >
      <canvas ref={canvas} className={classes.canvas} />
      <span className={classes.cursor} style={{ insetInlineStart: `${share * 100}%` }} />
    </div>
  );
}

function keyTarget(code: string, atS: number, lengthS: number): number | null {
  switch (code) {
    case "ArrowRight":
    case "ArrowUp":
      return atS + STEP_S;
    case "ArrowLeft":
    case "ArrowDown":
      return atS - STEP_S;
    case "PageUp":
      return atS + LEAP_S;
    case "PageDown":
      return atS - LEAP_S;
    case "Home":
      return 0;
    case "End":
      return lengthS;
    default:
      return null;
  }
}

function draw(
  canvas: HTMLCanvasElement,
  peaks: Loudness,
  share: number,
  colours: (typeof COLOURS)["light"],
): void {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  pen.scale(ratio, ratio);
  const columns = Math.max(1, Math.floor(width / (BAR_PX + GAP_PX)));
  const middle = height / 2;
  const full = fullOf(peaks);
  for (let column = 0; column < columns; column += 1) {
    const left = column * (BAR_PX + GAP_PX);
    pen.globalAlpha = left / width < share ? 1 : 0.45;
    for (const [side, way] of [
      ["agent", -1],
      ["client", 1],
    ] as const) {
      const size = Math.max(1, (columnOf(peaks[side], column, columns) / full) * (middle - 3));
      pen.fillStyle = colours[side];
      pen.fillRect(left, way < 0 ? middle - size : middle, BAR_PX, size);
    }
  }
}
