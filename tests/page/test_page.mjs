/*
 * The page in headless Chromium, from a file, offline. PASSATION_PAGE_DIR is the build
 * tree's page folder, PASSATION_VECTORS tests/vectors/issue. Exits 77 without Chromium.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { armor } from "age-encryption";
import jsQR from "jsqr";
import { Browser, CHROMIUM, accessible, requestsIn, saved, textOf, typeCode, unlock, visit as visitPage } from "./browser.mjs";
import { formulas, payloads, strings } from "./hostile.mjs";
import { CODE, Issuer, compose, encrypt, page as makePage, wrap } from "./issue.mjs";
import { one } from "./make_vectors.mjs";

if (!CHROMIUM) {
    console.log("skipped: no Chromium");
    process.exit(77);
}

const here = dirname(fileURLToPath(import.meta.url));
const vectors = process.env.PASSATION_VECTORS;
const shell = readFileSync(join(process.env.PASSATION_PAGE_DIR, "out/page/shell.html"), "utf8");
const temporary = mkdtempSync(join(tmpdir(), "passation-page-"));
const PASSWORD = one.mailboxes[0].password;
const vector = (name) => readFileSync(join(vectors, name), "utf8");

let browser;
let issuer;
let pages;
let stock; /* what age does, while the browser starts and shows the first pages */
const asked = [];

before(async () => {
    issuer = new Issuer(join(vectors, "issuer"));
    pages = { one: await makePage(shell, vector("one-mailbox.txt")), several: await makePage(shell, vector("several.txt")) };
    stock = runStockAge();
    stock.catch(() => undefined); /* its test tells */
    browser = await Browser.launch();
});

after(() => {
    issuer.close();
    rmSync(temporary, { recursive: true });
});

async function runStockAge() {
    const ask = (command) => {
        const done = promisify(execFile)("python3", [join(here, "on_a_terminal.py"), command], { cwd: temporary });
        done.child.stdin.end(CODE.join("-") + "\n");
        return done;
    };
    writeFileSync(join(temporary, "F.html"), pages.several);
    await ask("sed -n '/^-----BEGIN AGE/,/^-----END AGE/p' F.html | age -d > plain.txt");
    await ask("age -p -a -o stock.age plain.txt");
}

const visit = (html, options, act) => visitPage(browser, asked, html, options, act);

async function uncover(page) {
    await page.evaluate(() => {
        document.querySelector(".tools .plain").click();
        document.querySelectorAll("details").forEach((fold) => (fold.open = true));
    });
    await page.waitForFunction(() => [...document.querySelectorAll(".fold-body")].every((body) => body.firstChild));
}

test("the shell is one ASCII file of at most 400 KB whose policy names its own script and style", () => {
    assert.ok(shell.length <= 400 * 1024, `${shell.length}`);
    assert.match(shell, /^[\n\x20-\x7e]*$/);
    const digest = (tag) => createHash("sha256").update(shell.slice(shell.indexOf(`<${tag}>`) + tag.length + 2, shell.indexOf(`</${tag}>`))).digest("base64");
    const policy = `default-src 'none'; script-src 'sha256-${digest("script")}'; style-src 'sha256-${digest("style")}'; worker-src blob:; base-uri 'none'; form-action 'none'`;
    assert.ok(shell.includes(`<head>\n<meta http-equiv="Content-Security-Policy" content="${policy}">\n`));
    assert.doesNotMatch(shell, /localStorage|sessionStorage|indexedDB|document\.cookie|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|location\.(hash|search)|verified|vérifié/);
});

test("the same sources give the same bytes", () => {
    const page = process.env.PASSATION_PAGE_DIR;
    execFileSync(process.execPath, [join(page, "build.mjs"), process.env.PASSATION_WORDS, temporary], { cwd: temporary });
    assert.equal(readFileSync(join(temporary, "shell.html"), "utf8"), shell);
    const payloadless = execFileSync("sed", ["/^Payload-SHA256: /,/^-----END AGE/d"], { input: pages.one });
    assert.equal(createHash("sha256").update(payloadless).digest("hex"), readFileSync(join(page, "out/page/shell.sha256"), "utf8").trim());
});

