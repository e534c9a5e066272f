/*
 * A trousseau (version 2) in headless Chromium. PASSATION_PAGE_DIR is the build tree's page
 * folder, PASSATION_VECTORS tests/vectors/issue. Exits 77 without Chromium.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { armor, generateX25519Identity } from "age-encryption";
import jsQR from "jsqr";
import { Browser, CHROMIUM, accessible, requestsIn, saved, textOf, typeCode, unlock, visit as visitPage } from "./browser.mjs";
import { formulas, payloads } from "./hostile.mjs";
import { CODE, Issuer, RECOVERY_KEY, RECOVERY_RECIPIENT, encryptTo, page as makePage, wrap } from "./issue.mjs";
import { one, trousseau } from "./make_vectors.mjs";

if (!CHROMIUM) {
    console.log("skipped: no Chromium");
    process.exit(77);
}

const vectors = process.env.PASSATION_VECTORS;
const shell = readFileSync(join(process.env.PASSATION_PAGE_DIR, "out/page/shell.html"), "utf8");
const SECRETS = trousseau.mailboxes.flatMap(({ password, others }) => [password, ...(others ?? []).map((other) => other.value)]);
const PASSWORD = trousseau.mailboxes[0].password;

let browser;
let issuer;
let html;
const asked = [];
const visit = (page, options, act) => visitPage(browser, asked, page, options, act);
const blanks = (text) => text.replace(/[\u00a0\u202f]/g, " ");
const squeezed = (text) => text.replace(/\s+/g, "");

before(async () => {
    issuer = new Issuer(join(vectors, "issuer"));
    html = await makePage(shell, readFileSync(join(vectors, "trousseau.txt"), "utf8"));
    browser = await Browser.launch();
});

after(() => issuer.close());

test("nothing of the bar lies over the page's name, however narrow the screen", async () => {
    for (const language of ["fr-FR", "en-GB"])
        await visit(html, { language, size: "phone" }, async (page) => {
            await unlock(page, CODE);
            for (const width of [320, 380, 900]) {
                await page.setViewport({ width, height: 800, isMobile: true, hasTouch: true });
                const [word, tools] = await page.evaluate(() => [".word", ".bar-tools"].map((part) => {
                    const all = document.createRange();
                    all.selectNodeContents(document.querySelector(part));
                    const { left, right } = all.getBoundingClientRect();
                    return { left, right };
                }));
                assert.ok(word.right < tools.left && tools.right <= width, `${language} ${width}: ${word.right} ${tools.left}`);
            }
        });
});

for (const [language, size, scheme] of [["fr-FR", "phone", "light"], ["en-GB", "desktop", "dark"]]) {
    test(`a trousseau opens and is accessible: ${language}, ${size}, ${scheme}`, async () => {
        await visit(html, { language, size, scheme }, async (page) => {
            const french = language === "fr-FR";
            await unlock(page, CODE);
            assert.equal(await textOf(page, "h1"), french ? "Vos accès" : "Your accesses");
            assert.match(blanks(await page.title()), french ? /^Vos accès : Boulangerie Martin/ : /^Your accesses: Boulangerie Martin/);
            const text = blanks(await textOf(page, "main"));
            for (const expected of ["Boulangerie Martin", "K7MQ2-9XWVT-A", "xm000000-ovh", "pain-martin.fr", "bitwarden.json", french ? "Vos 4 adresses" : "Your 4 addresses", french ? "Fichier d’import pour Bitwarden" : "Import file for Bitwarden", french ? "Zone DNS de boulangerie-martin.fr" : "DNS zone of boulangerie-martin.fr", french ? "Ces accès sont à vous" : "These accesses are yours"]) assert.ok(text.includes(expected), expected);
            for (const secret of [...SECRETS, trousseau.account.key]) assert.ok(!text.includes(secret), secret);
            assert.doesNotMatch(text, /version \d/);
            assert.ok(text.includes("-s trousseau.html.sig < trousseau.html"), "the command names the file");
            await page.$$eval("details", (folds) => folds.forEach((fold) => (fold.open = true)));
            await page.waitForFunction(() => [...document.querySelectorAll(".fold-body")].every((body) => body.firstChild));
            await page.evaluate(() => document.querySelector(".tools .plain").click());
            assert.deepEqual(await page.$$eval(".secret-value.shown .spoken", (all) => all.map((one) => one.textContent).filter((shown) => shown.length > 12)), [...SECRETS.filter((secret) => !secret.includes("\n")), trousseau.account.key]);
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
            await accessible(page, "trousseau");
            assert.deepEqual(await page.$$eval("a[href^='https:']", (links) => [...new Set(links.map((link) => link.href))].sort()), ["https://dashboard.stripe.com/", "https://manager.eu.ovhcloud.com/", "https://www.ovhcloud.com/fr/mail/"]);
        });
    });
}

test("each mailbox says where its owner changes the password", async () => {
    await visit(html, { language: "fr-FR" }, async (page) => {
        await unlock(page, CODE);
        assert.deepEqual(await page.$$eval(".self .fold-where", (all) => all.map((one) => one.textContent)), ["dans le webmail", "dans l’espace client OVHcloud", "dans le webmail", "dans l’espace client OVHcloud"]);
        await page.$$eval(".self details", (folds) => folds.forEach((fold) => (fold.open = true)));
        await page.waitForFunction(() => document.querySelectorAll(".self .steps").length === 4);
        const told = await page.$$eval(".self", (all) => all.map((one) => one.innerText));
        assert.match(told[0], /Ouvrir le webmail[^]*technique@boulangerie-martin\.fr[^]*Modifier votre mot de passe/);
        assert.match(told[1], /seul l’espace client le permet[^]*xm000000-ovh[^]*facturation@boulangerie-martin\.fr/);
        assert.match(told[3], /ne dit pas si le webmail le permet/);
    });
});

test("the table of contents lists roles with their secrets, and leads to each", async () => {
    await visit(html, { language: "fr-FR", size: "phone" }, async (page) => {
        await unlock(page, CODE);
        assert.equal(await textOf(page, ".contents h3"), "Sommaire");
        assert.deepEqual(await page.$$eval(".entries > li", (all) => all.map((one) => [...one.querySelectorAll("button")].map((button) => button.textContent))), [["technique@boulangerie-martin.fr", "site", "hébergement"], ["facturation@boulangerie-martin.fr", "stripe"], ["contact@boulangerie-martin.fr"], ["sav@pain-martin.fr"]]);
        for (const [button, focused] of [[".entries .part", "Administration du site site"], [".entries > li:last-child .entry", "sav@pain-martin.fr"], [".more li:last-child .entry", "Fichiers à garder"]]) {
            await page.$eval(button, (entry) => entry.click());
            assert.equal(await page.evaluate(() => document.activeElement.textContent), focused);
            assert.ok(await page.evaluate(() => { const { top, bottom } = document.activeElement.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }), focused);
        }
    });
});

test("the search narrows the table and the page as she types, without accents or case", async () => {
    await visit(html, { language: "fr-FR" }, async (page) => {
        const shown = () => page.evaluate(() => [[...document.querySelectorAll("article:not([hidden]) h3")].map((title) => title.textContent.split("@")[0]), [...document.querySelectorAll("article:not([hidden]) .other:not([hidden]) .label")].map((label) => label.textContent), document.querySelectorAll(".entries .entry").length - document.querySelectorAll(".entries [hidden] .entry").length]);
        const search = async (text) => {
            await page.$eval("#search", (field) => void (field.value = ""));
            await page.type("#search", text);
        };
        await unlock(page, CODE);
        await search("HEBERG");
        assert.deepEqual(await shown(), [["technique"], ["hébergement"], 2]);
        await search("martin facturation");
        assert.deepEqual(await shown(), [["facturation"], ["stripe"], 2]);
        await search("technique site");
        assert.deepEqual((await shown()).slice(0, 2), [["technique"], ["site"]]);
        await search("rien de tel");
        assert.deepEqual(await shown(), [[], [], 0]);
        assert.match(await textOf(page, ".contents [role=status]"), /Rien ne porte ce nom/);
        await search(PASSWORD.slice(0, 11));
        assert.deepEqual(await shown(), [[], [], 0]);
        await search(" ");
        assert.equal((await shown())[0].length, 4);
    });
});

test("a downloaded file is the block's content, byte for byte", async () => {
    await visit(html, { language: "fr-FR" }, async (page) => {
        await unlock(page, CODE);
        const buttons = await page.$$(".file .plain");
        assert.equal(buttons.length, trousseau.files.length);
        for (const [i, { name, content }] of trousseau.files.entries()) {
            await buttons[i].evaluate((button) => button.click());
            assert.deepEqual(await saved(browser, name), Buffer.from(content), name);
        }
        assert.match(await textOf(page, ".file .caution"), /supprimez-le/);
    });
});

test("a secret's QR code holds it, and goes away", async () => {
    const prepare = () => {
        const later = window.setTimeout.bind(window);
        window.setTimeout = (act, ms) => later(act, ms === 60000 ? 1500 : ms);
    };
    await visit(html, { language: "en-GB", prepare }, async (page) => {
        await unlock(page, CODE);
        await page.click("article .secret [aria-expanded]");
        const { path, size } = await page.$eval(".secret .qr svg", (image) => ({ path: image.querySelector("path").getAttribute("d"), size: Number(image.getAttribute("viewBox").split(" ")[2]) }));
        const scale = 4;
        const pixels = new Uint8ClampedArray(size * size * scale * scale * 4).fill(255);
        for (const [, x, y] of path.matchAll(/M(\d+) (\d+)/g))
            for (let row = 0; row < scale; row++) for (let column = 0; column < scale; column++) pixels.fill(0, ((y * scale + row) * size * scale + x * scale + column) * 4, ((y * scale + row) * size * scale + x * scale + column) * 4 + 3);
        assert.equal(jsQR(pixels, size * scale, size * scale).data, PASSWORD);
        await page.waitForFunction(() => document.querySelector(".secret .qr").hidden && !document.querySelector(".secret .qr svg"));
    });
});

const quietPrint = () => {
    window.printed = [];
    window.print = () => window.printed.push(document.querySelector(".printed").textContent);
};

/* How far apart the groups stand of secrets that have hyphens of their own. */
const gaps = (page) => page.$$eval(".printed .big", (all) => [...new Set(all.filter((element) => /^\w{2,8}(-\w{2,8})+$/.test(element.textContent)).map((element) => getComputedStyle(element).columnGap))]);

