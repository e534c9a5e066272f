/*
 * The page's strict reader, its code entry and its files for mail programs, in Node.
 * PASSATION_PAGE_DIR is the build tree's page folder, PASSATION_VECTORS tests/vectors/issue.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { strings } from "./hostile.mjs";
import { Issuer, RECOVERY_KEY, RECOVERY_RECIPIENT, checkDigit, compose, encryptTo, page as makePage, wrap } from "./issue.mjs";
import { one, several, trousseau } from "./make_vectors.mjs";

const pageDir = process.env.PASSATION_PAGE_DIR;
const vectors = process.env.PASSATION_VECTORS;
const temporary = mkdtempSync(join(tmpdir(), "passation-document-"));
const bytes = (text) => new TextEncoder().encode(text);

let ours;
let issuer;

const lists = {
    name: "lists",
    setup(bundler) {
        bundler.onResolve({ filter: /^virtual:words$/ }, () => ({ path: "words", namespace: "words" }));
        bundler.onLoad({ filter: /.*/, namespace: "words" }, () => ({ contents: 'export const french = "abaisser effacer bijou zoologie"; export const english = "abandon zoo cactus";' }));
    },
};

before(async () => {
    const esbuild = await import(pathToFileURL(join(pageDir, "node_modules/esbuild/lib/main.js")));
    const outfile = join(temporary, "ours.mjs");
    const contents = ["document", "signature", "text", "receipt", "profile", "payload", "code", "link"].map((name) => `export * from "./${name}";`).join("\n");
    await esbuild.build({ stdin: { contents, resolveDir: pageDir, loader: "ts" }, bundle: true, platform: "node", format: "esm", outfile, plugins: [lists], logLevel: "error" });
    ours = await import(pathToFileURL(outfile));
    issuer = new Issuer(join(vectors, "issuer"));
});

after(() => {
    issuer.close();
    rmSync(temporary, { recursive: true });
});

const read = (text) => ours.readDocument(bytes(text));

function refused(text, what) {
    assert.throws(() => read(text), ours.Malformed, what);
}

test("the frozen documents are read, and a second writer makes the same bytes", () => {
    for (const [name, parts] of [["one-mailbox.txt", one], ["several.txt", several], ["trousseau.txt", trousseau]]) {
        const frozen = readFileSync(join(vectors, name));
        assert.equal(issuer.issue(parts), frozen.toString());
        const signed = ours.checkSignature(frozen);
        assert.equal(signed.fingerprint, readFileSync(join(vectors, "fingerprint"), "utf8").trim());
        const issue = ours.readDocument(signed.document);
        assert.equal(issue.issuer, signed.fingerprint);
        assert.equal(issue.version, parts.account ? 2 : 1);
        assert.deepEqual(issue.files, parts.files ?? []);
        assert.deepEqual(issue.account, parts.account ? { nic: parts.account.nic, domains: parts.account.domains, panel: parts.account.panel, fingerprintKey: parts.account.key } : null);
        assert.deepEqual(issue.mailboxes.map((mailbox) => mailbox.address), parts.mailboxes.map((mailbox) => mailbox.address));
        parts.mailboxes.forEach((mailbox, i) => {
            assert.equal(issue.mailboxes[i].password.text, mailbox.password);
            assert.equal(issue.mailboxes[i].selfChange, mailbox.selfChange ?? "");
            (mailbox.others ?? []).forEach((other, k) => assert.equal(issue.mailboxes[i].others[k].value.text, other.value));
        });
    }
});

test("ssh-keygen accepts the signature of the frozen documents", () => {
    const allowed = join(temporary, "allowed");
    writeFileSync(allowed, "issuer " + readFileSync(join(vectors, "issuer.pub"), "utf8"));
    for (const name of ["one-mailbox.txt", "several.txt", "trousseau.txt"]) {
        const [text, armor] = readFileSync(join(vectors, name), "utf8").split(/(?=-----BEGIN SSH SIGNATURE-----\n(?![^]*\n-----BEGIN SSH))/);
        writeFileSync(join(temporary, "sig"), armor);
        const said = execFileSync("ssh-keygen", ["-Y", "verify", "-f", allowed, "-I", "issuer", "-n", "passation-issue", "-s", join(temporary, "sig")], { input: text, encoding: "utf8" });
        assert.match(said, /^Good "passation-issue" signature/);
    }
});

