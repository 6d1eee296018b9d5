/** Words for the keys of pauses and results; what a plan or a person wrote himself stays as it is. */
import { strings } from "@/i18n/strings";
import en from "./en.json";
import ru from "./ru.json";

const words = strings("reasons", { en, ru });

export function useReasons(): (key: string) => string {
  const t = words.use();
  return (key) => (key in en ? t(key as keyof typeof en) : key);
}
