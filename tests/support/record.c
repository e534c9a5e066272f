#include "support/record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void record_figure(const char *number, const char *part, uint64_t tried,
                   uint64_t survived)
{
    const char *path = getenv("PASSATION_RECORD");
    char line[256];
    int fd;
    int size;

    if (!path || *path == '\0')
        return;
    size = snprintf(line, sizeof line,
                    "{\"class\": \"%s\", \"part\": \"%s\", \"tried\": %" PRIu64
                    ", \"survived\": %" PRIu64 "}\n",
                    number, part, tried, survived);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || size <= 0 || (size_t)size >= sizeof line ||
        write(fd, line, (size_t)size) != size) {
        perror(path);
        abort();
    }
    (void)close(fd);
}