test("every value survives writing and reading", () => {
    for (const value of strings) {
        const issue = read(compose({ mailboxes: [{ address: "a@b.fr", password: value, others: [{ label: "x", value }] }] }, issuer.fingerprint));
        assert.equal(issue.mailboxes[0].password.text, value);
        assert.equal(issue.mailboxes[0].others[0].value.text, value);
    }
});

test("bytes that are no text are kept as Base64", () => {
    const issue = read(compose(one, issuer.fingerprint).replace("Password: ab2cd-Ef3gH-jk4mn-Pq5rS", "Password-Base64: /wD+"));
    assert.deepEqual(issue.mailboxes[0].password, { text: null, base64: "/wD+" });
});

test("a document is refused as a whole for any departure from the grammar", () => {
    const good = compose(several, issuer.fingerprint);
    read(good);
    let tried = 0;
    const change = (from, to) => {
        assert.ok(good.includes(from), from);
        refused(good.replace(from, to), `${JSON.stringify(from)} -> ${JSON.stringify(to)}`);
        tried++;
    };
    const lines = good.split("\n");
    lines.slice(0, -1).forEach((line, i) => {
        if (line.startsWith("| ")) return;
        refused([...lines.slice(0, i), line, ...lines.slice(i)].join("\n"), `line ${i + 1} twice`);
        tried++;
    });
    lines.slice(0, -1).forEach((line, i) => {
        if (/^(Webmail|IMAP|SMTP|User|URL|Note|Expires|Changed|Proved|Name|Client-Name|Reason|\| |$)/.test(line)) return;
        refused([...lines.slice(0, i), ...lines.slice(i + 1)].join("\n"), `line ${i + 1} missing`);
        tried++;
    });
    for (const [from, to] of [
        ["Passation-Issue: 1", "Passation-Issue: 2"], ["Passation-Issue", "passation-Issue"], ["Passation-Issue: 1", "\ufeffPassation-Issue: 1"], ["Passation-Issue: 1\n", "Passation-Issue: 1\r\n"],
        ["Serial: 1795892400001", "Serial: 01795892400001"], ["Serial: 1795892400001", "Serial: 9007199254740992"], ["Serial: 1795892400001", "Serial: 0"], ["Serial: 1795892400001", "Serial: -1"],
        ["Issued: 2026-11-28T15:00:00Z", "Issued: 2026-11-31T15:00:00Z"], ["Issued: 2026-11-28T15:00:00Z", "Issued: 2026-11-28T24:00:00Z"], ["Issued: 2026-11-28T15:00:00Z", "Issued: 2026-11-28 15:00:00Z"], ["Issued: 2026-11-28T15:00:00Z", "Issued: 2026-11-28T15:00:00+01:00"],
        ["Issuer: SHA256:", "Issuer: MD5:"], ["Vault: 5f0c", "Vault: 5F0C"], ["Vault: 5f0c", "Vault: 5f0"], ["Person: martine", "Person: ../martine"], ["Person: martine", "Person: Martine"], ["Client: martin\n", "Client: mar tin\n"],
        ["Recipient: code", "Recipient: password"], ["Recipient: code", "Recipient: code "], ["Right: read", "Right: write"], ["Until: none", "Until: never"], ["Until: none", "Until: 2026-11-28T15:00:00Z"],
        ["Receipt: 00000-00000-0", "Receipt: 00000-00000-1"], ["Receipt: 00000-00000-0", "Receipt: 00000-0000O-0"], ["Receipt: 00000-00000-0", "Receipt: 00000000000"],
        ["Mailbox: sav@", "Mailbox: SAV@"], ["Mailbox: sav@boulangerie-martin.fr", "Mailbox: contact@boulangerie-martin.fr"], ["Mailbox: sav@boulangerie-martin.fr", "Mailbox: sav"], ["Mailbox: sav@boulangerie-martin.fr", "Mailbox: sav@fr"],
        ["Version: 12", "Version: 012"], ["Version: 12", "Version:12"], ["Version: 12", "Version:  12"], ["Version: 12", "Version: 12 "], ["Version: 12", "Version:\n| 12"],
        ["IMAP: ex4.mail.ovh.net 993 SSL/TLS", "IMAP: ex4.mail.ovh.net 993 TLS"], ["IMAP: ex4.mail.ovh.net 993 SSL/TLS", "IMAP: ex4.mail.ovh.net 65536 SSL/TLS"], ["IMAP: ex4.mail.ovh.net 993", "IMAP: ex4.mail.ovh.net  993"], ["SMTP: ex4", "Smtp: ex4"],
        ["Webmail: https://webmail", "Webmail: http://webmail"], ["Webmail: https://webmail", "Webmail: javascript:"], ["Expires: 2027-01-31", "Expires: 2027-02-29"], ["Secret: stripe", "Secret: secours"],
        ["Of: facturation@", "Of: technique@"], ["Type: ftp", "Type: FTP"], ["Value-Base64: AAEg", "Value-Base64: AAE"], ["Value-Base64: AAEgemVybyBhbmQgb25l", "Value-Base64: aGVsbG8="], ["Value-Base64: AAEgemVybyBhbmQgb25l", "Value-Base64:\n| AAEgemVybyBhbmQgb25l"],
        ["Value-Base64: aHVudGVyMglhbmQgYSB0YWI=", "Value-Base64: aHVudGVyMglhbmQgYSB0YWJ="], ["Note:\n| End", "Note-Base64: aHVudGVyMglhbmQgYSB0YWI=\nX:\n| End"], ["| 3333 4444", "3333 4444"], ["| 3333 4444", "|3333 4444"], ["| 3333 4444", "\u00a0| 3333"],
        ["hosting.ovh.net/", "hosting.ovh.net/\u202e"], ["hosting.ovh.net/", "hosting.ovh.net/\u0085"], ["hosting.ovh.net/", "hosting.ovh.net/\u2028"], ["hosting.ovh.net/", "hosting.ovh.net/\t"],
        ["\n\nMailbox: sav", "\n\n\nMailbox: sav"], ["\n\nMailbox: sav", "\nMailbox: sav"], ["Means:\n", "Extra: 1\nMeans:\n"], ["\nEnd: passation-issue 1", "\nEnd: passation-issue 2"], ["\nEnd: passation-issue 1", "\nEnd: passation-issue 1 "],
    ]) change(from, to);
    for (const text of ["", "\n", good.trimEnd(), good + "\n", good + "x", good.slice(0, 200), "\n" + good]) {
        refused(text, JSON.stringify(text.slice(0, 20)));
        tried++;
    }
    assert.ok(tried > 150, `${tried}`);
});

