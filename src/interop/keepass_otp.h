#ifndef PSN_INTEROP_KEEPASS_OTP_H
#define PSN_INTEROP_KEEPASS_OTP_H

#include "interop/foreign.h"

/*
 * One-time codes of the time, in the three ways in which KeePass and its plug-ins keep
 * them among an entry's strings:
 *
 *     KeePass 2     TimeOtp-Secret, -Secret-Hex, -Secret-Base32 or -Secret-Base64,
 *                   TimeOtp-Length, -Period, -Algorithm
 *                   (https://keepass.info/help/base/placeholders.html#otp)
 *     KeeTrayTOTP   "TOTP Seed" in base32, "TOTP Settings": "30;6"
 *     KeeOtp        otp: "key=SEED&step=30&size=6&otpHashMode=Sha256"
 */
enum psn_keepass_way {
    PSN_KEEPASS_TIME,
    PSN_KEEPASS_TRAY,
    PSN_KEEPASS_KEE,
    PSN_KEEPASS_WAYS,
};

struct psn_keepass_seed {
    struct psn_buf base32;
    unsigned period; /* s; 0: not said */
    unsigned digits; /* 0: not said */
    const char *hash;
    bool is_wrong; /* something of it is not known here */
};

struct psn_keepass_otp {
    struct psn_keepass_seed ways[PSN_KEEPASS_WAYS];
};

struct psn_keepass_otp psn_keepass_otp_init(void);
void psn_keepass_otp_release(struct psn_keepass_otp *otp);
/* Forgets the entry before. */
void psn_keepass_otp_begin(struct psn_keepass_otp *otp);
/* Takes a string of the entry; false if it says nothing of codes. */
bool psn_keepass_otp_take(struct psn_keepass_otp *otp, const char *key, const char *text,
                          size_t size);
/* Puts into the draft what makes the same codes: a seed, or an otpauth URI where it is
 * not 6 digits every 30 seconds by SHA-1. What cannot be told so is said to be lost. */
void psn_keepass_otp_put(struct psn_keepass_otp *otp, struct psn_foreign_draft *draft);

#endif
