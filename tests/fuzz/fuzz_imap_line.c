#include <string.h>

#include "fuzz/target.h"
#include "net/imap.h"

/* A tagged line: nothing but "TAG OK" is a login. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *line = malloc(size + 1);

    MUST(line);
    if (size)
        memcpy(line, bytes, size);
    line[size] = '\0';
    if (psn_imap_classify("a2", line) == PSN_LOGIN_ACCEPTED)
        MUST(strncmp(line, "a2 ", 3) == 0 && strncasecmp(line + 3, "OK", 2) == 0);
    free(line);
    return 0;
}
