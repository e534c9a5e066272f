#include "crypto/secret.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/file.h"
#include "base/i18n.h"
#include "crypto/pool.h"

/*
 * The bytes are in locked memory, see crypto/pool.h. Whether locking worked is not said
 * there: psn_secret_memory_is_locked() tells the program, which warns once. One byte more
 * than the capacity keeps the content terminated, for libraries that want a C string.
 */
struct psn_secret {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

enum psn_code psn_secret_new(size_t capacity, struct psn_secret **ret_secret,
                             struct psn_error *err)
{
    PSN_AUTO(psn_secret) *secret = calloc(1, sizeof *secret);

    if (capacity > SIZE_MAX / 4) {
        (void)psn_fail(err, PSN_E_LIMIT, _("a secret of that size is not possible"));
        return PSN_E_LIMIT;
    }
    if (secret)
        secret->bytes = psn_pool_take(capacity + 1);
    if (!secret || !secret->bytes) {
        (void)psn_fail(err, PSN_E_NOMEM, _("out of memory for secrets"));
        return PSN_E_NOMEM;
    }
    secret->capacity = capacity;
    *ret_secret = PSN_TAKE(secret);
    return PSN_OK;
}

enum psn_code psn_secret_copy(const void *bytes, size_t size,
                              struct psn_secret **ret_secret, struct psn_error *err)
{
    enum psn_code rc;

    rc = psn_secret_new(size, ret_secret, err);
    if (rc)
        return rc;
    if (size > 0)
        memcpy((*ret_secret)->bytes, bytes, size);
    (*ret_secret)->size = size;
    return PSN_OK;
}

void psn_secret_free(struct psn_secret *secret)
{
    if (!secret)
        return;
    psn_pool_give(secret->bytes, secret->capacity + 1);
    free(secret);
}

const uint8_t *psn_secret_bytes(const struct psn_secret *secret)
{
    return secret->bytes;
}

size_t psn_secret_size(const struct psn_secret *secret)
{
    return secret->size;
}

uint8_t *psn_secret_fill(struct psn_secret *secret)
{
    return secret->bytes;
}

size_t psn_secret_capacity(const struct psn_secret *secret)
{
    return secret->capacity;
}

void psn_secret_set_size(struct psn_secret *secret, size_t size)
{
    assert(size <= secret->capacity);
    sodium_memzero(secret->bytes + size, secret->capacity + 1 - size);
    secret->size = size;
}

enum psn_code psn_secret_append(struct psn_secret *secret, const void *bytes, size_t size,
                                struct psn_error *err)
{
    if (size > secret->capacity - secret->size)
        return psn_fail(err, PSN_E_LIMIT, _("a secret is longer than %zu bytes"),
                        secret->capacity);
    if (size > 0)
        memcpy(secret->bytes + secret->size, bytes, size);
    secret->size += size;
    secret->bytes[secret->size] = '\0';
    return PSN_OK;
}

bool psn_secret_equal(const struct psn_secret *a, const struct psn_secret *b)
{
    return a->size == b->size && sodium_memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Reads straight into locked memory: no stream, whose buffer nobody wipes. */
static enum psn_code fill_from(int fd, const char *name, struct psn_secret *secret,
                               struct psn_error *err)
{
    ssize_t got;

    do {
        got = read(fd, secret->bytes + secret->size, secret->capacity - secret->size);
        if (got > 0)
            secret->size += (size_t)got;
    } while ((got > 0 && secret->size < secret->capacity) || (got < 0 && errno == EINTR));
    if (got < 0)
        return psn_fail(err, psn_file_code(errno), _("cannot read '%s': %s"), name,
                        strerror(errno));
    return PSN_OK;
}

/* The room for one newline and one byte too many tells when the limit is passed. What
 * is kept moves to a secret of its own size, since locked memory is scarce. */
static enum psn_code read_secret(int fd, const char *name, size_t size_max,
                                 struct psn_secret **ret_secret, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *all = NULL;
    enum psn_code rc;
    size_t size;

    if (size_max > SIZE_MAX / 8)
        return psn_fail(err, PSN_E_LIMIT, _("a secret of that size is not possible"));
    rc = psn_secret_new(size_max + 2, &all, err);
    if (rc)
        return rc;
    rc = fill_from(fd, name, all, err);
    if (rc)
        return rc;
    size = all->size;
    if (size > 0 && all->bytes[size - 1] == '\n')
        size--;
    if (size > size_max)
        return psn_fail(err, PSN_E_LIMIT, _("'%s' holds more than %zu bytes"), name,
                        size_max);
    return psn_secret_copy(all->bytes, size, ret_secret, err);
}

enum psn_code psn_secret_read_fd(int fd, size_t size_max, struct psn_secret **ret_secret,
                                 struct psn_error *err)
{
    char name[32];
    struct stat info;
    enum psn_code rc;

    (void)snprintf(name, sizeof name, "fd %d", fd);
    if (fstat(fd, &info) != 0)
        return psn_fail(err, PSN_E_INVALID, _("file descriptor %d is not open"), fd);
    rc = read_secret(fd, name, size_max, ret_secret, err);
    if (fd > STDERR_FILENO)
        (void)close(fd);
    return rc;
}

enum psn_code psn_secret_read_file(const char *path, size_t size_max,
                                   struct psn_secret **ret_secret, struct psn_error *err)
{
    PSN_AUTO_FD int fd = -1;
    enum psn_code rc;

    rc = psn_file_open(path, &fd, err);
    return rc ? rc : read_secret(fd, path, size_max, ret_secret, err);
}

bool psn_secret_memory_is_locked(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page =
        /* cppcheck-suppress invalidFunctionArg; -1 goes with MAP_ANONYMOUS */
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool locked;

    if (page == MAP_FAILED)
        return false;
    locked = mlock(page, size) == 0;
    (void)munmap(page, size);
    return locked;
}
