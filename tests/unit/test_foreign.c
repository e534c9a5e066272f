#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/stream.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "interop/entry.h"
#include "interop/foreign.h"
#include "interop/pass_text.h"
#include "support/foreign_text.h"

/* CSV ----------------------------------------------------------------------------- */

static void csv_of_known_programs_needs_no_map(void **state)
{
    (void)state;
    foreign_expect(
        FOREIGN_CSV,
        "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,"
        "login_password,login_totp\nA,,login,S,,PIN: 1,0,https://x,u,p,JB\n",
        "g=A;t=S;u=u;p=p;w=https://x;o=JB;k=login;!PIN=1;\n");
    foreign_expect(FOREIGN_CSV,
                   "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\n"
                   "S,https://x,u,p,otpauth://totp/x,false,false,pro,n\n",
                   "t=S;u=u;p=p;w=https://x;n=n;o=otpauth://totp/x;Tags=pro;\n");
    foreign_expect(FOREIGN_CSV,
                   "\xef\xbb\xbf\"Group\";\"Title\";\"Username\";\"Password\"\r\n"
                   "\"a/b\";\"S\";\"u\";\"p\"\r\n",
                   "g=a/b;t=S;u=u;p=p;\n");
    foreign_expect(FOREIGN_CSV,
                   "\"Account\",\"Login Name\",\"Password\",\"Web Site\",\"Comments\"\n"
                   "\"S\",\"u\",\"a\\\"b\\\\\",\"\",\"\"\n",
                   "t=S;u=u;p=a\"b\\;\n");
}

static void csv_cells_hold_quotes_separators_and_lines(void **state)
{
    (void)state;
    foreign_expect(FOREIGN_CSV, "title,password,notes\n\"a\"\"b,c\",p,\"x\ny\"\n\n\nd,q",
                   "t=a\"b,c;p=p;n=x\ny;\nt=d;p=q;\n");
}

static void a_cr_alone_is_part_of_a_cell_unless_all_rows_end_so(void **state)
{
    (void)state;
    foreign_expect(FOREIGN_CSV, "title,user,password\r\nS,u,a\rb\r\nT,\r\r,\"c\rd\"\r\n",
                   "t=S;u=u;p=a\rb;\nt=T;u=\r\r;p=c\rd;\n");
    foreign_expect(FOREIGN_CSV, "password,title\n\ra\r,S\n\n\r\n,T\nb,U\r",
                   "t=S;p=\ra\r;\nt=T;\nt=U;p=b;\n");
    foreign_expect(FOREIGN_CSV, "title,password\rS,a\r\r,b\r\"T\",\"c\rd\"\r",
                   "t=S;p=a;\np=b;\nt=T;p=c\rd;\n");
    foreign_refuse(FOREIGN_CSV, "title,password\nS,\"a\"\rb\n", "line 2");
}

static void csv_takes_off_only_what_is_said_to_be_escaped(void **state)
{
    (void)state;
    foreign_expect(FOREIGN_CSV,
                   "Title,Password,Escaped\nS,'=1,Password\nT,'=1,\n'U,'''x,Password\n",
                   "t=S;p==1;\nt=T;p='=1;\nt='U;p=''x;\n");
}

static void csv_columns_can_be_mapped(void **state)
{
    static const struct psn_csv_column map[] = { { "compte", PSN_FOREIGN_TITLE },
                                                 { "Code", PSN_FOREIGN_PASSWORD },
                                                 { "PIN", PSN_FOREIGN_SECRET } };
    static const struct psn_csv_column wrong[] = { { "Kode", PSN_FOREIGN_PASSWORD } };
    static const char text[] = "Compte;Code;PIN;Autre\na;b;c;d\n";
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024);

    (void)state;
    assert_int_equal(foreign_read(FOREIGN_CSV, text, strlen(text), map, 3, &out, NULL),
                     PSN_OK);
    assert_string_equal(psn_buf_str(&out), "t=a;p=b;!PIN=c;Autre=d;\n");
    assert_int_equal(foreign_read(FOREIGN_CSV, text, strlen(text), wrong, 1, &out, NULL),
                     PSN_E_INVALID);
}

static void malformed_csv_is_refused_with_its_line(void **state)
{
    (void)state;
    foreign_refuse(FOREIGN_CSV, "", "empty");
    foreign_refuse(FOREIGN_CSV, "title,user\na,b\n", "no column");
    foreign_refuse(FOREIGN_CSV, "title,password\na,b\n\"c,d\n", "line 3");
    foreign_refuse(FOREIGN_CSV, "title,password\na,b,c\n", "line 2");
    foreign_refuse(FOREIGN_CSV, "title,password\n\"a\"b,c\n", "line 2");
}

