/**
 * A menu in a row of a table. Until it is first opened there is a button and nothing else: rows come
 * and go by the dozen several times a second, and a menu at rest costs more than all their cells.
 */
import { ActionIcon, Menu } from "@mantine/core";
import { type ComponentPropsWithRef, type ReactNode, useEffect, useRef, useState } from "react";

interface Props {
  label: string;
  icon: ReactNode;
  /** The items, made when they are wanted. */
  children: () => ReactNode;
}

export function RowMenu(props: Props) {
  const [wanted, setWanted] = useState(false);
  if (wanted) return <WholeMenu {...props} />;
  return <Opener label={props.label} icon={props.icon} onClick={() => setWanted(true)} />;
}

function WholeMenu({ label, icon, children }: Props) {
  const [opened, setOpened] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The button that was pressed is gone. This one is to have the focus back when the menu closes.
    button.current?.focus();
    setOpened(true);
  }, []);
  return (
    <Menu opened={opened} onChange={setOpened} position="bottom-end" withinPortal>
      <Menu.Target>
        <Opener ref={button} label={label} icon={icon} />
      </Menu.Target>
      <Menu.Dropdown>{children()}</Menu.Dropdown>
    </Menu>
  );
}

interface OpenerProps extends ComponentPropsWithRef<"button"> {
  label: string;
  icon: ReactNode;
}

/** Of `Menu.Target` it gets what tells a screen reader that a menu belongs to it. */
function Opener({ label, icon, color: _, ...rest }: OpenerProps) {
  return (
    <ActionIcon variant="subtle" color="gray" aria-label={label} aria-haspopup="menu" {...rest}>
      {icon}
    </ActionIcon>
  );
}
