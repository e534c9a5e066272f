#ifndef PSN_BASE_LIMITS_H
#define PSN_BASE_LIMITS_H

/* Everything that a user or a server can make grow has its limit here. */
enum {
    PSN_ID_MAX = 64,                        /* client and person ids */
    PSN_ADDRESS_MAX = 254,                  /* RFC 5321 4.5.3.1.3, less the brackets */
    PSN_LOCAL_PART_MAX = 64,                /* RFC 5321 4.5.3.1.1 */
    PSN_DOMAIN_MAX = 253,                   /* RFC 1035 2.3.4, in text form */
    PSN_LABEL_MAX = 64,                     /* the name of a secret */
    PSN_TEXT_MAX = 4096,                    /* a note, a name, a URL */
    PSN_SECRET_MAX = 16 * 1024,             /* an SSH key with its comment fits */
    PSN_RECORD_MAX = 64 * 1024,             /* one sealed row */
    PSN_ISSUE_RECORD_MAX = 2 * 1024 * 1024, /* an issue's row lists all it held */
    PSN_ISSUE_FILE_MAX = 16 * 1024 * 1024,  /* an issue that comes from outside */
    PSN_ISSUE_PATH_MAX = 4096 + 8,          /* where one lies, with ".sig" */
    PSN_BODY_MAX = 1024 * 1024,             /* one answer of the API */
    PSN_IMAP_LINE_MAX = 64 * 1024,          /* one line of an IMAP server */
    PSN_CONFIG_MAX = 64 * 1024,             /* an ovh.conf */
    PSN_KEY_FILE_MAX = 64 * 1024,           /* an age identity file */
    PSN_DOMAINS_MAX = 256,                  /* domains of one client */
    PSN_JSON_DEPTH_MAX = 32,
};

#endif
