#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "interop/xml_text.h"

static void xml_can_hold_its_own_characters_and_no_others(void **state)
{
    static const struct {
        const char *text;
        bool fits;
    } rows[] = {
        { "", true },
        { "a \t\n\r~", true },
        { "\x1f", false },
        { "\xed\x9f\xbf", true },      /* U+D7FF */
        { "\xed\xa0\x80", false },     /* a surrogate, which is no UTF-8 */
        { "\xee\x80\x80", true },      /* U+E000 */
        { "\xef\xbf\xbd", true },      /* U+FFFD */
        { "\xef\xbf\xbe", false },     /* U+FFFE */
        { "\xf0\x90\x80\x80", true },  /* U+10000 */
        { "\xf4\x8f\xbf\xbf", true },  /* the last one */
        { "\xf4\x90\x80\x80", false }, /* behind it */
        { "a\x80", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(psn_xml_can_hold(rows[i].text, strlen(rows[i].text)),
                         rows[i].fits);
    assert_false(psn_xml_can_hold("\0", 1));
}

static void whatever_a_parser_would_obey_is_an_entity(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(256);

    (void)state;
    psn_xml_element(&out, "v", "a&b<c>d\"e'f\rg]]>\n\té");
    assert_string_equal(psn_buf_str(&out),
                        "<v>a&amp;b&lt;c&gt;d&quot;e&apos;f&#13;g]]&gt;\n\té</v>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xml_can_hold_its_own_characters_and_no_others),
        cmocka_unit_test(whatever_a_parser_would_obey_is_an_entity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
