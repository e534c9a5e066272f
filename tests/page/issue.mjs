/*
 * Writes issue documents, signs them with ssh-keygen and wraps them into pages: a second
 * reading of docs/issue-format.md, which shares nothing with src/page.
 */
import { createHash, webcrypto } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Encrypter, armor } from "age-encryption";

globalThis.crypto ??= webcrypto; /* Node 18 */

export const CODE = "abaisser bijou cabine dauphin effacer fabuleux galaxie habitude ignorer".split(" ");

const HOSTILE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u;

export function field(name, value) {
    if (value === undefined) return "";
    if (HOSTILE.test(value)) return `${name}-Base64: ${Buffer.from(value).toString("base64")}\n`;
    if (value !== "" && !/\n|^ | $/.test(value)) return `${name}: ${value}\n`;
    return `${name}:\n${value.split("\n").map((line) => `| ${line}\n`).join("")}`;
}

const block = (...fields) => fields.map(([name, value]) => field(name, value)).join("");

export const MEANS =
    "Lecture seule : passation ne laisse pas modifier le coffre. Le mot de passe, lui, permet de lire, d’envoyer et de supprimer.\n" +
    "Read-only: passation lets nobody change the vault. The password itself allows reading, sending and deleting.";

export const OWN_MEANS =
    "Ces accès sont à vous. Changez vous-même chaque mot de passe : personne d’autre ne le connaît ensuite. Gardez la page et le code à deux endroits.\n" +
    "These accesses are yours. Change each password yourself: then nobody else knows it. Keep the page and the code in two places.";

/* A trousseau's own blocks: what an issue has if it has an account. */
export function accountBlock(account) {
    return block(["Account", account.nic], ["Domains", account.domains.join("\n")], ["Panel", account.panel], ["Fingerprint-Key", account.key ?? "0f".repeat(32)]);
}

export function fileBlock(file) {
    return block(["File", file.name], ["Media", file.media], ["Content", file.content]);
}

export function otherBlock(of, other) {
    return block(["Secret", other.label], ["Of", of], ["Type", other.type ?? "other"], ["Version", other.version ?? "1"], ["User", other.user], ["URL", other.url], ["Expires", other.expires], ["Note", other.note], ["Value", other.value]);
}

export function mailboxBlock(mailbox) {
    return block(
        ["Mailbox", mailbox.address],
        ["Version", mailbox.version ?? "3"],
        ["Changed", mailbox.changed],
        ["Proved", mailbox.proved],
        ["User", mailbox.user ?? mailbox.address],
        ["Password", mailbox.password],
        ["Webmail", mailbox.webmail],
        ["IMAP", mailbox.imap],
        ["SMTP", mailbox.smtp],
        ["Self-Change", mailbox.selfChange],
    );
}

/* The signed part of a document; issuer is the fingerprint of the key that will sign it. */
export function compose(issue, issuer) {
    const version = issue.account ? "2" : "1";
    const header = block(
        ["Passation-Issue", version],
        ["Serial", issue.serial ?? "1795892400000"],
        ["Issued", issue.issued ?? "2026-11-28T15:00:00Z"],
        ["Issuer", issuer],
        ["Issued-By", issue.issuedBy ?? "Nadia Durand"],
        ["Reply-To", issue.replyTo],
        ["Vault", "5f0c8f8f6a4e4b7c9a51d6f3b2e07c14"],
        ["Person", issue.person ?? "jp"],
        ["Name", issue.name],
        ["Recipient", issue.recipient ?? "code"],
        ["Client", issue.client ?? "martin"],
        ["Client-Name", issue.clientName],
        ["Right", issue.account ? "own" : "read"],
        ["From", "2026-11-28T15:00:00Z"],
        ["Until", issue.account ? "none" : (issue.until ?? "2027-02-28T22:59:59Z")],
        ["Reason", issue.reason],
        ["Receipt", issue.receipt ?? "K7MQ2-9XWVT-" + checkDigit("K7MQ29XWVT")],
    );
    const bodies = issue.mailboxes.flatMap((mailbox) => [mailboxBlock(mailbox), ...(mailbox.others ?? []).map((other) => otherBlock(mailbox.address, other))]);
    const means = issue.means ?? (issue.account ? OWN_MEANS : MEANS);
    return [header, ...(issue.account ? [accountBlock(issue.account)] : []), ...bodies, ...(issue.files ?? []).map(fileBlock), block(["Means", means]) + `End: passation-issue ${version}\n`].join("\n");
}

/* The check digit from its definition: a sum of products in GF(32), by table. */
export function checkDigit(digits) {
    const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const powers = [1];
    for (let i = 1; i < 31; i++) powers.push((powers[i - 1] * 2) ^ (powers[i - 1] & 16 ? 37 : 0));
    const times = (a, b) => (a && b ? powers[(powers.indexOf(a) + powers.indexOf(b)) % 31] : 0);
    return alphabet[[...digits].reduce((sum, digit, i) => sum ^ times(alphabet.indexOf(digit), powers[10 - i]), 0)];
}

export class Issuer {
    constructor(keyFile) {
        this.dir = mkdtempSync(join(tmpdir(), "passation-page-"));
        this.key = join(this.dir, "issuer");
        if (keyFile) writeFileSync(this.key, readFileSync(keyFile), { mode: 0o600 });
        else execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", this.key]);
        const blob = execFileSync("ssh-keygen", ["-y", "-f", this.key], { encoding: "utf8" }).split(" ")[1];
        this.fingerprint = "SHA256:" + createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "");
    }
    sign(text, namespace = "passation-issue") {
        return execFileSync("ssh-keygen", ["-q", "-Y", "sign", "-n", namespace, "-f", this.key], { input: text, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
    }
    issue(parts) {
        const text = compose(parts, this.fingerprint);
        return text + this.sign(text);
    }
    close() {
        rmSync(this.dir, { recursive: true });
    }
}

export async function encrypt(plaintext, code = CODE.join("-"), workFactor = 10) {
    const encrypter = new Encrypter();
    encrypter.setPassphrase(code);
    encrypter.setScryptWorkFactor(workFactor);
    return Buffer.from(await encrypter.encrypt(plaintext));
}

/* The shell with an armored file in it, as psn_page_wrap() does. */
export function wrap(shell, armored) {
    const at = shell.indexOf("</pre>\n</body>");
    const digest = createHash("sha256").update(armored).digest("hex");
    return `${shell.slice(0, at)}Payload-SHA256: ${digest}\n${armored}${shell.slice(at)}`;
}

/* An age key made for tests alone, and what is encrypted to it. */
export const RECOVERY_KEY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

export const RECOVERY_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

export async function encryptTo(plaintext, recipient) {
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    return Buffer.from(await encrypter.encrypt(plaintext));
}

export async function page(shell, plaintext, workFactor) {
    return wrap(shell, armor.encode(await encrypt(plaintext, undefined, workFactor)));
}
