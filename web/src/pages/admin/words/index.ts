import { i18n } from "@/i18n/i18n";
import { strings } from "@/i18n/strings";
import en from "./en.json";
import ru from "./ru.json";

export const words = strings("admin", { en, ru });

/** A key that is put together of a noun and a field; itself where there is no word for it. */
export function say(key: string): string {
  return i18n.exists(key, { ns: "admin" }) ? i18n.t(key, { ns: "admin" }) : ownWord(key);
}

function ownWord(key: string): string {
  return key.endsWith(".none") ? "" : (key.split(".").at(-1) ?? key);
}
