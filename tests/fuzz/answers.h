#ifndef PSN_TESTS_FUZZ_ANSWERS_H
#define PSN_TESTS_FUZZ_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include "net/http.h"
#include "ovh/client.h"

/*
 * An OVH that answers with the lines of an input, one a call: "STATUS BODY", with
 * "STATUS> BODY" for a page that is not the last. What is no such line, and every call
 * behind the last, ends in a network that fails for good. The clock moves when somebody
 * sleeps.
 *
 * /auth/time is answered by itself, unless the target asks for that very answer.
 */
struct answers {
    const char *at;
    const char *end;
    bool is_time_asked;
    size_t reads;   /* GET, /auth/time left out */
    size_t changes; /* everything else */
};
extern struct answers answers;

/* An account of three keys that gets these answers, and those alone; freed by
 * answers_close(). Aborts where memory is short. */
struct psn_ovh *answers_open(const uint8_t *bytes, size_t size);
void answers_close(struct psn_ovh *ovh);

/* The port by itself, for what makes calls of its own. answers_open() comes first. */
struct psn_http answers_port(void);
/* A service account, known to live as long as the process. */
const struct psn_ovh_credential *answers_service_account(void);

#endif
