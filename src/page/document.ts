/* The issue document, versions 1 and 2, read strictly: docs/issue-format.md is the law,
 * and whatever it does not allow is refused as a whole. */
import { decodeBase64 } from "./base64";
import { isReceipt } from "./receipt";
import { decodeUtf8, isPlain, utf8Size } from "./text";

export type Version = 1 | 2;

/* With the signature. */
export const DOCUMENT_MAX: Record<Version, number> = { 1: 1024 * 1024, 2: 3 * 1024 * 1024 };
const WORD_MAX = 256;
const LINE_MAX = 1024;
const NOTE_MAX = 4096;
const SECRET_MAX = 16 * 1024;
const LABEL_MAX = 64;
const FILE_MAX = 512 * 1024;
const DOMAINS_MAX = 256;

/* A password or the like; text is null when the bytes are not UTF-8. */
export interface Secret {
    text: string | null;
    base64: string;
}

export interface Server {
    host: string;
    port: number;
    security: "SSL/TLS" | "STARTTLS";
}

export interface OtherSecret {
    label: string;
    type: string;
    version: string;
    user: string;
    url: string;
    expires: string;
    note: string;
    value: Secret;
}

export interface Mailbox {
    address: string;
    version: string;
    changed: string;
    proved: string;
    user: string;
    password: Secret;
    webmail: string;
    imap: Server | null;
    smtp: Server | null;
    selfChange: "" | "webmail" | "panel";
    others: OtherSecret[];
}

/* What only version 2 has: the client's account at OVH, and files. */
export interface Account {
    nic: string;
    domains: string[];
    panel: string;
    fingerprintKey: string;
}

export interface Attachment {
    name: string;
    media: string;
    content: string;
}

export interface Issue {
    version: Version;
    serial: string;
    issued: string;
    issuer: string;
    issuedBy: string;
    replyTo: string;
    vault: string;
    person: string;
    name: string;
    recipient: string;
    client: string;
    clientName: string;
    from: string;
    until: string;
    reason: string;
    receipt: string;
    means: string;
    account: Account | null;
    mailboxes: Mailbox[];
    files: Attachment[];
}

/* What is wrong, and in which line (from 1). The words are for people who write issues. */
export class Malformed extends Error {
    constructor(
        readonly line: number,
        readonly what: string,
    ) {
        super(`line ${line}: ${what}`);
    }
}

interface Field {
    name: string;
    base64: boolean;
    value: string;
    line: number;
}

/* ---- lines into blocks of fields ------------------------------------------------- */

const END = "End";

class Lines {
    private at = 0;
    constructor(private readonly lines: string[]) {}
    get number(): number {
        return this.at + 1;
    }
    peek(): string | undefined {
        return this.lines[this.at];
    }
    next(): string {
        return this.lines[this.at++] as string;
    }
}

function isInline(value: string): boolean {
    return value !== "" && !value.includes("\n") && value === value.replace(/^ +| +$/g, "");
}

function readField(lines: Lines): Field {
    const line = lines.number;
    const match = /^([A-Z][A-Za-z0-9-]*):(?: (.*))?$/.exec(lines.next());
    if (!match) throw new Malformed(line, "neither a field nor a continuation");
    const base64 = (match[1] as string).endsWith("-Base64");
    const name = base64 ? (match[1] as string).slice(0, -7) : (match[1] as string);
    if (match[2] !== undefined) {
        if (!isInline(match[2])) throw new Malformed(line, "a value that must stand on lines of its own");
        return { name, base64, value: match[2], line };
    }
    const rows: string[] = [];
    for (let row = lines.peek(); row !== undefined && row.startsWith("| "); row = lines.peek())
        rows.push(lines.next().slice(2));
    const value = rows.join("\n");
    if (rows.length === 0) throw new Malformed(line, "a field without a value");
    if (base64 || isInline(value)) throw new Malformed(line, "a value that must stand beside its name");
    return { name, base64, value, line };
}

