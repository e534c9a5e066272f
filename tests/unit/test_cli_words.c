#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/due_list.h"
#include "cli/handover_words.h"

/* What the program's words tell: each has words of its own. */

enum {
    WORDS_MAX = 64,
};

static struct words {
    const char *items[WORDS_MAX];
    size_t count;
} words;

static void begin(void)
{
    words.count = 0;
}

/* It says something, and nothing that another one says. */
static void take(const char *text)
{
    assert_true(text[0] != '\0');
    assert_true(words.count < WORDS_MAX);
    for (size_t i = 0; i < words.count; i++)
        assert_string_not_equal(words.items[i], text);
    words.items[words.count++] = text;
}

/* --- what is due --- */

static void all_that_is_due_has_words_and_a_command(void **state)
{
    static const struct {
        enum psn_due_kind kind;
        const char *command;
        bool needs_person;
    } rows[] = {
        { PSN_DUE_GRANT, "revoke jp a@b.fr", false },
        { PSN_DUE_ROTATE, "rotate a@b.fr", false },
        { PSN_DUE_SECRET, "secret set a@b.fr ftp", true },
        { PSN_DUE_ISSUE, "outbox jp", false },
        { PSN_DUE_RESUME, "resume a@b.fr", false },
        { PSN_DUE_ENVELOPE, "envelope update acme", false },
        { PSN_DUE_DEPARTURE, "resume", false },
        { PSN_DUE_RESTORED, "outbox --judged", true },
        { PSN_DUE_LEAVER, "depart jp", true },
        { PSN_DUE_ENVELOPE_LEFT, "envelope end acme", true },
        { PSN_DUE_ENVELOPE_REMADE, "envelope create acme --to jp", true },
        { PSN_DUE_HANDOVER, "handover status acme", false },
        { PSN_DUE_OUTSIDE, "rotate a@b.fr", true },
        { PSN_DUE_VANISHED, "role rm a@b.fr", true },
        { PSN_DUE_MOVED, "verify a@b.fr", false },
        { PSN_DUE_APPEARED, "role adopt a@b.fr", true },
        { PSN_DUE_ACCESS, "sweep acme --keep api_key:7", true },
        { PSN_DUE_UNJUDGED, "sweep acme", false },
    };
    static char shown[sizeof rows / sizeof *rows][CLI_DUE_KIND_MAX];

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct psn_due due = { .kind = rows[i].kind,
                                     .person = "jp",
                                     .address = "a@b.fr",
                                     .client = "acme",
                                     .label = "ftp",
                                     .access = "api_key:7",
                                     .count = 3 };
        struct cli_due_command command;
        char line[128] = "";

        take(cli_due_kind_shown(&due, shown[i]));
        cli_due_command(&due, &command);
        for (size_t j = 0, at = 0; j < command.count; j++)
            at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", j ? " " : "",
                                   command.words[j]);
        assert_string_equal(line, rows[i].command);
        assert_int_equal(command.needs_person, rows[i].needs_person);
    }
}

static void what_is_due_of_a_mailbox_tells_which_secret(void **state)
{
    (void)state;
    assert_string_equal(
        cli_due_secret_shown(&(struct psn_due){ .kind = PSN_DUE_ACCESS, .access = "x" }),
        "x");
    assert_string_equal(
        cli_due_secret_shown(&(struct psn_due){ .kind = PSN_DUE_SECRET, .label = "ftp" }),
        "ftp");
    assert_string_equal(
        cli_due_secret_shown(&(struct psn_due){ .kind = PSN_DUE_OUTSIDE }), "password");
    assert_string_equal(cli_due_secret_shown(&(struct psn_due){ .kind = PSN_DUE_ROTATE }),
                        "password");
    assert_string_equal(cli_due_secret_shown(&(struct psn_due){ .kind = PSN_DUE_LEAVER }),
                        "-");
}

/* --- handovers --- */

static void modes_and_stages_of_a_handover_have_words(void **state)
{
    (void)state;
    begin();
    for (int mode = PSN_HANDOVER_OPEN; mode <= PSN_HANDOVER_LAST; mode++)
        take(cli_handover_mode_text((enum psn_handover_mode)mode));
    begin();
    for (int stage = 0; stage < PSN_HANDOVER_STAGES; stage++)
        take(cli_handover_stage_text((enum psn_handover_stage)stage));
    assert_true(cli_handover_stage_text(PSN_HANDOVER_STAGES) != NULL);
}

static void who_must_act_is_named(void **state)
{
    static const enum psn_handover_who all[] = { PSN_WHO_US, PSN_WHO_CLIENT, PSN_WHO_OVH,
                                                 PSN_WHO_OTHER };

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        static struct psn_handover_blocker blocker = { .account = "xx000000-ovh" };

        blocker.who = all[i];
        take(cli_handover_who_text(&blocker));
    }
}

static void contacts_are_told_by_their_roles(void **state)
{
    static const struct {
        bool admin, tech, billing;
        const char *text;
    } rows[] = {
        { false, false, false, "" },
        { true, false, false, "administrator contact" },
        { false, true, true, "technical contact, billing contact" },
        { true, true, true, "administrator contact, technical contact, billing contact" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(256);

        cli_handover_contact_roles(rows[i].admin, rows[i].tech, rows[i].billing, &text);
        assert_string_equal(text.size ? psn_buf_str(&text) : "", rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_due_has_words_and_a_command),
        cmocka_unit_test(what_is_due_of_a_mailbox_tells_which_secret),
        cmocka_unit_test(modes_and_stages_of_a_handover_have_words),
        cmocka_unit_test(who_must_act_is_named),
        cmocka_unit_test(contacts_are_told_by_their_roles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
