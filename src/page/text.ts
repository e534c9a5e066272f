/* Text from outside: what may stand in a document, and how it is shown. */

/* Characters that move the cursor, hide, or reorder what stands around them: the set of
 * src/base/text.c, is_hostile(). */
export function isHostile(point: number): boolean {
    return (
        point < 0x20 ||
        (point >= 0x7f && point < 0xa0) ||
        point === 0x00ad ||
        point === 0x061c ||
        (point >= 0x200b && point <= 0x200f) ||
        (point >= 0x2028 && point <= 0x202e) ||
        (point >= 0x2060 && point <= 0x206f) ||
        point === 0xfeff ||
        (point >= 0xfff9 && point <= 0xfffb) ||
        (point >= 0xe0000 && point <= 0xe0fff)
    );
}

/* True if the text has nothing hostile but, where allowed, line feeds. */
export function isPlain(text: string, lineFeeds: boolean): boolean {
    for (const char of text) {
        const point = char.codePointAt(0) as number;
        if (isHostile(point) && !(lineFeeds && point === 0x0a)) return false;
    }
    return true;
}

/* The bytes as text, or null if they are not UTF-8. A byte order mark stays in it. */
export function decodeUtf8(bytes: Uint8Array): string | null {
    try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
        return null;
    }
}

export function utf8Size(text: string): number {
    return new TextEncoder().encode(text).length;
}

export type CharKind = "letter" | "digit" | "mark" | "hidden";

export interface Shown {
    kind: CharKind;
    char: string; /* the character itself */
    shown: string; /* what stands for it on the screen */
}

function kindOf(char: string, point: number, atEdge: boolean): CharKind {
    if (isHostile(point) || point === 0xa0 || point === 0x202f || point === 0x3000) return "hidden";
    if (/^\s$/u.test(char)) return atEdge || char !== " " ? "hidden" : "mark";
    if (/^\p{Nd}$/u.test(char)) return "digit";
    return /^[\p{L}\p{M}]$/u.test(char) ? "letter" : "mark";
}

/* A secret, character by character: what cannot be seen is given a visible name. */
export function spell(secret: string): Shown[] {
    const chars = Array.from(secret);
    return chars.map((char, i) => {
        const point = char.codePointAt(0) as number;
        const kind = kindOf(char, point, i === 0 || i === chars.length - 1);
        let shown = char;
        if (char === " ") shown = "\u2423";
        else if (kind === "hidden") shown = "U+" + point.toString(16).toUpperCase().padStart(4, "0");
        return { kind, char, shown };
    });
}