/* All blocks up to the End line, which is the last field of the last one. */
function readBlocks(text: string): Field[][] {
    const lines = new Lines(text.split("\n"));
    const blocks: Field[][] = [[]];
    for (;;) {
        if (lines.peek() === undefined) throw new Malformed(lines.number, "no End line");
        if (lines.peek() === "") {
            if (blocks[blocks.length - 1]?.length === 0) throw new Malformed(lines.number, "an empty block");
            lines.next();
            blocks.push([]);
            continue;
        }
        const field = readField(lines);
        (blocks[blocks.length - 1] as Field[]).push(field);
        if (field.name === END) break;
    }
    if (lines.peek() !== "" || (lines.next(), lines.peek() !== undefined))
        throw new Malformed(lines.number, "text after the End line");
    return blocks;
}

/* ---- values ---------------------------------------------------------------------- */

type Check = (value: string) => boolean;

const matches = (pattern: RegExp): Check => (value) => pattern.test(value);
const line = (max: number): Check => (value) => !value.includes("\n") && utf8Size(value) <= max;
const inlineLine = (max: number): Check => (value) => isInline(value) && utf8Size(value) <= max;
const text = (max: number): Check => (value) => utf8Size(value) <= max;
const id = matches(/^[a-z0-9][a-z0-9._-]{0,63}$/);
const count: Check = (value) => /^[1-9][0-9]{0,15}$/.test(value) && Number.isSafeInteger(Number(value));

function time(value: string): boolean {
    if (!/^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(value)) return false;
    const date = new Date(value);
    return !Number.isNaN(date.getTime()) && date.toISOString() === value.replace("Z", ".000Z");
}

function date(value: string): boolean {
    if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) return false;
    const day = new Date(`${value}T00:00:00Z`);
    return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

const LOCAL = "[a-z0-9][a-z0-9_+,-]*(?:\\.[a-z0-9_+,-]+)*";
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const ADDRESS = new RegExp(`^${LOCAL}@${LABEL}(?:\\.${LABEL})+$`);
const address: Check = (value) =>
    value.length <= 254 && value.indexOf("@") <= 64 && ADDRESS.test(value) && !/\.[0-9]+$/.test(value);

const HOST = `${LABEL}(?:\\.${LABEL})*`;
const SERVER = new RegExp(`^(${HOST}) ([1-9][0-9]{0,4}) (SSL/TLS|STARTTLS)$`);
function server(value: string): boolean {
    const match = SERVER.exec(value);
    return match !== null && (match[1] as string).length <= 253 && Number(match[2]) <= 65535;
}

function toServer(value: string): Server | null {
    const match = SERVER.exec(value);
    if (!match) return null;
    return { host: match[1] as string, port: Number(match[2]), security: match[3] as Server["security"] };
}

const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})+$`);
function domains(value: string): boolean {
    const rows = value.split("\n");
    return rows.length <= DOMAINS_MAX && rows.every((row) => row.length <= 253 && DOMAIN.test(row));
}

const MEDIA = "[a-z0-9][a-z0-9+.-]{0,63}";
const media = matches(new RegExp(`^${MEDIA}/${MEDIA}$`));
const selfChange = matches(/^(?:webmail|panel)$/);

const fingerprint = matches(/^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/);
const recipient = matches(/^(?:code|age1[02-9ac-hj-np-z]{58}|ssh-ed25519 [A-Za-z0-9+/]{68})$/);
const WEBMAIL = new RegExp(`^https://(${HOST})(?::([1-9][0-9]{0,4}))?/[!#-;=?-~]*$`);
function webmail(value: string): boolean {
    const match = WEBMAIL.exec(value);
    return match !== null && value.length <= LINE_MAX && (match[1] as string).length <= 253 && Number(match[2] ?? 1) <= 65535;
}

