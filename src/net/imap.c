/*
 * A login, and nothing but a login, over IMAP4rev1 or rev2.
 *
 *     C: (TLS, certificate and name checked)
 *     S: * OK [CAPABILITY … SASL-IR AUTH=PLAIN] …
 *     C: a1 CAPABILITY                               if the greeting did not tell
 *     C: a2 AUTHENTICATE PLAIN base64(NUL user NUL password)
 *     S: a2 NO [AUTHENTICATIONFAILED] …
 *     C: a3 LOGOUT
 *
 * libcurl gives the connection (CONNECT_ONLY on an https URL, without ALPN, is plain
 * TLS); its own IMAP login is not used, since it answers the same for a wrong password
 * and for a server in trouble. Bounded in time (one deadline), in a line's length and in
 * bytes.
 *
 * A server's words about a login are never shown: it could send the password back.
 */
#include "net/imap.h"

#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/loop.h"
#include "net/tls_line.h"

enum {
    TIMEOUT_MS = 30 * 1000,
};

enum capability {
    CAP_KNOWN = 1u << 0,
    CAP_PLAIN = 1u << 1,
    CAP_SASL_IR = 1u << 2,
    CAP_LOGIN_DISABLED = 1u << 3,
};

struct dialogue {
    struct psn_tls_line to;
    unsigned capabilities;
};

PSN_DEFINE_AUTO(psn_secret)

static bool has_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && strncasecmp(text, word, size) == 0;
}

/* The response code that follows NO: "[CODE" up to a blank or the bracket's end. */
static enum psn_login classify_no(const char *text)
{
    static const char *const refusals[] = { "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED",
                                            "EXPIRED" };
    size_t size;

    while (*text == ' ')
        text++;
    if (*text != '[')
        return PSN_LOGIN_REFUSED;
    if (!strchr(text, ']'))
        return PSN_LOGIN_NO_ANSWER;
    size = strcspn(text + 1, " ]");
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (has_word(text + 1, size, refusals[i]))
            return PSN_LOGIN_REFUSED;
    return PSN_LOGIN_NO_ANSWER;
}

enum psn_login psn_imap_classify(const char *tag, const char *line)
{
    size_t tag_size = strlen(tag);
    size_t size;

    if (strncmp(line, tag, tag_size) != 0 || line[tag_size] != ' ')
        return PSN_LOGIN_NO_ANSWER;
    line += tag_size + 1;
    size = strcspn(line, " ");
    if (has_word(line, size, "OK"))
        return PSN_LOGIN_ACCEPTED;
    if (has_word(line, size, "NO"))
        return classify_no(line + size);
    return PSN_LOGIN_NO_ANSWER;
}

/* What may be shown of a tagged line that is no verdict: words of the standard only. */
static const char *known_word(const char *line)
{
    static const char *const words[] = {
        "NO [UNAVAILABLE]", "NO [INUSE]",      "NO [LIMIT]",     "NO [CONTACTADMIN]",
        "NO [SERVERBUG]",   "NO [CLIENTBUG]",  "NO [ALERT]",     "NO [PRIVACYREQUIRED]",
        "NO [CANNOT]",      "NO [CORRUPTION]", "NO [OVERQUOTA]", "NO [EXPUNGEISSUED]",
        "NO [NOPERM]",      "NO [CAPABILITY",  "NO [",           "BAD",
    };
    const char *status = strchr(line, ' ');

    for (size_t i = 0; status && i < sizeof words / sizeof *words; i++)
        if (strncasecmp(status + 1, words[i], strlen(words[i])) == 0)
            return words[i];
    return "?";
}

static enum psn_code send_text(struct dialogue *d, const char *text,
                               struct psn_error *err)
{
    return psn_tls_line_send(&d->to, text, strlen(text), err);
}

static bool starts_with(const char *line, const char *start)
{
    return strncasecmp(line, start, strlen(start)) == 0;
}

static void note_capabilities(struct dialogue *d, const char *list)
{
    static const struct {
        const char *word;
        unsigned flag;
    } known[] = {
        { "AUTH=PLAIN", CAP_PLAIN },
        { "SASL-IR", CAP_SASL_IR },
        { "LOGINDISABLED", CAP_LOGIN_DISABLED },
    };

    d->capabilities = CAP_KNOWN;
    while (*list && *list != ']') {
        size_t size = strcspn(list, " ]");

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (has_word(list, size, known[i].word))
                d->capabilities |= known[i].flag;
        list += size;
        list += strspn(list, " ");
    }
}

