/** Recordings of a call: to hear, to look through, to keep. */
import {
  ActionIcon,
  Alert,
  Button,
  Group,
  Paper,
  SegmentedControl,
  Skeleton,
  Slider,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import {
  IconDownload,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerTrackNext,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { Recording, Story } from "@/api/generated";
import {
  readPeaksOptions,
  readRecordingsOfCallOptions,
} from "@/api/generated/@tanstack/react-query.gen";
import { Failure } from "@/app/outcomes";
import { clock, fullMoment } from "@/i18n/format";
import { CallLink } from "@/parts/call-link";
import { type Loudness, nextSpeech } from "./peaks";
import classes from "./player.module.css";
import { useSound } from "./use-sound";
import { Waveform } from "./waveform";
import { words } from "./words";

const SPEEDS = ["1", "1.25", "1.5", "2"];
const AGAIN_MS = 5_000;
const SILENT: Loudness = { agent: [], client: [] };

/** Of the call, and of its call-backs: of a missed call it is those that one wants to hear. */
export function Recordings({ story }: { story: Story }) {
  const t = words.use();
  const [own, ...others] = story.parts;
  const talks = others.filter((part) => part.stages.some((stage) => stage.stage === "talk"));
  const hasOwn = own?.to_at === null || own?.stages.some((stage) => stage.stage === "talk");
  return (
    <Stack gap="sm" component="section" aria-labelledby="call-recording">
      <Title order={2} size="h4" id="call-recording">
        {t("recording")}
      </Title>
      {(hasOwn || talks.length === 0) && <OfCall call={story.call} />}
      {talks.map((part) => (
        <Stack key={part.call} gap="xs">
          <Title order={3} size="h5">
            <CallLink call={part.call}>{t("part_callback", { dial: part.dial ?? 0 })}</CallLink>
          </Title>
          <OfCall call={part.call} />
        </Stack>
      ))}
    </Stack>
  );
}

function OfCall({ call }: { call: string }) {
  const t = words.use();
  const found = useQuery({
    ...readRecordingsOfCallOptions({ path: { call } }),
    refetchInterval: (query) => (query.state.data?.is_pending ? AGAIN_MS : false),
  });
  return (
    <>
      {found.isPending && <Skeleton height={120} />}
      {found.isError && <Failure error={found.error} again={() => void found.refetch()} />}
      {found.data?.items.map((recording) => (
        <Player key={recording.id} recording={recording} />
      ))}
      {found.data?.items.length === 0 && (
        <Text size="sm" c="dimmed">
          {t(found.data.is_pending ? "recording_soon" : "no_recording")}
        </Text>
      )}
    </>
  );
}

function Player({ recording }: { recording: Recording }) {
  const t = words.use();
  const sound = useSound(recording.duration_ms / 1_000);
  const drawn = useQuery({
    ...readPeaksOptions({ path: { recording: recording.id } }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const peaks = drawn.data ?? SILENT;
  const length = clock(recording.duration_ms);
  const address = `/api/v1/recordings/${recording.id}`;
  const speech = nextSpeech(peaks, sound.atS / sound.lengthS);
  return (
    <Paper
      withBorder
      p="sm"
      role="group"
      aria-label={t("recording_of", { when: fullMoment(recording.started_at), length })}
    >
      <audio ref={sound.audio} src={address} preload="none" />
      <Stack gap="xs">
        <Waveform
          peaks={peaks}
          atS={sound.atS}
          lengthS={sound.lengthS}
          seek={sound.seek}
          toggle={sound.toggle}
        />
        <Group gap="sm" wrap="wrap">
          <ActionIcon
            size={38}
            radius="xl"
            aria-label={t(sound.isPlaying ? "pause" : "play")}
            onClick={sound.toggle}
          >
            {sound.isPlaying ? (
              <IconPlayerPauseFilled size={20} aria-hidden />
            ) : (
              <IconPlayerPlayFilled size={20} aria-hidden />
            )}
          </ActionIcon>
          <Text size="sm" ff="monospace">
            {clock(sound.atS * 1_000)} / {length}
          </Text>
          <Button
            size="compact-sm"
            variant="default"
            disabled={speech === null}
            leftSection={<IconPlayerTrackNext size={16} aria-hidden />}
            onClick={() => speech !== null && sound.seek(speech * sound.lengthS)}
          >
            {t("skip_silence")}
          </Button>
          <SegmentedControl
            size="xs"
            aria-label={t("speed")}
            data={SPEEDS.map((value) => ({ value, label: t("speed_of", { speed: value }) }))}
            defaultValue="1"
            onChange={(speed) => sound.setSpeed(Number(speed))}
          />
          <Balance set={sound.setBalance} />
          <Button
            component="a"
            href={`${address}?download=true`}
            download
            size="compact-sm"
            variant="default"
            ml="auto"
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {t("download")}
          </Button>
        </Group>
        {sound.hasFailed && (
          <Alert color="red" p="xs">
            {t("cannot_play")}
          </Alert>
        )}
      </Stack>
    </Paper>
  );
}

function Balance({ set }: { set: (balance: number) => void }) {
  const t = words.use();
  return (
    <Group gap="xs" wrap="nowrap">
      <Text size="xs" className={classes.who}>
        {t("balance_agent")}
      </Text>
      <Slider
        w={110}
        size="sm"
        min={-1}
        max={1}
        step={0.25}
        defaultValue={0}
        label={(value) => (value === 0 ? t("balance_both") : null)}
        thumbLabel={t("balance")}
        marks={[{ value: 0 }]}
        onChange={set}
      />
      <Text size="xs" className={classes.who} data-side="client">
        {t("balance_client")}
      </Text>
    </Group>
  );
}
