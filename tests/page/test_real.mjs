/*
 * A page that the real binary made, in headless Chromium: what the vault and the simulator
 * hold is what the page shows, byte for byte. PASSATION_BUILD is the build tree,
 * PASSATION_TESTS the tests' folder. With PASSATION_SHOTS, pictures go there. Exits 77
 * without Chromium.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Browser, CHROMIUM, typeCode, unlock } from "./browser.mjs";

if (!CHROMIUM) {
    console.log("skipped: no Chromium");
    process.exit(77);
}

const here = dirname(fileURLToPath(import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), "passation-real-"));
const asked = [];

let world; /* real_issue.py */
let issue; /* what it expects */
let html;
let answers;
let browser;
let receipt; /* the code, as the page shows it */

async function nextLine() {
    const { value, done } = await answers.next();
    assert.ok(!done, "the world has ended");
    return JSON.parse(value);
}

function ask(...request) {
    world.stdin.write(JSON.stringify(request) + "\n");
    return nextLine();
}

before(async () => {
    world = spawn("python3", [join(here, "real_issue.py"), process.env.PASSATION_BUILD, process.env.PASSATION_TESTS], { stdio: ["pipe", "pipe", "inherit"] });
    answers = createInterface({ input: world.stdout })[Symbol.asyncIterator]();
    [browser, issue] = await Promise.all([Browser.launch(), nextLine()]);
    html = readFileSync(issue.path);
});

after(async () => {
    world.stdin.end();
    if (world.exitCode === null) await new Promise((done) => world.once("exit", done));
    rmSync(temporary, { recursive: true });
});

async function visit(options, act) {
    const { page, seen, close } = await browser.open(html, { name: basename(issue.path), ...options });
    try {
        await act(page);
        asked.push(...seen.requests.filter((url) => url !== seen.file && !url.startsWith("blob:")));
        assert.deepEqual([seen.errors, seen.dialogs, await seen.tabs()], [[], 0, 1]);
        assert.equal(await page.evaluate(() => window.ran), 0);
    } finally {
        await close();
    }
}

const textOf = (page, selector) => page.$eval(selector, (element) => element.textContent);
const spaces = (text) => text.replace(/[\u00a0\u202f]/g, " ");

/* Every secret, address and the like as its copy button hands it out, which is the only
 * place where nothing is drawn in groups or made visible. */
function readPage(page) {
    return page.evaluate(async () => {
        const copied = async (button) => {
            let text = null;
            const { writeText } = navigator.clipboard;
            navigator.clipboard.writeText = async (value) => void (text = value);
            button.click();
            for (let i = 0; i < 100 && text === null; i++) await new Promise((done) => setTimeout(done, 5));
            navigator.clipboard.writeText = writeText;
            return text;
        };
        const secret = (from) => copied(from.querySelector(".secret .buttons button:nth-child(2)"));
        const row = async (from, name) => {
            const term = [...from.querySelectorAll(":scope > dl > dt")].find((dt) => name.includes(dt.textContent));
            return term ? copied(term.nextElementSibling.querySelector(".value button")) : null;
        };
        const mailboxes = [];
        for (const article of document.querySelectorAll("article")) {
            const others = [];
            for (const other of article.querySelectorAll(".other")) {
                const note = other.querySelector(".note-text");
                others.push({ label: other.querySelector(".label").textContent, value: await secret(other), binary: other.querySelector(".secret").textContent.includes("Base64"), user: await row(other, ["Identifiant", "User name"]), url: await row(other, ["Adresse", "Address"]), note: note && note.textContent });
            }
            const cells = [...article.querySelectorAll(".servers tbody tr")].map((tr) => [...tr.querySelectorAll("code")].map((code) => code.textContent));
            mailboxes.push({ address: article.querySelector("h3").textContent, password: await secret(article), servers: cells, others });
        }
        return mailboxes;
    });
}

