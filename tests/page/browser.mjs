/* A headless Chromium that shows one page from a file, and everything it tells. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
            protocolTimeout: 60000,
            env: { ...process.env, LANGUAGE: language.replace("-", "_"), LANG: "C.UTF-8", TZ: "Europe/Paris" },
            args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", `--lang=${language}`, `--log-net-log=${self.netLog}`],
        });
        return self;
    }

    /* Opens html from a file; what the page asks for, logs or is refused is kept in seen. */
    async open(html, { size = "desktop", scheme = "light", language = "fr-FR", motion = "reduce", permissions = true } = {}) {
        const file = join(this.dir, `page-${Math.random().toString(36).slice(2)}.html`);
        writeFileSync(file, html);
        const context = await this.browser.createBrowserContext({ downloadBehavior: { policy: "allow", downloadPath: this.dir } });
        const page = await context.newPage();
        const seen = { requests: [], errors: [], dialogs: 0 };
        page.on("request", (request) => seen.requests.push(request.url()));
        page.on("pageerror", (error) => seen.errors.push(String(error)));
        page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
        page.on("dialog", (dialog) => {
            seen.dialogs++;
            void dialog.dismiss();
        });
        await page.setViewport(SIZES[size]);
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: motion }]);
        await page.setExtraHTTPHeaders({ "accept-language": language });
        await page.evaluateOnNewDocument((value) => Object.defineProperty(navigator, "language", { get: () => value }), language);
        await page.evaluateOnNewDocument(() => {
            window.violations = [];
            window.ran = 0;
            document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.effectiveDirective));
        });
        if (permissions) {
            const session = await this.browser.target().createCDPSession();
            await session.send("Browser.grantPermissions", { permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"], browserContextId: context.id });
        }
        await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
        seen.file = pathToFileURL(file).href;
        return { page, seen, context, close: () => context.close() };
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
    await page.waitForFunction(() => document.querySelector(".opened, .problem"), { timeout: 30000 });
}
