#include <libintl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/display.h"
#include "cli/handover_pv.h"
#include "cli/handover_words.h"
#include "cli/locale.h"
#include "cli/until.h"
#include "support/handover_facts.h"

/* Helpers ------------------------------------------------------------------------ */

enum {
    OUT_MAX = 16 << 20,
};

/* The user's language is what the environment says; the catalogue is the build's. */
static void speak(const char *locale)
{
    assert_int_equal(setenv("LC_ALL", locale, 1), 0);
    cli_locale_init();
    assert_non_null(bindtextdomain(PSN_TEXT_DOMAIN, PSN_TEST_LOCALE));
}

typedef enum psn_code write_fn(const struct psn_handover_facts *facts,
                               struct psn_buf *out, struct psn_error *err);

static struct psn_buf written(write_fn *write, bool hostile)
{
    struct psn_buf out = psn_buf_init(OUT_MAX);
    struct psn_handover_facts *facts = test_handover_facts(hostile);

    assert_int_equal(write(facts, &out, NULL), PSN_OK);
    test_handover_facts_free(facts);
    return out;
}

static void assert_has(const struct psn_buf *text, const char *part)
{
    if (!strstr(psn_buf_str(text), part))
        fail_msg("'%s' is missing", part);
}

static void assert_has_not(const struct psn_buf *text, const char *part)
{
    if (strstr(psn_buf_str(text), part))
        fail_msg("'%s' is there", part);
}

/* Each after the one before. */
static void assert_in_order(const struct psn_buf *text, const char *const *parts,
                            size_t count)
{
    const char *at = psn_buf_str(text);

    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(at, parts[i]);

        if (!found)
            fail_msg("'%s' is missing, or not in its place", parts[i]);
        else
            at = found + strlen(parts[i]);
    }
}

static void assert_plain(const struct psn_buf *text)
{
    const char *at = psn_buf_str(text);

    while (*at) {
        size_t size = strcspn(at, "\n");

        if (!psn_text_is_plain(at, size))
            fail_msg("a line is not plain: %.*s", (int)size, at);
        at += size + (at[size] == '\n');
    }
}

/* The texts ---------------------------------------------------------------------- */

static const char *const french[] = {
    "Procès-verbal de remise des accès",
    ("Ce procès-verbal constate la remise des accès et ne vaut pas recette de la "
     "prestation."),
    "1. Parties et contrat",
    "2. Date, fuseau, lieu ou canal",
    "3. Personne qui reçoit, et comment son identité a été vérifiée",
    "4. Accès remis",
    "5. Ce qui n’est pas remis, et réserves",
    "6. Accès persistants trouvés, et ce qu’il en est advenu",
    "7. Accès conservés après ce jour, et jusqu’à quand",
    "8. Destruction de nos copies",
    "9. Opérations en cours et échéances",
    "10. Recommandation\xc2\xa0: changer soi-même les mots de passe",
    "11. Fichiers remis et leurs empreintes",
    "12. Signatures",
};

static const char *const english[] = {
    "Annex: record of the handover of accesses",
    "1. Parties and contract",
    "2. Date, time zone, place or channel",
    "3. The person who receives, and how their identity was checked",
    "4. Accesses handed over",
    "5. What is not handed over, and reserves",
    "6. Lasting accesses that were found, and what became of them",
    "7. Accesses kept after this day, and until when",
    "8. Destruction of our copies",
    "9. Operations under way, and due dates",
    "10. Recommendation: change the passwords yourself",
    "11. Files handed over, and their fingerprints",
    "12. Signatures",
};

static void both_languages_come_out_whatever_the_users_is(void **state)
{
    static const char *const locales[] = { "C", "C.UTF-8", "fr_FR.UTF-8", "en_US.UTF-8",
                                           "de_DE.UTF-8" };
    enum {
        FRENCH = sizeof french / sizeof *french,
        ENGLISH = sizeof english / sizeof *english,
    };
    const char *parts[FRENCH + ENGLISH];
    write_fn *const writes[] = { cli_handover_pv_text, cli_handover_pv_page };

    (void)state;
    memcpy(parts, french, sizeof french);
    memcpy(parts + FRENCH, english, sizeof english);
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++)
        for (size_t j = 0; j < 2; j++) {
            struct psn_buf text;

            speak(locales[i]);
            text = written(writes[j], false);
            assert_in_order(&text, parts, FRENCH + ENGLISH);
            psn_buf_release(&text);
        }
}

