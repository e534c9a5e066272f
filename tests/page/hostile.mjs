/* Strings that have broken programs like this one: 120 that disturb a reader, 200 that
 * would run if they were ever taken for markup. */
const controls = Array.from({ length: 32 }, (_, i) => `c0 ${String.fromCharCode(i)} end`);
const c1 = Array.from({ length: 32 }, (_, i) => `c1 ${String.fromCharCode(0x7f + i)} end`);
const invisible = [0xad, 0x61c, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2061, 0x2066, 0x2067, 0x2068, 0x2069, 0x206f, 0xfeff, 0xfff9, 0xe0001].map((point) => `hidden ${String.fromCodePoint(point)} end`);
const shapes = [
    "\u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007", "\u001b]52;c;ZXZpbA==\u0007", "\u001b[6n", "a\rb", "a\bb", "a\r\nb", " lead", "trail ", "  ", " ", "\n", "\n\n", "a\n", "\na", "| a", "| ", "Password: x", "End: passation-issue 1",
    "-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----", "-----BEGIN SSH SIGNATURE-----", "a\nEnd: passation-issue 1\nb", "Zalgo\u0300\u0301\u0302\u0303\u0304\u0305", "漢字かな交じり", "العربية", "עברית", "🥖👩‍🍳", "\u{10ffff}", "x".repeat(4000), "mot ".repeat(500).trim(), "\u00a0nbsp\u00a0", "=cmd|' /C calc'!A0",
];
export const strings = [...controls, ...c1, ...invisible, ...shapes].slice(0, 120);

const run = "window.ran++";
const tags = ["script", "img", "svg", "iframe", "object", "embed", "video", "audio", "details", "body", "input", "a", "form", "style", "link", "meta", "base", "math", "marquee", "template"];
const wraps = [
    (tag) => `<${tag} src=x onerror=${run} onload=${run}>`,
    (tag) => `</pre></script></style><${tag} onload=${run} onerror=${run} onfocus=${run} autofocus tabindex=0>`,
    (tag) => `"><${tag} onmouseover=${run} ontoggle=${run} open>${run}</${tag}>`,
    (tag) => `'-->]]><${tag} href=javascript:${run} action=javascript:${run} data=javascript:${run}>`,
    (tag) => `<!--<${tag}>--!><script>${run}</script>`,
    (tag) => `&lt;${tag} onerror=${run}&gt;&#60;${tag} onload=${run}&#62;`,
    (tag) => `\\u003c${tag} onload=${run}\\u003e\\x3cscript\\x3e${run}\\x3c/script\\x3e`,
    (tag) => `javascript:${run}//${tag}`,
    (tag) => `data:text/html,<${tag}><script>parent.${run}</script>`,
    (tag) => `\${${run}}{{${run}}}<%= ${run} %>${tag}\`;${run};//`,
];
export const payloads = tags.flatMap((tag) => wraps.map((wrap) => wrap(tag))).slice(0, 200);
