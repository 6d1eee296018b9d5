import { strings } from "@/i18n/strings";
import en from "./en.json";
import ru from "./ru.json";

export const words = strings("calls", { en, ru });
