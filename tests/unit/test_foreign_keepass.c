#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/stream.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "interop/totp.h"
#include "support/foreign_text.h"
#include "support/tmpdir.h"

/* KeePass XML --------------------------------------------------------------------- */

#define HEAD                                                                \
    "<KeePassFile><Meta><RecycleBinUUID>BIN=</RecycleBinUUID></Meta><Root>" \
    "<Group><UUID>A=</UUID><Name>Root</Name>"
#define TAIL "</Group></Root></KeePassFile>"

static void keepass_xml_is_read_with_folders_and_hidden_fields(void **state)
{
    static const char text[] =
        HEAD "<Group><UUID>B=</UUID><Name>Clients</Name><Group><Name>M</Name><Entry>"
             "<Times><ExpiryTime>2027-01-31T10:00:00Z</ExpiryTime>"
             "<Expires>True</Expires></Times>"
             "<String><Key>Title</Key><Value>S &amp; T</Value></String>"
             "<String><Key>Password</Key><Value>p</Value></String>"
             "<String><Key>PIN</Key><Value ProtectInMemory=\"True\">1</Value></String>"
             "<String><Key>Agence</Key><Value>Lyon</Value></String>"
             "<String><Key>otp</Key><Value>otpauth://totp/x</Value></String>"
             "<History><Entry><String><Key>Title</Key><Value>old</Value></String></Entry>"
             "</History></Entry></Group></Group>" TAIL;

    (void)state;
    foreign_expect(
        FOREIGN_XML, text,
        "g=Clients/M;t=S & T;p=p;o=otpauth://totp/x;e=2027-01-31;!PIN=1;Agence=Lyon;\n");
}

static void what_is_in_the_recycle_bin_stays_there(void **state)
{
    static const char text[] =
        HEAD "<Group><UUID>BIN=</UUID><Name>Bin</Name>"
             "<Entry><String><Key>Title</Key><Value>gone</Value></String></Entry>"
             "<Group><Name>X</Name>"
             "<Entry><String><Key>Title</Key><Value>gone</Value></String></Entry>"
             "</Group></Group>"
             "<Entry><String><Key>Title</Key><Value>here</Value></String></Entry>" TAIL;

    (void)state;
    foreign_expect(FOREIGN_XML, text, "t=here;\n");
}

#define ENTRY_OF(strings)                                                   \
    HEAD "<Entry><String><Key>Title</Key><Value>S</Value></String>" strings \
         "</Entry>" TAIL
#define STRING_OF(key, value)                                                       \
    "<String><Key>" key "</Key><Value ProtectInMemory=\"True\">" value "</Value></" \
    "String>"

/* The code that an entry's one-time secret makes at a time. */
struct code_of {
    int64_t time_s;
    char code[16];
};

static enum psn_code take_code(void *arg, const struct psn_foreign *entry,
                               struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    PSN_AUTO(psn_secret) *code = NULL;
    struct psn_totp totp = { 0 };
    struct code_of *of = arg;

    assert_int_equal(psn_secret_copy(entry->totp, strlen(entry->totp), &value, err), 0);
    if (psn_totp_parse(value, &totp, err))
        fail_msg("%s", entry->totp);
    assert_int_equal(psn_totp_code(&totp, of->time_s, &code, err), PSN_OK);
    (void)snprintf(of->code, sizeof of->code, "%s", (const char *)psn_secret_bytes(code));
    psn_totp_release(&totp);
    return PSN_OK;
}

static void expect_code(const char *xml, int64_t time_s, const char *wanted)
{
    struct psn_stream_memory memory = { .bytes = xml, .size = strlen(xml) };
    struct psn_source source = psn_source_memory(&memory);
    struct code_of of = { .time_s = time_s };

    assert_int_equal(psn_keepass_xml_read(&source, take_code, &of, NULL), PSN_OK);
    assert_string_equal(of.code, wanted);
}

