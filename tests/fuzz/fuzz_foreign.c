#include <string.h>

#include "base/stream.h"
#include "base/text.h"
#include "crypto/init.h"
#include "fuzz/target.h"
#include "interop/foreign.h"

/* Exports of other password managers, one target a format: FUZZ_READER names it. */

static enum psn_code check(void *arg, const struct psn_foreign *entry,
                           struct psn_error *err)
{
    (void)err;
    MUST(psn_text_is_utf8(entry->title, strlen(entry->title)));
    MUST(psn_text_is_utf8(entry->note, strlen(entry->note)));
    MUST(entry->password[entry->password_size] == '\0');
    MUST(entry->field_count <= PSN_FOREIGN_FIELDS_MAX);
    return psn_foreign_list_add(arg, entry, err);
}

static enum psn_code count(void *arg, const struct psn_foreign *entry,
                           struct psn_error *err)
{
    (void)entry;
    (void)err;
    ++*(size_t *)arg;
    return PSN_OK;
}

static enum psn_code read_csv(const struct psn_source *source,
                              struct psn_foreign_list *list, struct psn_error *err)
{
    return psn_csv_read(source, NULL, 0, check, list, err);
}

static enum psn_code read_bitwarden(const struct psn_source *source,
                                    struct psn_foreign_list *list, struct psn_error *err)
{
    return psn_bitwarden_read(source, check, list, err);
}

static enum psn_code read_keepass(const struct psn_source *source,
                                  struct psn_foreign_list *list, struct psn_error *err)
{
    return psn_keepass_xml_read(source, check, list, err);
}

static const struct {
    const char *name;
    enum psn_code (*read)(const struct psn_source *source, struct psn_foreign_list *list,
                          struct psn_error *err);
} readers[] = {
    { "bitwarden_json", read_bitwarden },
    { "csv", read_csv },
    { "keepass_xml", read_keepass },
};

/* What is read can be kept, and comes back as often as it was kept. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_stream_memory memory = { .bytes = bytes, .size = size };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_foreign_list *list = NULL;
    struct psn_error err = { 0 };
    size_t told = 0;
    enum psn_code rc = PSN_OK;

    MUST(!psn_crypto_init(NULL));
    MUST(!psn_foreign_list_new(&list, NULL));
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (strcmp(readers[i].name, FUZZ_READER) == 0)
            rc = readers[i].read(&source, list, &err);
    MUST(rc == err.code);
    MUST(!psn_foreign_list_each(list, count, &told, NULL));
    MUST(told == psn_foreign_list_count(list));
    psn_foreign_list_free(list);
    return 0;
}
