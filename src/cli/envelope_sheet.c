#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/envelope.h"
#include "cli/locale.h"
#include "cli/writing.h"

enum {
    SHEET_MAX = 1024 * 1024,
    PATH_MAX_BYTES = 4096 + 128,
    GROUP = 6,
    GROUPS_A_LINE = 5,
};

/* In groups, as one reads it from paper; the page that it opens drops the blanks. */
static void put_key(struct cli_writing *writing, const struct psn_secret *key)
{
    const char *text = (const char *)psn_secret_bytes(key);
    size_t size = psn_secret_size(key);

    psn_buf_text(&writing->out, "<pre class=\"key\">");
    for (size_t i = 0; i < size; i++) {
        if (i && i % GROUP == 0)
            psn_buf_text(&writing->out,
                         i % ((size_t)GROUP * GROUPS_A_LINE) ? "  " : "\n");
        psn_buf_char(&writing->out, text[i]);
    }
    psn_buf_text(&writing->out, "</pre>\n");
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
          "your telephone or type the letters, and press Open."));
    cli_writing_item(writing, 4,
                     _("Was the envelope opened without you? Tell us, or replace the "
                       "passwords yourself: the page says how."));
}

/* The client did not choose our language. */
static void put_language(struct cli_writing *writing, const struct psn_envelope *envelope,
                         const char *language)
{
    cli_locale_use(language);
    cli_writing_heading(writing, _("Recovery envelope"));
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
    psn_buf_text(&writing->out,
                 "<style>.qr{width:60mm;height:60mm;margin:1rem 0}.key{font:14pt/1.7 "
                 "ui-monospace,Menlo,Consolas,monospace;border:1px solid #999;"
                 "padding:.6rem 1rem;border-radius:.3rem;overflow:auto}</style>\n");
    cli_writing_title(writing, client.name[0] ? client.name : client.id);
    if (cli_draw_qr(key, &writing->out, &why))
        cli_warn(cli, _("the sheet has no QR code: %s"), why.message);
    put_key(writing, key);
    put_language(writing, envelope, "fr");
    put_language(writing, envelope, "en");
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
