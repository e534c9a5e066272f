/* The texts of the page, in two languages of one shape. */
import { english } from "./message_en";
import { french } from "./message_fr";

export type Language = "fr" | "en";

/* A sentence with values in it that a person copies, reads as a name, or types. */
export type Part = string | { copy: string } | { strong: string };
export type Step = Part[];

export type Messages = typeof english;

export const messages: Record<Language, Messages> = { fr: french, en: english };