for (const [language, size, scheme] of [["fr-FR", "desktop", "light"], ["en-GB", "phone", "dark"], ["fr-CA", "phone", "light"], ["en-US", "desktop", "dark"]]) {
    test(`an issue opens and is accessible: ${language}, ${size}, ${scheme}`, async () => {
        await visit(pages.one, { language, size, scheme }, async (page) => {
            const french = language.startsWith("fr");
            assert.equal(await page.$eval("html", (root) => root.lang), french ? "fr" : "en");
            await typeCode(page, [...CODE.slice(0, 3), "efacer "]);
            await accessible(page, "locked");
            await unlock(page, CODE);
            assert.equal(await textOf(page, "h1"), "Boulangerie Martin");
            assert.ok(!(await textOf(page, "body")).includes(PASSWORD));
            assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
            await uncover(page);
            assert.equal(await page.$eval(".secret-value .spoken", (said) => said.textContent), PASSWORD);
            for (const expected of ["K7MQ2-9XWVT-A", "technique@boulangerie-martin.fr", "imap.mail.ovh.net", "465", french ? "28 février 2027 à 23:59" : "28 February 2027"]) assert.ok((await textOf(page, "main")).replace(/[\u00a0\u202f]/g, " ").includes(expected), expected);
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
            await page.click(".secret .buttons button:last-child");
            await accessible(page, "open");
            assert.equal(await page.$$eval("a[href^='https:']", (links) => links.map((link) => link.href).join()), "https://www.ovhcloud.com/fr/mail/");
            const letter = new URL(await page.$eval("a[href^='mailto:']", (link) => link.href));
            assert.equal(letter.pathname, "nadia@exemple.fr");
            assert.match(letter.searchParams.get("body"), /K7MQ2-9XWVT-A/);
            await page.click(`.languages [lang="${french ? "en" : "fr"}"]`);
            assert.equal(await page.$eval("html", (root) => root.lang), french ? "en" : "fr");
            assert.equal(await page.$eval(".secret-value .spoken", (said) => said.textContent), PASSWORD);
        });
    });
}

test("several mailboxes with hostile values show every value as text", async () => {
    await visit(pages.several, { language: "fr-FR" }, async (page) => {
        await unlock(page, CODE);
        await uncover(page);
        const text = await page.$eval("main", (main) => main.textContent);
        for (const expected of ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "Nadia <b>Durand</b>", "U+202E", "U+0009", "é à ü 漢字 🥖", "1111 2222", "https://webmail.exemple.fr/roundcube?a=1&b=2"]) assert.ok(text.includes(expected), expected);
        await accessible(page, "several");
    });
});

test("the network log holds no request, and the policy stops every way out", async () => {
    await visit(pages.one, { errors: [] }, async (page, seen) => {
        await unlock(page, CODE);
        await page.evaluate(async () => {
            const tries = [
                () => fetch("https://evil.example/a"),
                () => new Promise((done) => { const request = new XMLHttpRequest(); request.onloadend = done; request.open("GET", "https://evil.example/b"); request.send(); }),
                () => new WebSocket("wss://evil.example/c"),
                () => new EventSource("https://evil.example/d"),
                () => navigator.sendBeacon("https://evil.example/e"),
                () => new Worker("data:text/javascript,1"),
            ];
            for (const attempt of tries) try { await attempt(); } catch { /* refused, as it should be */ }
            for (const [tag, name, value] of [["img", "src", "https://evil.example/f"], ["img", "src", "data:image/gif;base64,R0lGODlhAQABAAAAACw="], ["link", "href", "https://evil.example/g"], ["script", "src", "https://evil.example/h"], ["iframe", "src", "https://evil.example/i"], ["object", "data", "https://evil.example/j"], ["video", "src", "https://evil.example/k"], ["base", "href", "https://evil.example/"]]) {
                const element = document.createElement(tag);
                if (tag === "link") element.rel = "stylesheet";
                element[name] = value;
                document.body.append(element);
            }
            const inline = document.createElement("script");
            inline.textContent = "window.ran++";
            const style = document.createElement("style");
            style.textContent = "body{display:none}";
            const handler = document.createElement("div");
            handler.setAttribute("onclick", "window.ran++");
            document.body.append(inline, style, handler);
            handler.click();
            try { (0, Function)("window.ran++")(); } catch { /* no evaluation of text */ }
            await new Promise((done) => setTimeout(done, 200));
        });
        const violations = await page.evaluate(() => [...new Set(window.violations)].sort());
        for (const directive of ["base-uri", "connect-src", "frame-src", "img-src", "media-src", "object-src", "script-src", "script-src-attr", "script-src-elem", "style-src-elem", "worker-src"]) assert.ok(violations.includes(directive), `${directive} in ${violations}`);
        assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).display), "none");
        seen.requests = seen.requests.filter((url) => !/evil\.example|^data:/.test(url));
        seen.errors.length = 0;
    });
});

