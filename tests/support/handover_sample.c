/* Prints a document of a handover, for a browser and for eyes:
 *     handover_sample pv|final|end page|text|json [hostile]
 * The French catalogue is looked for in PASSATION_TEST_LOCALE. */
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/handover_pv.h"
#include "cli/locale.h"
#include "support/handover_facts.h"

static enum psn_code write_pv(struct psn_handover_facts *facts, const char *form,
                              struct psn_buf *out)
{
    struct cli_json json = cli_json_init();
    enum psn_code rc = PSN_OK;

    if (strcmp(form, "page") == 0) {
        rc = cli_handover_pv_page(facts, out, NULL);
    } else if (strcmp(form, "text") == 0) {
        rc = cli_handover_pv_text(facts, out, NULL);
    } else {
        cli_handover_pv_json(facts, &json);
        psn_buf_bytes(out, json.text.data, json.text.size);
    }
    cli_json_release(&json);
    return rc;
}

static enum psn_code write_end(const struct psn_handover_end *end, const char *form,
                               struct psn_buf *out)
{
    struct cli_json json = cli_json_init();
    enum psn_code rc = PSN_OK;

    if (strcmp(form, "page") == 0) {
        rc = cli_handover_end_page(end, out, NULL);
    } else if (strcmp(form, "text") == 0) {
        rc = cli_handover_end_text(end, out, NULL);
    } else {
        cli_handover_end_json(end, &json);
        psn_buf_bytes(out, json.text.data, json.text.size);
    }
    cli_json_release(&json);
    return rc;
}

int main(int argc, char **argv)
{
    struct psn_buf out = psn_buf_init(16 << 20);
    const char *folder = getenv("PASSATION_TEST_LOCALE");
    bool hostile = argc > 3;
    struct psn_handover_facts *facts = test_handover_facts(hostile);
    struct psn_handover_end end = test_handover_end(hostile);
    enum psn_code rc;

    if (argc < 3)
        return 2;
    cli_locale_init();
    if (folder)
        (void)bindtextdomain(PSN_TEXT_DOMAIN, folder);
    facts->final = strcmp(argv[1], "final") == 0;
    if (facts->final) {
        facts->handover.issued_s = facts->now_s - 86400;
        facts->handover.compared_s = facts->now_s - 86000;
        facts->handover.confirmed_s = facts->now_s - 3600;
        facts->handover.keys_gone_s = facts->now_s - 60;
    }
    rc = strcmp(argv[1], "end") == 0 ? write_end(&end, argv[2], &out)
                                     : write_pv(facts, argv[2], &out);
    if (!rc && fwrite(out.data, 1, out.size, stdout) != out.size)
        rc = PSN_E_IO;
    psn_buf_release(&out);
    test_handover_facts_free(facts);
    return rc ? 1 : 0;
}
