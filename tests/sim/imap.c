#include "imap.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fault.h"
#include "policy.h"
#include "state.h"
#include "text.h"

enum {
    LINE_MAX_SIZE = 8192,
    FIELD_SIZE = 512,
};

static const char capabilities[] = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID AUTH=PLAIN";

struct session {
    struct sim *sim;
    struct sim_conn *conn;
    int front;
    bool logged_in;
};

static bool say(const struct session *session, const char *tag, const char *text)
{
    return sim_conn_text(session->conn, tag) && sim_conn_text(session->conn, " ") &&
           sim_conn_text(session->conn, text) && sim_conn_text(session->conn, "\r\n");
}

/* Which front end answers now. Under the lock. */
static int front_of(const struct session *session)
{
    if (session->sim->settings.alternate_fronts)
        return (int)(session->sim->turn++ % SIM_FRONTS);
    return session->front;
}

static bool was_in_force(const json_t *account, const char *password)
{
    const json_t *entry = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(account, "_history"), i, entry)
        if (strcmp(sim_state_text(entry, "password"), password) == 0)
            return true;
    return false;
}

/* Is the password right, with what the plan makes of it? Under the lock. */
static bool is_right(const struct session *session, const char *user,
                     const char *password, const struct sim_plan *plan)
{
    const json_t *account = sim_state_mailbox(session->sim, user);
    const char *wanted = sim_state_password(account, front_of(session));
    bool right = wanted && strcmp(wanted, password) == 0;
    if (plan->imap == SIM_IMAP_REFUSE_RIGHT)
        return false;
    if (plan->imap == SIM_IMAP_ACCEPT_OLD)
        return right || was_in_force(account, password);
    return right && sim_policy_may_log_in(session->sim, account);
}

/* What every exchange of the plan has in common. False: the connection is over. */
static bool end_by_plan(const struct session *session, const struct sim_plan *plan)
{
    switch (plan->ending) {
    case SIM_ENDING_ANSWER:
    case SIM_ENDING_TRUNCATED:
    case SIM_ENDING_PARTIAL_HEADERS:
    case SIM_ENDING_HUGE:
        break;
    case SIM_ENDING_CLOSE:
        return false;
    case SIM_ENDING_RESET:
        sim_conn_reset(session->conn);
        return false;
    case SIM_ENDING_STALL:
        sim_conn_stall(session->conn, plan->stall_ms);
        return false;
    case SIM_ENDING_GARBAGE:
        sim_conn_text(session->conn,
                      "\x01\xff\xfeHTTP/1.1 200 OK\r\n\r\n* ~~~\r\n%%%\r\n");
        return false;
    }
    if (plan->imap == SIM_IMAP_BYE) {
        say(session, "*", "BYE Shutting down");
        return false;
    }
    return true;
}

static void count(struct sim *sim, const struct sim_plan *plan, bool right)
{
    if (plan->imap == SIM_IMAP_CODE || plan->imap == SIM_IMAP_BYE ||
        plan->ending != SIM_ENDING_ANSWER)
        sim->counters.logins_other++;
    else if (right)
        sim->counters.logins_accepted++;
    else
        sim->counters.logins_refused++;
}

/* The mailbox remembers its last log-in, and how many failed. */
static void note(const struct sim *sim, const char *user, bool right)
{
    json_t *account = sim_state_mailbox(sim, user);

    if (account)
        sim_policy_note_login(sim, account, right);
}

/* One attempt. False: the connection is over. */
static bool log_in(struct session *session, const char *tag, const char *user,
                   const char *password)
{
    struct sim *sim = session->sim;
    const struct sim_call_target target = { .method = "IMAP", .path = user };
    struct sim_plan plan;
    char text[160];

    pthread_mutex_lock(&sim->lock);
    sim_fault_plan(sim, &target, &plan);
    sim_fault_release(&plan);
    bool right = is_right(session, user, password, &plan);
    count(sim, &plan, right);
    if (plan.imap == SIM_IMAP_NONE && plan.ending == SIM_ENDING_ANSWER)
        note(sim, user, right);
    pthread_mutex_unlock(&sim->lock);

    sim_text_sleep_ms(plan.before_ms + plan.after_ms);
    if (!end_by_plan(session, &plan))
        return false;
    if (plan.imap == SIM_IMAP_CODE) {
        snprintf(text, sizeof text, "NO [%s] Try again later.", plan.imap_code);
        return say(session, tag, text);
    }
    if (!right)
        return say(session, tag, "NO [AUTHENTICATIONFAILED] Authentication failed.");
    session->logged_in = true;
    snprintf(text, sizeof text, "OK [CAPABILITY %s] Logged in", capabilities);
    return say(session, tag, text);
}

