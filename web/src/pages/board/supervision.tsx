/** While I am at somebody's talk: how, and the way out. The board tells; I may have asked elsewhere. */
import { Alert, Button, Group } from "@mantine/core";
import { IconEar } from "@tabler/icons-react";
import { endSupervision, type SupervisionMode, superviseCall } from "@/api/generated";
import { useSession } from "@/app/session";
import type { SupervisionRow } from "@/live/board";
import { useLive } from "@/live/live";
import { attempt } from "./attempt";
import { words } from "./words";

export const MODES = ["listen", "whisper", "barge"] as const satisfies readonly SupervisionMode[];

export async function supervise(call: string, mode: SupervisionMode): Promise<void> {
  await hearHere();
  await superviseCall({ path: { call }, body: { mode }, throwOnError: true });
}

/** Who answers in a browser need not be on shift to hear: no tab of his may have the telephone. */
async function hearHere(): Promise<void> {
  const me = useLive.getState().board.sections.agents[useSession.getState().me?.agent ?? ""];
  if (me === undefined || me.device !== "webrtc" || me.reachable) return;
  const { bringUpPhone } = await import("@/pages/desk/use-phone");
  if (await bringUpPhone()) return;
  throw { error: { code: "telephone_away", message: words.say("no_telephone") } };
}

function useMine(): SupervisionRow | undefined {
  const agent = useSession((session) => session.me?.agent ?? "");
  return useLive((live) => live.board.sections.supervisions[agent]);
}

export function SupervisionBar() {
  const t = words.use();
  const mine = useMine();
  if (mine === undefined) return null;
  const { call, mode: now, agent_name: name, since_at: since } = mine;
  return (
    <Alert
      color="grape"
      icon={<IconEar />}
      title={since === null ? t("supervise_rings") : t(`supervising_${now}`, { name })}
      role="status"
      p="xs"
    >
      <Group gap="xs">
        {MODES.filter((mode) => mode !== now).map((mode) => (
          <Button
            key={mode}
            size="compact-sm"
            variant="light"
            color="grape"
            onClick={() =>
              void attempt(t, async () => {
                await supervise(call, mode);
                return t("done");
              })
            }
          >
            {t(mode)}
          </Button>
        ))}
        <Button
          size="compact-sm"
          color="grape"
          onClick={() =>
            void attempt(t, async () => {
              await endSupervision({ path: { call }, throwOnError: true });
              return t("done");
            })
          }
        >
          {t("stop")}
        </Button>
      </Group>
    </Alert>
  );
}
