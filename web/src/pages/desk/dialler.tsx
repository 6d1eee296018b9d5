/** Dial any number, pasted in any format; links with `tel:` on our pages do the same. */
import { Button, Group, TextInput, Tooltip } from "@mantine/core";
import { IconPhone } from "@tabler/icons-react";
import { type RefObject, useEffect, useState } from "react";
import { phoneNumber } from "@/i18n/format";
import { acts, attempt } from "./acts";
import { readNumber } from "./dial";
import { keysOf } from "./keys";
import { words } from "./words";

export function Dialler({
  field,
  may,
}: {
  field: RefObject<HTMLInputElement | null>;
  may: boolean;
}) {
  const t = words.use();
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const number = readNumber(text);
  async function dial() {
    if (number === null || !may) return;
    setBusy(true);
    if (await attempt(() => acts.dial(number))) setText("");
    setBusy(false);
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void dial();
      }}
    >
      <Group align="flex-end" wrap="nowrap">
        <TextInput
          ref={field}
          flex={1}
          label={t("dial")}
          description={number === null ? t("dial_any") : phoneNumber(number)}
          inputWrapperOrder={["label", "input", "description", "error"]}
          error={text.trim() !== "" && number === null ? t("not_a_number") : undefined}
          inputMode="tel"
          autoComplete="off"
          maxLength={100}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Tooltip label={keysOf("dial")}>
          <Button
            type="submit"
            mb={22}
            loading={busy}
            disabled={number === null || !may}
            leftSection={<IconPhone size={18} aria-hidden />}
          >
            {t("call_him")}
          </Button>
        </Tooltip>
      </Group>
    </form>
  );
}

/** While this is shown, `tel:` links are dialled by us. */
export function useTelLinks(): void {
  useEffect(() => {
    const hear = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest("a[href^='tel:']") : null;
      const number = readNumber(link?.getAttribute("href") ?? "");
      if (number === null) return;
      event.preventDefault();
      void attempt(() => acts.dial(number));
    };
    document.addEventListener("click", hear);
    return () => document.removeEventListener("click", hear);
  }, []);
}
