#include "ovh/oauth.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "ovh/json.h"

enum {
    FORM_MAX = 2048,
    HEADER_MAX = 64,
    TOKEN_MAX = 7 * 1024,            /* a header line of it still fits */
    LIFETIME_MAX_S = 30 * 24 * 3600, /* longer ones are asked for again by then */
    SHOWN_SIZE = 200,
};

static bool is_plain(char c)
{
    return psn_text_is_lower(c) || psn_text_is_upper(c) || psn_text_is_digit(c) ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

/* application/x-www-form-urlencoded */
static void append_field(struct psn_buf *form, const char *name,
                         const struct psn_secret *value)
{
    const uint8_t *bytes = psn_secret_bytes(value);

    psn_buf_format(form, "&%s=", name);
    for (size_t i = 0; i < psn_secret_size(value); i++) {
        if (is_plain((char)bytes[i]))
            psn_buf_u8(form, bytes[i]);
        else
            psn_buf_format(form, "%%%02X", bytes[i]);
    }
}

static enum psn_code send_form(const struct psn_ovh_token_request *request,
                               const struct psn_buf *form,
                               struct psn_http_response *response, struct psn_error *err)
{
    static const char *const values[] = { "application/json",
                                          "application/x-www-form-urlencoded" };
    struct psn_http_header headers[] = {
        { .name = "Accept", .value = psn_buf_init(HEADER_MAX) },
        { .name = "Content-Type", .value = psn_buf_init(HEADER_MAX) },
    };
    struct psn_http_request what = { .method = "POST",
                                     .url = request->url,
                                     .body = form->data,
                                     .body_size = form->size,
                                     .headers = headers,
                                     .header_count = 2,
                                     .ca_file = request->ca_file };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; i < what.header_count && !rc; i++) {
        psn_buf_text(&headers[i].value, values[i]);
        rc = psn_buf_check(&headers[i].value, err);
    }
    if (!rc)
        rc = request->http.perform(request->http.self, &what, response, err);
    for (size_t i = 0; i < what.header_count; i++)
        psn_buf_release(&headers[i].value);
    return rc;
}

/* A token goes into a header as it came: visible ASCII, or it is none. */
static enum psn_code copy_token(const json_t *answer, struct psn_secret **ret_bearer,
                                struct psn_error *err)
{
    const char *text = json_string_value(json_object_get(answer, "access_token"));
    size_t size = text ? strlen(text) : 0;
    bool sound = size > 0 && size <= TOKEN_MAX;

    for (size_t i = 0; sound && i < size; i++)
        sound = text[i] > ' ' && text[i] <= '~';
    if (!sound)
        return psn_fail(err, PSN_E_NETWORK, _("garbage from the server (no token)"));
    return psn_secret_copy(text, size, ret_bearer, err);
}

static enum psn_code read_token(const json_t *answer, struct psn_ovh_token *ret_token,
                                struct psn_error *err)
{
    struct psn_ovh_token token = { 0 };
    enum psn_code rc = psn_json_expect_object(answer, err);

    if (!rc)
        rc = psn_json_int(answer, "expires_in", &token.lifetime_s, err);
    if (!rc && token.lifetime_s <= 0)
        rc = psn_fail(err, PSN_E_NETWORK, _("garbage from the server (no token)"));
    if (!rc)
        rc = copy_token(answer, &token.bearer, err);
    if (rc)
        return rc;
    if (token.lifetime_s > LIFETIME_MAX_S)
        token.lifetime_s = LIFETIME_MAX_S;
    *ret_token = token;
    return PSN_OK;
}

/* The standard's own error form, RFC 6749 5.2: "error" decides, whatever the status. */
static enum psn_code refuse(const char *error, const json_t *answer,
                            struct psn_error *err)
{
    const char *said = json_string_value(json_object_get(answer, "error_description"));
    char code[SHOWN_SIZE];
    char shown[SHOWN_SIZE];

    (void)psn_text_shown(error, code, sizeof code);
    (void)psn_text_shown(said ? said : "", shown, sizeof shown);
    if (strcmp(error, "invalid_client") == 0)
        (void)psn_fail(err, PSN_E_REFUSED,
                       _("OVH does not know the service account, or its secret is "
                         "wrong (OVH: %s)"),
                       said ? shown : code);
    else
        (void)psn_fail(err, PSN_E_REFUSED,
                       _("OVH gives the service account no token (OVH: %s %s)"), code,
                       shown);
    return psn_hint(err, PSN_E_REFUSED,
                    _("link the account again with a valid key: passation ovh link "
                      "CLIENT"));
}

static enum psn_code judge(const struct psn_http_response *response,
                           struct psn_ovh_token *ret_token, bool *ret_passing,
                           struct psn_error *err)
{
    PSN_AUTO_JSON *answer = NULL;
    struct psn_error cause = { 0 };
    enum psn_code rc =
        psn_json_parse(response->body.data, response->body.size, &answer, &cause);
    const char *error = json_string_value(json_object_get(answer, "error"));

    *ret_passing = response->status == 408 || response->status == 429 ||
                   (response->status >= 500 && response->status <= 599);
    if (error && !*ret_passing)
        return refuse(error, answer, err);
    if (response->status < 200 || response->status > 299)
        return psn_fail(err, PSN_E_NETWORK,
                        _("no usable answer from the token server (status %ld)"),
                        response->status);
    if (!rc)
        return read_token(answer, ret_token, err);
    if (err)
        *err = cause;
    return rc;
}

enum psn_code psn_ovh_token_ask(const struct psn_ovh_token_request *request,
                                struct psn_ovh_token *ret_token, bool *ret_passing,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) form = psn_buf_init_wiped(FORM_MAX);
    PSN_AUTO_RELEASE(psn_http_response) response = psn_http_response_init();
    enum psn_code rc;

    *ret_passing = false;
    psn_buf_text(&form, "grant_type=client_credentials&scope=all");
    append_field(&form, "client_id", request->credential->client_id);
    append_field(&form, "client_secret", request->credential->client_secret);
    rc = psn_buf_check(&form, err);
    if (!rc)
        rc = send_form(request, &form, &response, err);
    if (rc) {
        *ret_passing = rc == PSN_E_NETWORK && !response.final;
        return psn_wrap(err, rc, _("cannot get a token for the service account"));
    }
    rc = judge(&response, ret_token, ret_passing, err);
    return rc ? psn_wrap(err, rc, _("cannot get a token for the service account"))
              : PSN_OK;
}
