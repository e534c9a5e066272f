#ifndef PSN_BASE_SANITIZER_H
#define PSN_BASE_SANITIZER_H

/* What the address sanitizer has to be told of memory that we hand out ourselves; without
 * it, nothing. PSN_HAS_ASAN: the program is built with it. */
#if defined(__SANITIZE_ADDRESS__)
#    define PSN_HAS_ASAN 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define PSN_HAS_ASAN 1
#    endif
#endif

#ifdef PSN_HAS_ASAN
#    include <sanitizer/asan_interface.h>
#else
#    define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#    define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

#endif
