/* Runs in a worker: opens the age file, checks the document, and hands back what is in
 * it, or which of a few things went wrong. */
import { Decrypter, identityToRecipient } from "age-encryption";
import { DOCUMENT_MAX, type Issue, Malformed, readDocument } from "./document";
import type { Opener } from "./payload";
import { onProgress } from "./scrypt";
import { checkSignature } from "./signature";

export interface Order {
    file: Uint8Array;
    by: Opener;
    code: string; /* the words joined by '-', or the recovery key */
}

export type Failure = "code" | "key" | "damaged" | "malformed" | "memory";

export type Report =
    | { kind: "progress"; done: number }
    | { kind: "open"; issue: Issue }
    | { kind: "failed"; failure: Failure; detail: string };

const post = (report: Report): void => (self as unknown as { postMessage(report: Report): void }).postMessage(report);

/* The words of age-encryption for "the passphrase does not open it". */
const NO_MATCH = "no identity matched";

/* A recovery key with a letter that was copied wrongly: its own checksum says so. */
class WrongKey extends Error {}

function addKey(decrypter: Decrypter, key: string): void {
    try {
        decrypter.addIdentity(key);
    } catch {
        throw new WrongKey();
    }
}

async function decrypt(order: Order): Promise<Uint8Array> {
    const decrypter = new Decrypter();
    if (order.by === "key") addKey(decrypter, order.code);
    else decrypter.addPassphrase(order.code);
    return decrypter.decrypt(order.file);
}

async function read(plaintext: Uint8Array, order: Order): Promise<Issue> {
    if (plaintext.length > DOCUMENT_MAX[2]) throw new Malformed(0, "longer than 3 MiB");
    const signed = checkSignature(plaintext);
    const issue = readDocument(signed.document);
    if (plaintext.length > DOCUMENT_MAX[issue.version]) throw new Malformed(0, "longer than its version may be");
    if (issue.issuer !== signed.fingerprint) throw new Malformed(0, "signed by another key than it names");
    const recipient = order.by === "key" ? await identityToRecipient(order.code) : "code";
    if (issue.recipient !== recipient) throw new Malformed(0, "written for another recipient");
    return issue;
}

function failureOf(error: unknown): Failure {
    if (error instanceof WrongKey) return "key";
    if (error instanceof Malformed) return "malformed";
    if (error instanceof RangeError) return "memory";
    return error instanceof Error && error.message.includes(NO_MATCH) ? "code" : "damaged";
}

async function work(order: Order): Promise<void> {
    try {
        const issue = await read(await decrypt(order), order);
        post({ kind: "open", issue });
    } catch (error) {
        const detail = error instanceof Error ? error.message : "";
        post({ kind: "failed", failure: failureOf(error), detail });
    }
}

self.addEventListener("message", (event: MessageEvent<Order>) => {
    onProgress((done) => post({ kind: "progress", done }));
    void work(event.data);
});
