#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "oauth.h"
#include "state.h"
#include "text.h"

enum {
    PAGE_MAX = 65536,
    FIELD_MAX = 128,
};

static void add(char *page, const char *text)
{
    size_t length = strlen(page);

    snprintf(page + length, PAGE_MAX - length, "%s", text);
}

static void add_escaped(char *page, const char *text)
{
    static const struct {
        char sign;
        const char *name;
    } signs[] = { { '<', "&lt;" }, { '&', "&amp;" }, { '"', "&quot;" } };

    for (; *text; text++) {
        char one[2] = { *text, '\0' };
        const char *shown = one;

        for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
            if (signs[i].sign == *text)
                shown = signs[i].name;
        add(page, shown);
    }
}

/* The value of a field in a query or a form; "" if it is not there. */
static const char *field(const char *form, const char *name, char out[FIELD_MAX])
{
    size_t length = strlen(name);

    out[0] = '\0';
    while (form && *form) {
        size_t part = strcspn(form, "&");

        if (part > length && strncmp(form, name, length) == 0 && form[length] == '=' &&
            part - length - 1 < FIELD_MAX) {
            memcpy(out, form + length + 1, part - length - 1);
            out[part - length - 1] = '\0';
            if (!sim_text_unescape(out, true))
                out[0] = '\0';
            return out;
        }
        form += part + (form[part] == '&');
    }
    return out;
}

static json_t *find(const struct sim *sim, const char *query)
{
    char token[FIELD_MAX];
    const char *id = NULL;
    json_t *one = NULL;

    field(query, "credentialToken", token);
    json_object_foreach(json_object_get(sim->root, "credentials"), id, one)
        if (*token && strcmp(sim_state_text(one, "_token"), token) == 0 &&
            !sim_auth_is_forgotten(sim, one))
            return one;
    return NULL;
}

static void describe(const json_t *credential, char *page)
{
    const json_t *rule = NULL;
    size_t i = 0;

    add(page, "<p>State: ");
    add_escaped(page, sim_state_text(credential, "status"));
    add(page, "</p>\n<p>An application asks for these rights:</p>\n<ul>\n");
    json_array_foreach(json_object_get(credential, "rules"), i, rule) {
        add(page, "<li>");
        add_escaped(page, sim_state_text(rule, "method"));
        add(page, " ");
        add_escaped(page, sim_state_text(rule, "path"));
        add(page, "</li>\n");
    }
    add(page, "</ul>\n");
}

/* The form that the owner of an account fills in. */
static void add_form(const json_t *credential, char *page)
{
    static const struct {
        const char *value;
        const char *text;
    } terms[] = {
        { "3600", "1 hour" },     { "86400", "1 day" },     { "604800", "7 days" },
        { "2592000", "30 days" }, { "7776000", "90 days" }, { "0", "Unlimited" },
    };

    add(page, "<form method=\"post\" action=\"/auth/?credentialToken=");
    add_escaped(page, sim_state_text(credential, "_token"));
    add(page, "\">\n<label>Account <input name=\"account\" value=\"");
    add_escaped(page, sim_state_text(credential, "_nic"));
    add(page, "\"></label>\n<label>Validity <select name=\"validity\">\n");
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        add(page, "<option value=\"");
        add(page, terms[i].value);
        add(page, strcmp(terms[i].value, "86400") == 0 ? "\" selected>" : "\">");
        add(page, terms[i].text);
        add(page, "</option>\n");
    }
    add(page, "</select></label>\n"
              "<button name=\"decision\" value=\"approve\">Authorize access</button>\n"
              "<button name=\"decision\" value=\"refuse\">Refuse</button>\n</form>\n");
}

/* What the owner has sent: false, with the reason, if it is no answer to the form. */
static bool decide(struct sim *sim, json_t *credential, const char *form, char *page)
{
    char decision[FIELD_MAX];
    char validity[FIELD_MAX];
    char account[FIELD_MAX];
    char why[FIELD_MAX];
    int64_t seconds = 0;

    field(form, "decision", decision);
    field(form, "account", account);
    if (!sim_text_parse_long(field(form, "validity", validity), &seconds) || seconds < 0)
        seconds = SIM_AUTH_DAY_S;
    struct sim_decision what = { .refuse = strcmp(decision, "refuse") == 0,
                                 .duration_s = seconds,
                                 .nic = *account ? account : NULL };
    if (!what.refuse && strcmp(decision, "approve") != 0)
        snprintf(why, sizeof why, "neither approved nor refused");
    else if (sim_auth_decide(sim, credential, &what, why, sizeof why))
        return true;
    add(page, "<p>");
    add_escaped(page, why);
    add(page, "</p>\n");
    return false;
}

/* Fills the page and returns its status. */
static int fill(struct sim *sim, const struct sim_http_request *request, char *page)
{
    json_t *credential = find(sim, request->query);
    int status = 200;

    if (!credential) {
        add(page, "<p>No such request.</p>\n");
        return 404;
    }
    if (strcmp(request->method, "POST") == 0 &&
        !decide(sim, credential, request->body, page))
        status = 400;
    describe(credential, page);
    if (strcmp(sim_state_text(credential, "status"), "pendingValidation") == 0)
        add_form(credential, page);
    return status;
}

bool sim_page_serve(struct sim *sim, struct sim_conn *conn,
                    const struct sim_http_request *request)
{
    char *page = NULL;

    if (strcmp(request->path, "/auth/oauth2/token") == 0)
        return sim_oauth_serve(sim, conn, request);
    page = calloc(1, PAGE_MAX);
    if (!page)
        return false;
    add(page, "<!doctype html>\n<title>passation-sim</title>\n<h1>Grant access</h1>\n");
    pthread_mutex_lock(&sim->lock);
    int status = fill(sim, request, page);
    pthread_mutex_unlock(&sim->lock);
    const struct sim_http_answer answer = {
        .status = status,
        .type = "text/html; charset=utf-8",
        .body = page,
        .body_size = strlen(page),
        .keep_alive = request->keep_alive,
    };
    bool alive = sim_http_write(conn, &answer) && answer.keep_alive;
    free(page);
    return alive;
}