/* \n, \t, \\ and {x*9} of edits.txt; the C reader's test holds itself to the same list. */
const unfold = (word) => word.replace(/\\[nt\\]|\{[^{}]+\*\d+\}/g, (mark) => {
    if (mark[0] === "\\") return { n: "\n", t: "\t", "\\": "\\" }[mark[1]];
    const [, text, times] = /^\{(.+)\*(\d+)\}$/.exec(mark);
    return text.repeat(Number(times));
});

for (const [document, edits, floor] of [["several.txt", "edits.txt", 300], ["trousseau.txt", "trousseau-edits.txt", 120]])
    test(`the reader takes and refuses what ${edits} says`, () => {
        const good = readFileSync(join(vectors, document), "utf8").split(/(?<=\nEnd: passation-issue [12]\n)(?=-----BEGIN SSH)/)[0];
        const wrong = [];
        let tried = 0;
        for (const line of readFileSync(join(vectors, edits), "utf8").split("\n")) {
            if (line === "" || line.startsWith("#")) continue;
            const [verdict, from, to] = line.split("\t");
            assert.ok(good.includes(unfold(from)), line);
            let said = "accept";
            try {
                read(good.replace(unfold(from), () => unfold(to)));
            } catch (error) {
                assert.ok(error instanceof ours.Malformed, error);
                said = "refuse";
            }
            if (said !== verdict) wrong.push(line);
            tried++;
        }
        assert.deepEqual(wrong, []);
        assert.ok(tried >= floor, `${tried}`);
    });

