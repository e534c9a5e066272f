#include "call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "state.h"

const char *sim_call_text(const struct sim_call *call, const char *name)
{
    return json_string_value(json_object_get(call->args, name));
}

static void put(struct sim_call *call, int status, json_t *answer)
{
    json_decref(call->answer);
    call->status = status;
    call->answer = answer;
}

void sim_call_answer(struct sim_call *call, json_t *value)
{
    put(call, 200, value);
}

void sim_call_refuse(struct sim_call *call, int status, const char *class_name,
                     const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    put(call, status, json_pack("{s:s,s:s}", "class", class_name, "message", message));
}

void sim_call_refuse_auth(struct sim_call *call, int status, const char *code,
                          const char *message)
{
    char http_code[64];

    snprintf(http_code, sizeof http_code, "%d %s", status, sim_http_reason(status));
    put(call, status,
        json_pack("{s:s,s:s,s:s}", "message", message, "httpCode", http_code, "errorCode",
                  code));
}

void sim_call_refuse_plain(struct sim_call *call, int status, const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    put(call, status, json_pack("{s:s}", "message", message));
}

void sim_call_absent(const struct sim *sim, struct sim_call *call, const char *name,
                     const char *value)
{
    if (strncmp(call->path, "/v2/", 4) == 0)
        put(call, 404,
            json_pack("{s:s,s:s,s:{s:s}}", "class", "Client::NotFound", "message",
                      "The requested resource does not exist", "details", name, value));
    else if (sim->settings.plain_not_found)
        sim_call_refuse_plain(call, 404, "The requested object (%s = %s) does not exist",
                              name, value);
    else
        sim_call_refuse(call, 404, "Client::NotFound",
                        "The requested object (%s = %s) does not exist", name, value);
}