static void the_users_language_comes_back(void **state)
{
    struct psn_buf text;

    (void)state;
    speak("fr_FR.UTF-8");
    text = written(cli_handover_pv_text, false);
    psn_buf_release(&text);
    assert_string_equal(cli_language(), "fr");
    assert_string_equal(_("New passwords"), "Nouveaux mots de passe");
    speak("C");
    text = written(cli_handover_pv_text, false);
    psn_buf_release(&text);
    assert_string_equal(cli_language(), "en");
    assert_string_equal(_("New passwords"), "New passwords");
}

static void a_language_holds_until_it_is_given_back(void **state)
{
    (void)state;
    speak("C");
    for (size_t i = 0; i < 3; i++) {
        cli_locale_use("fr");
        assert_string_equal(_("New passwords"), "Nouveaux mots de passe");
        assert_string_equal(cli_language(), "fr");
        cli_locale_use("en");
        assert_string_equal(_("New passwords"), "New passwords");
        assert_string_equal(cli_language(), "en");
        cli_locale_back();
        assert_string_equal(_("New passwords"), "New passwords");
    }
}

static void dates_are_those_of_paris_and_in_the_texts_form(void **state)
{
    struct psn_buf text;

    (void)state;
    speak("C");
    text = written(cli_handover_pv_text, false);
    assert_has(&text, "29/11/2026\xc2\xa0"
                      "02:57\xc2\xa0+01");
    assert_has(&text, "2026-11-29 02:57 +01");
    assert_has(&text, "31/12/2026");
    assert_has(&text,
               "Europe/Paris, pour toutes les heures de ce procès-verbal (UTC+1 à");
    assert_has(&text, "1\xc2\xa0"
                      "204"); /* of the journal */
    psn_buf_release(&text);
}

static void one_and_many_are_told_apart(void **state)
{
    struct psn_handover_facts *facts = test_handover_facts(false);
    size_t count = facts->secret_count;
    struct psn_buf out = psn_buf_init(OUT_MAX);

    (void)state;
    speak("C");
    facts->secret_count = 1;
    assert_int_equal(cli_handover_pv_text(facts, &out, NULL), PSN_OK);
    assert_has(&out, "contient 1 secret, chiffré\xc2\xa0;");
    assert_has(&out, "holds 1 secret, encrypted");
    psn_buf_reset(&out);
    facts->secret_count = count;
    assert_int_equal(cli_handover_pv_text(facts, &out, NULL), PSN_OK);
    assert_has(&out, "contient 8 secrets, chiffrés\xc2\xa0;");
    assert_has(&out, "holds 8 secrets, encrypted");
    psn_buf_release(&out);
    test_handover_facts_free(facts);
}

static void what_matters_is_told(void **state)
{
    struct psn_buf text;

    (void)state;
    speak("C");
    text = written(cli_handover_pv_text, false);
    assert_has(&text, "technique@boulangerie-durand.fr");
    assert_has(&text, "tâche 812345671");
    assert_has(&text, "le paiement");       /* a reserve … */
    assert_has(&text, "pas encore validé"); /* … and why */
    assert_has(&text, "sav@durand-pains.fr");
    assert_has(&text, "plus trouvé le 27/11/2026");
    assert_has(&text, "RGPD");
    assert_has(&text, "avant le 05/12/2026\xc2\xa0"
                      "02:57\xc2\xa0+01"); /* a contact's end */
    assert_has(&text,
               "minisign -V -P RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7"
               "GFO3 -m FICHIER");
    assert_has(&text, "-I nadia -n passation-file");
    assert_has_not(&text, "no-access@"); /* a mailbox is no access */
    assert_has_not(&text, "conformité");
    psn_buf_release(&text);
}

static void nothing_is_made_up_where_nothing_is_known(void **state)
{
    struct psn_handover_facts *facts = test_handover_facts(false);
    struct psn_handover none = { .client = "x" };
    struct psn_buf out = psn_buf_init(OUT_MAX);
    struct psn_handover_blocker *blockers = facts->handover.blockers;

    (void)state;
    speak("C");
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++)
        none.items[i].mode = PSN_HANDOVER_NONE;
    facts->handover = none;
    facts->secret_count = facts->access_count = facts->stay_count = 0;
    facts->contact_count = facts->date_count = facts->file_count = facts->head_count = 0;
    assert_int_equal(cli_handover_pv_text(facts, &out, NULL), PSN_OK);
    assert_has(&out, "Identité vérifiée par\xc2\xa0: ____");
    assert_has(&out, "Contrat\xc2\xa0: ____");
    assert_has(&out, "Le trousseau ne contient aucun secret.");
    assert_has(&out, "Le prestataire n’émet aucune réserve");
    psn_buf_reset(&out);
    assert_int_equal(cli_handover_pv_page(facts, &out, NULL), PSN_OK);
    psn_buf_release(&out);
    facts->handover.blockers = blockers;
    test_handover_facts_free(facts);
}