/* The top of the page, and a mailbox with what hangs on it. */
async function takePictures(page, name) {
    const to = process.env.PASSATION_SHOTS;
    if (!to) return;
    for (const [part, selector] of [["top", "h1"], ["mailbox", "article .secret"], ["others", "article:nth-of-type(2) .others"]]) {
        await page.$eval(selector, (element) => element.scrollIntoView({ behavior: "instant" }));
        await page.screenshot({ path: join(to, `${name}-${part}.png`) });
    }
}

const serverCells = ({ host, port, security }) => [host, String(port), security];

function checkMailboxes(found) {
    assert.equal(found.length, issue.mailboxes.length);
    found.forEach((mailbox, i) => {
        const expected = issue.mailboxes[i];
        assert.deepEqual([mailbox.address, mailbox.password], [expected.address, expected.password]);
        assert.deepEqual(mailbox.servers, [expected.imap, expected.smtp].map(serverCells));
        assert.deepEqual(mailbox.others.map(({ label, value, user, url, note }) => [label, value, user, url, note]), expected.others.map(({ label, text, base64, user, url, note }) => [label, text ?? base64, user ?? null, url ?? null, note ?? null]));
        assert.deepEqual(mailbox.others.map(({ binary }) => binary), expected.others.map(({ base64 }) => base64 !== undefined));
    });
}

for (const [language, size] of [["fr-FR", "phone"], ["en-GB", "desktop"], ["fr-FR", "desktop"], ["en-GB", "phone"]]) {
    test(`the page shows exactly what is in force, until when and from whom: ${language}, ${size}`, async () => {
        await visit({ language, size }, async (page) => {
            const french = language === "fr-FR";
            await unlock(page, issue.code);
            assert.equal(await page.$(".problem"), null);
            for (const { password } of issue.mailboxes) assert.ok(!(await textOf(page, "body")).includes(password));
            assert.equal(await textOf(page, "h1"), issue.client);
            const lead = spaces(await textOf(page, ".lead"));
            assert.ok(lead.includes(issue.person) && lead.includes(issue.sender), lead);
            const facts = spaces(await textOf(page, ".facts"));
            assert.ok(facts.includes(french ? "Valable jusqu’au 31 mars 2031 à 23:59" : "Valid until 31 March 2031 at 23:59"), facts);
            assert.ok(facts.includes(issue.reason), facts);
            assert.equal(await textOf(page, ".fingerprint"), issue.fingerprint);
            assert.ok((await textOf(page, ".check")).includes(issue.serial));
            assert.ok((await textOf(page, ".check")).includes(`-s ${basename(issue.path)}.sig < ${basename(issue.path)}`));
            assert.equal(new URL(await page.$eval("a[href^='mailto:']", (link) => link.href)).pathname, "nadia@exemple.fr");
            const code = await textOf(page, ".receipt-code code");
            assert.equal((receipt ??= code), code);
            assert.ok(new URL(await page.$eval("a[href^='mailto:']", (link) => link.href)).searchParams.get("body").includes(code));
            await page.click(".tools .plain");
            checkMailboxes(await readPage(page));
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
            await takePictures(page, `real-${language}-${size}`);
        });
    });
}

test("the receipt code that the page shows confirms the issue, and a slip of it does not", async () => {
    const slip = await ask("receipt", issue.serial, receipt.replace(/.$/, (digit) => (digit === "A" ? "B" : "A")));
    assert.notEqual(slip.exit, 0, slip.said);
    const confirmed = await ask("receipt", issue.serial, receipt);
    assert.equal(confirmed.exit, 0, confirmed.said);
});