static void text_that_is_none_is_a_problem_of_its_entry(void **state)
{
    (void)state;
    foreign_expect(FOREIGN_CSV, "title,password\na\x01,p\nb,q\n",
                   "p=p;problem;\nt=b;p=q;\n");
    foreign_expect(FOREIGN_CSV, "title,password\n\xff,p\n", "p=p;problem;\n");
}

static void an_entry_that_is_too_large_is_refused(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(1024 * 1024);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024);

    (void)state;
    psn_buf_text(&text, "title,password\na,");
    for (int i = 0; i < PSN_FOREIGN_ENTRY_MAX; i++)
        psn_buf_char(&text, 'x');
    assert_int_equal(
        foreign_read(FOREIGN_CSV, psn_buf_str(&text), text.size, NULL, 0, &out, NULL),
        PSN_E_LIMIT);
}

static void what_is_written_as_csv_is_read_as_the_same(void **state)
{
    static const char *const values[] = { "=1+1", "+x", "-x",      "@x",   "\tx",
                                          "\rx",  "'x", "''=x",    "a\"b", "a,b\nc",
                                          "p",    "x'", "Escaped", " =x" };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(1024 * 1024);
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024 * 1024);
        PSN_AUTO(psn_secret) *secret = NULL;
        struct psn_sink sink = psn_sink_buf(&file);
        struct psn_entry entry = { .group = values[i], .title = values[i], .id = { 1 } };
        char wanted[256];

        assert_int_equal(psn_secret_copy(values[i], strlen(values[i]), &secret, NULL),
                         PSN_OK);
        entry.password = secret;
        assert_int_equal(psn_csv_write(&entry, 1, &sink, NULL), PSN_OK);
        assert_null(strstr(psn_buf_str(&file), ",\"="));
        assert_int_equal(
            foreign_read(FOREIGN_CSV, psn_buf_str(&file), file.size, NULL, 0, &out, NULL),
            PSN_OK);
        (void)snprintf(wanted, sizeof wanted, "g=%s;t=%s;p=%s;\n", values[i], values[i],
                       values[i]);
        assert_string_equal(psn_buf_str(&out), wanted);
    }
}

static void fields_written_as_csv_are_no_notes_when_they_are_read(void **state)
{
    static const struct psn_entry_field fields[] = { { "IMAP", "imap.x 993 ssl" },
                                                     { PSN_ENTRY_FIELD_USED, "1 x" } };
    const struct psn_entry entry = {
        .title = "T", .note = "n", .fields = fields, .field_count = 2, .id = { 1 }
    };
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(1024 * 1024);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024);
    struct psn_sink sink = psn_sink_buf(&file);

    (void)state;
    assert_int_equal(psn_csv_write(&entry, 1, &sink, NULL), PSN_OK);
    assert_int_equal(
        foreign_read(FOREIGN_CSV, psn_buf_str(&file), file.size, NULL, 0, &out, NULL),
        PSN_OK);
    assert_string_equal(psn_buf_str(&out), "t=T;n=n;c=1 x;IMAP=imap.x 993 ssl;\n");
}

static void a_name_or_note_that_speaks_of_secrets_is_recognised(void **state)
{
    static const char *const secret[] = { "PIN",        "pin: 1234",           "Code PIN",
                                          "apiKey",     "mot de passe oublié", "cvc2",
                                          "la clé USB", "Question 1" };
    static const char *const open[] = { "",         "Agence",   "compte pro", "passage",
                                        "spinning", "keyboard", "encode",     "monkeys" };

    (void)state;
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        if (!psn_foreign_sounds_secret(secret[i]))
            fail_msg("%s", secret[i]);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (psn_foreign_sounds_secret(open[i]))
            fail_msg("%s", open[i]);
}

/* Bitwarden ------------------------------------------------------------------------ */

static void bitwarden_items_of_each_kind_are_read(void **state)
{
    (void)state;
    foreign_expect(
        FOREIGN_JSON,
        "{\"encrypted\":false,\"folders\":[{\"id\":\"f\",\"name\":\"F\"}],\"items\":["
        "{\"folderId\":\"f\",\"type\":1,\"name\":\"S\",\"notes\":\"n\",\"login\":{"
        "\"uris\":[{\"uri\":\"a\"},{\"uri\":\"b\"}],\"username\":\"u\",\"password\":"
        "\"\\u00e9\\ud83d\\ude00\",\"totp\":\"JB\"},\"fields\":[{\"name\":\"PIN\","
        "\"value\":\"1\",\"type\":1},{\"name\":\"L\",\"value\":null,\"type\":3}]},"
        "{\"type\":2,\"name\":\"N\",\"notes\":\"x\",\"secureNote\":{\"type\":0}},"
        "{\"type\":3,\"name\":\"C\",\"card\":{\"number\":\"4\",\"code\":\"9\"}},"
        "{\"type\":5,\"name\":\"K\",\"sshKey\":{\"privateKey\":\"k\"}},"
        "{\"type\":1,\"name\":\"gone\",\"deletedDate\":\"2026-01-01\"}]}",
        "g=F;t=S;u=u;p=é😀;w=a;n=n;o=JB;k=login;URL=b;!PIN=1;\n"
        "t=N;n=x;k=note;\nt=C;p=4;k=card;!code=9;\nt=K;p=k;k=ssh-key;\n");
}