/* Untagged lines: BYE ends everything, CAPABILITY is noted, the rest does not matter. */
static enum psn_code take_untagged(struct dialogue *d, struct psn_error *err)
{
    const char *line = psn_buf_str(&d->to.line);

    if (starts_with(line, "* BYE")) {
        (void)psn_fail(err, PSN_E_NETWORK, _("the mail server '%s' ends the dialogue"),
                       d->to.host);
        return psn_hint(err, PSN_E_NETWORK, _("run the command again in a few minutes"));
    }
    if (starts_with(line, "* CAPABILITY "))
        note_capabilities(d, line + 13);
    return PSN_OK;
}

/* Reads up to the line with the tag, or to a request to go on where that is expected. */
static enum psn_code read_answer(struct dialogue *d, const char *tag, bool *ret_go_on,
                                 struct psn_error *err)
{
    size_t size = strlen(tag);

    for (;;) {
        enum psn_code rc = psn_tls_line_read(&d->to, err);
        const char *line = psn_buf_str(&d->to.line);

        if (rc == PSN_OK && starts_with(line, "* "))
            rc = take_untagged(d, err);
        else if (rc == PSN_OK && line[0] == '+' && ret_go_on) {
            *ret_go_on = true;
            return PSN_OK;
        } else if (rc == PSN_OK && strncmp(line, tag, size) == 0 && line[size] == ' ')
            return PSN_OK;
        else if (rc == PSN_OK)
            rc = psn_tls_line_garbage(&d->to, err);
        if (rc)
            return rc;
    }
}

/* Before a password goes out nothing but untagged lines may wait: an answer to a
 * command that was not sent yet would be taken for a verdict. */
static enum psn_code drain(struct dialogue *d, struct psn_error *err)
{
    while (psn_tls_line_take(&d->to)) {
        enum psn_code rc = starts_with(psn_buf_str(&d->to.line), "* ")
                               ? take_untagged(d, err)
                               : psn_tls_line_garbage(&d->to, err);
        if (rc)
            return rc;
    }
    return d->to.pending.size ? psn_tls_line_garbage(&d->to, err) : PSN_OK;
}

static enum psn_code greet(struct dialogue *d, struct psn_error *err)
{
    enum psn_code rc = psn_tls_line_read(&d->to, err);
    const char *line = psn_buf_str(&d->to.line);

    if (rc)
        return rc;
    if (starts_with(line, "* BYE"))
        return take_untagged(d, err);
    if (starts_with(line, "* PREAUTH"))
        return psn_fail(err, PSN_E_NETWORK,
                        _("the mail server '%s' asks for no password at all"),
                        d->to.host);
    if (!starts_with(line, "* OK"))
        return psn_tls_line_garbage(&d->to, err);
    if (starts_with(line, "* OK [CAPABILITY "))
        note_capabilities(d, line + 17);
    if (!(d->capabilities & CAP_KNOWN)) {
        rc = send_text(d, "a1 CAPABILITY\r\n", err);
        if (rc == PSN_OK)
            rc = read_answer(d, "a1", NULL, err);
        if (rc == PSN_OK &&
            psn_imap_classify("a1", psn_buf_str(&d->to.line)) != PSN_LOGIN_ACCEPTED)
            rc = psn_tls_line_garbage(&d->to, err);
    }
    return rc ? rc : drain(d, err);
}

/* The digit of a sextet without a table, whose cache lines would depend on the secret. */
static char base64_digit(unsigned sextet)
{
    unsigned c = sextet + 'A';

    c += sextet >= 26 ? 'a' - 'A' - 26u : 0u;
    c -= sextet >= 52 ? (unsigned)('a' - '0') + 26u : 0u;
    if (sextet >= 62)
        c = sextet == 62 ? '+' : '/';
    return (char)c;
}

static enum psn_code append_base64(struct psn_secret *out, const uint8_t *bytes,
                                   size_t size, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; i < size && rc == PSN_OK; i += 3) {
        unsigned b = i + 1 < size ? bytes[i + 1] : 0u;
        unsigned c = i + 2 < size ? bytes[i + 2] : 0u;
        unsigned group = (unsigned)bytes[i] << 16 | b << 8 | c;
        char digits[4] = { base64_digit(group >> 18), base64_digit(group >> 12 & 63),
                           base64_digit(group >> 6 & 63), base64_digit(group & 63) };

        if (i + 1 >= size)
            digits[2] = '=';
        if (i + 2 >= size)
            digits[3] = '=';
        rc = psn_secret_append(out, digits, sizeof digits, err);
        explicit_bzero(digits, sizeof digits);
    }
    return rc;
}