test("a wrong code is told, and nothing is shown", async () => {
    for (const [language, title] of [["fr-FR", "Ce code n’ouvre pas ce fichier"], ["en-GB", "This code does not open this file"]]) {
        await visit({ language, size: "phone" }, async (page) => {
            await unlock(page, [...issue.code].reverse());
            assert.ok((await textOf(page, ".problem h2")).startsWith(title));
            assert.ok(!(await page.content()).includes("essai.example"));
            if (language === "en-GB") return;
            await typeCode(page, issue.code);
            await page.click("form .main");
            await page.waitForSelector(".opened");
        });
    }
});

test("stock sed and age give the same document, whose inner signature holds", async () => {
    const run = (command) => execFileSync("sh", ["-c", command], { cwd: temporary, encoding: "utf8" });
    execFileSync("python3", [join(here, "on_a_terminal.py"), `sed -n '/^-----BEGIN AGE/,/^-----END AGE/p' '${issue.path}' | age -d > issue.txt`], { input: issue.code.join("-") + "\n", cwd: temporary });
    const text = readFileSync(join(temporary, "issue.txt"), "utf8");
    const values = (name) => [...text.matchAll(new RegExp(`^${name}: (.*)$`, "gm"))].map((match) => match[1]);
    assert.deepEqual(values("Mailbox"), issue.mailboxes.map(({ address }) => address));
    assert.deepEqual(values("Password"), issue.mailboxes.map(({ password }) => password));
    assert.deepEqual([values("Issuer"), values("Serial"), values("Until"), values("Recipient")].flat(), [issue.fingerprint, issue.serial, issue.until, "code"]);
    assert.deepEqual(values("Secret"), issue.mailboxes.flatMap(({ others }) => others.map(({ label }) => label)));
    assert.deepEqual(values("Receipt"), [receipt]);
    run("sed -n '/^-----BEGIN SSH SIG/,$p' issue.txt > issue.sig");
    const said = run("sed '/^-----BEGIN SSH SIG/,$d' issue.txt | ssh-keygen -Y check-novalidate -n passation-issue -s issue.sig");
    assert.ok(said.includes(issue.fingerprint), said);
});

test("the commands that the page gives check the inner signature and leave no file behind", async () => {
    const folder = join(temporary, "commands");
    mkdirSync(folder);
    copyFileSync(issue.path, join(folder, basename(issue.path)));
    let command;
    await visit({ language: "en-GB" }, async (page) => {
        await unlock(page, issue.code);
        command = (await page.$$eval(".check .command code", (found) => found.map((code) => code.textContent)))[1];
    });
    execFileSync("python3", [join(here, "on_a_terminal.py"), `${command} > ../said`], { input: issue.code.join("-") + "\n", cwd: folder });
    assert.ok(readFileSync(join(temporary, "said"), "utf8").includes(issue.fingerprint));
    assert.deepEqual(readdirSync(folder), [basename(issue.path)]);
    assert.doesNotMatch(command, /issue\.txt/);
});

test("the signature beside the file holds for stock ssh-keygen, and the shell is the binary's own", async () => {
    const verified = await ask("verify", issue.path);
    assert.deepEqual([verified.exit, /^Good "passation-file" signature/.test(verified.said)], [0, true]);
    const digest = execFileSync("sh", ["-c", `sed '/^Payload-SHA256: /,/^-----END AGE/d' '${issue.path}' | sha256sum`], { encoding: "utf8" }).slice(0, 64);
    assert.ok(issue.version.includes(`page: SHA-256 ${digest}\n`), issue.version);
    assert.equal(createHash("sha256").update(readFileSync(issue.path)).digest("hex"), issue.sha256);
});

test("nothing was asked for but the file and its own blobs", async () => {
    const log = JSON.parse((await browser.close()).replace(/,\s*$/, "]}"));
    const start = log.constants.logEventTypes.URL_REQUEST_START_JOB;
    assert.ok(start > 0);
    /* Chromium's own requests have no page as their origin. */
    assert.deepEqual(log.events.filter(({ type, params }) => type === start && params?.url && params.initiator !== "not an origin").map(({ params }) => params.url), []);
    assert.deepEqual(asked, []);
});
