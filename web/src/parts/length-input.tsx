import { NativeSelect, NumberInput } from "@mantine/core";
import { useState } from "react";
import { strings } from "@/i18n/strings";
import { inUnit, parseLength, type Unit, writeLength } from "./lengths";

const words = strings("lengths", {
  en: { ms: "ms", s: "s", m: "min", h: "h", d: "d", never: "no limit", unit: "unit" },
  ru: { ms: "мс", s: "с", m: "мин", h: "ч", d: "дн.", never: "без предела", unit: "единица" },
});

export type Written = string | number | null | undefined;

interface Props {
  label: string;
  description?: string | undefined;
  error?: string | undefined;
  /** As the plan file writes it; undefined: what holds by default. */
  value: Written;
  byDefault: Written;
  canBeNull?: boolean;
  onChange: (value: string | null | undefined) => void;
}

/** A length of time: a number and its unit, or no limit. Empty is the default. */
export function LengthInput(props: Props) {
  const { label, description, error, value, byDefault, canBeNull = false, onChange } = props;
  const t = words.use();
  const known = parseLength(value);
  const implied = parseLength(byDefault);
  const shown = known ?? implied;
  const [chosen, setChosen] = useState<Unit | null>(null);
  const unit = chosen ?? (shown === null ? "s" : inUnit(shown).unit);
  const unlimited = value === null || (value === undefined && byDefault === null);
  const size = parseLength(`1${unit}`) ?? 1;
  const inThis = (lengthMs: number | null) => (lengthMs === null ? "" : lengthMs / size);

  function count(entered: string | number) {
    onChange(entered === "" ? undefined : writeLength(Number(entered), unit));
  }
  function choose(next: string) {
    if (next === "never") return onChange(null);
    setChosen(next as Unit);
    if (known !== null) onChange(writeLength(Number(inThis(known)), next as Unit));
    else if (value === null) onChange(implied === null ? `1${next}` : undefined);
  }
  return (
    <NumberInput
      label={label}
      description={description}
      error={error}
      value={unlimited ? "" : inThis(known)}
      placeholder={unlimited ? "" : String(inThis(implied))}
      onChange={count}
      min={0}
      allowDecimal={false}
      allowNegative={false}
      hideControls
      rightSectionWidth={canBeNull ? 130 : 84}
      rightSection={
        <NativeSelect
          variant="unstyled"
          size="sm"
          styles={{
            // The field around it hands its own margins down.
            wrapper: { marginBlock: 0 },
            input: {
              paddingInlineStart: 8,
              paddingInlineEnd: 24,
              height: 30,
              minHeight: 30,
              lineHeight: "30px",
            },
          }}
          w="100%"
          aria-label={`${label}: ${t("unit")}`}
          value={unlimited ? "never" : unit}
          onChange={(event) => choose(event.currentTarget.value)}
          data={[
            ...(["s", "m", "h", "d", ...(unit === "ms" ? (["ms"] as const) : [])] as const).map(
              (each) => ({ value: each, label: t(each) }),
            ),
            ...(canBeNull ? [{ value: "never", label: t("never") }] : []),
          ]}
        />
      }
    />
  );
}