static enum psn_code append_text(struct psn_secret *out, const char *text,
                                 struct psn_error *err)
{
    return psn_secret_append(out, text, strlen(text), err);
}

/* SASL PLAIN (RFC 4616), with no authorization identity, and a line end. */
static enum psn_code append_plain(struct psn_secret *out, const char *user,
                                  const struct psn_secret *password,
                                  struct psn_error *err)
{
    PSN_AUTO(psn_secret) *raw = NULL;
    enum psn_code rc =
        psn_secret_new(strlen(user) + 2 + psn_secret_size(password), &raw, err);

    if (rc == PSN_OK)
        rc = psn_secret_append(raw, "", 1, err);
    if (rc == PSN_OK)
        rc = psn_secret_append(raw, user, strlen(user) + 1, err);
    if (rc == PSN_OK)
        rc = psn_secret_append(raw, psn_secret_bytes(password), psn_secret_size(password),
                               err);
    if (rc == PSN_OK)
        rc = append_base64(out, psn_secret_bytes(raw), psn_secret_size(raw), err);
    return rc ? rc : append_text(out, "\r\n", err);
}

/* The password leaves here. */
static enum psn_code authenticate(struct dialogue *d, const char *user,
                                  const struct psn_secret *password,
                                  struct psn_error *err)
{
    PSN_AUTO(psn_secret) *command = NULL;
    bool initial = (d->capabilities & CAP_SASL_IR) != 0;
    size_t raw_size = strlen(user) + 2 + psn_secret_size(password);
    bool go_on = false;
    enum psn_code rc = psn_secret_new(raw_size / 3 * 4 + 64, &command, err);

    if (rc == PSN_OK)
        rc = append_text(command,
                         initial ? "a2 AUTHENTICATE PLAIN " : "a2 AUTHENTICATE PLAIN\r\n",
                         err);
    if (rc == PSN_OK && !initial) {
        rc = psn_tls_line_send(&d->to, psn_secret_bytes(command),
                               psn_secret_size(command), err);
        if (rc == PSN_OK)
            rc = read_answer(d, "a2", &go_on, err);
        /* Answered before it has seen the password: no verdict about it. */
        if (rc == PSN_OK && !go_on)
            rc = psn_tls_line_garbage(&d->to, err);
        if (rc == PSN_OK)
            rc = drain(d, err);
        psn_secret_set_size(command, 0);
    }
    if (rc == PSN_OK)
        rc = append_plain(command, user, password, err);
    if (rc == PSN_OK)
        rc = psn_tls_line_send(&d->to, psn_secret_bytes(command),
                               psn_secret_size(command), err);
    return rc ? rc : read_answer(d, "a2", NULL, err);
}

static enum psn_code append_quoted(struct psn_secret *out, const uint8_t *bytes,
                                   size_t size, struct psn_error *err)
{
    enum psn_code rc = append_text(out, "\"", err);

    for (size_t i = 0; i < size && rc == PSN_OK; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            rc = append_text(out, "\\", err);
        if (rc == PSN_OK)
            rc = psn_secret_append(out, &bytes[i], 1, err);
    }
    return rc ? rc : append_text(out, "\"", err);
}

static bool is_printable(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] < ' ' || bytes[i] > '~')
            return false;
    return true;
}

/* A quoted string may not hold every byte; a literal may, after the server's leave. */
static enum psn_code send_literal_length(struct dialogue *d, struct psn_secret *command,
                                         size_t size, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) length = psn_buf_init(32);
    bool go_on = false;
    enum psn_code rc;

    psn_buf_format(&length, "{%zu}\r\n", size);
    rc = append_text(command, psn_buf_str(&length), err);
    if (rc == PSN_OK)
        rc = psn_tls_line_send(&d->to, psn_secret_bytes(command),
                               psn_secret_size(command), err);
    if (rc == PSN_OK)
        rc = read_answer(d, "a2", &go_on, err);
    if (rc == PSN_OK && !go_on)
        rc = psn_tls_line_garbage(&d->to, err);
    psn_secret_set_size(command, 0);
    return rc ? rc : drain(d, err);
}

