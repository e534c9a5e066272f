/* The field for a recovery key, in place of the nine words. */
import { KEY_PREFIX, KEY_SIZE, keyOf } from "./code";
import { h, icon } from "./dom";
import type { Messages } from "./message";

const GROUP = 6;

/* As it is understood: its beginning, then groups that can be compared with paper. */
function shownKey(key: string, wrong: string): HTMLElement {
    const begin = key.startsWith(KEY_PREFIX) ? [KEY_PREFIX] : [];
    const groups = key.slice(begin.length ? KEY_PREFIX.length : 0).match(new RegExp(`.{1,${GROUP}}`, "g")) ?? [];
    const span = (group: string): HTMLElement => h("span", { class: wrong !== "" && group.includes(wrong) ? "group unknown" : "group" }, group);
    return h("p", { class: "key-shown", "aria-hidden": "true" }, ...begin.map((text) => h("span", { class: "group" }, text)), ...groups.map(span));
}

export class KeyForm {
    readonly element: HTMLElement;
    private readonly field: HTMLTextAreaElement;
    private readonly shown = h("div", {});
    private readonly help = h("div", { class: "help", id: "code-help", "aria-live": "polite" });

    constructor(
        private readonly m: Messages,
        typed: string,
        private readonly changed: (typed: string) => void,
        private readonly submit: (key: string) => void,
    ) {
        this.field = h("textarea", { id: "code", rows: "3", autocomplete: "off", autocapitalize: "characters", autocorrect: "off", spellcheck: "false", "aria-describedby": "code-hint code-help" });
        this.field.value = typed;
        this.element = h(
            "form",
            { class: "code-form", novalidate: true },
            h("label", { for: "code" }, m.keyLabel),
            h("p", { class: "soft", id: "code-hint" }, m.keyHint),
            this.field,
            this.shown,
            this.help,
            h("button", { type: "submit", class: "main" }, icon("lock"), h("span", {}, m.open)),
        );
        this.element.addEventListener("submit", (event) => {
            event.preventDefault();
            this.trySubmit();
        });
        this.field.addEventListener("input", () => this.look());
        this.field.addEventListener("keydown", (event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            this.trySubmit();
        });
        this.look();
    }

    focus(): void {
        this.field.focus();
        this.field.setSelectionRange(this.field.value.length, this.field.value.length);
    }

    private look(): void {
        const { key, wrong } = keyOf(this.field.value);
        this.changed(this.field.value);
        this.shown.replaceChildren(...(key ? [shownKey(key, wrong)] : []));
        this.help.replaceChildren(...(wrong ? [h("p", {}, this.m.keyWrongChar(wrong))] : []));
    }

    private trySubmit(): void {
        const { m } = this;
        const { key, wrong, prefixed } = keyOf(this.field.value);
        if (prefixed && wrong === "" && key.length === KEY_SIZE) return this.submit(key);
        this.look();
        const what = !prefixed ? m.keyPrefix : key.length !== KEY_SIZE ? m.keyCount(key.length) : "";
        this.help.prepend(...(what ? [h("p", {}, what)] : []));
        this.focus();
    }
}