test("a wrong code says so, keeps the words, and the right one opens", async () => {
    await visit(pages.one, { language: "fr-FR" }, async (page) => {
        await unlock(page, [...CODE].reverse());
        assert.match(await textOf(page, ".problem h2"), /^Ce code n’ouvre pas ce fichier/);
        await accessible(page, "wrong");
        assert.match(await page.$eval("#code", (field) => field.value), /^ignorer/);
        await typeCode(page, ["1.", "Abaïsser\n2. BIJOU -", ...CODE.slice(2)]);
        await page.focus("#code");
        await page.keyboard.press("Enter");
        await page.waitForSelector(".opened");
    });
});

test("a mistyped word is named, and a touch puts the right one in its place", async () => {
    await visit(pages.one, { language: "en-GB" }, async (page) => {
        await typeCode(page, [...CODE.slice(0, 8), "ignroer"]);
        await page.click("form .main");
        assert.match(await textOf(page, "#code-help"), /“ignroer” is not one of the words/);
        await page.click(".choice");
        await page.click("form .main");
        await page.waitForSelector(".opened", { timeout: 120000 });
    });
});

test("a damaged or truncated file is told from a wrong code", async () => {
    const file = await encrypt(vector("one-mailbox.txt"));
    const header = file.indexOf("\n--- ") + 1;
    const flip = (at) => { const copy = Buffer.from(file); copy[at] ^= 1; return wrap(shell, armor.encode(copy)); };
    const heading = async (html, code) => {
        let text = "";
        await visit(html, { language: "en-GB" }, async (page) => {
            if (code) await unlock(page, CODE);
            text = await textOf(page, ".problem h1, .problem h2");
            assert.equal(await page.$("article"), null);
            assert.equal((await page.$("form")) !== null, code);
        });
        return text;
    };
    const cut = pages.one;
    const armored = armor.encode(file);
    assert.equal(await heading(cut.slice(0, cut.lastIndexOf("-----END AGE") - 70), false), "This file is incomplete");
    assert.equal(await heading(cut.replace("-----END AGE ENCRYPTED FILE-----\n", ""), false), "This file is incomplete");
    assert.equal(await heading(shell, false), "This file is incomplete");
    assert.equal(await heading(cut.replace(/(\nYWdl.{40})(.)/, (_, a, b) => a + (b === "A" ? "B" : "A")), false), "This file is damaged");
    assert.equal(await heading(wrap(shell, armored.replace("YWdl", "ZWdl")), false), "This file is damaged");
    assert.equal(await heading(wrap(shell, armor.encode(Buffer.from("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 22\n\n--- x\n"))), false), "This file is damaged");
    assert.equal(await heading(flip(header + 10), true), "This file is damaged");
    assert.equal(await heading(flip(file.length - 3), true), "This file is damaged");
    assert.equal(await heading(wrap(shell, armor.encode(file.subarray(0, file.length - 5))), true), "This file is damaged");
});