test("a trousseau is refused as a whole for a line too many or too few", () => {
    const good = compose(trousseau, issuer.fingerprint);
    const lines = good.split("\n").slice(0, -1);
    let tried = 0;
    read(good);
    lines.forEach((line, i) => {
        if (line.startsWith("| ")) return;
        refused([...lines.slice(0, i), line, ...lines.slice(i), ""].join("\n"), `line ${i + 1} twice`);
        tried++;
        if (/^(Webmail|IMAP|SMTP|User|URL|Note|Expires|Changed|Proved|Name|Client-Name|Reply-To|Reason|Panel|Self-Change|$)/.test(line)) return;
        refused([...lines.slice(0, i), ...lines.slice(i + 1), ""].join("\n"), `line ${i + 1} missing`);
        tried++;
    });
    for (let size = good.length - 1; size > 0; size -= 7) refused(good.slice(0, size), `cut at ${size}`);
    assert.ok(tried > 120, `${tried}`);
});

test("what version 2 has is refused in version 1, and the other way round", () => {
    const old = compose(several, issuer.fingerprint);
    const account = "Account: xm000000-ovh\nDomains: a.fr\nFingerprint-Key: " + "0".repeat(64) + "\n";
    const file = "File: a\nMedia: text/plain\nContent: b\n";
    for (const text of [old.replace("\nMailbox: tech", `\n${account}\nMailbox: tech`), old.replace("\nMeans:", `\n${file}\nMeans:`), old.replace("993 SSL/TLS\nSMTP: smtp.mail.ovh.net 465 SSL/TLS", "993 SSL/TLS\nSMTP: smtp.mail.ovh.net 465 SSL/TLS\nSelf-Change: panel"), compose({ ...trousseau, mailboxes: [] }, issuer.fingerprint), old.replace("Right: read", "Right: own")]) {
        assert.notEqual(text, old);
        refused(text, text.slice(0, 200));
    }
    read(compose({ ...trousseau, files: [] }, issuer.fingerprint));
    const many = (n) => ({ ...trousseau, account: { ...trousseau.account, domains: Array.from({ length: n }, (_, i) => `d${i}.fr`) } });
    read(compose(many(256), issuer.fingerprint));
    refused(compose(many(257), issuer.fingerprint), "257 domains");
});

test("a document of invalid UTF-8 is refused", () => {
    const data = bytes(compose(one, issuer.fingerprint));
    for (const byte of [0xff, 0xc0, 0xed, 0x80]) {
        const copy = data.slice();
        copy[copy.indexOf(0x72)] = byte;
        assert.throws(() => ours.readDocument(copy), ours.Malformed);
    }
});

test("one changed byte anywhere in a document breaks its signature or its form", () => {
    const data = readFileSync(join(vectors, "one-mailbox.txt"));
    let tried = 0;
    for (let i = 0; i < data.length; i += 5) {
        const copy = Uint8Array.from(data);
        copy[i] ^= 1;
        assert.throws(() => {
            const signed = ours.checkSignature(copy);
            assert.equal(ours.readDocument(signed.document).issuer, signed.fingerprint);
        }, undefined, `byte ${i}`);
        tried++;
    }
    assert.ok(tried > 250);
});

test("signatures of another kind, and text after the signature, are refused", () => {
    const text = compose(one, issuer.fingerprint);
    const armor = issuer.sign(text);
    ours.checkSignature(bytes(text + armor));
    for (const forged of [text, text + issuer.sign(text, "passation-file"), text + issuer.sign(text + "x"), text + armor + "\n", text + armor + "x", text + "\n" + armor, text + armor + armor, text + armor.trimEnd(), text + armor.replace(/\n/g, "\r\n"), text + armor.replace("\n", "\n\n")])
        assert.throws(() => ours.checkSignature(bytes(forged)), ours.Malformed);
});

