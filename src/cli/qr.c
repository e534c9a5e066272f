#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/library.h"
#include "cli/cli.h"
#include "cli/output.h"

/*
 * QR codes by libqrencode, loaded when one is asked for: who asks for none need not have
 * it. Two modules to a character cell, by half blocks; dark on light, as cameras want it.
 */
enum {
    LEVEL_LOW = 0,
    LEVEL_MEDIUM = 1, /* for paper, which gets stains */
    MARGIN = 2,
    TEXT_MAX = 256 * 1024,
};

/* As in qrencode.h of version 4. */
struct qr_code {
    int version;
    int width;
    unsigned char *data; /* bit 0 of a byte: the module is dark */
};
typedef struct qr_code *qr_encode_fn(int size, const unsigned char *data, int version,
                                     int level);
typedef void qr_free_fn(struct qr_code *code);

struct encoder {
    qr_encode_fn *encode;
    qr_free_fn *free;
};

static enum psn_code load(struct encoder *ret_encoder, struct psn_error *err)
{
    static const char *const names[] = { "libqrencode.so.4", "libqrencode.4.dylib",
                                         NULL };
    static const struct psn_library_symbol symbols[] = {
        { "QRcode_encodeData", offsetof(struct encoder, encode) },
        { "QRcode_free", offsetof(struct encoder, free) },
    };

    if (psn_library_load(names, symbols, sizeof symbols / sizeof *symbols, ret_encoder,
                         NULL) == PSN_OK)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_NOT_FOUND,
                   _("QR codes need libqrencode, which is not "
                     "installed"));
    return psn_hint(err, PSN_E_NOT_FOUND, _("install it: apt install libqrencode4"));
}

static bool is_dark(const struct qr_code *code, int row, int column)
{
    if (row < 0 || column < 0 || row >= code->width || column >= code->width)
        return false;
    return code->data[row * code->width + column] & 1;
}

/* Without colours a dark screen is taken for granted: light modules are drawn. */
static void compose(const struct qr_code *code, bool colours, struct psn_buf *out)
{
    static const char *const cells[] = { " ", "▄", "▀", "█" }; /* upper, lower */

    for (int row = -MARGIN; row < code->width + MARGIN; row += 2) {
        psn_buf_text(out, colours ? "\033[30;107m" : "");
        for (int column = -MARGIN; column < code->width + MARGIN; column++) {
            int cell = 2 * is_dark(code, row, column) + is_dark(code, row + 1, column);

            psn_buf_text(out, cells[colours ? cell : 3 - cell]);
        }
        psn_buf_text(out, colours ? "\033[0m\n" : "\n");
    }
}

enum psn_code cli_print_qr(struct cli *cli, const struct psn_secret *secret,
                           struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init_wiped(TEXT_MAX);
    const char *no_color = getenv("NO_COLOR");
    struct encoder encoder = { 0 };
    struct qr_code *code;
    enum psn_code rc;

    if (!isatty(STDOUT_FILENO))
        return psn_fail(err, PSN_E_POLICY, _("a QR code is drawn on a terminal only"));
    rc = load(&encoder, err);
    if (rc)
        return rc;
    code = encoder.encode((int)psn_secret_size(secret), psn_secret_bytes(secret), 0,
                          LEVEL_LOW);
    if (!code)
        return psn_fail(err, PSN_E_LIMIT, _("the secret is too long for a QR code"));
    compose(code, !no_color || !no_color[0], &text);
    explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
    encoder.free(code);
    rc = psn_buf_check(&text, err);
    return rc ? rc : cli_write(cli, text.data, text.size, err);
}

/* One path of unit squares: a reader of paper wants it sharp at any size. */
static void draw(const struct qr_code *code, struct psn_buf *out)
{
    enum {
        QUIET = 4 /* modules of white around, ISO/IEC 18004 */
    };
    int size = code->width + 2 * QUIET;

    psn_buf_format(out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"qr\" viewBox=\"0 0 "
                   "%d %d\" role=\"img\" aria-label=\"%s\">"
                   "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>"
                   "<path fill=\"#000\" d=\"",
                   size, size, _("QR code"), size, size);
    for (int row = 0; row < code->width; row++)
        for (int column = 0; column < code->width; column++)
            if (is_dark(code, row, column))
                psn_buf_format(out, "M%d %dh1v1h-1z", column + QUIET, row + QUIET);
    psn_buf_text(out, "\"/></svg>\n");
}

enum psn_code cli_draw_qr(const struct psn_secret *secret, struct psn_buf *out,
                          struct psn_error *err)
{
    struct encoder encoder = { 0 };
    struct qr_code *code;
    enum psn_code rc = load(&encoder, err);

    if (rc)
        return rc;
    code = encoder.encode((int)psn_secret_size(secret), psn_secret_bytes(secret), 0,
                          LEVEL_MEDIUM);
    if (!code)
        return psn_fail(err, PSN_E_LIMIT, _("the secret is too long for a QR code"));
    draw(code, out);
    explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
    encoder.free(code);
    return psn_buf_check(out, err);
}
