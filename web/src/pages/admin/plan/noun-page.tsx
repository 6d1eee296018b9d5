/** The page of one kind of noun: a list, and the form of the one that is chosen. */
import {
  Alert,
  Anchor,
  Badge,
  Button,
  Group,
  Modal,
  Paper,
  SimpleGrid,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { IconAlertTriangle, IconArrowLeft, IconPlus, IconTrash } from "@tabler/icons-react";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { say, words } from "../words";
import { useDraft } from "./draft";
import { PlanField, type Spec } from "./fields";
import { idFor, isId, isMapping, type Tree, type Value, valueAt } from "./tree";
import { idsOf, nameOf, useAt, useEdit, useInForce, useTree } from "./use-plan";

export interface NounProps {
  noun: string;
  /** Name of the noun in the schema. */
  file: string;
  fields: readonly Spec[];
  /** Behind "More settings". */
  rare?: readonly Spec[];
  /** Cells beside the name; their headings are words `<noun>.<column>`. */
  columns: readonly { key: string; show: (tree: Tree, id: string) => ReactNode }[];
  /** What a new one has. */
  fresh: (tree: Tree) => Tree;
  /** Its identifier is the thing itself: a number. */
  keyed?: boolean;
  children?: (id: string) => ReactNode;
  /** Above the list. */
  head?: ReactNode;
}

export function NounPage(props: NounProps) {
  const { id } = useSearch({ strict: false }) as { id?: string };
  const tree = useTree();
  const chosen = id !== undefined && valueAt(tree, [props.noun, id]) !== undefined;
  return chosen ? <NounForm {...props} id={id} /> : <NounList {...props} />;
}

function NounList(props: NounProps) {
  const { noun, columns, head } = props;
  const t = words.use();
  const tree = useTree();
  const marks = useMarks(noun);
  const [adding, setAdding] = useState(false);
  const ids = idsOf(tree, noun);
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1} size="h3">
          {say(noun)}
        </Title>
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
          {t("add")}
        </Button>
      </Group>
      {head}
      {ids.length === 0 ? (
        <Text c="dimmed" size="sm">
          {t("none_yet")}
        </Text>
      ) : (
        <Paper withBorder>
          <Table highlightOnHover aria-label={say(noun)} verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{props.keyed ? say(`${noun}.one`) : t("name")}</Table.Th>
                {columns.map((column) => (
                  <Table.Th key={column.key}>{say(`${noun}.${column.key}`)}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {ids.map((id) => (
                <Table.Tr key={id}>
                  <Table.Td>
                    <Group gap="xs" wrap="nowrap">
                      <Anchor component={Link} to="." search={{ id } as never} fw={600}>
                        {nameOf(tree, noun, id)}
                      </Anchor>
                      {nameOf(tree, noun, id) !== id && (
                        <Text size="xs" c="dimmed">
                          {id}
                        </Text>
                      )}
                      {marks(id)}
                    </Group>
                  </Table.Td>
                  {columns.map((column) => (
                    <Table.Td key={column.key}>{column.show(tree, id)}</Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Paper>
      )}
      <Adding {...props} opened={adding} onClose={() => setAdding(false)} />
    </Stack>
  );
}

/** Whether it is changed in the draft, and whether a check found something wrong with it. */
export function useMarks(noun: string): (id: string) => ReactNode {
  const t = words.use();
  const { base, before, tree, flaws } = useDraft();
  return (id) => {
    const wrong = flaws.filter((flaw) => flaw.place[0] === noun && flaw.place[1] === id).length;
    const changed = base !== "" && valueAt(before, [noun, id]) !== valueAt(tree, [noun, id]);
    return (
      <>
        {changed && (
          <Badge size="xs" variant="light" color="yellow">
            {t("changed")}
          </Badge>
        )}
        {wrong > 0 && (
          <Badge size="xs" color="red" leftSection={<IconAlertTriangle size={10} aria-hidden />}>
            {t("flaws", { count: wrong })}
          </Badge>
        )}
      </>
    );
  };
}

function NounForm(props: NounProps & { id: string }) {
  const { noun, file, fields, rare = [], id, children } = props;
  const t = words.use();
  const tree = useTree();
  const edit = useEdit();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const flaw = useOwnFlaw(noun, id);
  return (
    <Stack maw={960}>
      <Anchor component={Link} to="." search={{} as never} size="sm">
        <Group gap={4}>
          <IconArrowLeft size={14} aria-hidden />
          {say(noun)}
        </Group>
      </Anchor>
      <Group justify="space-between">
        <Group gap="sm" align="baseline">
          <Title order={1} size="h3">
            {nameOf(tree, noun, id)}
          </Title>
          {nameOf(tree, noun, id) !== id && (
            <Text c="dimmed" size="sm">
              {id}
            </Text>
          )}
        </Group>
        <Button
          variant="subtle"
          color="red"
          leftSection={<IconTrash size={16} aria-hidden />}
          onClick={() => {
            edit([noun, id], undefined);
            void navigate({ to: ".", search: {} as never });
          }}
        >
          {t("remove")}
        </Button>
      </Group>
      {flaw !== undefined && (
        <Alert color="red" icon={<IconAlertTriangle />}>
          {flaw}
        </Alert>
      )}
      <Fields noun={noun} file={file} at={[noun, id]} fields={fields} />
      {children?.(id)}
      {rare.length > 0 && (
        <>
          <Button
            variant="subtle"
            size="compact-sm"
            w="fit-content"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            {open ? t("less") : t("more")}
          </Button>
          {open && <Fields noun={noun} file={file} at={[noun, id]} fields={rare} />}
        </>
      )}
    </Stack>
  );
}

/** What is wrong with it as a whole, which no field of it shows. */
function useOwnFlaw(noun: string, id: string): string | undefined {
  const flaws = useDraft((draft) => draft.flaws);
  return flaws.find(({ place }) => place.length === 2 && place[0] === noun && place[1] === id)
    ?.reason;
}

export function Fields(props: {
  noun: string;
  file: string;
  at: readonly (string | number)[];
  fields: readonly Spec[];
  cols?: number;
}) {
  return (
    <SimpleGrid cols={{ base: 1, sm: props.cols ?? 2 }} spacing="md">
      {props.fields.map((spec) => (
        <PlanField key={spec.key} noun={props.noun} file={props.file} at={props.at} spec={spec} />
      ))}
    </SimpleGrid>
  );
}

function Adding(props: NounProps & { opened: boolean; onClose: () => void }) {
  const { noun, fresh, keyed = false, opened, onClose } = props;
  const t = words.use();
  const tree = useTree();
  const edit = useEdit();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [own, setOwn] = useState<string | null>(null);
  const taken = idsOf(tree, noun);
  const id = keyed ? name.trim() : (own ?? idFor(name, taken));
  const wrong = taken.includes(id)
    ? t("id_taken")
    : !keyed && name !== "" && !isId(id)
      ? t("id_rule")
      : undefined;
  function add() {
    const begun: Value = fresh(tree);
    const named = keyed || name.trim() === id ? begun : { name: name.trim(), ...begun };
    edit([noun, id], named);
    setName("");
    setOwn(null);
    onClose();
    void navigate({ to: ".", search: { id } as never });
  }
  return (
    <Modal opened={opened} onClose={onClose} title={`${say(noun)}: ${t("add_title")}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "" && wrong === undefined) add();
        }}
      >
        <Stack>
          <TextInput
            label={keyed ? say(`${noun}.one`) : t("name")}
            data-autofocus
            required
            maxLength={80}
            value={name}
            error={keyed ? wrong : undefined}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {!keyed && (
            <TextInput
              label={t("id")}
              description={t("id_why")}
              required
              maxLength={32}
              value={name === "" && own === null ? "" : id}
              error={wrong}
              onChange={(event) => setOwn(event.currentTarget.value)}
            />
          )}
          <Button type="submit" disabled={name.trim() === "" || wrong !== undefined}>
            {t("add")}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}

export function useEntry(noun: string, id: string): Tree {
  const { value } = useAt([noun, id]);
  useInForce();
  return isMapping(value) ? value : {};
}
