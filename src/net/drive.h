#ifndef PSN_NET_DRIVE_H
#define PSN_NET_DRIVE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "net/curl.h"

/*
 * curl_easy_perform() that lets other fibers go on while it waits. Each driver has a
 * libcurl multi of its own, with room for one kept connection, and drives one handle at a
 * time. Outside of a loop it is curl_easy_perform().
 *
 * Begins zeroed: struct psn_drive drive = { .curl = curl }.
 */
struct psn_drive {
    const struct psn_curl *curl;
    CURLM *multi;
    CURL *handle; /* that is added; stays so until it is let go */
    struct pollfd fds[PSN_LOOP_FDS_MAX];
    size_t count;
    int64_t until_ms; /* when libcurl wants to be asked again; < 0: never */
};

/* Performs the transfer of the handle, which stays the driver's afterwards. */
CURLcode psn_drive_perform(struct psn_drive *drive, CURL *handle);
/* Before the handle is reset or cleaned up. */
void psn_drive_let_go(struct psn_drive *drive);
void psn_drive_release(struct psn_drive *drive);

#endif
