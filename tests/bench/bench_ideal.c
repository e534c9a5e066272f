/*
 * bench_ideal CA JOBS PLAN: the smallest client that makes the requests of a plan, as
 * many at once as libcurl's multi interface is told, on kept connections, and nothing
 * else: no vault, no journal, no proof of anything. bench_bulk.py holds a bulk rotation
 * against it.
 *
 * A line of the plan is, with tabs between its words,
 *
 *     GET|POST|PUT|DELETE URL BODY HEADER...   the body "" if there is none
 *     LOGIN imaps://HOST:PORT USER PASSWORD    on a connection of its own
 *
 * Whoever writes the plan has signed the requests: their headers are sent as they are.
 * Says what was answered, so that nobody takes a quick refusal for a quick client.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

enum {
    LINE_SIZE = 2048,
    JOBS_MAX = 256,
    WAIT_MS = 1000,
};

struct transfer {
    CURL *handle;
    struct curl_slist *headers;
    bool is_login;
};

static const char *ca_file;
static struct {
    unsigned long done, refused;    /* requests: 2xx, any other status */
    unsigned long accepted, denied; /* logins */
    unsigned long failed;
} counts;

/* NOLINTNEXTLINE(readability-non-const-parameter): curl calls it so. */
static size_t drop(char *bytes, size_t one, size_t size, void *arg)
{
    (void)bytes;
    (void)arg;
    return one * size;
}

static void set_common(struct transfer *transfer, const char *url)
{
    CURL *handle = transfer->handle;

    curl_easy_reset(handle);
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    curl_easy_setopt(handle, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, 60L);
}

/* A POST or PUT without a body is sent as one, of size 0. */
static void set_request(struct transfer *transfer, const char *method, char *rest)
{
    CURL *handle = transfer->handle;
    const char *body = strsep(&rest, "\t\n");
    bool has_body = body && *body;

    if (has_body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0)
        curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, body ? body : "");
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);
    for (const char *header = strsep(&rest, "\t\n"); header;
         header = strsep(&rest, "\t\n"))
        if (*header)
            transfer->headers = curl_slist_append(transfer->headers, header);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_login(struct transfer *transfer, char *rest)
{
    CURL *handle = transfer->handle;

    curl_easy_setopt(handle, CURLOPT_USERNAME, strsep(&rest, "\t\n"));
    curl_easy_setopt(handle, CURLOPT_PASSWORD, strsep(&rest, "\t\n"));
    curl_easy_setopt(handle, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN");
    curl_easy_setopt(handle, CURLOPT_SASL_IR, 1L);
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "NOOP");
    curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
}

/* Sets up what the line says; false if it says nothing. */
static bool set_up(struct transfer *transfer, char *line)
{
    char *rest = line;
    const char *kind = strsep(&rest, "\t\n");
    const char *url = strsep(&rest, "\t\n");

    if (!url)
        return false;
    set_common(transfer, url);
    transfer->is_login = strcmp(kind, "LOGIN") == 0;
    if (transfer->is_login)
        set_login(transfer, rest);
    else
        set_request(transfer, kind, rest);
    return true;
}

static bool begin_next(CURLM *multi, struct transfer *transfer, FILE *plan)
{
    char line[LINE_SIZE];

    while (fgets(line, sizeof line, plan))
        if (set_up(transfer, line))
            return curl_multi_add_handle(multi, transfer->handle) == CURLM_OK;
    return false;
}

static void count(const struct transfer *transfer, CURLcode result)
{
    long status = 0;

    if (transfer->is_login) {
        counts.accepted += result == CURLE_OK;
        counts.denied += result == CURLE_LOGIN_DENIED;
        counts.failed += result != CURLE_OK && result != CURLE_LOGIN_DENIED;
        return;
    }
    curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    counts.done += result == CURLE_OK && status >= 200 && status < 300;
    counts.refused += result == CURLE_OK && status >= 300;
    counts.failed += result != CURLE_OK;
}

static void take_ended(CURLM *multi, FILE *plan, int *running)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left))) {
        struct transfer *transfer = NULL;
        CURLcode result = message->data.result;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        count(transfer, result);
        curl_multi_remove_handle(multi, transfer->handle);
        *running += begin_next(multi, transfer, plan);
    }
}

static void run(unsigned long jobs, FILE *plan)
{
    static struct transfer transfers[JOBS_MAX];
    CURLM *multi = curl_multi_init();
    int running = 0;

    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)jobs);
    for (unsigned long i = 0; i < jobs; i++) {
        transfers[i].handle = curl_easy_init();
        running += begin_next(multi, &transfers[i], plan);
    }
    while (running > 0) {
        curl_multi_perform(multi, &running);
        take_ended(multi, plan, &running);
        if (running > 0)
            curl_multi_poll(multi, NULL, 0, WAIT_MS, NULL);
    }
    for (unsigned long i = 0; i < jobs; i++) {
        curl_easy_cleanup(transfers[i].handle);
        curl_slist_free_all(transfers[i].headers);
    }
    curl_multi_cleanup(multi);
}

int main(int argc, char **argv)
{
    unsigned long jobs = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    /* style: allow fopen because this is a bench, and writes nothing */
    FILE *plan = jobs > 0 && jobs <= JOBS_MAX ? fopen(argv[3], "re") : NULL;

    if (!plan) {
        (void)fprintf(stderr, "usage: bench_ideal CA JOBS PLAN\n");
        return 2;
    }
    ca_file = argv[1];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    run(jobs, plan);
    (void)fclose(plan);
    (void)printf("{\"done\":%lu,\"refused\":%lu,\"accepted\":%lu,\"denied\":%lu,"
                 "\"failed\":%lu}\n",
                 counts.done, counts.refused, counts.accepted, counts.denied,
                 counts.failed);
    return counts.failed ? 1 : 0;
}
