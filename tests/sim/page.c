#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

enum {
    PAGE_MAX = 65536,
};

static void add(char *page, const char *text)
{
    size_t length = strlen(page);

    snprintf(page + length, PAGE_MAX - length, "%s", text);
}

static void add_escaped(char *page, const char *text)
{
    char one[2] = "";

    for (; *text; text++) {
        one[0] = *text;
        add(page, *text == '<' ? "&lt;" : *text == '&' ? "&amp;" : one);
    }
}

static json_t *find(const struct sim *sim, const char *query)
{
    const char *token = query ? strstr(query, "credentialToken=") : NULL;
    const char *id = NULL;
    json_t *one = NULL;

    if (!token)
        return NULL;
    token += strlen("credentialToken=");
    json_object_foreach(json_object_get(sim->root, "credentials"), id, one)
        if (*sim_state_text(one, "_token") &&
            strcmp(sim_state_text(one, "_token"), token) == 0)
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
    add(page, "</ul>\n<p>This is a simulator: agree with POST /credential/approve on its "
              "control port.</p>\n");
}

bool sim_page_serve(struct sim *sim, struct sim_conn *conn,
                    const struct sim_http_request *request)
{
    char *page = calloc(1, PAGE_MAX);

    if (!page)
        return false;
    add(page, "<!doctype html>\n<title>passation-sim</title>\n<h1>Grant access</h1>\n");
    pthread_mutex_lock(&sim->lock);
    const json_t *credential = find(sim, request->query);
    if (credential)
        describe(credential, page);
    pthread_mutex_unlock(&sim->lock);
    if (!credential)
        add(page, "<p>No such request.</p>\n");

    const struct sim_http_answer answer = {
        .status = credential ? 200 : 404,
        .type = "text/html; charset=utf-8",
        .body = page,
        .body_size = strlen(page),
        .keep_alive = request->keep_alive,
    };
    bool alive = sim_http_write(conn, &answer) && answer.keep_alive;
    free(page);
    return alive;
}