/* The vectors are those of RFC 6238, appendix B. */
static void one_time_codes_of_keepass_stay_the_same_codes(void **state)
{
    (void)state;
    expect_code(ENTRY_OF(STRING_OF("TimeOtp-Secret", "12345678901234567890")
                             STRING_OF("TimeOtp-Length", "8")),
                59, "94287082");
    expect_code(ENTRY_OF(STRING_OF("TimeOtp-Secret", "12345678901234567890123456789012")
                             STRING_OF("TimeOtp-Length", "8")
                                 STRING_OF("TimeOtp-Algorithm", "HMAC-SHA-256")),
                1111111109, "68084774");
    expect_code(ENTRY_OF(STRING_OF(
                    "TimeOtp-Secret-Hex",
                    "3132333435363738393031323334353637383930313233343536373839303132"
                    "3334353637383930313233343536373839303132333435363738393031323334")
                             STRING_OF("TimeOtp-Length", "8")
                                 STRING_OF("TimeOtp-Algorithm", "HMAC-SHA-512")),
                2000000000, "38618901");
    expect_code(
        ENTRY_OF(STRING_OF("TimeOtp-Secret-Base64", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=")
                     STRING_OF("TimeOtp-Period", "60")),
        119, "287082");
    expect_code(ENTRY_OF(STRING_OF("TOTP Seed", "gezd gnbv gy3t qojq gezd gnbv gy3t qojq")
                             STRING_OF("TOTP Settings", "60;8")),
                119, "94287082");
    expect_code(
        ENTRY_OF(STRING_OF("otp", "key=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&amp;size=8"
                                  "&amp;step=30&amp;otpHashMode=Sha1")),
        59, "94287082");
    foreign_expect(FOREIGN_XML,
                   ENTRY_OF(STRING_OF("TimeOtp-Secret-Base32", "JBSWY3DPEHPK3PXP")),
                   "t=S;o=JBSWY3DPEHPK3PXP;\n");
}

static void one_time_codes_that_would_be_others_are_refused_with_a_word(void **state)
{
    static const char lost[] =
        "t=S;p=p;lost TOTP=its one-time codes are of a kind that is "
        "not known here: it would make other ones;\n";
    static const char *const bad[] = {
        STRING_OF("TimeOtp-Length", "5"),
        STRING_OF("TimeOtp-Length", "10"),
        STRING_OF("TimeOtp-Length", "six"),
        STRING_OF("TimeOtp-Period", "0"),
        STRING_OF("TimeOtp-Period", "99999999999"),
        STRING_OF("TimeOtp-Algorithm", "HMAC-SHA-3"),
        STRING_OF("TimeOtp-Secret-Hex", "abc"),
        STRING_OF("TOTP Settings", "30;S"),
        STRING_OF("otp", "key=JBSWY3DPEHPK3PXP&amp;type=Steam"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);
        PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
        bool has_seed = strstr(bad[i], "Secret") || strstr(bad[i], "key=");

        psn_buf_format(&text, "%s%s%s%s%s%s", HEAD "<Entry>",
                       STRING_OF("Title", "S") STRING_OF("Password", "p"), bad[i],
                       has_seed ? ""
                       : strstr(bad[i], "Settings")
                           ? STRING_OF("TOTP Seed", "JBSWY3DPEHPK3PXP")
                           : STRING_OF("TimeOtp-Secret-Base32", "JBSWY3DPEHPK3PXP"),
                       "</Entry>", TAIL);
        assert_int_equal(
            foreign_read(FOREIGN_XML, psn_buf_str(&text), text.size, NULL, 0, &out, NULL),
            PSN_OK);
        assert_string_equal(psn_buf_str(&out), lost);
    }
}

static void what_is_attached_is_said_to_be_lost(void **state)
{
    (void)state;
    foreign_expect(
        FOREIGN_XML,
        ENTRY_OF(
            STRING_OF("Password", "p") "<Binary><Key>scan.pdf</Key><Value Ref=\"0\"/>"
                                       "</Binary><Binary><Key>b</Key>"
                                       "<Value>AA==</Value></Binary>"),
        "t=S;p=p;lost attachment scan.pdf=attachments are not taken: save it from there;"
        "lost attachment b=attachments are not taken: save it from there;\n");
    foreign_expect(
        FOREIGN_JSON,
        "{\"items\":[{\"type\":1,\"name\":\"S\",\"login\":{\"password\":\"p\","
        "\"fido2Credentials\":[{\"keyValue\":\"x\"}]}},{\"type\":1,\"name\":\"T\","
        "\"login\":{\"password\":\"q\",\"fido2Credentials\":[]}}]}",
        "t=S;p=p;k=login;lost passkey=passkeys are not taken;\nt=T;p=q;k=login;\n");
}

#define REF(part) "{REF:" part "@I:46C9B1FFBD4ABC4BBB260C6190BAD20C}"

static void what_refers_to_another_entry_is_not_taken_for_what_it_refers_to(void **state)
{
    (void)state;
    foreign_expect(FOREIGN_XML, ENTRY_OF(STRING_OF("Password", REF("P"))),
                   "t=S;problem;\n");
    foreign_expect(FOREIGN_XML, ENTRY_OF(STRING_OF("Password", "a{ref:p@t:Bank}b")),
                   "t=S;problem;\n");
    foreign_expect(FOREIGN_CSV, "Account,Login Name,Password\nS,bob," REF("P") "\n",
                   "t=S;u=bob;problem;\n");
    foreign_expect(
        FOREIGN_XML,
        ENTRY_OF(STRING_OF("Password", "p") STRING_OF("UserName", REF("U"))
                     STRING_OF("URL", REF("A")) STRING_OF("PIN", REF("O"))
                         STRING_OF("Notes", "see " REF("N"))),
        "t=S;p=p;n=see " REF("N") ";lost user name=it refers to another entry of KeePass;"
                                  "lost URL=it refers to another entry of KeePass;"
                                  "lost PIN=it refers to another entry of KeePass;\n");
    foreign_expect(
        FOREIGN_XML,
        ENTRY_OF(STRING_OF("Password", "{REF:}") STRING_OF("UserName", "{REF:P@I}")
                     STRING_OF("URL", "{REF:P@I:") STRING_OF("A", "{REF:X@I:1}")
                         STRING_OF("B", "REF:P@I:1}")),
        "t=S;u={REF:P@I};p={REF:};w={REF:P@I:;!A={REF:X@I:1};!B=REF:P@I:1};\n");
}

/* expat would look at what is open again and again. */
static void an_element_without_an_end_is_refused_before_it_costs_time(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(64 * 1024 * 1024);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024);
    struct psn_error err = { 0 };

    (void)state;
    psn_buf_text(&text, "<KeePassFile a=\"");
    memset(psn_buf_reserve(&text, 32 * 1024 * 1024), 'x', 32 * 1024 * 1024);
    assert_int_equal(
        foreign_read(FOREIGN_XML, psn_buf_str(&text), text.size, NULL, 0, &out, &err),
        PSN_E_LIMIT);
    assert_non_null(strstr(err.message, "line 1"));
}