test("what is not strictly an issue is not shown, right code or not", async () => {
    const good = vector("one-mailbox.txt");
    const other = new Issuer();
    const foreign = compose(one, issuer.fingerprint);
    const forgeries = [good + "x", good.replace("ab2cd", "ab2ce"), "Passation-Issue: 1\n", foreign + other.sign(foreign), issuer.issue({ ...one, recipient: "age1" + "q".repeat(58) }), good.replace("Serial: ", "Serial:  "), "x".repeat(1024 * 1024 + 1)];
    other.close();
    for (const forgery of forgeries) {
        await visit(await makePage(shell, forgery), { language: "fr-FR" }, async (page) => {
            await unlock(page, CODE);
            assert.match(await textOf(page, ".problem h2"), /^Le contenu n’est pas ce qu’il devrait être/);
            assert.ok(!(await page.content()).includes("ab2c"));
        });
    }
});

test("120 hostile strings, 200 payloads and 100 formulas in every field change nothing on the page", async () => {
    const counts = { strings: [strings, 120], payloads: [payloads, 200], formulas: [formulas, 100] };
    for (const [kind, [list, floor]] of Object.entries(counts)) assert.ok(new Set(list).size >= floor, `${kind}: ${new Set(list).size}`);
    const plain = (text) => !/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u.test(text);
    const all = [...strings, ...payloads, ...formulas];
    const upTo = (max) => all.map((text) => (text !== "" && plain(text) && Buffer.byteLength(text) <= max ? text : undefined));
    const [shown, noted] = [upTo(1024), upTo(4096)];
    const label = (text, i) => (text && text.trim() === text && text !== "" && Buffer.byteLength(text) <= 50 ? `${text} ${i}` : `label ${i}`);
    const mailboxes = [];
    for (let i = 0; i < all.length; i += 20)
        mailboxes.push({
            address: `role${i}@exemple.fr`, user: shown[i], password: all[i], imap: "imap.mail.ovh.net 993 SSL/TLS", smtp: "smtp.mail.ovh.net 465 SSL/TLS",
            others: all.slice(i, i + 20).map((value, k) => ({ label: label(shown[i + k], i + k), user: shown[i + k], url: shown[i + k], note: noted[i + k], value })),
        });
    const chunk = (n, max = 256) => payloads.slice(n * 50, n * 50 + 50).join(" ").slice(0, max).trim();
    const html = await makePage(shell, issuer.issue({ ...one, issuedBy: chunk(0), name: chunk(1), clientName: chunk(2), reason: chunk(3, 1024), mailboxes }));
    await visit(html, { language: "fr-FR" }, async (page, seen) => {
        await unlock(page, CODE);
        assert.equal(await page.$(".problem"), null);
        await uncover(page);
        await page.evaluate(() => document.querySelectorAll(".secret .buttons button:nth-child(3)").forEach((spell) => spell.click()));
        await page.click('.languages [lang="en"]');
        const found = await page.evaluate(() => ({
            odd: [...document.querySelectorAll("script, iframe, img, object, embed, link, base, video, audio, math, marquee, template, meta")].filter((element) => element.closest("body")).length,
            handlers: [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some((attribute) => /^on|^style$|^src/.test(attribute.name))).length,
            links: [...new Set([...document.querySelectorAll("[href]")].map((link) => link.protocol))],
            values: document.querySelectorAll(".secret-value.shown").length,
            violations: window.violations.length,
            text: document.querySelector("main").textContent,
        }));
        assert.deepEqual([found.odd, found.handlers, found.violations], [0, 0, 0]);
        assert.deepEqual(found.links, ["mailto:"]);
        assert.equal(found.values, mailboxes.length + all.length);
        const hidden = [...payloads, ...formulas].filter((payload) => plain(payload) && !found.text.includes(payload));
        assert.deepEqual(hidden, []);
        console.log(Object.entries(counts).map(([kind, [list]]) => `${kind}: tried ${new Set(list).size} effects 0`).join(", "));
        assert.deepEqual(seen.requests.filter((url) => url !== seen.file && !url.startsWith("blob:")), []);
    });
});