/* Hostile texts ------------------------------------------------------------------ */

static void texts_from_elsewhere_are_only_text(void **state)
{
    struct psn_buf text;

    (void)state;
    speak("C");
    text = written(cli_handover_pv_text, true);
    assert_plain(&text);
    psn_buf_release(&text);
    text = written(cli_handover_pv_page, true);
    assert_plain(&text);
    assert_has_not(&text, "<script");
    assert_has_not(&text, "' </style>*/");
    assert_has(&text, "&lt;script&gt;");
    psn_buf_release(&text);
}

static void a_command_to_paste_stays_one_command(void **state)
{
    struct psn_handover_blocker blocker = { .block = PSN_BLOCKER_KNOWN,
                                            .address = "a@b.fr",
                                            .label = "x'; rm -rf ~; '" };
    struct psn_buf out = psn_buf_init(OUT_MAX);

    (void)state;
    speak("C");
    cli_handover_blocker_text(&blocker, "durand", &out);
    assert_has(&out, "passation secret set a@b.fr 'x'\\''; rm -rf ~; '\\'''");
    psn_buf_release(&out);
}

/* Words -------------------------------------------------------------------------- */

static void every_blocker_says_what_to_do(void **state)
{
    struct psn_handover_facts *facts = test_handover_facts(false);

    (void)state;
    speak("C");
    for (size_t i = 0; i < facts->handover.blocker_count; i++) {
        struct psn_buf out = psn_buf_init(OUT_MAX);

        cli_handover_blocker_text(&facts->handover.blockers[i], facts->client.id, &out);
        assert_has(&out, " → ");
        assert_has(&out, " passation ");
        assert_true(cli_handover_who_text(&facts->handover.blockers[i])[0] != '\0');
        psn_buf_release(&out);
    }
    test_handover_facts_free(facts);
}

static void every_mode_and_stage_has_words_of_its_own(void **state)
{
    (void)state;
    speak("C");
    for (int i = PSN_HANDOVER_OPEN; i <= PSN_HANDOVER_RESERVE; i++)
        for (int j = PSN_HANDOVER_OPEN; j < i; j++)
            assert_string_not_equal(cli_handover_mode_text((enum psn_handover_mode)i),
                                    cli_handover_mode_text((enum psn_handover_mode)j));
    for (int i = 0; i < PSN_HANDOVER_STAGES; i++)
        assert_string_not_equal(cli_handover_stage_text((enum psn_handover_stage)i),
                                psn_handover_stage_name((enum psn_handover_stage)i));
}

/* JSON --------------------------------------------------------------------------- */

static json_t *read_back(const struct cli_json *json)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)json->text.data, json->text.size,
                              JSON_REJECT_DUPLICATES, &error);

    if (!root)
        fail_msg("%s in %s", error.text, psn_buf_str(&json->text));
    return root;
}

static void json_tells_all_of_it(void **state)
{
    static const char *const lists[] = { "secrets", "items",    "blockers", "accesses",
                                         "stay",    "contacts", "dates",    "files",
                                         "journal", "domains" };

    (void)state;
    speak("fr_FR.UTF-8");
    for (size_t hostile = 0; hostile < 2; hostile++) {
        struct psn_handover_facts *facts = test_handover_facts(hostile);
        struct cli_json json = cli_json_init();
        json_t *root;

        cli_handover_pv_json(facts, &json);
        assert_plain(&json.text);
        root = read_back(&json);
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            assert_true(json_array_size(json_object_get(root, lists[i])) > 0);
        assert_string_equal(json_string_value(json_object_get(root, "made_at")),
                            "2026-11-29T01:57:00Z");
        assert_string_equal(
            json_string_value(json_object_get(
                json_array_get(json_object_get(root, "secrets"), 0), "fingerprint")),
            facts->secrets[0].fingerprint);
        json_decref(root);
        cli_json_release(&json);
        test_handover_facts_free(facts);
    }
}

/* The closing statement ---------------------------------------------------------- */

