/* A table of contents: the mailboxes with what hangs on them, and a field that narrows
 * both the table and what follows it. Nothing that is typed here leaves the page. */
import type { Context } from "./context";
import type { Mailbox, OtherSecret } from "./document";
import { h } from "./dom";

/* Without case and accents: "hebergement" finds "Hébergement". */
export function folded(text: string): string {
    return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
}

/* Something in the table: how it is found, its line, and whether it is shown. */
interface Entry {
    text: string;
    line: HTMLElement | null;
    shown: boolean;
}

interface Role extends Entry {
    article: HTMLElement;
    others: Entry[];
}

export const MANY = 50; /* mailboxes: the table then names them alone, not what hangs on them */
const ABOVE = 3; /* what may still grow above the place that one jumps to */

function jump(context: Context, place: HTMLElement, articles: HTMLElement[]): void {
    const at = articles.indexOf(place);
    for (const article of at < 0 ? [] : articles.slice(Math.max(0, at - ABOVE), at + 1)) context.fill(article);
    place.scrollIntoView(articles.length > MANY ? { block: "start", behavior: "instant" as ScrollBehavior } : { block: "start" });
    place.querySelector<HTMLElement>("[tabindex='-1']")?.focus({ preventScroll: true });
}

function lineOf(name: string, kind: string, go: () => void): HTMLLIElement {
    const entry = h("button", { type: "button", class: kind }, name);
    entry.addEventListener("click", go);
    return h("li", {}, entry);
}

const sectionsOf = (article: HTMLElement): HTMLElement[] => Array.from(article.querySelectorAll<HTMLElement>(".other"));

function otherText(context: Context, { label, type, user, url, note }: OtherSecret): string {
    return folded([label, type, context.m.types[type] ?? "", user, url, note].join("\n"));
}

function roleOf(context: Context, mailbox: Mailbox, article: HTMLElement, articles: HTMLElement[]): Role {
    const short = articles.length > MANY;
    const others = mailbox.others.map((other, i) => ({
        text: otherText(context, other),
        line: short ? null : lineOf(other.label, "entry part", () => jump(context, sectionsOf(article)[i] as HTMLElement, articles)),
        shown: true,
    }));
    const line = lineOf(mailbox.address, "entry", () => jump(context, article, articles));
    if (others.length && !short) line.append(h("ul", {}, ...others.map((other) => other.line)));
    const role = { text: folded([mailbox.address, mailbox.user, mailbox.webmail].join("\n")), line, shown: true, article, others };
    article.addEventListener("filled", () => apply(role));
    return role;
}

function apply({ article, line, shown, others }: Role): void {
    article.hidden = !shown;
    if (line) line.hidden = !shown;
    sectionsOf(article).forEach((section, i) => (section.hidden = !others[i]?.shown));
    for (const other of others) if (other.line) other.line.hidden = !other.shown;
}

/* Shows what has all the words; of a mailbox that has not, only the secrets that have. */
function narrow(role: Role, words: string[]): boolean {
    const own = words.every((word) => role.text.includes(word));
    for (const other of role.others) other.shown = own || words.every((word) => role.text.includes(word) || other.text.includes(word));
    role.shown = own || role.others.some((other) => other.shown);
    apply(role);
    return role.shown;
}

/* articles are the mailboxes' in their order; more are further places of the page. */
export function contentsView(context: Context, articles: HTMLElement[], more: [string, HTMLElement][]): HTMLElement {
    const { m, issue } = context;
    const roles = issue.mailboxes.map((mailbox, i) => roleOf(context, mailbox, articles[i] as HTMLElement, articles));
    const count = h("p", { class: "soft", role: "status" });
    const field = h("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false", autocapitalize: "none" });
    field.addEventListener("input", () => {
        const words = folded(field.value).split(/\s+/).filter((word) => word !== "");
        const found = roles.filter((role) => narrow(role, words)).length;
        count.textContent = words.length === 0 ? "" : found ? m.searchCount(found, roles.length) : m.searchNone;
    });
    return h(
        "nav",
        { class: "contents", "aria-labelledby": "contents-title" },
        h("h3", { id: "contents-title" }, context.own ? m.contentsTitle : m.contents),
        h("label", { for: "search" }, m.search),
        field,
        count,
        h("ul", { class: "entries" }, ...roles.map(({ line }) => line)),
        more.length ? h("ul", { class: "more" }, ...more.map(([name, place]) => lineOf(name, "entry", () => jump(context, place, articles)))) : null,
    );
}
