/**
 * Strings of one page or part, in both languages, with keys that the compiler knows.
 *
 * A page calls `strings("board", { en, ru })` once with its two files and gets a hook; a key that
 * is in one file only does not compile, or fails `strings.test.ts` where it is a plural.
 */
import type { TOptions } from "i18next";
import { useTranslation } from "react-i18next";
import { i18n } from "./i18n";

type Words = Readonly<Record<string, string>>;
type PluralForm = "one" | "few" | "many" | "other";
type Base<Key extends string> = Key extends `${infer Name}_${PluralForm}` ? Name : Key;
type Key<En> = Base<Extract<keyof En, string>>;

export type Translate<En> = (key: Key<En>, options?: TOptions) => string;

export interface Strings<En> {
  /** Inside a component: re-renders it when the language changes. */
  use: () => Translate<En>;
  /** Outside of components. */
  say: Translate<En>;
}

export function strings<const En extends Words>(
  namespace: string,
  languages: { en: En; ru: Readonly<Record<Key<En>, string>> | Words },
): Strings<En> {
  i18n.addResourceBundle("en", namespace, languages.en);
  i18n.addResourceBundle("ru", namespace, languages.ru);
  return {
    use: () => useTranslation(namespace).t as unknown as Translate<En>,
    say: i18n.getFixedT(null, namespace) as unknown as Translate<En>,
  };
}
