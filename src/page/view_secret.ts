/* One secret: masked, shown large and in groups, spelled out, copied. */
import type { Context } from "./context";
import type { Secret } from "./document";
import { button, h, spoken } from "./dom";
import { qrFigure } from "./view_qr";
import { type Shown, spell } from "./text";

const GROUP = 4;
const SPELL_MAX = 64;
const MASK = "\u2022".repeat(12);

function span(shown: Shown): HTMLSpanElement {
    return h("span", { class: `char ${shown.kind}` }, shown.shown);
}

/* In a text of lines an inner blank is a blank. */
function lineSpan(shown: Shown): Node | string {
    return shown.char === " " && shown.kind === "mark" ? " " : span(shown);
}

function isHyphened(text: string): boolean {
    return /^[^-\s]{2,8}(?:-[^-\s]{2,8})+$/u.test(text);
}

/* Groups as the secret's own hyphens make them, else of four. */
function groups(chars: Shown[], own: boolean): Shown[][] {
    const out: Shown[][] = [[]];
    for (const shown of chars) {
        const last = out[out.length - 1] as Shown[];
        if (own ? last[last.length - 1]?.char === "-" : last.length === GROUP) out.push([shown]);
        else last.push(shown);
    }
    return out;
}

/* On the screen in groups, with a gap where no hyphen is; for a screen reader the text in one piece. */
function drawn(text: string): Node[] {
    if (text.includes("\n") || text.length > SPELL_MAX)
        return [h("span", { class: "long" }, ...text.split("\n").flatMap((row, i) => [...(i ? ["\n"] : []), ...spell(row).map(lineSpan)]))];
    const own = isHyphened(text);
    const shapes = groups(spell(text), own).map((group) => h("span", { class: "group" }, ...group.map(span)));
    return [h("span", { class: own ? "big hyphened" : "big", "aria-hidden": "true" }, ...shapes), spoken(text)];
}

/* For paper: no screen reader reads it. */
function printed(text: string): Node {
    const [shape] = drawn(text) as [Node];
    return shape;
}

function nameOf(context: Context, { char, kind, shown }: Shown): string {
    const { m } = context;
    if (m.charNames[char]) return m.charNames[char] as string;
    if (kind === "hidden") return shown;
    if (kind === "digit") return m.charDigit;
    if (kind !== "letter") return shown;
    const word = m.alphabet.split(" ").find((entry) => entry.charAt(0) === char.toUpperCase());
    const size = char === char.toLowerCase() ? m.charLower : m.charUpper;
    return word ? `${size}, ${word}` : size;
}

function spelled(context: Context, text: string): HTMLOListElement {
    return h("ol", { class: "spelled" }, ...spell(text).map((shown) => h("li", {}, h("span", { class: `sign ${shown.kind}` }, shown.shown), h("span", {}, nameOf(context, shown)))));
}

/* key names the secret in Context.revealed; what and owner say which one it is. */
export function secretView(context: Context, key: string, secret: Secret, what: string, owner: string): HTMLElement {
    const { m } = context;
    const text = secret.text ?? secret.base64;
    const label = m.labelOf(what, owner);
    const value = h("div", { class: "secret-value" });
    const note = h("p", { class: "note" });
    const letters = h("div", {});
    const paper = context.own ? h("div", { class: "paper printed" }) : null;
    const show = button(m.show, { class: "quiet", "aria-label": `${m.show}${m.colon}${label}` }, "eye");
    const spellOut = button(m.spell, { class: "quiet", "aria-label": `${m.spell}${m.colon}${label}`, "aria-expanded": "false" });
    const canSpell = secret.text !== null && !text.includes("\n") && text.length <= SPELL_MAX && text !== "";

    const set = (shown: boolean): void => {
        if (shown) context.revealed.add(key);
        else context.revealed.delete(key);
        if (shown) value.replaceChildren(...drawn(text));
        else value.replaceChildren(h("span", { class: "mask", "aria-hidden": "true" }, MASK), spoken(m.masked), h("span", { class: "paper" }, ` (${m.notPrinted})`));
        value.classList.toggle("shown", shown);
        (show.lastElementChild as HTMLElement).textContent = shown ? m.hide : m.show;
        show.setAttribute("aria-label", `${shown ? m.hide : m.show}${m.colon}${label}`);
        note.textContent = !shown ? "" : secret.text === null ? m.binary : spell(text).some((char) => char.kind === "hidden" && char.char !== "\n") ? m.hiddenChars : "";
        if (!shown) setLetters(false);
        context.onReveal();
    };
    const print = (shown: boolean): void => paper?.replaceChildren(shown ? printed(text) : h("span", { class: "mask" }, `${MASK} (${m.notPrinted})`));
    const setLetters = (shown: boolean): void => {
        letters.replaceChildren(...(shown ? [spelled(context, text)] : []));
        spellOut.setAttribute("aria-expanded", String(shown));
    };
    show.addEventListener("click", () => set(!context.revealed.has(key)));
    spellOut.addEventListener("click", () => {
        const shown = letters.firstChild === null;
        if (shown && !context.revealed.has(key)) set(true);
        setLetters(shown);
    });
    const qr = context.own && secret.text !== null ? qrFigure(context, text, label) : null;
    context.secrets.push({ key, set, print });
    set(context.revealed.has(key));
    print(false);
    return h("div", { class: "secret" }, value, paper, note, h("div", { class: "buttons" }, show, context.copyButton(label, () => text, true), qr?.button ?? null, canSpell ? spellOut : null), letters, qr?.figure ?? null);
}
