#ifndef PSN_BASE_AUTO_H
#define PSN_BASE_AUTO_H

#include <stdlib.h>
#include <unistd.h>

/*
 * Ownership that ends with the scope; the only cleanup idiom, there is no goto.
 *
 *     PSN_AUTO(psn_secret) *key = NULL;     freed at every return
 *     *ret_key = PSN_TAKE(key);             ownership leaves here
 *
 * Destructors take NULL and half-built objects, return nothing, cannot fail.
 */
#define PSN_AUTO(type) __attribute__((cleanup(type##_freep))) struct type

/* Follows the declaration of void type_free(struct type *). */
#define PSN_DEFINE_AUTO(type)                        \
    static inline void type##_freep(struct type **p) \
    {                                                \
        type##_free(*p);                             \
    }

/* The same for objects in the caller's memory, which have a type_release(). */
#define PSN_AUTO_RELEASE(type) __attribute__((cleanup(type##_release))) struct type

#define PSN_AUTO_FREE __attribute__((cleanup(psn_freep)))
#define PSN_AUTO_FD   __attribute__((cleanup(psn_closep)))

static inline void psn_freep(void *p)
{
    free(*(void **)p);
}

/* For descriptors that were only read: a written file is closed by
 * psn_file_replace(), which can report failure. */
static inline void psn_closep(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* For a result that may be ignored, with a comment that says why. */
#define PSN_IGNORE(call) ((void)!(call))

/* Yields the pointer and leaves NULL behind. */
#define PSN_TAKE(p)                 \
    __extension__({                 \
        __typeof__(p) taken_ = (p); \
        (p) = NULL;                 \
        taken_;                     \
    })

/* The same for a descriptor, which leaves -1 behind. */
#define PSN_TAKE_FD(fd)    \
    __extension__({        \
        int taken_ = (fd); \
        (fd) = -1;         \
        taken_;            \
    })

#endif
