#include "core/state.h"
#include "crypto/kdf.h"
#include "fuzz/target.h"

/* The clear part of a root box: what is read says no slot more than there are, and no
 * cost that the floor refuses gets past it. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_buf box = psn_buf_init(1024 * 1024);
    uint8_t id[PSN_VAULT_ID_SIZE];
    struct psn_state state;

    psn_buf_bytes(&box, bytes, size);
    if (psn_buf_check(&box, NULL) == PSN_OK &&
        psn_state_read_head(&box, id, &state, NULL) == PSN_OK) {
        MUST(state.slot_count >= 1 && state.slot_count <= PSN_SLOTS_MAX);
        for (size_t i = 0; i < state.slot_count; i++) {
            struct psn_kdf_cost cost = state.slots[i].cost;

            if (psn_kdf_check_cost(cost, NULL) == PSN_OK)
                MUST(cost.passes >= 3 && cost.memory_bytes >= UINT64_C(256) << 20);
        }
    }
    psn_buf_release(&box);
    return 0;
}