test("paper never holds a secret that is only shown on the screen", async () => {
    await visit(html, { language: "fr-FR", prepare: quietPrint }, async (page) => {
        await unlock(page, CODE);
        await page.click(".tools .plain");
        await page.$$eval(".self details, .setup details", (folds) => folds.forEach((fold) => (fold.open = true)));
        await page.evaluate(() => document.querySelectorAll(".secret .buttons [aria-expanded]").forEach((button) => button.click()));
        await page.emulateMediaType("print");
        const text = squeezed(await textOf(page, "body"));
        for (const secret of SECRETS) assert.ok(!text.includes(squeezed(secret)), secret);
        assert.match(text, /Sanslessecrets\./);
        assert.match(text, /nonimprimé/);
        assert.match(blanks(await textOf(page, ".sheet-head")), /Vos accès : Boulangerie Martin\s+Imprimé le \d+ \S+ \d{4}/);
        assert.equal(await page.$$eval("button, summary, .bar, .contents, .qr", (all) => all.filter((element) => element.checkVisibility()).length), 0);
        assert.deepEqual(await page.evaluate(() => window.printed), []);
    });
});

test("the key sheet is printed after a yes, whole, and once", async () => {
    await visit(html, { language: "fr-FR", prepare: quietPrint }, async (page) => {
        const paper = async () => {
            await page.emulateMediaType("print");
            const text = squeezed(await textOf(page, "main"));
            await page.emulateMediaType("screen");
            return text;
        };
        const ask = () => page.click(".tools .plain:nth-child(2)");
        await unlock(page, CODE);
        await ask();
        assert.equal(await page.evaluate(() => document.activeElement.textContent), "Annuler");
        await accessible(page, "confirm");
        await page.keyboard.press("Enter");
        assert.equal(await page.$("dialog[open]"), null);
        assert.deepEqual(await page.evaluate(() => window.printed), []);
        await ask();
        await page.click("dialog[open] .main");
        assert.deepEqual(await page.evaluate(() => window.printed), [PASSWORD]);
        const text = await paper();
        for (const secret of SECRETS.filter((one) => !one.includes("\n"))) assert.ok(text.includes(secret), secret);
        assert.match(text, /Cettefichecontientvossecrets/);
        assert.match(text, /Lesespacesdansunmotdepasseouuneclénesetapentpas/);
        assert.deepEqual(await gaps(page), ["0px"]);
        assert.equal(await page.$$eval(".secret-value.shown", (all) => all.length), 0);
        assert.ok((await page.pdf({ format: "A4" })).length > 10000);
        await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
        assert.ok(!(await paper()).includes(PASSWORD));
        await ask();
        await page.click("dialog[open] .main");
        await page.click("h1");
        assert.ok(!(await page.content()).includes(PASSWORD));
    });
});

