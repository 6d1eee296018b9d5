/** One call: what it came to, its course, why it went so, its recording and its result. */
import { Grid, Paper, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { problem } from "@/api/client";
import { readStoryOptions } from "@/api/generated/@tanstack/react-query.gen";
import { Failure, Loading, NotFound } from "@/app/outcomes";
import { may } from "@/app/session";
import { Head } from "./head";
import { Recordings } from "./player";
import { Result } from "./result";
import { Route } from "./route";
import { Timeline } from "./timeline";

const AGAIN_MS = 5_000;

export function CallPage() {
  const { call } = useParams({ strict: false }) as { call: string };
  const found = useQuery({
    ...readStoryOptions({ path: { call } }),
    refetchInterval: (query) => (query.state.data?.ended_at === null ? AGAIN_MS : false),
  });
  if (found.isPending) return <Loading />;
  if (problem(found.error)?.code === "not_found") return <NotFound />;
  if (found.isError) return <Failure error={found.error} again={() => void found.refetch()} />;
  const story = found.data;
  return (
    <Stack gap="md" maw={1500}>
      <Head story={story} />
      <Paper withBorder p="md">
        <Timeline story={story} />
      </Paper>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Stack gap="md">
            {may("recordings.hear") && (
              <Paper withBorder p="md">
                <Recordings story={story} />
              </Paper>
            )}
            <Paper withBorder p="md">
              <Result call={call} />
            </Paper>
          </Stack>
        </Grid.Col>
        {may("calls.explain") && (
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Paper withBorder p="md">
              <Route call={call} />
            </Paper>
          </Grid.Col>
        )}
      </Grid>
    </Stack>
  );
}
