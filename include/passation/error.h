#ifndef PASSATION_ERROR_H
#define PASSATION_ERROR_H

/*
 * Errors are values. A function that can fail returns an enum psn_code and
 * fills the caller's struct psn_error (which may be NULL). The first cause is
 * kept: outer layers only put context in front of it. Messages are translated,
 * name the object concerned, hold no control character, and never a secret.
 */

#if defined(__GNUC__)
#    define PSN_API               __attribute__((visibility("default")))
#    define PSN_MUST_CHECK        __attribute__((warn_unused_result))
#    define PSN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#    define PSN_API
#    define PSN_MUST_CHECK
#    define PSN_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* name, stable word (JSON "code"), process exit status.
 * Adding a row: also passation(1), EXIT STATUS; never renumber. */
#define PSN_CODES(X)                   \
    X(OK, "ok", 0)                     \
    X(E_UNEXPECTED, "unexpected", 1)   \
    X(E_NOMEM, "no_memory", 1)         \
    X(E_IO, "io", 1)                   \
    X(E_FULL, "disk_full", 1)          \
    X(E_INVALID, "usage", 2)           \
    X(E_LIMIT, "limit", 2)             \
    X(E_ABORTED, "aborted", 3)         \
    X(E_NOT_FOUND, "not_found", 4)     \
    X(E_LOCKED, "locked", 5)           \
    X(E_DENIED, "wrong_passphrase", 5) \
    X(E_INTEGRITY, "integrity", 6)     \
    X(E_ROLLED_BACK, "rolled_back", 6) \
    X(E_FORKED, "forked", 6)           \
    X(E_BUSY, "busy", 7)               \
    X(E_EXISTS, "exists", 7)           \
    X(E_CONFLICT, "conflict", 7)       \
    X(E_REFUSED, "refused", 8)         \
    X(E_NETWORK, "network", 9)         \
    X(E_UNFINISHED, "unfinished", 10)  \
    X(E_VERIFY, "verify_failed", 11)   \
    X(E_FINDINGS, "findings", 12)      \
    X(E_POLICY, "policy", 13)          \
    X(E_TOO_NEW, "too_new", 13)

enum psn_code {
#define PSN_CODE_ENUM(name, word, status) PSN_##name,
    PSN_CODES(PSN_CODE_ENUM)
#undef PSN_CODE_ENUM
};

#define PSN_ERROR_MESSAGE_MAX 512
#define PSN_ERROR_HINT_MAX    320

struct psn_error {
    enum psn_code code;
    long remote;                         /* HTTP status of OVH's answer, or 0 */
    char message[PSN_ERROR_MESSAGE_MAX]; /* one line, translated, UTF-8 */
    char hint[PSN_ERROR_HINT_MAX];       /* what the user can do next, or "" */
};

/* Returns the stable word of a code, such as "not_found". Never NULL. */
PSN_API const char *psn_code_word(enum psn_code code);

/* Returns the exit status that DESIGN's table gives to a code. */
PSN_API int psn_code_exit_status(enum psn_code code);

/*
 * What these three return is never PSN_OK: a failure without a code is E_UNEXPECTED.
 */

/* Records an error and returns its code. An err that already holds an error
 * keeps it (first cause wins). err may be NULL. */
PSN_API enum psn_code psn_fail(struct psn_error *err, enum psn_code code,
                               const char *format, ...) PSN_PRINTF(3, 4);

/* Puts "context: " in front of the message and returns err's code, or code when
 * err is NULL. */
PSN_API enum psn_code psn_wrap(struct psn_error *err, enum psn_code code,
                               const char *format, ...) PSN_PRINTF(3, 4);

/* Adds advice to the error, unless it has some already; returns the code. */
PSN_API enum psn_code psn_hint(struct psn_error *err, enum psn_code code,
                               const char *format, ...) PSN_PRINTF(3, 4);

#if defined(__GNUC__)
/* The promise above, where compilers and analyzers see it: after
 * "rc = at ? PSN_OK : psn_fail(...)" they know that at is there when rc is PSN_OK. */
static inline enum psn_code psn_failure(enum psn_code code)
{
#    if defined(__clang__)
    __builtin_assume(code != PSN_OK);
#    else
    if (code == PSN_OK)
        __builtin_unreachable();
#    endif
    return code;
}
#    define psn_fail(...) psn_failure(psn_fail(__VA_ARGS__))
#    define psn_wrap(...) psn_failure(psn_wrap(__VA_ARGS__))
#    define psn_hint(...) psn_failure(psn_hint(__VA_ARGS__))
#endif

/* Forgets the error, so that err can be used again. */
PSN_API void psn_error_clear(struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
