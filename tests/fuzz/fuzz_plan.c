#include <string.h>

#include "fuzz/target.h"
#include "passation/departure.h"

/* The head of a departure's plan: what is accepted names one person. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_departure_request request = { 0 };
    char person[PSN_PERSON_ID_MAX];
    enum psn_code rc =
        psn_departure_plan_read((const char *)bytes, size, person, &request, NULL);

    MUST(rc == PSN_OK || rc == PSN_E_INVALID);
    if (!rc) {
        MUST(request.person == person);
        MUST(strlen(person) < sizeof person);
    }
    return 0;
}
