#include "ready.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

static bool write_whole(const char *dir, const char *name, const char *text)
{
    char path[600];
    char temporary[620];
    size_t size = strlen(text);

    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good = write(fd, text, size) == (ssize_t)size;
    good = close(fd) == 0 && good;
    return good && rename(temporary, path) == 0;
}

static void format_url(char *url, size_t size, const char *scheme, const char *host,
                       int port)
{
    if (port == 443 && strcmp(scheme, "https") == 0)
        snprintf(url, size, "%s://%s", scheme, host);
    else
        snprintf(url, size, "%s://%s:%d", scheme, host, port);
}

static json_t *imap_url(const struct sim *sim, int front)
{
    const char *host = sim->dovecot ? "127.0.0.1" : sim->options.listen;
    char url[128];

    if (sim->imap_ports[front] == 0)
        return json_null();
    format_url(url, sizeof url, "imaps", host, sim->imap_ports[front]);
    return json_string(url);
}

static bool write_config(const struct sim *sim, const char *endpoint,
                         const json_t *credential)
{
    char text[1024];

    snprintf(text, sizeof text,
             "[default]\nendpoint=%s\n\n[%s]\napplication_key=%s\napplication_secret=%s\n"
             "consumer_key=%s\n",
             endpoint, endpoint, sim_state_text(credential, "application_key"),
             sim_state_text(credential, "application_secret"),
             sim_state_text(credential, "consumer_key"));
    return write_whole(sim->options.dir, "ovh.conf", text);
}

/* An absolute name, whatever the option was. */
static json_t *full_path(const struct sim *sim, const char *name)
{
    char path[600];
    char *dir = realpath(sim->options.dir, NULL);

    snprintf(path, sizeof path, "%s/%s", dir ? dir : sim->options.dir, name);
    free(dir);
    return json_string(path);
}

bool sim_ready_write(struct sim *sim)
{
    json_t *credential = json_array_get(json_object_get(sim->seeded, "credentials"), 0);
    char endpoint[128];
    char second[160];
    char control[128];

    format_url(endpoint, sizeof endpoint, "https", sim->options.listen, sim->api_port);
    size_t length = strlen(endpoint);
    snprintf(second, sizeof second, "%s/v2", endpoint);
    snprintf(endpoint + length, sizeof endpoint - length, "/1.0");
    format_url(control, sizeof control, "http", "127.0.0.1", sim->control_port_bound);
    json_t *ready =
        json_pack("{s:s,s:s,s:o,s:o,s:o,s:s,s:i}", "endpoint", endpoint, "endpoint_v2",
                  second, "imap", imap_url(sim, 0), "imap2", imap_url(sim, 1), "ca",
                  full_path(sim, "ca.pem"), "control", control, "pid", (int)getpid());
    if (credential) {
        json_object_set_new(ready, "config", full_path(sim, "ovh.conf"));
        json_object_update(ready, credential);
        json_object_del(ready, "id");
    }
    char *text = json_dumps(ready, JSON_INDENT(2));
    json_decref(ready);
    bool good = text && (!credential || write_config(sim, endpoint, credential)) &&
                write_whole(sim->options.dir, "ready.json", text);
    free(text);
    return good;
}

void sim_ready_remove(const struct sim *sim)
{
    char path[600];

    snprintf(path, sizeof path, "%s/ready.json", sim->options.dir);
    unlink(path);
}
