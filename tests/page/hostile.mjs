/* Strings that have broken programs like this one: 120 that disturb a reader, 200 that
 * would run if they were ever taken for markup, 100 that a spreadsheet would compute. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const controls = Array.from({ length: 32 }, (_, i) => `c0 ${String.fromCharCode(i)} end`);
const c1 = Array.from({ length: 32 }, (_, i) => `c1 ${String.fromCharCode(0x7f + i)} end`);
const invisible = [0xad, 0x61c, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2061, 0x2066, 0x2067, 0x2068, 0x2069, 0x206f, 0xfeff, 0xfff9, 0xe0001].map((point) => `hidden ${String.fromCodePoint(point)} end`);
const shapes = [
    "\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007", "\u001b]52;c;ZXZpbA==\u0007", "\u001b[6n", "a\rb", "a\bb", "a\r\nb", " lead", "trail ", "  ", " ", "\n", "\n\n", "a\n", "\na", "| a", "| ", "Password: x", "End: passation-issue 1",
    "-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----", "-----BEGIN SSH SIGNATURE-----", "a\nEnd: passation-issue 1\nb", "Zalgo\u0300\u0301\u0302\u0303\u0304\u0305", "漢字かな交じり", "العربية", "עברית", "🥖👩‍🍳", "\u{10ffff}", "x".repeat(4000), "mot ".repeat(500).trim(), "\u00a0nbsp\u00a0", "=cmd|' /C calc'!A0",
];
export const strings = [...controls, ...c1, ...invisible, ...shapes].slice(0, 120);

/* The payloads that the tests of the command line use too. */
const vector = JSON.parse(readFileSync(join(process.env.PASSATION_TESTS, "vectors/payloads.json"), "utf8"));
const fill = (template, tag = "") => Object.entries({ tag, run: "window.ran++", url: "https://evil.example/", file: "ran" }).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, () => value), template);
export const payloads = vector.tags.flatMap((tag) => vector.wraps.map((wrap) => fill(wrap, tag)));
export const formulas = vector.formulas.map((formula) => fill(formula));
