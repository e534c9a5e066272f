/* Writes the frozen documents of tests/vectors/issue anew: node make_vectors.mjs DIR.
 * Ed25519 has no chance in it, so the same input gives the same bytes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Issuer } from "./issue.mjs";

const dir = process.argv[2];
const ovh = { webmail: "https://www.ovhcloud.com/fr/mail/", imap: "imap.mail.ovh.net 993 SSL/TLS", smtp: "smtp.mail.ovh.net 465 SSL/TLS" };

export const one = {
    replyTo: "nadia@exemple.fr",
    name: "Jean-Pierre Martin",
    clientName: "Boulangerie Martin",
    reason: "refonte du site",
    mailboxes: [{ address: "technique@boulangerie-martin.fr", changed: "2026-11-28T14:58:12Z", proved: "2026-11-28T14:58:20Z", password: "ab2cd-Ef3gH-jk4mn-Pq5rS", ...ovh }],
};

const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nexample only, no key\n-----END OPENSSH PRIVATE KEY-----\n";

export const several = {
    serial: "1795892400001",
    issuedBy: "Nadia <b>Durand</b> & fils",
    person: "martine",
    name: 'Martine "Titine" O\'Neil </script><script>alert(1)</script>',
    clientName: "Boulangerie Martin",
    until: "none",
    reason: " blank at both ends ",
    receipt: "00000-00000-0",
    mailboxes: [
        {
            address: "technique@boulangerie-martin.fr",
            version: "12",
            changed: "2026-11-28T14:58:12Z",
            password: "-----BEGIN AGE ENCRYPTED FILE-----",
            ...ovh,
            others: [
                { label: "ftp", type: "ftp", user: "boulangerie", url: "ftp://ftp.cluster0.hosting.ovh.net/", value: "Xy7pq-Rs8tu-Vw9xz-Ab2cd" },
                { label: "ssh", type: "ssh-key", user: "deploy", value: key },
                { label: "cms", type: "cms", user: "admin", url: "https://boulangerie-martin.fr/wp-admin/", note: "End: passation-issue 1\n\n| not a field\nPassword: nor this", value: "hunter2\tand a tab" },
                { label: "raw", value: "\u0000\u0001 zero and one" },
            ],
        },
        {
            address: "facturation@boulangerie-martin.fr",
            password: " blank in front",
            imap: "ex4.mail.ovh.net 993 SSL/TLS",
            smtp: "ex4.mail.ovh.net 587 STARTTLS",
            others: [
                { label: "stripe", type: "stripe", user: "martine@boulangerie-martin.fr", url: "https://dashboard.stripe.com/", expires: "2027-01-31", note: "Ouvrir plutôt un compte d’utilisateur que partager celui-ci.", value: "pa\u2028ragraph\u202eesrever" },
                { label: "secours", type: "recovery", value: "1111 2222\n3333 4444\n5555 6666" },
            ],
        },
        { address: "contact@boulangerie-martin.fr", user: "contact@boulangerie-martin.fr", password: "é à ü 漢字 🥖", ...ovh },
        { address: "sav@boulangerie-martin.fr", password: "<img src=x onerror=alert(1)>", ...ovh, webmail: "https://webmail.exemple.fr/roundcube?a=1&b=2" },
    ],
};

const bitwarden = {
    folders: [{ id: "1", name: "Boulangerie Martin" }],
    items: [
        { type: 1, name: "technique@boulangerie-martin.fr", folderId: "1", login: { username: "technique@boulangerie-martin.fr", password: "Tb4kn-Xw8pa-Rr2dm-Hq7ue" } },
        { type: 1, name: "contact@boulangerie-martin.fr", folderId: "1", login: { username: "contact@boulangerie-martin.fr", password: "Gm9zt-Lc3vf-Bk6yj-Ns5wd" } },
    ],
};

const zone = `$TTL 3600
@ IN SOA dns109.ovh.net. tech.ovh.net. (2026112801 86400 3600 3600000 60)
  IN NS dns109.ovh.net.
  IN NS ns109.ovh.net.
  IN MX 1 mx1.mail.ovh.net.
  IN MX 5 mx2.mail.ovh.net.
  IN TXT "v=spf1 include:mx.ovh.com -all"
www IN CNAME boulangerie-martin.fr.
`;

/* What a client gets at the end: DESIGN's Martine. */
export const trousseau = {
    serial: "1795892400002",
    replyTo: "nadia@exemple.fr",
    person: "martine",
    name: "Martine Martin",
    clientName: "Boulangerie Martin",
    reason: "fin de contrat",
    account: { nic: "xm000000-ovh", domains: ["boulangerie-martin.fr", "pain-martin.fr"], panel: "https://manager.eu.ovhcloud.com/", key: "00112233445566778899aabbccddeeff".repeat(2) },
    mailboxes: [
        {
            address: "technique@boulangerie-martin.fr",
            changed: "2026-11-28T14:58:12Z",
            proved: "2026-11-28T14:58:20Z",
            password: "Tb4kn-Xw8pa-Rr2dm-Hq7ue",
            ...ovh,
            selfChange: "webmail",
            others: [
                { label: "site", type: "cms", user: "martine", url: "https://boulangerie-martin.fr/wp-admin/", note: "Le mot de passe de l’administration du site.", value: "Fy2hc-Pd7xe-Wu4gq-Ja9rs" },
                { label: "hébergement", type: "ftp", user: "boulangerie", value: "Xy7pq-Rs8tu-Vw9xz-Ab2cd" },
            ],
        },
        { address: "facturation@boulangerie-martin.fr", changed: "2026-11-28T15:02:40Z", password: "Vd8mb-Ek5zn-Ct3ha-Qp6yf", ...ovh, selfChange: "panel", others: [{ label: "stripe", type: "stripe", user: "martine@boulangerie-martin.fr", url: "https://dashboard.stripe.com/", expires: "2027-01-31", value: "Ue4rj-Lw7kc-Bz9pt-Sg2dx" }] },
        { address: "contact@boulangerie-martin.fr", changed: "2026-11-28T15:04:02Z", password: "Gm9zt-Lc3vf-Bk6yj-Ns5wd", ...ovh, selfChange: "webmail" },
        { address: "sav@pain-martin.fr", password: "| un mot\nde deux lignes ", imap: "pro1.mail.ovh.net 993 SSL/TLS", smtp: "pro1.mail.ovh.net 587 STARTTLS", webmail: "https://www.ovhcloud.com/fr/mail/" },
    ],
    files: [
        { name: "bitwarden.json", media: "application/json", content: JSON.stringify(bitwarden, null, 2) + "\n" },
        { name: "boulangerie-martin.fr.zone", media: "text/dns", content: zone },
        { name: "lisez-moi.txt", media: "text/plain", content: " Bonjour\n\nEnd: passation-issue 2\nFile: x\n| non" },
        { name: "vide.txt", media: "text/plain", content: "" },
    ],
};

if (dir) {
    const issuer = new Issuer(join(dir, "issuer"));
    writeFileSync(join(dir, "one-mailbox.txt"), issuer.issue(one));
    writeFileSync(join(dir, "several.txt"), issuer.issue(several));
    writeFileSync(join(dir, "trousseau.txt"), issuer.issue(trousseau));
    writeFileSync(join(dir, "fingerprint"), issuer.fingerprint + "\n");
    issuer.close();
}
