#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/display.h"
#include "cli/envelope.h"
#include "cli/locale.h"
#include "cli/writing.h"

enum {
    SHEET_MAX = 1024 * 1024,
    PATH_MAX_BYTES = 4096 + 128,
    GROUP = 6,
    GROUPS_A_LINE = 5,
};

/* Two languages on one sheet of A4, at a width that a telephone shows as well. */
static const char style[] =
    "<style>.qr{width:50mm;height:50mm;margin:.6rem 0}.key{font:14pt/1.6 "
    "ui-monospace,Menlo,Consolas,monospace;border:1px solid #999;padding:.5rem 1rem;"
    "border-radius:.3rem;overflow:auto}@media print{@page{size:A4;margin:12mm 15mm}"
    "html,body{font-size:10pt;line-height:1.35}h1{font-size:15pt}h2{font-size:12pt;"
    "margin:.7rem 0 .2rem;padding-top:.4rem}p,li,ol,ul{margin:.1rem 0}}</style>\n";

/* What all keys begin with in a line of its own, then groups, as one reads it from paper;
 * what the key is typed into drops the blanks. */
static void put_key(struct cli_writing *writing, const struct psn_secret *key)
{
    const char *text = (const char *)psn_secret_bytes(key);
    size_t size = psn_secret_size(key);
    size_t head = strlen("AGE-SECRET-KEY-1");

    psn_buf_text(&writing->out, "<pre class=\"key\">");
    for (size_t i = 0; i < size; i++) {
        if (i >= head && (i - head) % GROUP == 0)
            psn_buf_text(&writing->out,
                         (i - head) % ((size_t)GROUP * GROUPS_A_LINE) ? "  " : "\n");
        psn_buf_char(&writing->out, text[i]);
    }
    psn_buf_text(&writing->out, "</pre>\n");
}

/* Who "we" are, and which sheet it is: each new one takes the place of the one before. */
static void put_origin(struct cli *cli, struct cli_writing *writing,
                       const struct psn_envelope *envelope)
{
    struct psn_person by = { 0 };
    char created[PSN_TIME_SIZE];
    char reach[sizeof by.email + 4] = "";

    if (psn_person_get(cli->vault, envelope->by, &by, NULL))
        memcpy(by.id, envelope->by, sizeof by.id);
    if (by.email[0])
        (void)snprintf(reach, sizeof reach, " (%s)", by.email);
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("Made on %s by %s%s. A newer sheet takes its place."),
                     cli_display_moment(envelope->created_s, created),
                     by.name[0] ? by.name : by.id, reach);
}

static void put_words(struct cli_writing *writing, const struct psn_envelope *envelope)
{
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("With this key and the file enveloppe-%s.html you open every "
                       "access of yours, without us: mailboxes, OVH account, sites."),
                     envelope->client);
    cli_writing_item(
        writing, 1,
        _("Keep this sheet in its envelope, closed, in a safe place. Who has "
          "it and the file, has everything."));
    cli_writing_item(writing, 2,
                     _("Keep the file apart from it, wherever you like; take the newest "
                       "one that we give you."));
    cli_writing_item(
        writing, 3,
        _("When you need it: open the file in a browser, scan the square with "
          "your telephone or type the letters, without the gaps, and press Open."));
    cli_writing_item(writing, 4,
                     _("Was the envelope opened without you? Tell us, or replace the "
                       "passwords yourself: the page says how."));
}

/* The client did not choose our language. */
static void put_language(struct cli *cli, struct cli_writing *writing,
                         const struct psn_envelope *envelope, const char *language)
{
    cli_locale_use(language);
    cli_writing_heading(writing, _("Recovery envelope"));
    put_origin(cli, writing, envelope);
    put_words(writing, envelope);
    cli_locale_back();
}

static enum psn_code write_sheet(struct cli *cli, const struct psn_envelope *envelope,
                                 const struct psn_secret *key,
                                 struct cli_writing *writing, struct psn_error *err)
{
    struct psn_error why = { 0 };
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_get(cli->vault, envelope->client, &client, err);

    if (rc)
        return rc;
    cli_writing_begin(writing, "passation");
    psn_buf_text(&writing->out, style);
    cli_writing_title(writing, client.name[0] ? client.name : client.id);
    if (cli_draw_qr(key, &writing->out, &why))
        cli_warn(cli, _("the sheet has no QR code: %s"), why.message);
    put_key(writing, key);
    put_language(cli, writing, envelope, "fr");
    put_language(cli, writing, envelope, "en");
    cli_writing_end(writing);
    psn_client_release(&client);
    return psn_buf_check(&writing->out, err);
}

enum psn_code cli_envelope_sheet(struct cli *cli, const struct psn_envelope *envelope,
                                 const struct psn_secret *key, struct psn_error *err)
{
    struct cli_writing writing = { .out = psn_buf_init_wiped(SHEET_MAX), .html = true };
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PATH_MAX_BYTES);
    enum psn_code rc = write_sheet(cli, envelope, key, &writing, err);

    psn_buf_format(&path, "%s/enveloppe-%s-cle.html", envelope->folder, envelope->client);
    if (!rc)
        rc = psn_buf_check(&path, err);
    /* It holds a key in the clear: no moment may leave it under another name. */
    if (!rc)
        (void)unlink(psn_buf_str(&path));
    if (!rc)
        rc = psn_file_write(psn_buf_str(&path), writing.out.data, writing.out.size,
                            PSN_FILE_REPLACE, err);
    cli_writing_release(&writing);
    return rc;
}
