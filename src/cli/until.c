#include "cli/until.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

static const char default_zone[] = "Europe/Paris";

/* A name of the system's zones: no way out of their folder. */
static bool is_zone(const char *zone)
{
    char path[256];
    int size = snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);

    if (size < 0 || (size_t)size >= sizeof path || !zone[0] || zone[0] == '/' ||
        strstr(zone, ".."))
        return false;
    return access(path, R_OK) == 0;
}

/* The environment is written to when the zone changes alone: no thread runs then. */
static bool use_zone(const char *zone)
{
    static char in_use[256];

    if (strcmp(zone, in_use) == 0)
        return true;
    if (setenv("TZ", zone, 1) != 0)
        return false;
    tzset();
    (void)snprintf(in_use, sizeof in_use, "%s", zone);
    return true;
}

void cli_until_use_zone(void)
{
    (void)use_zone(is_zone(default_zone) ? default_zone : "UTC0");
}

enum psn_code cli_until_parse(const char *date, const char *zone, int64_t *ret_time_s,
                              struct psn_error *err)
{
    char shown[128];
    struct tm end = { .tm_hour = 23, .tm_min = 59, .tm_sec = 59, .tm_isdst = -1 };
    const char *wanted = zone ? zone : default_zone;
    time_t time;

    if (!psn_clock_parse_date(date, &end.tm_year, &end.tm_mon, &end.tm_mday)) {
        (void)psn_fail(err, PSN_E_INVALID, _("--until: '%s' is no date"),
                       psn_text_shown(date, shown, sizeof shown));
        return psn_hint(err, PSN_E_INVALID, _("write it as YYYY-MM-DD"));
    }
    if (!is_zone(wanted)) {
        (void)psn_fail(err, PSN_E_INVALID, _("the time zone '%s' is not known here"),
                       psn_text_shown(wanted, shown, sizeof shown));
        return psn_hint(err, PSN_E_INVALID,
                        _("name one with --tz, as in Europe/Paris or America/Montreal "
                          "(Debian's package tzdata)"));
    }
    end.tm_year -= 1900;
    end.tm_mon -= 1;
    if (!use_zone(wanted))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    time = mktime(&end);
    cli_until_use_zone();
    if (time == (time_t)-1)
        return psn_fail(err, PSN_E_INVALID, _("--until: '%s' is out of range"), date);
    *ret_time_s = time;
    return PSN_OK;
}

const char *cli_until_zone(void)
{
    return is_zone(default_zone) ? default_zone : "UTC";
}

void cli_until_local(int64_t time_s, struct tm *ret_local)
{
    time_t time = (time_t)time_s;

    cli_until_use_zone();
    if (!localtime_r(&time, ret_local))
        *ret_local = (struct tm){ .tm_year = 70, .tm_mday = 1 };
}
