// Does a list of jobs with npm's age-encryption: JSON on stdin, one file in, one file out.
//   {"do": "encrypt", "recipient": "age1…" | "passphrase": "…", "armor": bool, "in": …, "out": …}
//   {"do": "decrypt", "identity": "AGE-SECRET-KEY-1…" | "passphrase": "…", "armor": …}
import { webcrypto } from "node:crypto";
import fs from "node:fs";
import * as age from "age-encryption";

globalThis.crypto ??= webcrypto; // Node 18

for (const job of JSON.parse(fs.readFileSync(0, "utf8"))) {
    const input = fs.readFileSync(job.in);
    let output;
    if (job.do === "encrypt") {
        const to = new age.Encrypter();
        if (job.passphrase) {
            to.setPassphrase(job.passphrase);
            to.setScryptWorkFactor(12);
        } else {
            to.addRecipient(job.recipient);
        }
        output = await to.encrypt(input);
        if (job.armor) output = age.armor.encode(output);
    } else {
        const by = new age.Decrypter();
        if (job.passphrase) by.addPassphrase(job.passphrase);
        else by.addIdentity(job.identity);
        output = await by.decrypt(job.armor ? age.armor.decode(input.toString()) : input);
    }
    fs.writeFileSync(job.out, output);
}
