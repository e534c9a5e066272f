/*
 * Makes the shell: one HTML file with all its script and style inside, and a place for
 * the payload. The same sources give the same bytes.
 *
 *     node build.mjs WORDS_DIR OUT_DIR
 *
 * WORDS_DIR holds words_fr.inc and words_en.inc. Writes shell.html (with no payload),
 * shell.inc (the two halves as C) and shell.sha256 to OUT_DIR.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const SIZE_MAX = 400 * 1024;
const here = dirname(fileURLToPath(import.meta.url));
const [wordsDir, outDir] = process.argv.slice(2);

const common = {
    absWorkingDir: here,
    bundle: true,
    write: false,
    minify: true,
    charset: "ascii",
    format: "iife",
    legalComments: "none",
    logLevel: "warning",
    supported: { "template-literal": false }, /* a tagged one would keep its accents */
    target: ["es2021", "chrome100", "firefox100", "safari15.4"],
};

const words = (name) => readFileSync(join(wordsDir, name), "utf8").match(/"[a-z]+"/g).map((word) => word.slice(1, -1));

const wordLists = {
    name: "words",
    setup(bundler) {
        bundler.onResolve({ filter: /^virtual:words$/ }, () => ({ path: "words", namespace: "words" }));
        bundler.onLoad({ filter: /.*/, namespace: "words" }, () => {
            const [french, english] = [words("words_fr.inc"), words("words_en.inc")];
            if (french.length !== 2048 || english.length !== 2048) throw new Error("a word list of BIP-39 has 2048 words");
            return { contents: `export const french = ${JSON.stringify(french.join(" "))};\nexport const english = ${JSON.stringify(english.join(" "))};\n` };
        });
    },
};

/* age-encryption's scrypt, and no other, goes through scrypt.ts. */
const progress = {
    name: "progress",
    setup(bundler) {
        bundler.onResolve({ filter: /^@noble\/hashes\/scrypt\.js$/ }, ({ importer }) =>
            /[\\/]age-encryption[\\/]dist[\\/]recipients\.js$/.test(importer) ? { path: join(here, "scrypt.ts") } : undefined,
        );
    },
};

const worker = {
    name: "worker",
    setup(bundler) {
        bundler.onResolve({ filter: /^virtual:worker$/ }, () => ({ path: "worker", namespace: "worker" }));
        bundler.onLoad({ filter: /.*/, namespace: "worker" }, async () => {
            const { outputFiles } = await build({ ...common, entryPoints: ["worker.ts"], plugins: [progress] });
            return { contents: `export default ${JSON.stringify(outputFiles[0].text)};` };
        });
    },
};

const sha256 = (text, form) => createHash("sha256").update(text).digest(form);

function inlineable(text, what) {
    if (/<\/(script|style)|<!--/i.test(text)) throw new Error(`the ${what} cannot stand in HTML`);
    if (/[^\n\x20-\x7e]/.test(text)) throw new Error(`the ${what} is not printable ASCII`);
    return text;
}

function put(template, values) {
    return template.replace(/@([A-Z]+)@/g, (whole, name) => values[name] ?? whole);
}

const bytes = (text) => Array.from(Buffer.from(text, "latin1")).join(",").replace(/(.{1,99}(?:,|$))/g, "$1\n").trimEnd();

function include(before, after, digest) {
    const array = (name, text) => `static const uint8_t ${name}[] = {\n${bytes(text)}\n};\n`;
    return `/* Made by build.mjs. */\n${array("shell_before", before)}${array("shell_after", after)}static const size_t shell_before_size = ${before.length};\nstatic const size_t shell_after_size = ${after.length};\nstatic const char shell_sha256[] = "${digest}";\n`;
}

const { outputFiles } = await build({ ...common, entryPoints: ["app.ts"], plugins: [wordLists, worker] });
const script = inlineable(outputFiles[0].text.trimEnd(), "script");
const style = inlineable((await transform(readFileSync(join(here, "style.css"), "utf8"), { loader: "css", minify: true, charset: "ascii" })).code.trimEnd(), "style");
const policy = ["default-src 'none'", `script-src 'sha256-${sha256(script, "base64")}'`, `style-src 'sha256-${sha256(style, "base64")}'`, "worker-src blob:", "base-uri 'none'", "form-action 'none'"].join("; ");
const [before, after] = put(readFileSync(join(here, "shell.html"), "utf8"), { POLICY: policy, STYLE: style, SCRIPT: script }).split("@PAYLOAD@");
const shell = before + after;
if (shell.length > SIZE_MAX) throw new Error(`the shell has ${shell.length} bytes, at most ${SIZE_MAX}`);
mkdirSync(outDir, { recursive: true });
writeFileSync(join(outDir, "shell.html"), shell);
writeFileSync(join(outDir, "shell.sha256"), sha256(shell, "hex") + "\n");
writeFileSync(join(outDir, "shell.inc"), include(before, after, sha256(shell, "hex")));
