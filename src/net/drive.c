/*
 * libcurl's "multi socket" interface: it tells which sockets and until when it waits, the
 * loop waits for all fibers together, and libcurl is told what came of it.
 *
 * Why not one multi for all: a handle's kept connection must be known, so that bytes
 * which came on it unasked are seen before it is used again (net/http.c).
 */
#include "net/drive.h"

#include <assert.h>

#include "base/clock.h"

static int note_socket(CURL *handle, curl_socket_t socket, int what, void *arg,
                       void *socket_arg)
{
    struct psn_drive *drive = arg;
    short events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
                           (what & CURL_POLL_OUT ? POLLOUT : 0));
    size_t i = 0;

    (void)handle;
    (void)socket_arg;
    while (i < drive->count && drive->fds[i].fd != socket)
        i++;
    if (what == CURL_POLL_REMOVE) {
        if (i < drive->count)
            drive->fds[i] = drive->fds[--drive->count];
        return 0;
    }
    if (i == PSN_LOOP_FDS_MAX)
        return -1;
    if (i == drive->count)
        drive->count++;
    drive->fds[i] = (struct pollfd){ .fd = socket, .events = events };
    return 0;
}

static int note_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct psn_drive *drive = arg;

    (void)multi;
    drive->until_ms = timeout_ms < 0 ? -1 : psn_clock_boot_ms() + timeout_ms;
    return 0;
}

static CURLcode open_multi(struct psn_drive *drive)
{
    const struct psn_curl *curl = drive->curl;
    CURLMcode failed;

    drive->multi = curl->multi_init();
    if (!drive->multi)
        return CURLE_OUT_OF_MEMORY;
    failed = curl->multi_setopt(drive->multi, CURLMOPT_SOCKETFUNCTION, note_socket);
    failed |= curl->multi_setopt(drive->multi, CURLMOPT_SOCKETDATA, drive);
    failed |= curl->multi_setopt(drive->multi, CURLMOPT_TIMERFUNCTION, note_timer);
    failed |= curl->multi_setopt(drive->multi, CURLMOPT_TIMERDATA, drive);
    failed |= curl->multi_setopt(drive->multi, CURLMOPT_MAXCONNECTS, 1L);
    return failed ? CURLE_FAILED_INIT : CURLE_OK;
}

/* Tells libcurl what is ready. */
static void tell(struct psn_drive *drive, int ready)
{
    struct pollfd seen[PSN_LOOP_FDS_MAX];
    size_t count = drive->count;
    int running;

    for (size_t i = 0; i < count; i++)
        seen[i] = drive->fds[i];
    if (ready <= 0) {
        (void)drive->curl->multi_socket_action(drive->multi, CURL_SOCKET_TIMEOUT, 0,
                                               &running);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        int bits = (seen[i].revents & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
                   (seen[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
                   (seen[i].revents & (POLLERR | POLLNVAL) ? CURL_CSELECT_ERR : 0);

        if (bits)
            (void)drive->curl->multi_socket_action(drive->multi, seen[i].fd, bits,
                                                   &running);
    }
}

static bool is_done(struct psn_drive *drive, CURLcode *ret_result)
{
    int left;
    const CURLMsg *message = drive->curl->multi_info_read(drive->multi, &left);

    if (!message || message->msg != CURLMSG_DONE)
        return false;
    *ret_result = message->data.result;
    return true;
}

CURLcode psn_drive_perform(struct psn_drive *drive, CURL *handle)
{
    CURLcode result = CURLE_OK;

    if (!psn_loop_is_inside())
        return drive->curl->perform(handle);
    assert(!drive->handle);
    if (!drive->multi)
        result = open_multi(drive);
    if (result)
        return result;
    if (drive->curl->multi_add_handle(drive->multi, handle))
        return CURLE_FAILED_INIT;
    drive->handle = handle;
    do {
        int64_t wait_ms =
            drive->until_ms < 0 ? -1 : drive->until_ms - psn_clock_boot_ms();

        if (drive->until_ms >= 0 && wait_ms < 0)
            wait_ms = 0;
        tell(drive, psn_loop_poll(drive->fds, drive->count, wait_ms));
    } while (!is_done(drive, &result));
    return result;
}

void psn_drive_let_go(struct psn_drive *drive)
{
    if (drive->handle)
        (void)drive->curl->multi_remove_handle(drive->multi, drive->handle);
    drive->handle = NULL;
}

void psn_drive_release(struct psn_drive *drive)
{
    psn_drive_let_go(drive);
    if (drive->multi)
        (void)drive->curl->multi_cleanup(drive->multi);
    drive->multi = NULL;
}
