/** A way to the page of one call. */
import { Anchor } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface Props {
  call: string;
  title?: string;
  children: ReactNode;
}

export function CallLink({ call, title, children }: Props) {
  return (
    <Anchor
      size="sm"
      title={title}
      renderRoot={(props) => <Link to="/calls/$call" params={{ call }} {...props} />}
    >
      {children}
    </Anchor>
  );
}
