/* Pictures of the page for people to look at: node shots.mjs SHELL VECTORS OUT_DIR. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Browser, typeCode, unlock } from "./browser.mjs";
import { armor } from "age-encryption";
import { CODE, RECOVERY_KEY, RECOVERY_RECIPIENT, encryptTo, page as makePage, wrap } from "./issue.mjs";

const [shellFile, vectors, out] = process.argv.slice(2);
const only = process.argv[5];
const shell = readFileSync(shellFile, "utf8");
mkdirSync(out, { recursive: true });
const one = await makePage(shell, readFileSync(join(vectors, "one-mailbox.txt"), "utf8"));
const several = await makePage(shell, readFileSync(join(vectors, "several.txt"), "utf8"));
const trousseau = await makePage(shell, readFileSync(join(vectors, "trousseau.txt"), "utf8"));
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
for (const [size, scheme, language] of [["desktop", "light", "fr-FR"], ["phone", "light", "fr-FR"], ["phone", "dark", "en-GB"]]) {
    const options = { size, scheme, language };
    await shot(`trousseau-${size}-${scheme}`, trousseau, options, (page) => unlock(page, CODE));
    await shot(`trousseau-${size}-${scheme}-unfolded`, trousseau, options, async (page) => {
        await unlock(page, CODE);
        await page.click(".secret .quiet");
        await page.click(".secret .quiet:nth-child(3)");
        await page.$$eval(".self details", (folds) => folds.forEach((fold) => (fold.open = true)));
        await new Promise((done) => setTimeout(done, 200));
    });
}
await shot("trousseau-confirm", trousseau, { full: false }, async (page) => {
    await unlock(page, CODE);
    await page.click(".tools .plain:nth-child(2)");
});
const sealed = wrap(shell, armor.encode(await encryptTo("x", RECOVERY_RECIPIENT)));
await shot("key-phone", sealed, { size: "phone" }, (page) => typeCode(page, [RECOVERY_KEY.toLowerCase().slice(0, 40)]));
for (const [name, keys] of [["print-hidden", false], ["print-keys", true]]) {
    if (only && !name.includes(only)) continue;
    const { page } = await browser.open(trousseau, { prepare: () => (window.print = () => undefined) });
    await unlock(page, CODE);
    if (keys) {
        await page.click(".tools .plain:nth-child(2)");
        await page.$eval("dialog[open] .main", (yes) => yes.click());
    }
    writeFileSync(join(out, `${name}.pdf`), await page.pdf({ format: "A4", preferCSSPageSize: true }));
}
if (!only || only === "print") {
    const { page } = await browser.open(one, {});
    await unlock(page, CODE);
    await page.click(".secret .quiet");
    writeFileSync(join(out, "print.pdf"), await page.pdf({ format: "A4", preferCSSPageSize: true }));
}
await browser.close();
