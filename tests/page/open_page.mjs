/*
 * What a reader does, for scripts/quickstart: opens a page in headless Chromium, types its
 * code, and says which mailboxes are shown and, last, the receipt code. The code is on
 * stdin: node open_page.mjs PAGE PICTURE LANGUAGE. 77 without Chromium.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Browser, CHROMIUM, unlock } from "./browser.mjs";

const [file, picture, language] = process.argv.slice(2);

if (!CHROMIUM) process.exit(77);
const code = readFileSync(0, "utf8").trim().split(/[\s-]+/);
const browser = await Browser.launch(language);
const { page, seen } = await browser.open(readFileSync(file), { size: "phone", language, name: basename(file) });
await unlock(page, code);
const problem = await page.$$eval(".problem", (shown) => shown.map((one) => one.textContent));
const mailboxes = await page.$$eval("article h3", (shown) => shown.map((one) => one.textContent));
const receipt = await page.$$eval(".receipt-code code", (shown) => shown.map((one) => one.textContent));
await page.screenshot({ path: picture, fullPage: true });
await browser.close();
const asked = seen.requests.filter((url) => !url.startsWith("blob:") && url !== seen.file);
if (problem.length > 0 || asked.length > 0 || !receipt[0]) {
    console.error([...problem, ...asked, ...seen.errors].join("\n"));
    process.exit(1);
}
console.log(mailboxes.join("\n"));
console.log(receipt[0]);
