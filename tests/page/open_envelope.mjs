/*
 * Opens a recovery envelope's page in headless Chromium with the key of its sheet, typed in
 * groups as one reads it from paper: node open_envelope.mjs PAGE < KEY. Prints the mailboxes,
 * every secret that is shown, and what the page asked of the network. 77 without Chromium.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Browser, CHROMIUM, unlock } from "./browser.mjs";

const [file] = process.argv.slice(2);

if (!CHROMIUM) process.exit(77);
const key = readFileSync(0, "utf8").trim().match(/.{1,6}/g);
const browser = await Browser.launch("fr-FR");
try {
    const { page, seen } = await browser.open(readFileSync(file), { name: basename(file) });
    await unlock(page, key);
    const problem = await page.$$eval(".problem", (shown) => shown.map((one) => one.textContent));
    await page.$$eval("details", (folds) => folds.forEach((fold) => (fold.open = true)));
    await page.evaluate(() => document.querySelector(".tools .plain")?.click());
    const texts = (selector) => page.$$eval(selector, (all) => all.map((one) => one.textContent));
    const mailboxes = await texts("article h3");
    const secrets = await texts(".secret-value.shown .spoken");
    const asked = seen.requests.filter((url) => !url.startsWith("blob:") && url !== seen.file);
    console.log(JSON.stringify({ problem, mailboxes, secrets, asked, errors: seen.errors }));
} finally {
    await browser.close();
}
