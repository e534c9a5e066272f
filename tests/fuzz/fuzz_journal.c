#include <string.h>

#include "core/chain.h"
#include "crypto/init.h"
#include "fuzz/target.h"

enum {
    SALT_SIZE = 16,
};

static bool is_text(const char *text, size_t size)
{
    return strnlen(text, size) < size;
}

static void check_texts(const struct psn_journal_entry *entry)
{
    MUST(is_text(entry->actor, sizeof entry->actor) &&
         is_text(entry->event, sizeof entry->event) &&
         is_text(entry->subject, sizeof entry->subject) &&
         is_text(entry->label, sizeof entry->label) &&
         is_text(entry->text, sizeof entry->text));
}

/* What an entry of the journal holds once its box is open. An entry that is read can be
 * shredded, and then still says when it was, who did it and what kind it is. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct psn_chain chain = { .client = "martin" };
    struct psn_store_entry row = { .number = 7 };
    struct psn_chain_box box = psn_chain_box_init();
    struct psn_chain_box left = psn_chain_box_init();
    struct psn_journal_entry entry;
    struct psn_journal_entry again;

    MUST(!psn_crypto_init(NULL));
    (void)psn_buf_reserve(&box.salted, SALT_SIZE);
    psn_buf_bytes(&box.salted, bytes, size);
    if (!psn_buf_check(&box.salted, NULL) &&
        !psn_chain_decode(&chain, &row, &box, &entry, NULL)) {
        check_texts(&entry);
        MUST(entry.number == 7 && strcmp(entry.chain, "martin") == 0);
        MUST(!psn_chain_shred(&entry, entry.subject, &left, NULL));
        MUST(!psn_chain_decode(&chain, &row, &left, &again, NULL));
        MUST(again.is_shredded && again.time_s == entry.time_s);
        MUST(strcmp(again.actor, entry.actor) == 0 &&
             strcmp(again.event, entry.event) == 0 &&
             strcmp(again.subject, entry.subject) == 0);
        MUST(!again.label[0] && !again.text[0] && !again.version);
    }
    psn_chain_box_release(&box);
    psn_chain_box_release(&left);
    return 0;
}
