/** Asking for something, and telling what came of it. */
import { notifications } from "@mantine/notifications";
import { problem } from "@/api/client";
import type { words } from "./words";

/** `act` says in words what was done. */
export async function attempt(
  t: ReturnType<typeof words.use>,
  act: () => Promise<string>,
): Promise<boolean> {
  try {
    notifications.show({ message: await act(), color: "teal" });
    return true;
  } catch (failure) {
    const message = problem(failure)?.message ?? t("failed");
    notifications.show({ message, color: "red", autoClose: 8_000 });
    return false;
  }
}