test("the page warns, stays when asked, and locks after five quiet minutes, leaving nothing", async () => {
    const prepare = () => {
        const now = Date.now.bind(Date);
        window.skip = 0;
        Date.now = () => now() + window.skip;
    };
    await visit(pages.one, { language: "en-GB", prepare }, async (page) => {
        const later = (seconds) => page.evaluate((ms) => void (window.skip += ms), seconds * 1000);
        await unlock(page, CODE);
        await page.click(".secret .quiet");
        assert.ok((await page.content()).includes(PASSWORD));
        await later(275);
        await page.waitForSelector("dialog[open] .main");
        assert.match(await textOf(page, "dialog"), /locks in \d+ seconds/);
        await accessible(page, "idle");
        for (const sign of ["click", "cancel"]) {
            await page.waitForSelector("dialog[open] .main");
            await page.$eval(sign === "click" ? "dialog .main" : "dialog", (target, name) => target.dispatchEvent(new Event(name, { cancelable: true })), sign);
            await page.evaluate(() => new Promise((looked) => setTimeout(looked, 2200))); /* the page looks each second */
            assert.equal(await page.$("dialog[open]"), null, sign);
            await later(275);
        }
        await page.waitForSelector("dialog[open] .main");
        await later(301);
        await page.waitForSelector("#code");
        assert.equal(await page.$("dialog[open]"), null);
        for (const gone of [PASSWORD, "K7MQ2", "boulangerie-martin"]) assert.ok(!(await page.content()).includes(gone), gone);
        assert.equal(await page.$eval("#code", (field) => field.value), "");
        await unlock(page, CODE);
        await page.click(".lock");
        assert.ok(!(await page.content()).includes("boulangerie-martin"));
        assert.match(await textOf(page, "h1"), /Something was handed over to you/);
    });
});

test("a copied password leaves the clipboard by itself, and on locking", async () => {
    const prepare = () => {
        const later = window.setTimeout.bind(window);
        window.setTimeout = (act, ms) => later(act, ms === 30000 ? 600 : ms);
    };
    await visit(pages.one, { language: "en-GB", prepare }, async (page) => {
        const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
        await unlock(page, CODE);
        await page.click(".secret .quiet:nth-child(2)");
        assert.equal(await clipboard(), PASSWORD);
        await page.waitForFunction(() => /cleared/.test(document.querySelector("[role=status].spoken").textContent), { timeout: 60000 });
        assert.equal(await clipboard(), " ");
        await page.click(".secret .quiet:nth-child(2)");
        await page.click(".lock");
        await page.waitForFunction(async () => (await navigator.clipboard.readText()) === " ", { timeout: 60000 });
    });
});

test("a password that the browser would not take out leaves the clipboard at the next click", async () => {
    const prepare = () => {
        const later = window.setTimeout.bind(window);
        window.setTimeout = (act, ms) => later(act, ms === 30000 ? 100 : ms);
        const write = navigator.clipboard.writeText.bind(navigator.clipboard);
        window.refused = 0;
        navigator.clipboard.writeText = async (text) => {
            if (text !== " " || window.willing) return write(text);
            window.refused++;
            throw new DOMException("no gesture", "NotAllowedError");
        };
        document.execCommand = () => false;
    };
    await visit(pages.one, { language: "en-GB", prepare }, async (page) => {
        const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
        await unlock(page, CODE);
        await page.click(".secret .quiet:nth-child(2)");
        await page.waitForFunction(() => window.refused > 0);
        assert.equal(await clipboard(), PASSWORD);
        await page.evaluate(() => void (window.willing = true));
        await page.click("h1");
        await page.waitForFunction(async () => (await navigator.clipboard.readText()) === " ");
    });
});

