/** Fields of forms that are bound to a place in the plan. */
import {
  Checkbox,
  MultiSelect,
  NumberInput,
  Select,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import { LengthInput } from "@/parts/length-input";
import { say, words } from "../words";
import type { Path, Value } from "./tree";
import { useAt, useField, useNamed } from "./use-plan";

export type Kind =
  | "text"
  | "area"
  | "whole"
  | "length"
  | "lengths"
  | "flag"
  | "choice"
  | "choices"
  | "one"
  | "many"
  | "tags";

export interface Spec {
  key: string;
  kind: Kind;
  /** Of `one` and `many`: among which nouns. */
  of?: string;
  hint?: boolean;
  /** Shown as the placeholder of a text. */
  example?: string;
  required?: boolean;
}

interface Props {
  noun: string;
  /** Of the schema. */
  file: string;
  at: Path;
  spec: Spec;
}

export function PlanField({ noun, file, at, spec }: Props) {
  words.use();
  const path = [...at, spec.key];
  const { value, set, flaw } = useAt(path);
  const field = useField(file, spec.key);
  const named = useNamed(spec.of ?? "");
  const label = say(`${noun}.${spec.key}`);
  const description = spec.hint ? say(`${noun}.${spec.key}.hint`) : undefined;
  const common = { label, description, error: flaw, required: spec.required ?? false };
  const choices = field.choices.map((each) => ({ value: each, label: say(`choice.${each}`) }));
  const ids = named.map(({ id, name }) => ({
    value: id,
    label: name === id ? id : `${name} (${id})`,
  }));
  const list = (next: string[]) => set(next.length > 0 ? next : undefined);
  switch (spec.kind) {
    case "text":
      return (
        <TextInput
          {...common}
          value={text(value)}
          placeholder={spec.example ?? text(field.byDefault)}
          maxLength={200}
          onChange={(event) => set(event.currentTarget.value || undefined)}
        />
      );
    case "area":
      return (
        <Textarea
          {...common}
          value={text(value)}
          autosize
          minRows={4}
          maxLength={10_000}
          onChange={(event) => set(event.currentTarget.value || undefined)}
        />
      );
    case "whole":
      return <WholeField {...common} value={value} set={set} file={file} name={spec.key} />;
    case "length":
      return (
        <LengthInput
          {...common}
          value={value as string}
          byDefault={field.byDefault as string}
          canBeNull={field.canBeNull}
          onChange={set}
        />
      );
    case "flag":
      return (
        <Switch
          {...common}
          required={false}
          mt={4}
          checked={(value ?? field.byDefault) === true}
          onChange={(event) => {
            const next = event.currentTarget.checked;
            set(next === field.byDefault ? undefined : next);
          }}
        />
      );
    case "choice":
      return (
        <Select
          {...common}
          data={choices}
          value={text(value ?? field.byDefault) || null}
          allowDeselect={false}
          onChange={(next) => set(next === null || next === field.byDefault ? undefined : next)}
        />
      );
    case "one":
      return (
        <Select
          {...common}
          data={ids}
          value={text(value) || null}
          clearable={!spec.required}
          searchable
          placeholder={say(`${noun}.${spec.key}.none`)}
          onChange={(next) => set(next ?? undefined)}
        />
      );
    case "many":
      return (
        <MultiSelect
          {...common}
          data={ids}
          value={texts(value)}
          searchable
          clearable
          placeholder={texts(value).length === 0 ? say(`${noun}.${spec.key}.none`) : ""}
          onChange={list}
        />
      );
    case "choices":
      return (
        <MultiSelect
          {...common}
          data={choices}
          value={texts(value)}
          clearable
          placeholder={texts(value).length === 0 ? say(`${noun}.${spec.key}.none`) : ""}
          onChange={list}
        />
      );
    case "tags":
      return <TagsInput {...common} value={texts(value)} onChange={list} clearable />;
    case "lengths":
      return (
        <TagsInput
          {...common}
          value={texts(value)}
          placeholder={texts(value).length === 0 ? texts(field.byDefault).join(", ") : ""}
          onChange={list}
          clearable
        />
      );
  }
}

interface WholeProps {
  label: string;
  description: string | undefined;
  error: string | undefined;
  required: boolean;
  value: Value | undefined;
  set: (value: Value | undefined) => void;
  file: string;
  name: string;
}

function WholeField({ value, set, file, name, ...common }: WholeProps) {
  const field = useField(file, name);
  const t = words.use();
  const limits = {
    ...(field.least === undefined ? {} : { min: field.least }),
    ...(field.most === undefined ? {} : { max: field.most }),
  };
  const unlimited = value === null || (value === undefined && field.byDefault === null);
  const number = (
    <NumberInput
      {...common}
      {...limits}
      value={typeof value === "number" ? value : ""}
      placeholder={unlimited ? t("unlimited") : text(field.byDefault)}
      allowDecimal={false}
      clampBehavior="none"
      onChange={(next) => set(next === "" ? undefined : Number(next))}
    />
  );
  if (!field.canBeNull || field.byDefault === null) return number;
  return (
    <div>
      {number}
      <Checkbox
        mt={6}
        size="xs"
        label={t("unlimited")}
        aria-label={`${common.label}: ${t("unlimited")}`}
        checked={value === null}
        onChange={(event) => set(event.currentTarget.checked ? null : undefined)}
      />
    </div>
  );
}

function text(value: Value | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** One thing may stand without brackets. */
export function texts(value: Value | undefined): string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" || typeof value === "number" ? [String(value)] : [];
}
