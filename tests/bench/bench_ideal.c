/*
 * bench_ideal CA JOBS PLAN: the smallest client that makes the requests of a plan, as
 * many at once as libcurl's multi interface is told, on kept connections, and nothing
 * else: no vault, no journal, no proof of anything. bench_bulk.py holds a bulk rotation
 * against it.
 *
 * A line of the plan is "GET URL", "POST URL" or "LOGIN imaps://HOST:PORT USER PASSWORD".
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

static const char *ca_file;
static unsigned long failures;

static size_t drop(char *bytes, size_t one, size_t size, void *arg)
{
    (void)bytes;
    (void)arg;
    return one * size;
}

static void set_common(CURL *handle, const char *url)
{
    curl_easy_reset(handle);
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, 60L);
}

/* Sets up what the line says; false if it says nothing. */
static bool set_up(CURL *handle, char *line)
{
    static const char body[] = "{\"password\":\"Ideal-Ideal-Ideal-1234\"}";
    char *rest = line;
    char *kind = strsep(&rest, " \n");
    char *url = strsep(&rest, " \n");

    if (!url)
        return false;
    set_common(handle, url);
    if (strcmp(kind, "POST") == 0) {
        curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, body);
    } else if (strcmp(kind, "LOGIN") == 0) {
        curl_easy_setopt(handle, CURLOPT_USERNAME, strsep(&rest, " \n"));
        curl_easy_setopt(handle, CURLOPT_PASSWORD, strsep(&rest, " \n"));
        curl_easy_setopt(handle, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN");
        curl_easy_setopt(handle, CURLOPT_SASL_IR, 1L);
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, "NOOP");
        curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
    }
    return true;
}

static bool begin_next(CURLM *multi, CURL *handle, FILE *plan)
{
    char line[LINE_SIZE];

    while (fgets(line, sizeof line, plan))
        if (set_up(handle, line))
            return curl_multi_add_handle(multi, handle) == CURLM_OK;
    return false;
}

static void take_ended(CURLM *multi, FILE *plan, int *running)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left))) {
        CURL *handle = message->easy_handle;

        if (message->data.result && message->data.result != CURLE_LOGIN_DENIED)
            failures++;
        curl_multi_remove_handle(multi, handle);
        if (begin_next(multi, handle, plan))
            *running += 1;
        else
            curl_easy_cleanup(handle);
    }
}

int main(int argc, char **argv)
{
    unsigned long jobs = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    /* style: allow fopen because this is a bench, and writes nothing */
    FILE *plan = jobs > 0 && jobs <= JOBS_MAX ? fopen(argv[3], "re") : NULL;
    CURLM *multi;
    int running = 0;

    if (!plan) {
        (void)fprintf(stderr, "usage: bench_ideal CA JOBS PLAN\n");
        return 2;
    }
    ca_file = argv[1];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)jobs);
    for (unsigned long i = 0; i < jobs; i++)
        running += begin_next(multi, curl_easy_init(), plan);
    while (running > 0) {
        curl_multi_perform(multi, &running);
        take_ended(multi, plan, &running);
        if (running > 0)
            curl_multi_poll(multi, NULL, 0, WAIT_MS, NULL);
    }
    curl_multi_cleanup(multi);
    (void)fclose(plan);
    if (failures)
        (void)fprintf(stderr, "%lu transfers failed\n", failures);
    return failures ? 1 : 0;
}
