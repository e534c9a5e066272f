/* Settings as mail programs read them. None of these files holds a password. */
import { sha256 } from "@noble/hashes/sha2.js";
import { encode } from "uqr";
import type { Mailbox, Server } from "./document";

export interface Settings {
    mailbox: Mailbox;
    imap: Server;
    smtp: Server;
}

/* The mailbox with both servers, or null. */
export function settingsOf(mailbox: Mailbox): Settings | null {
    return mailbox.imap && mailbox.smtp ? { mailbox, imap: mailbox.imap, smtp: mailbox.smtp } : null;
}

function xml(text: string): string {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;").replace(/'/g, "&apos;");
}

/* A name-based UUID (version 8, RFC 9562): the same for the same mailbox, so that a new
 * profile takes the old one's place. */
function uuid(purpose: string, address: string): string {
    const hash = sha256(new TextEncoder().encode(`passation ${purpose} ${address}`)).slice(0, 16);
    hash[6] = ((hash[6] as number) & 0x0f) | 0x80;
    hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
    const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5").toUpperCase();
}

type Value = string | number | boolean;

function plist(entries: [string, Value][]): string {
    return entries
        .map(([key, value]) => {
            if (typeof value === "boolean") return `<key>${key}</key><${value ? "true" : "false"}/>\n`;
            if (typeof value === "number") return `<key>${key}</key><integer>${value}</integer>\n`;
            return `<key>${key}</key><string>${xml(value)}</string>\n`;
        })
        .join("");
}

function mailPayload({ mailbox, imap, smtp }: Settings, id: string): string {
    return plist([
        ["PayloadType", "com.apple.mail.managed"],
        ["PayloadVersion", 1],
        ["PayloadIdentifier", `passation.mail.${id}.account`],
        ["PayloadUUID", uuid("account", mailbox.address)],
        ["PayloadDisplayName", mailbox.address],
        ["EmailAccountDescription", mailbox.address],
        ["EmailAccountName", mailbox.address],
        ["EmailAccountType", "EmailTypeIMAP"],
        ["EmailAddress", mailbox.address],
        ["IncomingMailServerAuthentication", "EmailAuthPassword"],
        ["IncomingMailServerHostName", imap.host],
        ["IncomingMailServerPortNumber", imap.port],
        ["IncomingMailServerUseSSL", true],
        ["IncomingMailServerUsername", mailbox.user],
        ["OutgoingMailServerAuthentication", "EmailAuthPassword"],
        ["OutgoingMailServerHostName", smtp.host],
        ["OutgoingMailServerPortNumber", smtp.port],
        ["OutgoingMailServerUseSSL", true],
        ["OutgoingMailServerUsername", mailbox.user],
        ["OutgoingPasswordSameAsIncomingPassword", true],
    ]);
}

export function appleProfile(settings: Settings, organization: string): string {
    const { address } = settings.mailbox;
    const id = uuid("profile", address);
    return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
${plist([
    ["PayloadType", "Configuration"],
    ["PayloadVersion", 1],
    ["PayloadIdentifier", `passation.mail.${id}`],
    ["PayloadUUID", id],
    ["PayloadDisplayName", address],
    ["PayloadOrganization", organization],
])}<key>PayloadContent</key>
<array>
<dict>
${mailPayload(settings, id)}</dict>
</array>
</dict>
</plist>
`;
}

function serverXml(kind: string, type: string, server: Server, user: string): string {
    return `    <${kind} type="${type}">
      <hostname>${xml(server.host)}</hostname>
      <port>${server.port}</port>
      <socketType>${server.security === "STARTTLS" ? "STARTTLS" : "SSL"}</socketType>
      <authentication>password-cleartext</authentication>
      <username>${user}</username>
    </${kind}>
`;
}

export function domainOf(address: string): string {
    return address.slice(address.indexOf("@") + 1);
}

/* Thunderbird's config-v1.1.xml for the mailbox's whole domain. */
export function thunderbirdConfig({ mailbox, imap, smtp }: Settings): string {
    const domain = xml(domainOf(mailbox.address));
    const user = mailbox.user === mailbox.address ? "%EMAILADDRESS%" : xml(mailbox.user);
    return `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="${domain}">
    <domain>${domain}</domain>
    <displayName>${domain}</displayName>
    <displayShortName>${domain}</displayShortName>
${serverXml("incomingServer", "imap", imap, user)}${serverXml("outgoingServer", "smtp", smtp, user)}  </emailProvider>
</clientConfig>
`;
}

const TLS = { STARTTLS: 2, "SSL/TLS": 3 } as const;

/* "Export for Mobile", version 1, in ASCII. */
export function thunderbirdMobile({ mailbox, imap, smtp }: Settings, password: string | null): string {
    const { address, user } = mailbox;
    const secret = password === null ? [] : [password];
    const named = password === null ? [] : ["", password]; /* "": the identity's address */
    const incoming = [0, imap.host, imap.port, TLS[imap.security], 1, user, ...named];
    const outgoing = [0, smtp.host, smtp.port, TLS[smtp.security], 1, user, ...secret];
    const json = JSON.stringify([1, [1, 1], incoming, [[outgoing, [address, address]]]]);
    return json.replace(/[\u0080-\uffff]/g, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));
}

export interface Matrix {
    size: number;
    path: string;
}

/* A QR code as one SVG path with the quiet zone around it; null if the text is too long. */
export function qrCode(text: string): Matrix | null {
    if (text.length > 1200) return null;
    const { data, size } = encode(text, { ecc: "M", border: 4 });
    let path = "";
    data.forEach((row, y) =>
        row.forEach((dark, x) => {
            if (dark) path += `M${x} ${y}h1v1h-1z`;
        }),
    );
    return { size, path };
}