test("downloads come whole and hold no password; the QR code holds one only on demand", async () => {
    await visit(pages.one, { language: "fr-FR" }, async (page) => {
        await unlock(page, CODE);
        await uncover(page);
        for (const [button, name] of [["details:nth-of-type(1) .plain", "technique@boulangerie-martin.fr.mobileconfig"], ["details:nth-of-type(3) .plain", "config-v1.1.xml"]]) {
            await page.click(button);
            const text = (await saved(browser, name)).toString();
            assert.match(text, /^<\?xml.*imap\.mail\.ovh\.net.*>\n$/s);
            assert.ok(!text.includes(PASSWORD));
        }
        const scan = async () => {
            const { path, size } = await page.$eval(".qr svg", (image) => ({ path: image.querySelector("path").getAttribute("d"), size: Number(image.getAttribute("viewBox").split(" ")[2]) }));
            const scale = 4;
            const pixels = new Uint8ClampedArray(size * size * scale * scale * 4).fill(255);
            for (const [, x, y] of path.matchAll(/M(\d+) (\d+)/g))
                for (let row = 0; row < scale; row++) for (let column = 0; column < scale; column++) pixels.fill(0, ((y * scale + row) * size * scale + x * scale + column) * 4, ((y * scale + row) * size * scale + x * scale + column) * 4 + 3);
            return jsQR(pixels, size * scale, size * scale).data;
        };
        assert.ok(!(await scan()).includes(PASSWORD));
        assert.deepEqual(JSON.parse(await scan())[2].slice(0, 4), [0, "imap.mail.ovh.net", 993, 3]);
        await page.click(".qr button");
        assert.equal(JSON.parse(await scan())[2][7], PASSWORD);
        await page.click(".qr button");
        assert.ok(!(await scan()).includes(PASSWORD));
    });
});

test("paper holds the passwords that are shown, says so, and no button", async () => {
    await visit(pages.one, { language: "en-GB" }, async (page) => {
        await unlock(page, CODE);
        await page.emulateMediaType("print");
        assert.match(await textOf(page, "main"), /Printed on .*, without passwords\./);
        assert.match(await textOf(page, "main"), /not printed/);
        assert.equal(await page.$$eval("main button, .bar, main summary", (all) => all.filter((element) => element.checkVisibility()).length), 0);
        await page.evaluate(() => document.querySelector(".secret button").click());
        assert.match((await textOf(page, "main")).replace(/\s+(?=\S)/g, " "), /This sheet holds passwords/);
        assert.ok((await page.pdf({ format: "A4" })).length > 10000);
    });
});

test("a person without a mouse reaches the code, the button and the texts in order", async () => {
    await visit(pages.one, { language: "en-GB" }, async (page) => {
        const stops = [];
        for (let i = 0; i < 7; i++) {
            await page.keyboard.press("Tab");
            stops.push(await page.evaluate(() => document.activeElement.id || document.activeElement.innerText.trim() || document.activeElement.tagName));
        }
        assert.deepEqual(stops.slice(0, 6), ["Skip to the content", "FR", "EN", "code", "Open", "Before you type the code"]);
    });
});

test("150 mailboxes open with a table of contents that can be searched", async () => {
    const mailboxes = Array.from({ length: 150 }, (_, i) => ({ address: `role${i}@exemple.fr`, password: `pass-${i}`, imap: "imap.mail.ovh.net 993 SSL/TLS", smtp: "smtp.mail.ovh.net 465 SSL/TLS", others: i === 77 ? [{ label: "Boutique", type: "stripe", value: "x" }] : [] }));
    await visit(await makePage(shell, issuer.issue({ ...one, mailboxes })), { language: "en-GB", size: "phone" }, async (page) => {
        await unlock(page, CODE);
        await page.type("#search", "stripe");
        assert.deepEqual(await page.$$eval("article:not([hidden]) h3", (all) => all.map((title) => title.textContent)), ["role77@exemple.fr"]);
        assert.match(await textOf(page, ".contents [role=status]"), /1 of 150/);
    });
});

test("stock age opens the payload, and the page opens what stock age wrote", async () => {
    await stock;
    assert.equal(readFileSync(join(temporary, "plain.txt"), "utf8"), vector("several.txt"));
    await visit(wrap(shell, readFileSync(join(temporary, "stock.age"), "utf8")), { language: "fr-FR" }, async (page) => {
        await typeCode(page, CODE);
        await page.click("form .main");
        await page.waitForSelector("progress");
        await page.waitForFunction(() => document.querySelector("progress")?.value > 20 || document.querySelector(".opened"), { timeout: 120000 });
        await page.waitForSelector(".opened", { timeout: 120000 });
        assert.equal((await page.$$("article")).length, 4);
    });
});

test("nothing was asked of the network in all of this", async () => {
    /* Before it asks the policy about a frame Chromium may open a connection; it sends
     * nothing on it. */
    assert.deepEqual(requestsIn(await browser.close()), []);
    assert.deepEqual(asked, []);
});
