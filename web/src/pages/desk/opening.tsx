/** What to say first when calling back: proposed by the plan, mended by the agent as he likes. */
import { Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { readNextOptions } from "@/api/generated/@tanstack/react-query.gen";
import { language } from "@/i18n/i18n";
import type { DeskCall } from "./model";
import { words } from "./words";

export function Opening({ call }: { call: DeskCall }) {
  const { data } = useQuery(readNextOptions({ query: { lang: language() } }));
  const found = data?.items.find(
    (one) => (one.debt !== null && one.debt === call.debt) || one.person === call.person,
  );
  return found === undefined ? null : (
    <OpeningLine key={found.call} debt={found.debt ?? found.call} proposed={found.opening} />
  );
}

/** Kept while the tab is open: what is written before the call is shown in it. */
const edited = new Map<string, string>();
const EDITED_MAX = 100;

export function OpeningLine({ debt, proposed }: { debt: string; proposed: string }) {
  const t = words.use();
  const [text, setText] = useState(edited.get(debt) ?? proposed);
  return (
    <Textarea
      label={t("opening")}
      autosize
      minRows={2}
      maxRows={5}
      maxLength={1_000}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        if (edited.size >= EDITED_MAX) edited.clear();
        edited.set(debt, event.currentTarget.value);
      }}
    />
  );
}