static enum psn_code log_in(struct dialogue *d, const char *user,
                            const struct psn_secret *password, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *command = NULL;
    const uint8_t *bytes = psn_secret_bytes(password);
    size_t size = psn_secret_size(password);
    enum psn_code rc = psn_secret_new(2 * (strlen(user) + size) + 64, &command, err);

    if (rc == PSN_OK)
        rc = append_text(command, "a2 LOGIN ", err);
    if (rc == PSN_OK)
        rc = append_quoted(command, (const uint8_t *)user, strlen(user), err);
    if (rc == PSN_OK)
        rc = append_text(command, " ", err);
    if (rc == PSN_OK && is_printable(bytes, size)) {
        rc = append_quoted(command, bytes, size, err);
    } else if (rc == PSN_OK) {
        rc = send_literal_length(d, command, size, err);
        if (rc == PSN_OK)
            rc = psn_secret_append(command, bytes, size, err);
    }
    if (rc == PSN_OK)
        rc = append_text(command, "\r\n", err);
    if (rc == PSN_OK)
        rc = psn_tls_line_send(&d->to, psn_secret_bytes(command),
                               psn_secret_size(command), err);
    return rc ? rc : read_answer(d, "a2", NULL, err);
}

static enum psn_login talk(struct dialogue *d, const char *user,
                           const struct psn_secret *password, struct psn_error *err)
{
    enum psn_login verdict;
    enum psn_code rc = greet(d, err);

    if (rc)
        return PSN_LOGIN_NO_ANSWER;
    if (d->capabilities & CAP_PLAIN)
        rc = authenticate(d, user, password, err);
    else if (!(d->capabilities & CAP_LOGIN_DISABLED))
        rc = log_in(d, user, password, err);
    else
        rc = psn_fail(err, PSN_E_NETWORK,
                      _("the mail server '%s' offers no login by password"), d->to.host);
    if (rc)
        return PSN_LOGIN_NO_ANSWER;
    verdict = psn_imap_classify("a2", psn_buf_str(&d->to.line));
    if (verdict == PSN_LOGIN_NO_ANSWER) {
        (void)psn_fail(err, PSN_E_NETWORK,
                       _("the mail server '%s' gave no verdict on the password (%s)"),
                       d->to.host, known_word(psn_buf_str(&d->to.line)));
        (void)psn_hint(err, PSN_E_NETWORK, _("run the command again in a few minutes"));
    }
    (void)send_text(d, "a3 LOGOUT\r\n", NULL); /* a courtesy: its answer tells nothing */
    return verdict;
}

/* What neither form of login can carry. */
static enum psn_code check_login(const char *user, const struct psn_secret *password,
                                 struct psn_error *err)
{
    size_t size = psn_secret_size(password);

    if (size == 0 || memchr(psn_secret_bytes(password), '\0', size))
        return psn_fail(err, PSN_E_INVALID,
                        _("an empty password, or one with a NUL, "
                          "cannot be tried"));
    if (!*user || strlen(user) > PSN_ADDRESS_MAX ||
        !is_printable((const uint8_t *)user, strlen(user)))
        return psn_fail(err, PSN_E_INVALID, _("this user name cannot be tried"));
    return PSN_OK;
}

static enum psn_login login(void *self, const struct psn_imap_server *server,
                            const char *user, const struct psn_secret *password,
                            struct psn_error *err)
{
    int64_t timeout_ms = server->timeout_ms > 0 ? server->timeout_ms : TIMEOUT_MS;
    struct dialogue d = { .capabilities = 0 };
    enum psn_login outcome = PSN_LOGIN_NO_ANSWER;

    (void)self;
    if (check_login(user, password, err))
        return PSN_LOGIN_NO_ANSWER;
    psn_loop_begin_call();
    if (psn_loop_is_stopping())
        (void)psn_fail(err, PSN_E_UNFINISHED, _("stopped before the login"));
    else if (psn_tls_line_open(&d.to, server->url, server->ca_file, timeout_ms, err) ==
             PSN_OK)
        outcome = talk(&d, user, password, err);
    psn_tls_line_release(&d.to);
    psn_loop_end_call();
    return outcome;
}

static enum psn_code look(void *self, const struct psn_imap_server *server,
                          bool *ret_untrusted, struct psn_error *err)
{
    int64_t timeout_ms = server->timeout_ms > 0 ? server->timeout_ms : TIMEOUT_MS;
    struct dialogue d = { .capabilities = 0 };
    enum psn_code rc;

    (void)self;
    psn_loop_begin_call();
    rc = psn_tls_line_open(&d.to, server->url, server->ca_file, timeout_ms, err);
    *ret_untrusted = d.to.untrusted;
    if (!rc)
        rc = greet(&d, err);
    if (!rc)
        (void)send_text(&d, "a3 LOGOUT\r\n", NULL);
    psn_tls_line_release(&d.to);
    psn_loop_end_call();
    return rc;
}

struct psn_imap psn_imap_real(void)
{
    return (struct psn_imap){ .login = login, .look = look };
}
