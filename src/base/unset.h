#ifndef PSN_BASE_UNSET_H
#define PSN_BASE_UNSET_H

/*
 * A local that is written before it is read. The compiler fills all others with a pattern
 * first, so that one that is not tells nothing of what stood there; of some KiB in the
 * middle of a loop over rows that is as much work as all that is done with them.
 *
 *     PSN_UNSET struct row_ad ad;
 */
#if defined(__has_attribute)
#    if __has_attribute(uninitialized)
#        define PSN_UNSET __attribute__((uninitialized))
#    endif
#endif
#ifndef PSN_UNSET
#    define PSN_UNSET
#endif

#endif