/* Base64 is for what cannot be written as text, and for nothing else. */
function toSecret(field: Field): Secret {
    if (!field.base64) {
        const bytes = new TextEncoder().encode(field.value);
        if (bytes.length > SECRET_MAX) throw new Malformed(field.line, `${field.name} is too long`);
        return { text: field.value, base64: "" };
    }
    const bytes = decodeBase64(field.value);
    if (!bytes || bytes.length > SECRET_MAX) throw new Malformed(field.line, `${field.name}-Base64 is not base64`);
    const decoded = decodeUtf8(bytes);
    if (decoded !== null && isPlain(decoded, true))
        throw new Malformed(field.line, `${field.name} must be written as text`);
    return { text: decoded, base64: field.value };
}

/* ---- fields in their order ------------------------------------------------------- */

class Block {
    private at = 0;
    constructor(private readonly fields: Field[]) {}
    get line(): number {
        return (this.fields[this.at] ?? this.fields[this.fields.length - 1])?.line ?? 0;
    }
    starts(name: string): boolean {
        return this.fields[0]?.name === name;
    }
    has(name: string): boolean {
        return this.fields[this.at]?.name === name;
    }
    private take(name: string): Field {
        const field = this.fields[this.at];
        if (!field || field.name !== name) throw new Malformed(this.line, `${name} should stand here`);
        this.at++;
        return field;
    }
    need(name: string, check: Check): string {
        const field = this.take(name);
        if (field.base64) throw new Malformed(field.line, `${name} cannot be Base64`);
        if (!check(field.value)) throw new Malformed(field.line, `${name} has another form`);
        return field.value;
    }
    may(name: string, check: Check): string {
        /* What is empty is left out. */
        return this.has(name) ? this.need(name, (value) => value !== "" && check(value)) : "";
    }
    secret(name: string): Secret {
        return toSecret(this.take(name));
    }
    end(): void {
        const field = this.fields[this.at];
        if (field) throw new Malformed(field.line, `${field.name} is unknown, repeated or misplaced`);
    }
}

function readHeader(block: Block): Issue {
    const version: Version = block.need("Passation-Issue", (value) => value === "1" || value === "2") === "2" ? 2 : 1;
    const issue: Issue = {
        version,
        serial: block.need("Serial", count),
        issued: block.need("Issued", time),
        issuer: block.need("Issuer", fingerprint),
        issuedBy: block.need("Issued-By", inlineLine(WORD_MAX)),
        replyTo: block.may("Reply-To", address),
        vault: block.need("Vault", matches(/^[0-9a-f]{32}$/)),
        person: block.need("Person", id),
        name: block.may("Name", inlineLine(WORD_MAX)),
        recipient: block.need("Recipient", recipient),
        client: block.need("Client", id),
        clientName: block.may("Client-Name", inlineLine(WORD_MAX)),
        from: "",
        until: "",
        reason: "",
        receipt: "",
        means: "",
        account: null,
        mailboxes: [],
        files: [],
    };
    block.need("Right", (value) => value === (version === 2 ? "own" : "read"));
    issue.from = block.need("From", time);
    issue.until = block.need("Until", (value) => value === "none" || (version === 1 && time(value) && value > issue.from));
    issue.reason = block.may("Reason", line(LINE_MAX));
    issue.receipt = block.need("Receipt", isReceipt);
    block.end();
    return issue;
}

function readAccount(block: Block): Account {
    const account: Account = {
        nic: block.need("Account", inlineLine(WORD_MAX)),
        domains: block.need("Domains", domains).split("\n"),
        panel: block.may("Panel", webmail),
        fingerprintKey: block.need("Fingerprint-Key", matches(/^[0-9a-f]{64}$/)),
    };
    block.end();
    return account;
}