/* authzid NUL user NUL password, in base64. False if it is not that. */
static bool decode_plain(const char *base64, char user[FIELD_SIZE],
                         char password[FIELD_SIZE])
{
    unsigned char bytes[LINE_MAX_SIZE + 4];
    size_t length = strlen(base64);

    if (length == 0 || length % 4 != 0 || length > LINE_MAX_SIZE)
        return false;
    int size = EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)length);
    if (size < 0)
        return false;
    for (size_t i = length; i > 0 && base64[i - 1] == '='; i--)
        size--;
    bytes[size] = '\0';

    const char *at = memchr(bytes, '\0', (size_t)size);
    const char *end = (const char *)bytes + size;
    const char *next = at ? memchr(at + 1, '\0', (size_t)(end - at - 1)) : NULL;
    if (!next || strlen(at + 1) >= FIELD_SIZE || strlen(next + 1) >= FIELD_SIZE ||
        next + 1 + strlen(next + 1) != end)
        return false;
    snprintf(user, FIELD_SIZE, "%s", at + 1);
    snprintf(password, FIELD_SIZE, "%s", next + 1);
    return true;
}

static bool authenticate(struct session *session, const char *tag, char *rest)
{
    char line[LINE_MAX_SIZE];
    char user[FIELD_SIZE];
    char password[FIELD_SIZE];
    char *initial = strchr(rest, ' ');

    if (initial)
        *initial++ = '\0';
    if (strcasecmp(rest, "PLAIN") != 0)
        return say(session, tag, "NO [CANNOT] Unsupported authentication mechanism.");
    if (!initial) {
        if (!sim_conn_text(session->conn, "+ \r\n") ||
            sim_conn_line(session->conn, line, sizeof line) < 0)
            return false;
        initial = line;
    }
    if (!decode_plain(initial, user, password))
        return say(session, tag, "BAD Invalid authentication data.");
    return log_in(session, tag, user, password);
}

/* A quoted string or an atom; moves on behind it and a blank. */
static bool read_astring(char **at, char out[FIELD_SIZE])
{
    size_t length = 0;
    bool quoted = **at == '"';
    char *in = *at + (quoted ? 1 : 0);

    while (*in && (quoted ? *in != '"' : *in != ' ') && length + 1 < FIELD_SIZE) {
        if (quoted && *in == '\\' && in[1])
            in++;
        out[length++] = *in++;
    }
    out[length] = '\0';
    if (quoted && *in != '"')
        return false;
    in += quoted ? 1 : 0;
    while (*in == ' ')
        in++;
    *at = in;
    return length > 0;
}

static bool login(struct session *session, const char *tag, char *rest)
{
    char user[FIELD_SIZE];
    char password[FIELD_SIZE];

    if (!read_astring(&rest, user) || !read_astring(&rest, password))
        return say(session, tag, "BAD Invalid arguments.");
    return log_in(session, tag, user, password);
}

/* One command line. False: the connection is over. */
static bool command(struct session *session, char *line)
{
    char *verb = strchr(line, ' ');
    char *rest = NULL;

    if (!verb || verb == line)
        return say(session, "*", "BAD Invalid tag.");
    *verb++ = '\0';
    rest = verb + strcspn(verb, " ");
    if (*rest)
        *rest++ = '\0';
    if (strcasecmp(verb, "CAPABILITY") == 0) {
        char text[160];
        snprintf(text, sizeof text, "CAPABILITY %s", capabilities);
        return say(session, "*", text) && say(session, line, "OK Done.");
    }
    if (strcasecmp(verb, "NOOP") == 0 || strcasecmp(verb, "ID") == 0)
        return say(session, line, "OK Done.");
    if (strcasecmp(verb, "LOGOUT") == 0) {
        say(session, "*", "BYE Logging out");
        say(session, line, "OK Logout completed.");
        return false;
    }
    if (strcasecmp(verb, "AUTHENTICATE") == 0 && !session->logged_in)
        return authenticate(session, line, rest);
    if (strcasecmp(verb, "LOGIN") == 0 && !session->logged_in)
        return login(session, line, rest);
    return say(session, line, "BAD Unknown command.");
}

void sim_imap_serve(struct sim *sim, struct sim_conn *conn, void *arg)
{
    const struct sim_call_target target = { .method = "IMAP-GREETING", .path = "" };
    struct session session = { .sim = sim, .conn = conn, .front = *(int *)arg };
    struct sim_plan plan;
    char line[LINE_MAX_SIZE];
    char greeting[160];

    pthread_mutex_lock(&sim->lock);
    bool down = sim->imap_down;
    sim_fault_plan(sim, &target, &plan);
    sim_fault_release(&plan);
    pthread_mutex_unlock(&sim->lock);

    sim_text_sleep_ms(plan.before_ms + plan.after_ms);
    if (down || !end_by_plan(&session, &plan))
        return;
    snprintf(greeting, sizeof greeting, "OK [CAPABILITY %s] Simulator ready.",
             capabilities);
    bool alive = say(&session, "*", greeting);
    while (alive && sim_conn_line(conn, line, sizeof line) >= 0)
        alive = command(&session, line);
}
