/** The plan file itself: the last resort, for what the forms do not have. */
import { Alert, Button, Group, List, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { checkPlan, type Flaw, readPlan } from "@/api/generated";
import { Failure, Loading } from "@/app/outcomes";
import { language } from "@/i18n/i18n";
import { replace, useDraft } from "../plan/draft";
import type { Tree } from "../plan/tree";
import { useInForce } from "../plan/use-plan";
import { words } from "../words";
import classes from "./text.module.css";

export function PlanTextPage() {
  const t = words.use();
  const plan = useInForce();
  const { base, tree } = useDraft();
  const begun = useQuery({
    queryKey: ["plan-text", plan.version, base === "" ? null : tree],
    queryFn: async ({ signal }) => {
      if (base === "") return (await readPlan({ signal, throwOnError: true })).data.text;
      const checked = (await checkPlan({ body: { tree }, signal, throwOnError: true })).data;
      return checked.version === null ? null : checked.text;
    },
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Stack maw={1100}>
      <Title order={1} size="h3">
        {t("text")}
      </Title>
      <Text c="dimmed" size="sm">
        {t("text_why")}
      </Text>
      {begun.error !== null && <Failure error={begun.error} />}
      {begun.isPending && <Loading />}
      {begun.data === null && <Alert color="yellow">{t("text_flaws_first")}</Alert>}
      {typeof begun.data === "string" && <Editor key={begun.data} begun={begun.data} />}
    </Stack>
  );
}

function Editor({ begun }: { begun: string }) {
  const t = words.use();
  const plan = useInForce();
  const navigate = useNavigate();
  const [text, setText] = useState(begun);
  const area = useRef<HTMLTextAreaElement>(null);
  const check = useMutation({
    mutationFn: async () =>
      (await checkPlan({ body: { text, language: language() }, throwOnError: true })).data,
    onSuccess: async (checked) => {
      if (checked.version === null) return;
      const { base, before } = useDraft.getState();
      replace({
        base: base || plan.version,
        before: base === "" ? plan.tree : before,
        tree: checked.tree as Tree,
        flaws: [],
      });
      if (useDraft.getState().base === "") notifications.show({ message: t("no_changes") });
      else await navigate({ to: "/admin/review" });
    },
  });
  const flaws: Flaw[] = check.data?.version === null ? check.data.flaws : [];
  function goTo(line: number) {
    const start =
      text
        .split("\n")
        .slice(0, line - 1)
        .join("\n").length + (line > 1 ? 1 : 0);
    area.current?.focus();
    area.current?.setSelectionRange(start, start + (text.split("\n")[line - 1]?.length ?? 0));
  }
  return (
    <>
      {flaws.length > 0 && (
        <Alert
          color="red"
          icon={<IconAlertTriangle />}
          title={t("refused", { count: check.data?.flaw_count ?? 0 })}
        >
          <List size="sm">
            {flaws.map((flaw) => (
              <List.Item key={`${flaw.line}/${flaw.path}/${flaw.code}`}>
                <Button variant="subtle" size="compact-sm" onClick={() => goTo(flaw.line)}>
                  {t("line", { line: flaw.line })}
                </Button>{" "}
                {flaw.path}: {flaw.reason}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      {check.error !== null && <Failure error={check.error} />}
      <Numbered text={text} flaws={flaws} area={area} onChange={setText} />
      <Group justify="flex-end">
        <Button
          variant="default"
          disabled={text === begun}
          onClick={() => {
            setText(begun);
            check.reset();
          }}
        >
          {t("undo_text")}
        </Button>
        <Button loading={check.isPending} disabled={text === begun} onClick={() => check.mutate()}>
          {t("text_to_draft")}
        </Button>
      </Group>
    </>
  );
}

interface NumberedProps {
  text: string;
  flaws: Flaw[];
  area: React.RefObject<HTMLTextAreaElement | null>;
  onChange: (text: string) => void;
}

function Numbered({ text, flaws, area, onChange }: NumberedProps) {
  const t = words.use();
  const gutter = useRef<HTMLDivElement>(null);
  const wrong = new Set(flaws.map((flaw) => flaw.line));
  const count = text.split("\n").length;
  useEffect(() => {
    if (gutter.current !== null && area.current !== null) {
      gutter.current.scrollTop = area.current.scrollTop;
    }
  });
  return (
    <div className={classes.editor}>
      <div className={classes.gutter} ref={gutter} aria-hidden>
        {Array.from({ length: count }, (_, at) => at + 1).map((line) => (
          <div key={line} data-wrong={wrong.has(line) || undefined}>
            {line}
          </div>
        ))}
      </div>
      <textarea
        ref={area}
        className={classes.text}
        aria-label={t("text")}
        value={text}
        spellCheck={false}
        wrap="off"
        onChange={(event) => onChange(event.currentTarget.value)}
        onScroll={(event) => {
          if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop;
        }}
      />
    </div>
  );
}