static void hostile_xml_is_refused_with_its_line(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) deep = psn_buf_init(1024 * 1024);

    (void)state;
    foreign_refuse(FOREIGN_XML, "<html></html>", "line 1");
    foreign_refuse(FOREIGN_XML, "<KeePassFile>\n<Root>", "line 2");
    foreign_refuse(FOREIGN_XML, "<!DOCTYPE x [<!ENTITY a \"b\">]><KeePassFile/>",
                   "line 1");
    psn_buf_text(&deep, "<KeePassFile><Root>");
    for (int i = 0; i < 1000; i++)
        psn_buf_text(&deep, "<Group>");
    foreign_refuse(FOREIGN_XML, psn_buf_str(&deep), "folders in folders");
}

/* Trees ----------------------------------------------------------------------------- */

static enum psn_code open_large(void *arg, int fd, const char *name,
                                struct psn_secret **ret_text, struct psn_error *err)
{
    size_t *count = arg;
    enum psn_code rc = psn_secret_new(PSN_FOREIGN_ENTRY_MAX / 2, ret_text, err);

    (void)fd;
    (void)name;
    ++*count;
    if (!rc)
        psn_secret_set_size(*ret_text, PSN_FOREIGN_ENTRY_MAX / 2);
    return rc;
}

static enum psn_code pass_over(void *arg, const struct psn_foreign *entry,
                               struct psn_error *err)
{
    (void)arg;
    (void)entry;
    (void)err;
    return PSN_OK;
}

static void a_tree_has_a_limit_of_its_own(void **state)
{
    enum {
        FIT = PSN_FOREIGN_FILE_MAX / (PSN_FOREIGN_ENTRY_MAX / 2)
    };
    struct psn_error err = { 0 };
    struct tmpdir dir;
    size_t count = 0;

    (void)state;
    tmpdir_make(&dir);
    for (int i = 0; i <= FIT; i++) {
        char path[TMPDIR_PATH_MAX];
        char name[32];
        FILE *file;

        (void)snprintf(name, sizeof name, "%d.x", i);
        file = fopen(tmpdir_path(&dir, name, path), "w");
        assert_non_null(file);
        (void)fclose(file);
    }
    assert_int_equal(
        psn_tree_read(dir.path, ".x", open_large, &count, pass_over, NULL, &err),
        PSN_E_LIMIT);
    assert_int_equal(count, FIT + 1);
    assert_non_null(strstr(err.message, "256 MiB"));
    tmpdir_remove(&dir);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) ? -1 : 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keepass_xml_is_read_with_folders_and_hidden_fields),
        cmocka_unit_test(what_is_in_the_recycle_bin_stays_there),
        cmocka_unit_test(one_time_codes_of_keepass_stay_the_same_codes),
        cmocka_unit_test(one_time_codes_that_would_be_others_are_refused_with_a_word),
        cmocka_unit_test(what_is_attached_is_said_to_be_lost),
        cmocka_unit_test(what_refers_to_another_entry_is_not_taken_for_what_it_refers_to),
        cmocka_unit_test(an_element_without_an_end_is_refused_before_it_costs_time),
        cmocka_unit_test(hostile_xml_is_refused_with_its_line),
        cmocka_unit_test(a_tree_has_a_limit_of_its_own),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