static void the_end_is_stated_in_both_languages(void **state)
{
    static const char *const parts[] = {
        "Attestation de destruction des copies",
        "Le prestataire",
        "Le client",
        "boulangerie-durand",
        ("30/11/2026\xc2\xa0"
         "02:57\xc2\xa0+01"),
        "Ce que cette attestation ne peut pas savoir",
        "RGPD",
        "Annex: statement of the destruction of copies",
        "2026-11-30 02:57 +01",
        "What this statement cannot know",
    };

    (void)state;
    for (size_t hostile = 0; hostile < 2; hostile++) {
        struct psn_handover_end end = test_handover_end(hostile);
        struct psn_buf out = psn_buf_init(OUT_MAX);
        struct cli_json json = cli_json_init();
        json_t *root;

        speak("C");
        assert_int_equal(cli_handover_end_text(&end, &out, NULL), PSN_OK);
        assert_in_order(&out, parts, sizeof parts / sizeof *parts);
        assert_plain(&out);
        psn_buf_reset(&out);
        assert_int_equal(cli_handover_end_page(&end, &out, NULL), PSN_OK);
        assert_in_order(&out, parts, sizeof parts / sizeof *parts);
        assert_plain(&out);
        assert_has_not(&out, "<script");
        psn_buf_release(&out);
        cli_handover_end_json(&end, &json);
        root = read_back(&json);
        assert_int_equal(json_is_string(json_object_get(root, "statement_sha256")),
                         !hostile);
        json_decref(root);
        cli_json_release(&json);
    }
}

static struct psn_buf text_of(struct psn_handover_facts *facts)
{
    struct psn_buf out = psn_buf_init(OUT_MAX);

    assert_int_equal(cli_handover_pv_text(facts, &out, NULL), PSN_OK);
    return out;
}

static void only_what_vanished_by_itself_is_called_gone(void **state)
{
    struct psn_handover_facts *facts = test_handover_facts(false);
    struct psn_access *removed = &facts->accesses[1];
    struct psn_access *replaced = &facts->accesses[2];
    struct psn_buf text;

    (void)state;
    removed->state = replaced->state = PSN_ACCESS_GONE;
    removed->gone_s = replaced->gone_s = removed->ordered_s = facts->now_s;
    removed->task = 48213;
    replaced->ordered_s = facts->now_s;
    replaced->task = 91840234;
    facts->contacts[1].tech = true;
    text = text_of(facts);
    assert_has(&text, "disparu");
    assert_has(&text, "fermé par le prestataire");
    assert_has(&text, "demande OVHcloud 48213");
    assert_has(&text, "demande OVHcloud 91840234");
    assert_has(&text, "closed by the provider");
    assert_has(&text, "contact technique");
    psn_buf_release(&text);
    test_handover_facts_free(facts);
}

static void a_change_of_contact_is_told_in_words_and_with_its_end(void **state)
{
    struct psn_buf text = written(cli_handover_pv_text, false);

    (void)state;
    assert_has(&text, "demandé\xc2\xa0; les deux parties doivent accepter");
    assert_has_not(&text, "waiting");
    psn_buf_release(&text);
}

static void the_final_version_says_what_the_passwords_are_worth(void **state)
{
    struct psn_handover_facts *facts = test_handover_facts(false);
    struct psn_buf text = text_of(facts);

    (void)state;
    assert_has(&text, "jusqu’au changement du secret"); /* he has seen it, no more */
    assert_has_not(&text, "refusé deux fois");
    psn_buf_release(&text);
    facts->final = true;
    facts->stay_count = 0;
    facts->secrets[0].is_refused = true;
    text = text_of(facts);
    assert_has(&text,
               "Pour 1 boîte, le mot de passe remis a depuis été refusé deux fois");
    assert_has(&text, "Of 1 mailbox, the password that was handed over has since");
    assert_has(&text, "La clôture met fin à tous les accès");
    assert_has(&text, "Aucun\xc2\xa0: personne d’autre que le client");
    psn_buf_release(&text);
    test_handover_facts_free(facts);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_languages_come_out_whatever_the_users_is),
        cmocka_unit_test(the_users_language_comes_back),
        cmocka_unit_test(a_language_holds_until_it_is_given_back),
        cmocka_unit_test(dates_are_those_of_paris_and_in_the_texts_form),
        cmocka_unit_test(one_and_many_are_told_apart),
        cmocka_unit_test(what_matters_is_told),
        cmocka_unit_test(nothing_is_made_up_where_nothing_is_known),
        cmocka_unit_test(texts_from_elsewhere_are_only_text),
        cmocka_unit_test(a_command_to_paste_stays_one_command),
        cmocka_unit_test(every_blocker_says_what_to_do),
        cmocka_unit_test(every_mode_and_stage_has_words_of_its_own),
        cmocka_unit_test(json_tells_all_of_it),
        cmocka_unit_test(only_what_vanished_by_itself_is_called_gone),
        cmocka_unit_test(a_change_of_contact_is_told_in_words_and_with_its_end),
        cmocka_unit_test(the_final_version_says_what_the_passwords_are_worth),
        cmocka_unit_test(the_end_is_stated_in_both_languages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
