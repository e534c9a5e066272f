/* The receipt code: ten Crockford base32 digits and a check digit, as AAAAA-BBBBB-C. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* One turn of Horner's rule in GF(32), x^5 + x^2 + 1: any wrong digit and any two
 * digits that changed places give another check digit. */
function check(digits: string): string {
    let sum = 0;
    for (const digit of digits) {
        sum = (sum ^ DIGITS.indexOf(digit)) << 1;
        if (sum & 32) sum ^= 0x25;
    }
    return DIGITS.charAt(sum);
}

export function isReceipt(code: string): boolean {
    const match = /^([0-9A-HJKMNP-TV-Z]{5})-([0-9A-HJKMNP-TV-Z]{5})-([0-9A-HJKMNP-TV-Z])$/.exec(code);
    return match !== null && check(`${match[1]}${match[2]}`) === match[3];
}