test("locking takes everything away, a question on the screen too", async () => {
    await visit(html, { language: "fr-FR" }, async (page) => {
        await unlock(page, CODE);
        await page.click(".secret .quiet");
        await page.click(".tools .plain:nth-child(2)");
        await page.$eval(".lock", (lock) => lock.click());
        await page.waitForSelector("#code");
        for (const gone of [PASSWORD, "boulangerie-martin", "xm000000", "bitwarden", trousseau.account.key]) assert.ok(!(await page.content()).includes(gone), gone);
    });
});

test("a recovery key opens what is encrypted to it, and no other", async () => {
    const sealed = async (issue) => wrap(shell, armor.encode(await encryptTo(issuer.issue(issue), RECOVERY_RECIPIENT)));
    const other = RECOVERY_KEY.slice(0, -1) + (RECOVERY_KEY.endsWith("X") ? "Y" : "X");
    const trousseauToKey = { ...trousseau, recipient: RECOVERY_RECIPIENT };
    for (const issue of [trousseauToKey, { ...one, recipient: RECOVERY_RECIPIENT }])
        await visit(await sealed(issue), { language: "fr-FR" }, async (page) => {
            assert.equal(await textOf(page, "label[for=code]"), "La clé de secours");
            assert.equal(await page.$(".slots"), null);
            await accessible(page, "key");
            await typeCode(page, ["abaisser"]);
            await page.click("form .main");
            assert.match(await textOf(page, "#code-help"), /commence par AGE-SECRET-KEY-1/);
            await typeCode(page, [RECOVERY_KEY.slice(0, 40)]);
            await page.click("form .main");
            assert.match(await textOf(page, "#code-help"), /74 caractères.; il y en a 40/);
            await unlock(page, [other]);
            assert.equal(await textOf(page, ".problem h2"), "Cette clé a été mal recopiée");
            await page.$eval(".problem", (problem) => problem.remove());
            await unlock(page, [` ${RECOVERY_KEY.toLowerCase().replace(/(.{8})/g, "$1 ")}\n`]);
            assert.equal(await page.$(".problem"), null);
            assert.ok((await page.$$("article")).length > 0);
            const commands = await page.$$eval(".command", (all) => all.map((one) => one.textContent).join());
            assert.ok(commands.includes("age -d -i CLE.txt"));
            const own = issue === trousseauToKey;
            assert.ok(commands.includes(own ? "-s enveloppe-martin.html.sig < enveloppe-martin.html" : `${issue.person ?? "jp"}-martin-`), commands);
            if (!own) return;
            const said = await textOf(page, ".means") + await textOf(page, ".start");
            assert.match(said, /Tant que votre prestataire travaille pour vous/);
            assert.doesNotMatch(said, /Rien ne s.arrête|cette page et son code/);
        });
    await visit(await sealed({ ...trousseau, recipient: "code" }), { language: "fr-FR" }, async (page) => {
        await unlock(page, [RECOVERY_KEY]);
        assert.match(await textOf(page, ".problem h2"), /^Le contenu n’est pas/);
        assert.ok(!(await page.content()).includes(PASSWORD));
    });
    await visit(await sealed({ ...trousseau, recipient: RECOVERY_RECIPIENT }), { language: "fr-FR" }, async (page) => {
        await unlock(page, [await generateX25519Identity()]);
        assert.match(await textOf(page, ".problem h2"), /^Cette clé n’ouvre pas ce fichier/);
    });
});

