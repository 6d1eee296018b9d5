import i18next from "i18next";
import { initReactI18next } from "react-i18next";

export const LANGUAGES = ["ru", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

const KEPT = "perezvon.language";

export const i18n = i18next.createInstance();

void i18n.use(initReactI18next).init({
  lng: preferred(),
  fallbackLng: "en",
  resources: {},
  keySeparator: false,
  nsSeparator: false,
  // React escapes what it shows.
  interpolation: { escapeValue: false },
  returnNull: false,
});
document.documentElement.lang = i18n.language;

export function language(): Language {
  return i18n.language === "en" ? "en" : "ru";
}

export async function setLanguage(chosen: Language): Promise<void> {
  localStorage.setItem(KEPT, chosen);
  document.documentElement.lang = chosen;
  await i18n.changeLanguage(chosen);
}

/** What was chosen here, else what the browser asks for, else Russian. */
function preferred(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === "ru" || kept === "en") return kept;
  return navigator.languages.some((one) => one.startsWith("ru")) || navigator.languages.length === 0
    ? "ru"
    : "en";
}
