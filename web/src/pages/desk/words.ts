import { strings } from "@/i18n/strings";
import en from "./en.json";
import ru from "./ru.json";

export const words = strings("desk", { en, ru });

type Say = ReturnType<typeof words.use>;

/** Of a key that the server chose: a newer server may know one that we have no word for. */
export function wordFor(say: Say, key: string, otherwise: string): string {
  return key in en ? say(key as Parameters<Say>[0]) : otherwise;
}
