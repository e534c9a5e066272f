/* The code: nine words of BIP-39, however a person types them. */
import { english, french } from "virtual:words";

export const CODE_WORDS = 9;

const lists = [french.split(" "), english.split(" ")];
const known = new Set(lists.flat());

/* "1. Abîmer – BIJOU" becomes ["abimer", "bijou"]: accents, case, numbers, hyphens and
 * everything else that is no letter are the typist's own. */
export function wordsOf(typed: string): string[] {
    const plain = typed.toLowerCase().replace(/\u0153/g, "oe").replace(/\u00e6/g, "ae").normalize("NFD");
    return plain.replace(/[\u0300-\u036f]/g, "").split(/[^a-z]+/).filter((word) => word !== "");
}

export function isKnown(word: string): boolean {
    return known.has(word);
}

/* Levenshtein's distance with swapped neighbours as one mistake, given up above max. */
function distance(a: string, b: string, max: number): number {
    if (Math.abs(a.length - b.length) > max) return max + 1;
    let before: number[] = [];
    let above = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
        const row = [i];
        for (let j = 1; j <= b.length; j++) {
            const same = a[i - 1] === b[j - 1];
            let best = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, (above[j - 1] as number) + (same ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] as number) + 1);
            row.push(best);
        }
        before = above;
        above = row;
    }
    return above[b.length] as number;
}

/* The language most of the other words are of: its list is asked first. */
function listsFor(words: string[]): string[][] {
    const counts = lists.map((list) => words.filter((word) => list.includes(word)).length);
    return (counts[0] as number) >= (counts[1] as number) ? lists : [...lists].reverse();
}

/* Up to three words that the typist may have meant, the likeliest first. */
export function suggestions(word: string, words: string[]): string[] {
    const found: { word: string; far: number }[] = [];
    listsFor(words).forEach((list, rank) => {
        for (const candidate of list) {
            const begins = word.length >= 3 && candidate.startsWith(word);
            const far = begins ? 0.5 : distance(word, candidate, 2);
            if (far <= 2 && far < word.length - 1) found.push({ word: candidate, far: far + rank * 0.75 });
        }
    });
    found.sort((a, b) => a.far - b.far || (a.word < b.word ? -1 : 1));
    const near = found.filter((entry) => entry.far < (found[0]?.far ?? 0) + 1);
    return [...new Set(near.map((entry) => entry.word))].slice(0, 3);
}

export function passphraseOf(words: string[]): string {
    return words.join("-");
}

export const KEY_PREFIX = "AGE-SECRET-KEY-1";
export const KEY_SIZE = 74; /* with its prefix */

export interface TypedKey {
    key: string; /* in its one form, as far as it goes */
    wrong: string; /* the first character that no key has, or "" */
    prefixed: boolean;
}

/* "age-secret-key-1 qpzr…" as AGE-SECRET-KEY-1QPZR…: case, blanks, hyphens and lines are
 * the typist's own. */
export function keyOf(typed: string): TypedKey {
    const plain = typed.toUpperCase().replace(/[\s\u2010-\u2015\u2212-]/g, "");
    const bare = KEY_PREFIX.replace(/-/g, "");
    const prefixed = plain.startsWith(bare);
    const data = prefixed ? plain.slice(bare.length) : "";
    return { key: prefixed ? KEY_PREFIX + data : plain, wrong: /[^02-9AC-HJ-NP-Z]/.exec(data)?.[0] ?? "", prefixed };
}
