/* A headless Chromium that shows one page from a file, and everything it tells. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

export const CHROMIUM = process.env.PASSATION_CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));

export const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 2 } };

export class Browser {
    static async launch(language = "fr-FR") {
        const self = new Browser();
        self.dir = mkdtempSync(join(tmpdir(), "passation-chromium-"));
        self.netLog = join(self.dir, "net.json");
        self.browser = await puppeteer.launch({
            executablePath: CHROMIUM,
            userDataDir: join(self.dir, "profile"),
            pipe: true,
            protocolTimeout: 180000,
            env: { ...process.env, LANGUAGE: language.replace("-", "_"), LANG: "C.UTF-8", TZ: "Europe/Paris" },
            args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", `--lang=${language}`, `--log-net-log=${self.netLog}`],
        });
        return self;
    }

    /* One tab for everything: a new one each time costs more than what is tested. */
    async tab() {
        if (this.page) return this.page;
        const context = await this.browser.createBrowserContext({ downloadBehavior: { policy: "allow", downloadPath: this.dir } });
        const session = await this.browser.target().createCDPSession();
        await session.send("Browser.grantPermissions", { permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"], browserContextId: context.id });
        this.context = context;
        this.page = await context.newPage();
        this.page.setDefaultTimeout(120000);
        await this.page.evaluateOnNewDocument(() => {
            window.violations = [];
            window.ran = 0;
            document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.effectiveDirective));
        });
        return this.page;
    }

    /* Opens html from a file, after prepare() was run in it; what the page asks for, logs or
     * is refused is kept in seen, and how many tabs there are. */
    async open(html, { size = "desktop", scheme = "light", language = "fr-FR", motion = "reduce", name = `page-${Math.random().toString(36).slice(2)}.html`, prepare = () => undefined } = {}) {
        const file = join(this.dir, name);
        const page = await this.tab();
        const seen = { file: pathToFileURL(file).href, requests: [], errors: [], dialogs: 0, tabs: async () => (await this.context.pages()).length };
        const heard = {
            request: (request) => seen.requests.push(request.url()),
            pageerror: (error) => seen.errors.push(String(error)),
            console: (message) => message.type() === "error" && seen.errors.push(message.text()),
            dialog: (dialog) => {
                seen.dialogs++;
                void dialog.dismiss();
            },
        };
        const scripts = [await page.evaluateOnNewDocument((value) => Object.defineProperty(navigator, "language", { get: () => value }), language), await page.evaluateOnNewDocument(prepare)];
        await page.setViewport(SIZES[size]);
        await page.emulateMediaType(null);
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: motion }]);
        writeFileSync(file, html);
        /* Only now: another size may have loaded the page before once more. */
        for (const [event, handler] of Object.entries(heard)) page.on(event, handler);
        await page.goto(seen.file, { waitUntil: "load" });
        await page.bringToFront();
        const close = async () => {
            for (const [event, handler] of Object.entries(heard)) page.off(event, handler);
            for (const { identifier } of scripts) await page.removeScriptToEvaluateOnNewDocument(identifier);
        };
        return { page, seen, close };
    }

    async close() {
        await this.browser.close();
        const log = existsSync(this.netLog) ? readFileSync(this.netLog, "utf8") : "";
        rmSync(this.dir, { recursive: true, maxRetries: 5, retryDelay: 200 });
        return log;
    }
}

export async function typeCode(page, words) {
    await page.$eval("#code", (field, text) => {
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
    }, words.join(" "));
}

export async function unlock(page, words) {
    await typeCode(page, words);
    await page.click("form .main");
    await page.waitForFunction(() => document.querySelector(".opened, .problem"), { timeout: 120000 });
}

/* Opens html, hands it to act, and holds that nothing was asked for but the page itself:
 * what was is added to asked. */
export async function visit(browser, asked, html, options, act) {
    const { page, seen, close } = await browser.open(html, options);
    try {
        await act(page, seen);
        asked.push(...seen.requests.filter((url) => url !== seen.file && !url.startsWith("blob:")));
        assert.deepEqual(seen.errors, options.errors ?? []);
        assert.equal(await page.evaluate(() => window.ran), 0);
        assert.equal(seen.dialogs, 0);
        assert.equal(await seen.tabs(), 1);
    } finally {
        await close();
    }
}

export const textOf = (page, selector) => page.$eval(selector, (element) => element.innerText);

let axeSource = "";

export async function accessible(page, state) {
    axeSource ||= readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await page.evaluate(axeSource);
    const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    assert.deepEqual(violations.map((found) => `${state}: ${found.id}: ${found.nodes[0].html.slice(0, 120)}`), []);
    assert.ok(passes.length > 15);
}

/* What pages asked of the network, by the browser's own log. Its own requests (its clock,
 * its updates) have no page as their origin. */
export function requestsIn(netLog) {
    const log = JSON.parse(netLog.replace(/,\s*$/, "]}"));
    const type = log.constants.logEventTypes.URL_REQUEST_START_JOB;
    assert.ok(type > 0);
    return log.events.filter((event) => event.type === type && event.params?.url && event.params.initiator !== "not an origin").map((event) => event.params.url);
}

/* A file that the page was made to save, once it is whole. */
export async function saved(browser, name) {
    const path = join(browser.dir, name);
    for (let i = 0; i < 100 && !existsSync(path); i++) await new Promise((done) => setTimeout(done, 50));
    return readFileSync(path);
}