function readMailbox(block: Block, version: Version): Mailbox {
    const mailbox: Mailbox = {
        address: block.need("Mailbox", address),
        version: block.need("Version", count),
        changed: block.may("Changed", time),
        proved: block.may("Proved", time),
        user: block.need("User", line(LINE_MAX)),
        password: block.secret("Password"),
        webmail: block.may("Webmail", webmail),
        imap: toServer(block.may("IMAP", server)),
        smtp: toServer(block.may("SMTP", server)),
        selfChange: "",
        others: [],
    };
    if (version === 2) mailbox.selfChange = block.may("Self-Change", selfChange) as Mailbox["selfChange"];
    block.end();
    return mailbox;
}

function readSecret(block: Block, mailbox: Mailbox): OtherSecret {
    const secret: OtherSecret = {
        label: block.need("Secret", inlineLine(LABEL_MAX)),
        type: "",
        version: "",
        user: "",
        url: "",
        expires: "",
        note: "",
        value: { text: "", base64: "" },
    };
    block.need("Of", (value) => value === mailbox.address);
    secret.type = block.need("Type", matches(/^[a-z0-9-]{1,32}$/));
    secret.version = block.need("Version", count);
    secret.user = block.may("User", line(LINE_MAX));
    secret.url = block.may("URL", line(LINE_MAX));
    secret.expires = block.may("Expires", date);
    secret.note = block.may("Note", text(NOTE_MAX));
    secret.value = block.secret("Value");
    block.end();
    return secret;
}

function readFile(block: Block): Attachment {
    const file: Attachment = {
        name: block.need("File", id),
        media: block.need("Media", media),
        content: block.need("Content", text(FILE_MAX)),
    };
    block.end();
    return file;
}

/* The blocks between the header and the last one, in their order, none twice. */
class Body {
    private readonly seen = new Set<string>();
    constructor(private readonly issue: Issue) {}

    private once(block: Block, kind: string, name: string): void {
        const key = `${kind}\n${name}`;
        if (this.seen.has(key)) throw new Malformed(block.line, `the ${kind} stands here twice`);
        this.seen.add(key);
    }

    private addMailbox(block: Block): void {
        const mailbox = readMailbox(block, this.issue.version);
        this.once(block, "mailbox", mailbox.address);
        this.issue.mailboxes.push(mailbox);
    }

    private addSecret(block: Block, mailbox: Mailbox): void {
        const secret = readSecret(block, mailbox);
        this.once(block, "secret", `${mailbox.address}\n${secret.label}`);
        mailbox.others.push(secret);
    }

    private addFile(block: Block): void {
        const file = readFile(block);
        this.once(block, "file", file.name);
        this.issue.files.push(file);
    }

    add(block: Block): void {
        const { issue } = this;
        const mailbox = issue.mailboxes[issue.mailboxes.length - 1];
        if (issue.version === 2 && !issue.account) issue.account = readAccount(block);
        else if (issue.version === 2 && mailbox && block.starts("File")) this.addFile(block);
        else if (issue.files.length > 0) throw new Malformed(block.line, "a file should stand here");
        else if (block.starts("Mailbox")) this.addMailbox(block);
        else if (block.starts("Secret") && mailbox) this.addSecret(block, mailbox);
        else throw new Malformed(block.line, "a mailbox should stand here");
    }
}

/* Reads the signed part: everything up to and with the End line. */
export function readDocument(signed: Uint8Array): Issue {
    const source = decodeUtf8(signed);
    if (source === null) throw new Malformed(1, "not UTF-8");
    if (!isPlain(source, true)) throw new Malformed(1, "a character that may not stand here");
    const blocks = readBlocks(source).map((fields) => new Block(fields));
    const last = blocks.pop() as Block;
    const first = blocks.shift();
    if (!first) throw new Malformed(1, "no header");
    const issue = readHeader(first);
    const body = new Body(issue);
    for (const block of blocks) body.add(block);
    if (issue.mailboxes.length === 0) throw new Malformed(last.line, "no mailbox");
    issue.means = last.need("Means", (value) => value.split("\n").length === 2 && text(NOTE_MAX)(value));
    last.need(END, (value) => value === `passation-issue ${issue.version}`);
    last.end();
    return issue;
}
