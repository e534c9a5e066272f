/* Template tag for French: the blanks before : ; ! ? and inside « » become unbreakable.
 * Only the words of the page are touched, never what is put into them. */
function narrow(text: string): string {
    return text
        .replace(/ ([;!?])/g, "\u202f$1")
        .replace(/ :/g, "\u00a0:")
        .replace(/\u00ab /g, "«\u00a0")
        .replace(/ \u00bb/g, "\u00a0»")
        .replace(/'/g, "’");
}

export function f(parts: TemplateStringsArray, ...values: string[]): string {
    return parts.map((part, i) => narrow(part) + (values[i] ?? "")).join("");
}
