import { expect, test } from "vitest";
import type { AgentRow, TalkingRow, WaitingRow } from "@/live/board";
import { colleagues, deskOf, type HeardCall, wantsRejoin, wrapUpEndsAt } from "./model";

const ROW: AgentRow = {
  name: "Anna",
  status: "available",
  since_at: 1_000,
  reason: "",
  reachable: true,
  device: "webrtc",
  groups: [],
  lent_to: [],
  call: null,
  wanted: null,
  answered_today: 0,
  missed: 0,
};
const CLIENT = { person: "p1", number: "+79161234567", name: "Ivan", queue: "shop", debt: null };
const WAITING: WaitingRow = {
  ...CLIENT,
  state: "waiting",
  since_at: 5_000,
  step: 1,
  round: 1,
  ringing: ["anna", "boris"],
  ringing_names: ["Anna", "Boris"],
};
const TALKING: TalkingRow = {
  ...CLIENT,
  since_at: 9_000,
  arrived_at: 5_000,
  agent: "anna",
  agent_name: "Anna",
};
const HEARD: HeardCall = {
  id: "c1",
  number: "+79161234567",
  name: "",
  outgoing: false,
  state: "ringing",
  beganAt: 6_000,
  answeredAt: null,
  muted: false,
  held: false,
};

function rows(status: AgentRow["status"], more: Partial<AgentRow> = {}) {
  return { agents: { anna: { ...ROW, status, ...more } }, waiting: {}, talking: {} };
}

test("nothing goes on", () => {
  expect(deskOf("anna", rows("available"), null).call).toBeNull();
});

test("the telephone rings before the board knows", () => {
  const { call } = deskOf("anna", rows("available"), HEARD);
  expect(call).toMatchObject({ id: "c1", stage: "incoming", number: "+79161234567" });
});

test("a call that rings me comes from the board, on whatever device it rings", () => {
  const board = { ...rows("ringing", { call: "c1" }), waiting: { c1: WAITING } };
  const { call } = deskOf("anna", board, null);
  expect(call).toMatchObject({ stage: "incoming", person: "p1", beganAt: 5_000, outgoing: false });
});

test("a call that rings others is not mine", () => {
  const board = { ...rows("available"), waiting: { c1: { ...WAITING, ringing: ["boris"] } } };
  expect(deskOf("anna", board, null).call).toBeNull();
});

test("a call-back rings me first, and then I hear the client's telephone", () => {
  const row = { ...WAITING, state: "ringing_agent", debt: "d1" };
  const ringing = { ...rows("ringing", { call: "d1/1" }), waiting: { "d1/1": row } };
  expect(deskOf("anna", ringing, null).call).toMatchObject({ stage: "incoming", outgoing: true });
  const dialling = {
    ...rows("talking", { call: "d1/1" }),
    waiting: { "d1/1": { ...row, state: "dialling", ringing: [] } },
  };
  expect(deskOf("anna", dialling, null).call).toMatchObject({ stage: "dialling", debt: "d1" });
});

test("what I dial by hand does not come in", () => {
  const row = { ...WAITING, state: "ringing_agent", ringing: ["anna"] };
  const board = { ...rows("ringing", { call: "c2" }), waiting: { c2: row } };
  expect(deskOf("anna", board, null).call).toMatchObject({ stage: "dialling", outgoing: true });
});

test("a talk is shown from the board, and stays known through the wrap-up", () => {
  const board = { ...rows("talking", { call: "c1" }), talking: { c1: TALKING } };
  const { call } = deskOf("anna", board, { ...HEARD, state: "talking" });
  expect(call).toMatchObject({ stage: "talking", answeredAt: 9_000, handing: null, lost: false });
  const after = deskOf("anna", rows("wrap_up", { call: "c1" }), null, call);
  expect(after.call).toMatchObject({ stage: "wrap_up", id: "c1", person: "p1" });
});

test("of another call nothing is remembered", () => {
  const board = { ...rows("talking", { call: "c1" }), talking: { c1: TALKING } };
  const { call } = deskOf("anna", board, null);
  const after = deskOf("anna", rows("wrap_up", { call: "c9" }), null, call);
  expect(after.call).toMatchObject({ stage: "wrap_up", id: "c9", person: null });
});

test("who is rung for a call that is handed over sees it come, and does not hand it over", () => {
  const row = { ...WAITING, state: "transferring", ringing: ["boris"], handed_by: "anna" };
  const board = {
    ...rows("wrap_up", { call: "c1" }),
    waiting: { c1: { ...row, to_agent: "boris" } },
  };
  const agents = { boris: { ...ROW, status: "ringing", call: "c1" } as AgentRow };
  const { call } = deskOf("boris", { ...board, agents }, null);
  expect(call).toMatchObject({ stage: "incoming", handing: null });
});

test("a talk that is only listened to can neither be handed over nor noted", () => {
  const board = { ...rows("paused"), talking: { c1: { ...TALKING, agent: "boris" } } };
  const { call } = deskOf("anna", board, { ...HEARD, state: "talking", answeredAt: 9_000 });
  expect(call).toMatchObject({ id: null, stage: "talking", number: "+79161234567" });
});

test("whom I hand over is told, and that the other one has answered", () => {
  const row = { ...TALKING, state: "consulting", handed_by: "anna", to_agent: "boris" };
  const board = { ...rows("talking", { call: "c1" }), talking: { c1: row } };
  expect(deskOf("anna", board, null).call?.handing).toMatchObject({ to_agent: "boris" });
  const boris = {
    ...board,
    agents: { boris: { ...ROW, status: "talking", call: "c1" } as AgentRow },
  };
  expect(deskOf("boris", boris, null).call).toMatchObject({ stage: "talking", handing: null });
});

test("a page that was loaded anew fetches its talk, once it has its telephone", () => {
  const state = deskOf(
    "anna",
    { ...rows("talking", { call: "c1" }), talking: { c1: TALKING } },
    null,
  );
  expect(wantsRejoin(state, { ready: true, heard: null })).toBe(true);
  expect(wantsRejoin(state, { ready: false, heard: null })).toBe(false);
  expect(wantsRejoin(state, { ready: true, heard: { ...HEARD, state: "talking" } })).toBe(false);
  expect(wantsRejoin(deskOf("anna", rows("wrap_up"), null), { ready: true, heard: null })).toBe(
    false,
  );
});

test("a wrap-up ends by the queue's length, and only a wrap-up does", () => {
  expect(wrapUpEndsAt({ ...ROW, status: "wrap_up" }, 10_000)).toBe(11_000);
  expect(wrapUpEndsAt(ROW, 10_000)).toBeNull();
  expect(wrapUpEndsAt({ ...ROW, status: "wrap_up" }, undefined)).toBeNull();
});

test("colleagues who are free come first, and a name is found in any case", () => {
  const agents = {
    anna: ROW,
    boris: { ...ROW, name: "Борис", status: "talking" as const },
    vera: { ...ROW, name: "Вера" },
    gleb: { ...ROW, name: "Глеб", reachable: false },
  };
  expect(colleagues("anna", agents).map((one) => [one.id, one.free])).toEqual([
    ["vera", true],
    ["gleb", false],
    ["boris", false],
  ]);
  expect(colleagues("anna", agents, "ВЕР").map((one) => one.id)).toEqual(["vera"]);
});