/* Looked for one by one, the folders of so many items would take minutes. */
static void each_of_many_items_is_in_its_folder(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(64 * 1024 * 1024);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(64 * 1024 * 1024);

    (void)state;
    psn_buf_text(&text, "{\"folders\":[");
    for (int i = 0; i < 10000; i++)
        psn_buf_format(&text, "%s{\"id\":\"folder-with-a-long-name-%d\",\"name\":\"%d\"}",
                       i ? "," : "", i, i);
    psn_buf_text(&text, "],\"items\":[");
    for (int i = 0; i < 20000; i++)
        psn_buf_format(&text, "%s{\"folderId\":\"folder-with-a-long-name-%d\"}",
                       i ? "," : "", 9999 - i % 10000);
    psn_buf_text(&text, "]}");
    assert_int_equal(
        foreign_read(FOREIGN_JSON, psn_buf_str(&text), text.size, NULL, 0, &out, NULL),
        PSN_OK);
    assert_int_equal(strncmp(psn_buf_str(&out), "g=9999;\ng=9998;\n", 16), 0);
}

static void what_is_written_for_bitwarden_is_read_as_the_same(void **state)
{
    static const struct psn_entry_field fields[] = {
        { PSN_ENTRY_FIELD_USED, "2 2026-01-02T03:04:05Z" },
        { PSN_ENTRY_FIELD_OPEN_NOTE, "yes" },
    };
    PSN_AUTO(psn_secret) *secret = NULL;
    PSN_AUTO(psn_secret) *json = NULL;
    struct psn_entry entry = { .title = "T",
                               .note = "the code is on paper",
                               .id = { 1 },
                               .fields = fields,
                               .field_count = 2,
                               .expires = "2027-01-31",
                               .type = "recovery" };
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024);

    (void)state;
    assert_int_equal(psn_secret_copy("\xff\xfe", 2, &secret, NULL), PSN_OK);
    entry.password = secret;
    assert_int_equal(psn_bitwarden_write(&entry, 1, &json, NULL), PSN_OK);
    assert_int_equal(foreign_read(FOREIGN_JSON, (const char *)psn_secret_bytes(json),
                                  psn_secret_size(json), NULL, 0, &out, NULL),
                     PSN_OK);
    assert_string_equal(psn_buf_str(&out),
                        "t=T;p=\xff\xfe;n=the code is on paper;e=2027-01-31;k=recovery;"
                        "c=2 2026-01-02T03:04:05Z;open;\n");
}

static void hostile_json_is_refused_with_its_line(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"items\": [}",
        "{\"items\": [1]}",
        "{\"items\": [{\"name\": \"a\",}]}",
        "{\"items\": [{\"name\": \"\\ud800\"}]}",
        "{\"items\": [{\"name\": \"\\u0000\"}]}",
        "{\"items\": [{\"name\": \"\xff\"}]}",
        "{\"items\": [{\"name\": \"a\nb\"}]}",
        "{\"items\": []} x",
        "{\"items\": [], \"folders\": []}",
        "{\"encrypted\": true, \"items\": []}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "{\"x\": 01}",
        "{\"x\": tru",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        foreign_refuse(FOREIGN_JSON, bad[i], "line ");
}

/* Entries of pass ------------------------------------------------------------------ */

static void read_entry(const char *text, size_t size, struct psn_buf *out)
{
    struct psn_foreign_draft draft = psn_foreign_draft_init();

    psn_foreign_draft_begin(&draft, 0);
    psn_foreign_read_text(&draft, text, size);
    assert_int_equal(psn_foreign_draft_tell(&draft, foreign_write_down, out, NULL),
                     PSN_OK);
    psn_foreign_draft_release(&draft);
}

static void an_entry_of_pass_is_a_password_keys_and_text_that_stays_secret(void **state)
{
    static const char text[] = "p w\nLogin: bob\r\nurl: https://x\notpauth://totp/x\n"
                               "PIN: 12\nphone: 06\ncode: 34\n\nuser: in a note\n";
    static const char key[] = "-----BEGIN X-----\nabc\n-----END X-----\nuser: u\n";
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024);

    (void)state;
    read_entry(text, strlen(text), &out);
    read_entry(key, strlen(key), &out);
    read_entry("", 0, &out);
    assert_string_equal(
        psn_buf_str(&out),
        "u=bob;p=p w;w=https://x;n=phone: 06\n\nuser: in a note;"
        "o=otpauth://totp/x;sealed;!PIN=12;!code=34;\n"
        "u=u;p=-----BEGIN X-----\nabc\n-----END X-----;sealed;\nsealed;\n");
}

