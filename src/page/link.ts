import type { Account } from "./document";

/* Where the page may lead: addresses out of this table, letter by letter, and letters to
 * a checked address. Whatever else a document names is shown as text. */
export interface Link {
    readonly href: string;
}

const PANEL = "https://manager.eu.ovhcloud.com/";

const table: readonly string[] = [
    "https://www.ovhcloud.com/fr/mail/",
    "https://www.ovhcloud.com/en/mail/",
    "https://www.ovhcloud.com/en-gb/mail/",
    "https://www.ovhcloud.com/en-ie/mail/",
    "https://www.ovh.com/fr/mail/",
    "https://mail.ovh.net/",
    "https://webmail.mail.ovh.net/",
    "https://zimbra1.mail.ovh.net/",
    PANEL,
    "https://manager.ca.ovhcloud.com/",
    "https://www.ovh.com/manager/",
    "https://dashboard.stripe.com/",
    "https://www.paypal.com/",
    "https://accounts.clickbank.com/",
];

export function linkTo(url: string): Link | null {
    const known = table.find((entry) => entry === url || entry === url + "/");
    return known === undefined ? null : { href: known };
}

/* OVH's customer panel: the one that the account names, or the usual one. */
export function panelOf(account: Account | null): string {
    return account?.panel || PANEL;
}

/* The address has the form that document.ts demands of a mailbox. */
export function letterTo(address: string, subject: string, body: string): Link {
    const [local, domain] = address.split("@") as [string, string];
    const to = `${encodeURIComponent(local)}@${encodeURIComponent(domain)}`;
    const lines = encodeURIComponent(body.replace(/\n/g, "\r\n"));
    return { href: `mailto:${to}?subject=${encodeURIComponent(subject)}&body=${lines}` };
}
