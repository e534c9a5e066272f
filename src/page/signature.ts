/* The signature at the end of a document: an armored SSHSIG, ed25519 and SHA-512. It
 * tells whether the document is whole, and which key signed it. Whose key that is, no
 * page can tell: the reader compares the fingerprint. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { decodeBase64, encodeBase64 } from "./base64";
import { Malformed } from "./document";
import { decodeUtf8 } from "./text";

const NAMESPACE = "passation-issue";
const BEGIN = "-----BEGIN SSH SIGNATURE-----\n";
const END = "-----END SSH SIGNATURE-----\n";
const END_LINES = ["End: passation-issue 1\n", "End: passation-issue 2\n"];
const COLUMNS = 70;

/* SSH's wire format: texts and byte strings with their length in front. */
class Wire {
    private at = 0;
    constructor(private readonly bytes: Uint8Array) {}
    take(size: number): Uint8Array {
        if (this.bytes.length - this.at < size) throw new Malformed(0, "the signature is cut short");
        return this.bytes.subarray(this.at, (this.at += size));
    }
    u32(): number {
        const [a, b, c, d] = this.take(4) as unknown as [number, number, number, number];
        return a * 0x1000000 + (b << 16) + (c << 8) + d;
    }
    string(): Uint8Array {
        return this.take(this.u32());
    }
    expect(bytes: Uint8Array, text: string): void {
        if (decodeUtf8(bytes) !== text) throw new Malformed(0, "a signature of another kind");
    }
    end(): void {
        if (this.at !== this.bytes.length) throw new Malformed(0, "text after the signature");
    }
}

function string(bytes: Uint8Array | string): Uint8Array {
    const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    const out = new Uint8Array(4 + data.length);
    new DataView(out.buffer).setUint32(0, data.length);
    out.set(data, 4);
    return out;
}

function join(...parts: Uint8Array[]): Uint8Array {
    const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
        out.set(part, at);
        at += part.length;
    }
    return out;
}

function readArmor(armor: string): Uint8Array {
    if (!armor.startsWith(BEGIN) || !armor.endsWith("\n" + END))
        throw new Malformed(0, "no signature after the End line");
    const lines = armor.slice(BEGIN.length, -END.length).split("\n");
    lines.pop();
    const whole = lines.every((line, i) => line.length === COLUMNS || (i === lines.length - 1 && line.length > 0 && line.length < COLUMNS));
    const blob = whole ? decodeBase64(lines.join("")) : null;
    if (!blob) throw new Malformed(0, "the signature's armor is damaged");
    return blob;
}

/* Splits the plaintext into what is signed and the armor that follows it. */
function split(plaintext: Uint8Array): [Uint8Array, Uint8Array] {
    const marks = END_LINES.map((line) => new TextEncoder().encode(line));
    for (let at = 0; at < plaintext.length; at++) {
        if (plaintext[at] !== 0x0a) continue;
        const mark = marks.find((bytes) => bytes.every((byte, i) => plaintext[at + 1 + i] === byte));
        if (!mark) continue;
        const end = at + 1 + mark.length;
        return [plaintext.subarray(0, end), plaintext.subarray(end)];
    }
    throw new Malformed(0, "no End line");
}

export interface Signed {
    document: Uint8Array;
    fingerprint: string;
}

/* Checks the signature with the key it carries; returns the signed bytes and that
 * key's fingerprint. */
export function checkSignature(plaintext: Uint8Array): Signed {
    const [document, rest] = split(plaintext);
    const armor = decodeUtf8(rest);
    if (armor === null) throw new Malformed(0, "the signature's armor is damaged");
    const wire = new Wire(readArmor(armor));
    wire.expect(wire.take(6), "SSHSIG");
    if (wire.u32() !== 1) throw new Malformed(0, "a signature of another version");
    const blob = wire.string();
    wire.expect(wire.string(), NAMESPACE);
    wire.expect(wire.string(), "");
    wire.expect(wire.string(), "sha512");
    const signature = new Wire(wire.string());
    wire.end();
    const key = new Wire(blob);
    key.expect(key.string(), "ssh-ed25519");
    const point = key.string();
    key.end();
    signature.expect(signature.string(), "ssh-ed25519");
    const value = signature.string();
    signature.end();
    const message = join(new TextEncoder().encode("SSHSIG"), string(NAMESPACE), string(""), string("sha512"), string(sha512(document)));
    let holds = false;
    try {
        holds = point.length === 32 && value.length === 64 && ed25519.verify(value, message, point, { zip215: false });
    } catch {
        holds = false;
    }
    if (!holds) throw new Malformed(0, "the signature does not fit the text");
    return { document, fingerprint: "SHA256:" + encodeBase64(sha256(blob)).replace(/=+$/, "") };
}
