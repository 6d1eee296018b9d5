/** Which device rings me, which microphone and loudspeakers, and how loud they are. */
import { Button, Group, SegmentedControl, Select, Stack, Text } from "@mantine/core";
import { IconDeviceMobile, IconHeadset, IconPhone, IconVolume } from "@tabler/icons-react";
import type { DeviceKind } from "@/api/generated/types.gen";
import type { Phone, PhoneView, SoundDevice, SoundKind } from "@/phone/phone";
import { acts, attempt } from "./acts";
import { Meters } from "./meters";
import type { AtDesk } from "./use-desk";
import { obtainPhone } from "./use-phone";
import { words } from "./words";

const DEVICE_ICONS = { webrtc: IconHeadset, sip: IconPhone, mobile: IconDeviceMobile } as const;

export default function Sounds({ at }: { at: AtDesk }) {
  return (
    <Stack gap="sm">
      <DeviceChoice at={at} />
      {at.inBrowser && <SoundChoice phone={at.phone} view={at.view} />}
    </Stack>
  );
}

function DeviceChoice({ at }: { at: AtDesk }) {
  const t = words.use();
  const { devices } = at.desk;
  const chosen = at.row?.device ?? at.desk.device;
  if (devices.length < 2) return null;
  return (
    <Stack gap={4}>
      <Text size="sm" fw={500}>
        {t("ring_through")}
      </Text>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label={t("ring_through")}
        value={chosen ?? ""}
        onChange={(device) => void attempt(() => acts.device(at.desk.agent, device as DeviceKind))}
        data={devices.map((device) => {
          const Icon = DEVICE_ICONS[device];
          return {
            value: device,
            label: (
              <Group gap={6} justify="center" wrap="nowrap">
                <Icon size={16} aria-hidden />
                <span>{t(`device_${device}`)}</span>
              </Group>
            ),
          };
        })}
      />
    </Stack>
  );
}

function SoundChoice({ phone, view }: { phone: Phone | null; view: PhoneView }) {
  const t = words.use();
  const { microphones, speakers } = view.sounds;
  const choices: [SoundKind, readonly SoundDevice[]][] = [
    ["microphone", microphones],
    ["speaker", speakers],
    ["ringer", speakers],
  ];
  return (
    <>
      {choices.map(([kind, devices]) => (
        <Select
          key={kind}
          label={t(kind)}
          comboboxProps={{ withinPortal: false }}
          allowDeselect={false}
          value={view.sounds.chosen[kind]}
          onChange={(id) => phone?.choose(kind, id ?? "")}
          data={[
            { value: "", label: t("by_default") },
            ...devices
              .filter((one) => one.id !== "" && one.id !== "default")
              .map((one) => ({ value: one.id, label: one.label || t("unnamed_device") })),
          ]}
        />
      ))}
      <Meters phone={phone} />
      <Button
        variant="light"
        leftSection={<IconVolume size={18} aria-hidden />}
        disabled={view.call !== null}
        onClick={() => void testSound()}
      >
        {t("test_sound")}
      </Button>
    </>
  );
}

async function testSound(): Promise<void> {
  const phone = await obtainPhone();
  if (phone.view.state === "off") await phone.start();
  await phone.testSound();
}
