/** An agent's status, by icon and words. */
import {
  IconBell,
  IconBrowser,
  IconCircleCheck,
  IconCoffee,
  IconDeviceMobile,
  IconHeadset,
  IconPencil,
  IconPhone,
  IconPlugConnectedX,
  IconPower,
  IconUsersGroup,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { moment } from "@/i18n/format";
import type { AgentRow, AgentStatus } from "@/live/board";
import { useLive } from "@/live/live";
import { useReasons } from "@/parts/reasons/reasons";
import classes from "./board.module.css";
import { words } from "./words";

const ICONS = {
  ringing: IconBell,
  talking: IconHeadset,
  wrap_up: IconPencil,
  available: IconCircleCheck,
  paused: IconCoffee,
  signed_out: IconPower,
} as const satisfies Record<AgentStatus, typeof IconBell>;

/** In the order in which a supervisor looks at them. */
export const STATUSES = Object.keys(ICONS) as AgentStatus[];

/** Reasons that are offered; they are kept by their key, and shown to each in his language. */
export const PAUSES = ["break", "lunch", "meeting", "training", "paperwork", "technical"];

export function Status({ row }: { row: AgentRow }) {
  const t = words.use();
  const told = useReasons();
  const Icon = ICONS[row.status] ?? IconPower;
  const more = row.wanted === null ? told(row.reason) : t(`wanted_${row.wanted}`);
  return (
    <span className={classes.status} data-status={row.status}>
      <Icon size={16} aria-hidden />
      <span>{t(`status_${row.status}`)}</span>
      {more !== "" && (
        <span className={classes.why} title={more}>
          {more}
        </span>
      )}
    </span>
  );
}

const DEVICES = { sip: IconPhone, webrtc: IconBrowser, mobile: IconDeviceMobile } as const;

/** What is particular about him: which device, whether it is there, whom he is lent to. */
export function Particulars({ row }: { row: AgentRow }) {
  const t = words.use();
  const groups = useLive((live) => live.board.sections.groups);
  const device = row.device in DEVICES ? (row.device as keyof typeof DEVICES) : null;
  const Device = device === null ? null : DEVICES[device];
  const lent = row.lent_to
    .map(({ group, until_at }) =>
      t("lent", { group: groups[group]?.name ?? group, when: moment(until_at) }),
    )
    .join(", ");
  return (
    <span className={classes.particulars}>
      {!row.reachable && row.status !== "signed_out" && (
        <Sign name={t("unreachable")} colour="red">
          <IconPlugConnectedX size={15} aria-hidden />
        </Sign>
      )}
      {lent !== "" && (
        <Sign name={lent} colour="grape">
          <IconUsersGroup size={15} aria-hidden />
        </Sign>
      )}
      {Device !== null && device !== null && (
        <Sign name={t(`device_${device}`)}>
          <Device size={15} aria-hidden />
        </Sign>
      )}
    </span>
  );
}

function Sign({ name, colour, children }: { name: string; colour?: string; children: ReactNode }) {
  const style = colour === undefined ? undefined : { color: `var(--mantine-color-${colour}-text)` };
  return (
    <span role="img" aria-label={name} title={name} className={classes.sign} style={style}>
      {children}
    </span>
  );
}