test("any wrong digit and any two swapped digits of a receipt code are found", () => {
    const digits = "K7MQ29XWVT";
    const code = digits + checkDigit(digits);
    const form = (text) => `${text.slice(0, 5)}-${text.slice(5, 10)}-${text.slice(10)}`;
    assert.ok(ours.isReceipt(form(code)));
    for (let i = 0; i < code.length; i++) {
        for (const digit of "0123456789ABCDEFGHJKMNPQRSTVWXYZ") if (digit !== code[i]) assert.ok(!ours.isReceipt(form(code.slice(0, i) + digit + code.slice(i + 1))));
        for (let k = i + 1; k < code.length; k++) {
            const swapped = [...code];
            [swapped[i], swapped[k]] = [swapped[k], swapped[i]];
            if (swapped.join("") !== code) assert.ok(!ours.isReceipt(form(swapped.join(""))));
        }
    }
});

test("a code is read however it is typed", () => {
    for (const typed of ["abaisser bijou", "ABAISSER-BIJOU", "1. Abaisser\n2. Bijou", "  abaïsser ,  bijou.", "abaisser–bijou", "a\u0301baisser\tbijou"]) assert.deepEqual(ours.wordsOf(typed), ["abaisser", "bijou"]);
    assert.deepEqual(ours.suggestions("efacer", ["bijou"]), ["effacer"]);
    assert.deepEqual(ours.suggestions("effcaer", ["bijou"]), ["effacer"]);
    assert.deepEqual(ours.suggestions("zool", ["bijou"]), ["zoologie"]);
    assert.deepEqual(ours.suggestions("qqqqq", ["bijou"]), []);
});

test("a recovery key is read however it is typed", () => {
    const grouped = RECOVERY_KEY.replace(/(.{6})/g, "$1 ");
    for (const typed of [RECOVERY_KEY, RECOVERY_KEY.toLowerCase(), ` ${RECOVERY_KEY}\n`, grouped, RECOVERY_KEY.replace(/-/g, " "), RECOVERY_KEY.replace(/(.{30})/, "$1\n"), RECOVERY_KEY.replace(/-/g, "\u2011")]) {
        const { key, wrong, prefixed } = ours.keyOf(typed);
        assert.deepEqual([key, wrong, prefixed], [RECOVERY_KEY, "", true], typed);
    }
    assert.equal(ours.keyOf("age-secret-key-1gO").wrong, "O");
    assert.equal(ours.keyOf("age-secret-key-1gé").wrong, "É");
    assert.equal(ours.keyOf("abaisser bijou").prefixed, false);
    assert.deepEqual(ours.keyOf(""), { key: "", wrong: "", prefixed: false });
});

test("a payload says whether a code or a recovery key opens it", async () => {
    const shell = "<pre>\n</pre>\n</body>";
    const inner = (html) => html.slice(6, -"</pre>\n</body>".length);
    const { armor } = await import("age-encryption");
    const file = await encryptTo("x", RECOVERY_RECIPIENT);
    assert.equal(ours.readPayload(inner(await makePage(shell, "x"))).by, "code");
    assert.equal(ours.readPayload(inner(wrap(shell, armor.encode(file)))).by, "key");
    for (const start of ["-> ssh-ed25519 AAAA AAAA", "-> X25519 AAAA", "-> X25519", "-> piv-p256 AAAA AAAA"])
        assert.deepEqual(ours.readPayload(inner(wrap(shell, armor.encode(Buffer.from(`age-encryption.org/v1\n${start}\nAAAA\n--- AAAA\n`))))), { missing: "changed" });
});

