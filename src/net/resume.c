/*
 * A set of sessions is libcurl's "share", which finds them by host, port and what is
 * trusted. Each goes back, over others, to a whole handshake within the same set, since a
 * set begins empty; after a minute it is left to those who still hold it, and another one
 * begins. That none is of TLS 1.2 is seen to in net/openssl.c.
 */
#include "net/resume.h"

#include <stdlib.h>

#include "base/clock.h"

enum {
    KEEP_MS = 60 * 1000,
};

struct psn_resume {
    const struct psn_curl *curl;
    CURLSH *share;
    int64_t until_ms;
    unsigned users;
};

/* The set that is filled, or NULL. */
static struct psn_resume *current;

static void free_set(struct psn_resume *set)
{
    (void)set->curl->share_cleanup(set->share);
    free(set);
}

static struct psn_resume *new_set(const struct psn_curl *curl)
{
    struct psn_resume *set = calloc(1, sizeof *set);

    if (!set)
        return NULL;
    set->curl = curl;
    set->share = curl->share_init();
    set->until_ms = psn_clock_boot_ms() + KEEP_MS;
    if (set->share && curl->share_setopt(set->share, CURLSHOPT_SHARE,
                                         CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK)
        return set;
    free_set(set);
    return NULL;
}

static void leave_old(void)
{
    struct psn_resume *old = current;

    if (!old || psn_clock_boot_ms() < old->until_ms)
        return;
    current = NULL;
    if (old->users == 0)
        free_set(old);
}

struct psn_resume *psn_resume_begin(const struct psn_curl *curl, CURL *handle)
{
    CURLcode failed;

    if (!curl->openssl.ctx_param)
        return NULL;
    leave_old();
    if (!current)
        current = new_set(curl);
    if (!current)
        return NULL;
    failed = curl->setopt(handle, CURLOPT_SHARE, current->share);
    if (failed)
        return NULL;
    current->users++;
    (void)curl->setopt(handle, CURLOPT_SSL_SESSIONID_CACHE, 1L);
    return current;
}

void psn_resume_end(struct psn_resume *resume)
{
    if (resume && --resume->users == 0 && resume != current)
        free_set(resume);
}
