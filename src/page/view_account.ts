/* The client's own account at OVH. */
import type { Context } from "./context";
import type { Account } from "./document";
import { anchor, h, icon } from "./dom";
import { linkTo, panelOf } from "./link";
import { secretView } from "./view_secret";

export function accountView(context: Context, account: Account): HTMLElement {
    const { m } = context;
    const panel = panelOf(account);
    const link = linkTo(panel);
    const key = { text: account.fingerprintKey, base64: "" };
    return h(
        "section",
        { class: "account", "aria-labelledby": "account" },
        h("h2", { id: "account", tabindex: "-1" }, m.accountTitle),
        h("p", {}, m.accountText),
        h(
            "dl",
            {},
            h("dt", {}, m.accountId),
            h("dd", {}, h("span", { class: "value" }, h("code", { class: "text" }, account.nic), context.copyButton(`${m.accountId} ${account.nic}`, () => account.nic, false))),
            h("dt", {}, account.domains.length < 2 ? m.accountDomain : m.accountDomains),
            h("dd", {}, h("ul", { class: "domains" }, ...account.domains.map((domain) => h("li", {}, domain)))),
            h("dt", {}, m.accountPanel),
            h("dd", {}, h("span", { class: "value" }, link ? anchor(link, { class: "out" }, h("span", {}, m.openPanel), icon("out")) : h("code", { class: "text" }, panel), link ? h("span", { class: "paper" }, panel) : null)),
        ),
        h("div", { class: "record" }, context.fold("account\nrecord", [h("span", { class: "fold-name" }, m.recordTitle)], () => [h("p", {}, m.recordText), secretView(context, "account\nfingerprint", key, m.recordKey, account.nic)])),
    );
}