test("files for mail programs hold the settings, stay the same, and hold no password", () => {
    const issue = read(compose(several, issuer.fingerprint));
    for (const mailbox of issue.mailboxes) {
        const settings = ours.settingsOf(mailbox);
        const profile = ours.appleProfile(settings, 'Nadia <b> & "fils"');
        assert.equal(profile, ours.appleProfile(settings, 'Nadia <b> & "fils"'));
        const made = [profile, ours.thunderbirdConfig(settings), ours.thunderbirdMobile(settings, null)];
        for (const text of made) assert.ok(!text.includes(mailbox.password.text));
        const parsed = JSON.parse(execFileSync("python3", ["-c", "import json,plistlib,sys; import xml.dom.minidom as x; d=plistlib.loads(sys.stdin.buffer.read()); print(json.dumps(d))"], { input: profile, encoding: "utf8" }));
        const [account] = parsed.PayloadContent;
        assert.equal(parsed.PayloadOrganization, 'Nadia <b> & "fils"');
        assert.equal(account.IncomingMailServerHostName, mailbox.imap.host);
        assert.equal(account.OutgoingMailServerPortNumber, mailbox.smtp.port);
        assert.equal(account.IncomingMailServerUseSSL, true);
        assert.ok(!("IncomingPassword" in account) && !("OutgoingPassword" in account));
        assert.match(parsed.PayloadUUID, /^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/);
        assert.notEqual(parsed.PayloadUUID, account.PayloadUUID);
        execFileSync("python3", ["-c", "import sys, xml.dom.minidom as x; x.parseString(sys.stdin.buffer.read())"], { input: made[1] });
        const [version, sequence, incoming, groups] = JSON.parse(ours.thunderbirdMobile(settings, "pé\"'<>"));
        assert.deepEqual([version, sequence, incoming[7], groups[0][0][6], groups[0][1][0]], [1, [1, 1], "pé\"'<>", "pé\"'<>", mailbox.address]);
        assert.match(ours.thunderbirdMobile(settings, "pé"), /^[\x20-\x7e]+$/);
    }
});

test("the library writes the same settings files, byte by byte", () => {
    const servers = { imap: { host: "imap.mail.ovh.net", port: 993, security: "SSL/TLS" }, smtp: { host: "pro1.mail.ovh.net", port: 587, security: "STARTTLS" } };
    const file = join(temporary, "settings.json");
    for (const [address, user, organization] of [["contact@martin.fr", "contact@martin.fr", "Nadia"], ["é<&>'\"@ü.fr", "a & b", 'Nadia <b> & "fils"']]) {
        writeFileSync(file, JSON.stringify({ address, user, organization, ...servers }));
        const written = (kind) => execFileSync(join(process.env.PASSATION_BUILD, "passation-interop"), ["profile", kind, file], { encoding: "utf8" });
        const settings = { mailbox: { address, user }, ...servers };
        assert.equal(written("apple"), ours.appleProfile(settings, organization));
        assert.equal(written("autoconfig"), ours.thunderbirdConfig(settings));
    }
});

test("links come out of a table, and a letter's address cannot leave its place", () => {
    assert.equal(ours.linkTo("https://www.ovhcloud.com/fr/mail").href, "https://www.ovhcloud.com/fr/mail/");
    for (const url of ["javascript:alert(1)", "https://www.ovhcloud.com/fr/mail/x", "http://mail.ovh.net/", "https://mail.ovh.net.evil.example/", "https://user@mail.ovh.net/", "//mail.ovh.net/", "HTTPS://MAIL.OVH.NET/", ""]) assert.equal(ours.linkTo(url), null);
    const letter = new URL(ours.letterTo("a+b@c.fr", "x&cc=evil@e.fr", "line\n&bcc=evil@e.fr").href);
    assert.deepEqual([...letter.searchParams.keys()], ["subject", "body"]);
    assert.equal(decodeURIComponent(letter.pathname), "a+b@c.fr");
});

test("a payload with any damage is refused before a code is asked for", async () => {
    const shell = "<pre>\n</pre>\n</body>";
    const good = (await makePage(shell, "x")).slice(6, -"</pre>\n</body>".length);
    assert.ok("file" in ours.readPayload(good));
    assert.ok("file" in ours.readPayload(good.replace(/\n/g, "\r\n")));
    for (let i = 0; i < good.length; i++) {
        const copy = good.slice(0, i) + (good[i] === "A" ? "B" : "A") + good.slice(i + 1);
        assert.ok(!("file" in ours.readPayload(copy)), `byte ${i}`);
        if (i < good.trimEnd().length) assert.ok(!("file" in ours.readPayload(good.slice(0, i))), `cut at ${i}`);
    }
    assert.deepEqual(ours.readPayload("x".repeat(24 * 1024 * 1024)), { missing: "large" });
});