test("a trousseau of 300 roles is usable two seconds after it is decrypted", async () => {
    const roles = Array.from({ length: 300 }, (_, i) => ({ ...trousseau.mailboxes[i % 3], address: `role${i}@exemple.fr`, password: `Pass-${i}-word-${i}`, others: Array.from({ length: 5 }, (_, k) => ({ label: `secret ${k}`, type: "ftp", user: "martine", url: "https://exemple.fr/", value: `value-${i}-${k}` })) }));
    const prepare = () => {
        const real = window.Worker;
        window.Worker = class extends real {
            constructor(address) {
                super(address);
                this.addEventListener("message", ({ data }) => data.kind === "open" && (window.decrypted = performance.now()));
            }
        };
    };
    await visit(await makePage(shell, issuer.issue({ ...trousseau, mailboxes: roles })), { language: "fr-FR", size: "phone", prepare }, async (page) => {
        await unlock(page, CODE);
        const took = await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now() - window.decrypted)))));
        const timed = (act) => page.evaluate(`(async () => { const from = performance.now(); (${act})(); await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); return performance.now() - from; })()`);
        await page.$eval(".entries > li:nth-child(200) .entry", (entry) => entry.click());
        assert.equal(await page.evaluate(() => document.activeElement.textContent), "role199@exemple.fr");
        assert.ok(await page.evaluate(() => { const { top, bottom } = document.activeElement.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }));
        assert.ok((await textOf(page, "#mailbox-199")).includes("martine"));
        const searched = await timed(() => { const field = document.querySelector("#search"); field.value = "role277"; field.dispatchEvent(new Event("input")); });
        const all = await timed(() => document.querySelector(".tools .plain").click());
        console.log(`300 roles, 1500 secrets: open ${took.toFixed(0)} ms, search ${searched.toFixed(0)} ms, show all ${all.toFixed(0)} ms`);
        assert.ok(took < 2000, `${took}`);
        assert.ok(searched < 1000, `${searched}`);
        assert.deepEqual(await page.$$eval("article:not([hidden]) h3", (shown) => shown.map((title) => title.textContent)), ["role277@exemple.fr"]);
        assert.equal(await page.$$eval(".secret-value.shown", (shown) => shown.length), 1800);
        await page.emulateMediaType("print");
        assert.ok(!(await textOf(page, "#mailbox-277")).includes("Pass-277"));
    });
});

