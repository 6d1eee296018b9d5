/** A reason in one's own words, or a common one at a click. */
import { Button, Group, Stack, TextInput } from "@mantine/core";

const REASON_LENGTH_MAX = 200;

interface Props {
  label: string;
  description?: string;
  common: readonly string[];
  value: string;
  onChange: (value: string) => void;
}

export function ReasonInput({ label, description, common, value, onChange }: Props) {
  return (
    <Stack gap="xs">
      <TextInput
        label={label}
        description={description}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        maxLength={REASON_LENGTH_MAX}
        data-autofocus
      />
      <Group gap={6}>
        {common.map((each) => (
          <Button
            key={each}
            size="compact-sm"
            variant={each === value ? "filled" : "light"}
            aria-pressed={each === value}
            onClick={() => onChange(each)}
          >
            {each}
          </Button>
        ))}
      </Group>
    </Stack>
  );
}
