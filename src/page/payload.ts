/* The armored age file that the page carries, taken out of the document with every
 * check that can be made before the code is known. */
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeBase64 } from "./base64";

const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const END = "-----END AGE ENCRYPTED FILE-----";
const FILE_MAX = 16 * 1024 * 1024;
const HEADER_MAX = 64 * 1024;
const ARMOR_MAX = Math.ceil(FILE_MAX / 48) * 65 + 1024;
const WORK_MAX = 18; /* scrypt's logN: 256 MiB, the most that a telephone may be asked for */

/* What opens a file: the nine words, or the recovery key of an emergency envelope. */
export type Opener = "code" | "key";

export type Payload = { file: Uint8Array; by: Opener } | { missing: "cut" | "changed" | "large" };

function hex(bytes: Uint8Array): string {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function decodeArmor(lines: string[]): Uint8Array | null {
    const shaped = lines.every((line, i) => (i < lines.length - 1 ? line.length === 64 : line.length > 0 && line.length <= 64));
    return lines.length > 0 && shaped ? decodeBase64(lines.join("")) : null;
}

/* A first stanza of scrypt whose cost is bearable (the library refuses a second stanza
 * beside it), or one of X25519. */
function openerOf(file: Uint8Array): Opener | null {
    const start = String.fromCharCode(...file.subarray(0, 1024));
    const scrypt = /^age-encryption\.org\/v1\n-> scrypt [A-Za-z0-9+/]{22} ([1-9][0-9]?)\n/.exec(start);
    if (scrypt) return Number(scrypt[1]) <= WORK_MAX ? "code" : null;
    return /^age-encryption\.org\/v1\n-> X25519 [A-Za-z0-9+/]{43}\n/.test(start) ? "key" : null;
}

function headerEnds(file: Uint8Array): boolean {
    for (let i = 0; i + 5 < Math.min(file.length, HEADER_MAX); i++)
        if (file[i] === 0x0a && file[i + 1] === 0x2d && file[i + 2] === 0x2d && file[i + 3] === 0x2d && file[i + 4] === 0x20)
            return true;
    return false;
}

/* text is what stands between the shell's two halves: a line with the armor's SHA-256,
 * then the armor. The digest finds damage, not forgery. */
export function readPayload(text: string): Payload {
    if (text.length > ARMOR_MAX) return { missing: "large" };
    const lines = text.replace(/\r\n/g, "\n").replace(/^\n+|\n+$/g, "").split("\n");
    const digest = /^Payload-SHA256: ([0-9a-f]{64})$/.exec(lines[0] ?? "");
    if (lines[lines.length - 1] !== END) return { missing: "cut" };
    if (!digest || lines[1] !== BEGIN) return { missing: "changed" };
    const armor = lines.slice(1).join("\n") + "\n";
    if (hex(sha256(new TextEncoder().encode(armor))) !== digest[1]) return { missing: "changed" };
    const file = decodeArmor(lines.slice(2, -1));
    const by = file && headerEnds(file) ? openerOf(file) : null;
    return file && by ? { file, by } : { missing: "changed" };
}