test("a trousseau of nearly 3 MiB opens, and one that is longer is refused", async () => {
    const content = "0123456789abcdef".repeat(32768);
    const filled = (last) => ({ ...trousseau, files: [...[1, 2, 3, 4, 5].map((n) => ({ name: `f${n}.txt`, media: "text/plain", content })), { name: "f6.txt", media: "text/plain", content: content.slice(0, last) }] });
    const long = issuer.issue(filled(content.length));
    const room = 3 * 1024 * 1024 - Buffer.byteLength(long);
    await visit(await makePage(shell, issuer.issue(filled(content.length + room))), { language: "fr-FR" }, async (page) => {
        await unlock(page, CODE);
        assert.equal(await page.$(".problem"), null);
        await page.$$eval(".file .plain", (buttons) => buttons[4].click());
        assert.deepEqual(await saved(browser, "f5.txt"), Buffer.from(content));
    });
    await visit(await makePage(shell, issuer.issue(filled(content.length + room + 1))), { language: "fr-FR" }, async (page) => {
        await unlock(page, CODE);
        assert.match(await textOf(page, ".problem h2"), /^Le contenu n’est pas/);
    });
});

test("hostile strings in all that is new change nothing on the page", async () => {
    const plain = (text) => !/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u.test(text);
    const all = [...payloads, ...formulas].filter(plain);
    const chunk = (n, max) => Buffer.from(all.slice(n * 40, n * 40 + 40).join(" ")).subarray(0, max).toString().replace(/\ufffd/g, "").trim();
    const urls = ["https://evil.example/?'><img/src=x", "https://manager.eu.ovhcloud.com/%22onload=1", "https://manager.eu.ovhcloud.com.evil.example/"];
    for (const panel of urls) {
        if (/[<>"]/.test(panel)) continue;
        const files = [
            { name: "x.html", media: "text/html", content: all.join("\n") },
            { name: "x.svg", media: "image/svg+xml", content: '<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran++"/>' },
            { name: "bitwarden.json", media: "text/html", content: payloads[0] },
            { name: "con", media: "application/javascript", content: "window.ran++" },
        ];
        const hostile = { ...trousseau, account: { nic: chunk(0, 256), domains: ["a.fr"], panel }, clientName: chunk(1, 256), name: chunk(2, 256), issuedBy: chunk(3, 256), reason: chunk(4, 1024), files, mailboxes: all.map((value, i) => ({ address: `a${i}@b.fr`, password: value, user: value.slice(0, 200) || "x", selfChange: "panel" })) };
        await visit(await makePage(shell, issuer.issue(hostile)), { language: "fr-FR" }, async (page, seen) => {
            await unlock(page, CODE);
            assert.equal(await page.$(".problem"), null);
            await page.$$eval("details", (folds) => folds.forEach((fold) => (fold.open = true)));
            await page.evaluate(() => document.querySelector(".tools .plain").click());
            await page.$$eval(".file .plain", (buttons) => buttons.forEach((button) => button.click()));
            assert.equal((await saved(browser, "x.html")).toString(), all.join("\n"));
            await page.type("#search", payloads[3].slice(0, 60));
            const found = await page.evaluate(() => ({
                odd: [...document.querySelectorAll("script, iframe, img, object, embed, link, base, video, audio, math, marquee, template, meta")].filter((element) => element.closest("body")).length,
                handlers: [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some((attribute) => /^on|^style$|^src/.test(attribute.name))).length,
                links: [...new Set([...document.querySelectorAll("a[href]")].map((link) => link.protocol))],
                violations: window.violations.length,
            }));
            assert.deepEqual(found, { odd: 0, handlers: 0, links: ["mailto:"], violations: 0 });
            assert.deepEqual(seen.requests.filter((url) => url !== seen.file && !url.startsWith("blob:")), []);
        });
    }
});

test("nothing was asked of the network in all of this", async () => {
    assert.deepEqual(requestsIn(await browser.close()), []);
    assert.deepEqual(asked, []);
});
