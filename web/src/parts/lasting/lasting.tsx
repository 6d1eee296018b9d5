/** How long something has lasted, counting; with an icon and a colour once it is too long. */
import { IconAlertTriangle, IconClockExclamation } from "@tabler/icons-react";
import { clock, fullMoment } from "@/i18n/format";
import { useServerNow } from "@/live/live";
import classes from "./lasting.module.css";

interface Props {
  since: number | null;
  /** From here on it is long, and too long. */
  longMs?: number;
  tooLongMs?: number;
}

export type Patience = "well" | "long" | "too_long";

export function patience(lastedMs: number, longMs = Infinity, tooLongMs = Infinity): Patience {
  if (lastedMs >= tooLongMs) return "too_long";
  return lastedMs >= longMs ? "long" : "well";
}

export function Lasting({ since, longMs, tooLongMs }: Props) {
  const now = useServerNow();
  if (since === null) return null;
  const lastedMs = now - since;
  const state = patience(lastedMs, longMs, tooLongMs);
  return (
    <time
      className={classes.lasting}
      data-state={state}
      dateTime={new Date(since).toISOString()}
      title={fullMoment(since)}
    >
      {state === "too_long" && <IconAlertTriangle size={14} aria-hidden />}
      {state === "long" && <IconClockExclamation size={14} aria-hidden />}
      {clock(lastedMs)}
    </time>
  );
}
