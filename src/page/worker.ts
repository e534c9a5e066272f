/* Runs in a worker: opens the age file, checks the document, and hands back what is in
 * it, or which of a few things went wrong. */
import { Decrypter } from "age-encryption";
import { DOCUMENT_MAX, type Issue, Malformed, readDocument } from "./document";
import { onProgress } from "./scrypt";
import { checkSignature } from "./signature";

export interface Order {
    file: Uint8Array;
    code: string;
}

export type Failure = "code" | "damaged" | "malformed" | "memory";

export type Report =
    | { kind: "progress"; done: number }
    | { kind: "open"; issue: Issue }
    | { kind: "failed"; failure: Failure; detail: string };

const post = (report: Report): void => (self as unknown as { postMessage(report: Report): void }).postMessage(report);

/* The words of age-encryption for "the passphrase does not open it". */
const NO_MATCH = "no identity matched";

async function decrypt(order: Order): Promise<Uint8Array> {
    const decrypter = new Decrypter();
    decrypter.addPassphrase(order.code);
    return decrypter.decrypt(order.file);
}

function read(plaintext: Uint8Array): Issue {
    if (plaintext.length > DOCUMENT_MAX) throw new Malformed(0, "longer than 1 MiB");
    const signed = checkSignature(plaintext);
    const issue = readDocument(signed.document);
    if (issue.issuer !== signed.fingerprint) throw new Malformed(0, "signed by another key than it names");
    if (issue.recipient !== "code") throw new Malformed(0, "written for another recipient");
    return issue;
}

function failureOf(error: unknown): Failure {
    if (error instanceof Malformed) return "malformed";
    if (error instanceof RangeError) return "memory";
    return error instanceof Error && error.message.includes(NO_MATCH) ? "code" : "damaged";
}

async function work(order: Order): Promise<void> {
    try {
        const issue = read(await decrypt(order));
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