static void what_is_written_for_passage_is_read_as_the_same(void **state)
{
    static const char *const values[] = { "p",
                                          "a\nb",
                                          "x\r",
                                          "\n",
                                          "otpauth://totp/x",
                                          "-----BEGIN X-----\nabc\n-----END X-----",
                                          "-----BEGIN X-----\nabc",
                                          "\xff\xfe" };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(1024);
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024);
        PSN_AUTO(psn_secret) *secret = NULL;
        struct psn_entry entry = { .user = "u", .note = "user: x\n\ny" };
        char wanted[256];

        assert_int_equal(psn_secret_copy(values[i], strlen(values[i]), &secret, NULL),
                         PSN_OK);
        entry.password = secret;
        psn_pass_text_write(&entry, "T/1", &text);
        read_entry(psn_buf_str(&text), text.size, &out);
        (void)snprintf(wanted, sizeof wanted, "t=T/1;u=u;p=%s;n=user: x\n\ny;open;\n",
                       values[i]);
        assert_string_equal(psn_buf_str(&out), wanted);
    }
}

/* The list -------------------------------------------------------------------------- */

static void a_list_gives_back_what_was_kept(void **state)
{
    const struct psn_foreign_field fields[] = { { "PIN", "1", true, false },
                                                { "A", "b", false, false } };
    const struct psn_foreign entry = { .line = 3,
                                       .group = "g",
                                       .title = "t",
                                       .user = "u",
                                       .password = "a\0b",
                                       .password_size = 3,
                                       .url = "",
                                       .note = "n",
                                       .totp = "",
                                       .expires = "",
                                       .type = "k",
                                       .used = "1 x",
                                       .problem = "",
                                       .note_kind = PSN_FOREIGN_NOTE_SECRET,
                                       .fields = fields,
                                       .field_count = 2 };
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(64 * 1024 * 1024);
    struct psn_foreign_list *list = NULL;

    (void)state;
    assert_int_equal(psn_foreign_list_new(&list, NULL), PSN_OK);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(psn_foreign_list_add(list, &entry, NULL), PSN_OK);
    assert_int_equal(psn_foreign_list_count(list), 10000);
    assert_int_equal(psn_foreign_list_each(list, foreign_write_down, &out, NULL), PSN_OK);
    assert_int_equal(strncmp(psn_buf_str(&out),
                             "g=g;t=t;u=u;p=a;n=n;k=k;c=1 x;sealed;!PIN=1;A=b;\n", 49),
                     0);
    assert_int_equal(out.size % 10000, 0);
    psn_foreign_list_free(list);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) ? -1 : 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_of_known_programs_needs_no_map),
        cmocka_unit_test(csv_cells_hold_quotes_separators_and_lines),
        cmocka_unit_test(a_cr_alone_is_part_of_a_cell_unless_all_rows_end_so),
        cmocka_unit_test(csv_takes_off_only_what_is_said_to_be_escaped),
        cmocka_unit_test(csv_columns_can_be_mapped),
        cmocka_unit_test(malformed_csv_is_refused_with_its_line),
        cmocka_unit_test(text_that_is_none_is_a_problem_of_its_entry),
        cmocka_unit_test(an_entry_that_is_too_large_is_refused),
        cmocka_unit_test(what_is_written_as_csv_is_read_as_the_same),
        cmocka_unit_test(bitwarden_items_of_each_kind_are_read),
        cmocka_unit_test(hostile_json_is_refused_with_its_line),
        cmocka_unit_test(an_entry_of_pass_is_a_password_keys_and_text_that_stays_secret),
        cmocka_unit_test(what_is_written_for_passage_is_read_as_the_same),
        cmocka_unit_test(each_of_many_items_is_in_its_folder),
        cmocka_unit_test(what_is_written_for_bitwarden_is_read_as_the_same),
        cmocka_unit_test(fields_written_as_csv_are_no_notes_when_they_are_read),
        cmocka_unit_test(a_name_or_note_that_speaks_of_secrets_is_recognised),
        cmocka_unit_test(a_list_gives_back_what_was_kept),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
