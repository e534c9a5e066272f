/* Pictures of the page for people to look at: node shots.mjs SHELL VECTORS OUT_DIR. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser, typeCode, unlock } from "./browser.mjs";
import { CODE, page as makePage } from "./issue.mjs";

const [shellFile, vectors, out] = process.argv.slice(2);
const only = process.argv[5];
const shell = readFileSync(shellFile, "utf8");
mkdirSync(out, { recursive: true });
const one = await makePage(shell, readFileSync(join(vectors, "one-mailbox.txt"), "utf8"));
const several = await makePage(shell, readFileSync(join(vectors, "several.txt"), "utf8"));
const browser = await Browser.launch();

async function shot(name, html, options, act) {
    if (only && !name.includes(only)) return;
    const { page, close } = await browser.open(html, options);
    await act(page);
    await page.screenshot({ path: join(out, `${name}.png`), fullPage: options.full ?? true });
    await close();
}

for (const [language, tag] of [["fr-FR", "fr"], ["en-GB", "en"]]) {
    for (const size of ["desktop", "phone"]) {
        for (const scheme of ["light", "dark"]) {
            const options = { size, scheme, language };
            const name = `${tag}-${size}-${scheme}`;
            await shot(`${name}-locked`, one, options, async (page) => typeCode(page, [...CODE.slice(0, 4), "efacer "]));
            await shot(`${name}-open`, one, options, async (page) => {
                await unlock(page, CODE);
                await page.click(".secret .quiet");
                await page.click(".secret .quiet:last-child");
                await page.$$eval("article details", (folds) => folds.forEach((fold) => (fold.open = true)));
                await new Promise((done) => setTimeout(done, 200));
            });
        }
    }
}
await shot("wrong", one, { size: "phone" }, (page) => unlock(page, [...CODE].reverse()));
await shot("cut", one.slice(0, -200), { size: "desktop" }, async () => undefined);
await shot("several", several, { size: "desktop" }, async (page) => {
    await unlock(page, CODE);
    await page.click(".tools .plain");
});
if (!only || only === "print") {
    const { page } = await browser.open(one, {});
    await unlock(page, CODE);
    await page.click(".secret .quiet");
    writeFileSync(join(out, "print.pdf"), await page.pdf({ format: "A4", preferCSSPageSize: true }));
}
await browser.close();
