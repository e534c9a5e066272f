/* How the owner of a mailbox changes its password himself: in the webmail, or in OVH's
 * panel, which can always do it. */
import type { Context } from "./context";
import type { Mailbox } from "./document";
import { type Child, anchor, h, icon } from "./dom";
import { linkTo, panelOf } from "./link";

function way(text: string, url: string): HTMLElement {
    const link = linkTo(url);
    return link ? anchor(link, { class: "plain" }, icon("out"), h("span", {}, text)) : h("p", { class: "text" }, url);
}

function steps(context: Context, mailbox: Mailbox): Child[] {
    const { m, issue } = context;
    const { address, selfChange, webmail } = mailbox;
    if (selfChange === "webmail") return [webmail ? way(m.openWebmail, webmail) : null, context.steps([...m.selfWebmail(address), ...m.selfAfter()])];
    return [selfChange === "" ? h("p", { class: "soft" }, m.selfUnknown) : h("p", { class: "soft" }, m.selfPanelOnly), way(m.openPanel, panelOf(issue.account)), context.steps([...m.selfPanel(issue.account?.nic ?? "", address), ...m.selfAfter()])];
}

export function selfView(context: Context, mailbox: Mailbox): HTMLElement {
    const { m } = context;
    const where = mailbox.selfChange === "webmail" ? m.selfInWebmail : m.selfInPanel;
    return h("div", { class: "self" }, context.fold(`${mailbox.address}\nself`, [h("span", { class: "fold-name" }, m.selfTitle), h("span", { class: "fold-where" }, where)], () => steps(context, mailbox)));
}
