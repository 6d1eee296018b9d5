/** What agents and queues are called, as the live board tells; ids where it does not. */
import { useMemo } from "react";
import { useLive } from "@/live/live";

export interface Names {
  agent: (id: string) => string;
  queue: (id: string) => string;
}

/** Names alone: who only shows them is not drawn anew with every change of a status. */
function told(rows: Record<string, { name: string }>): string {
  return JSON.stringify(Object.entries(rows).map(([id, row]) => [id, row.name]));
}

export function useNames(): Names {
  const agents = useLive((live) => told(live.board.sections.agents));
  const queues = useLive((live) => told(live.board.sections.queues));
  return useMemo(() => {
    const agentNames = new Map<string, string>(JSON.parse(agents));
    const queueNames = new Map<string, string>(JSON.parse(queues));
    return {
      agent: (id) => agentNames.get(id) ?? id,
      queue: (id) => queueNames.get(id) ?? id,
    };
  }, [agents, queues]);
}
