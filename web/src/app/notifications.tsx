/** What came of something, told in a corner; its cross has a name, and it interrupts nobody. */
import { MantineThemeProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { words } from "./words";

export default function Notices() {
  const t = words.use();
  const defaultProps = { role: "status", closeButtonProps: { "aria-label": t("close") } };
  return (
    <MantineThemeProvider theme={{ components: { Notification: { defaultProps } } }} inherit>
      <Notifications position="bottom-right" limit={4} />
    </MantineThemeProvider>
  );
}
