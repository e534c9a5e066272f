#include "dovecot.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "text.h"

enum {
    CONFIG_MAX = 8192,
    PATH_SIZE = 512,
    START_MS = 15000,
    NOBODY = 65534,
};

struct sim_dovecot {
    char dir[64];
    int reserved[SIM_FRONTS]; /* bound, not listening: the port is ours and free */
    int ports[SIM_FRONTS];
    struct sim_keeper *keeper;
};

/* A port that nobody else will be given: Dovecot may listen on it all the same, because
 * both sockets allow that (SO_REUSEADDR) and this one does not listen. */
static int reserve(long port, int *ret_port)
{
    struct sockaddr_in name = { .sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port) };
    socklen_t size = sizeof name;
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&name, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &size) != 0) {
        close(fd);
        return -1;
    }
    *ret_port = ntohs(name.sin_port);
    return fd;
}

static bool connects(int port)
{
    struct sockaddr_in name = { .sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool up = fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0;
    if (fd >= 0)
        close(fd);
    return up;
}

static bool wait_up(const struct sim_dovecot *dovecot)
{
    int64_t end = sim_text_now_ms() + START_MS;

    while (sim_text_now_ms() < end) {
        if (connects(dovecot->ports[0]) &&
            (dovecot->ports[1] == 0 || connects(dovecot->ports[1])))
            return true;
        if (!sim_keeper_child_lives(dovecot->keeper))
            return false;
        sim_text_sleep_ms(5);
    }
    return false;
}

static bool write_file(const char *path, const char *text)
{
    char temporary[PATH_SIZE + 8];
    size_t size = strlen(text);

    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good = write(fd, text, size) == (ssize_t)size;
    good = close(fd) == 0 && good;
    return good && rename(temporary, path) == 0;
}

struct config {
    char text[CONFIG_MAX];
    size_t length;
};

static void add(struct config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct config *config, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int size = vsnprintf(config->text + config->length, CONFIG_MAX - config->length,
                         format, args);
    va_end(args);
    if (size > 0 && config->length + (size_t)size < CONFIG_MAX)
        config->length += (size_t)size;
}

static void add_users(struct config *config, const char *dir)
{
    if (geteuid() == 0) {
        add(config, "service auth {\n  user = root\n}\n");
        add(config,
            "userdb {\n  driver = static\n  args = uid=%d gid=%d home=%s/mail\n}\n",
            NOBODY, NOBODY, dir);
        return;
    }
    /* Dovecot wants names here: the ones of the user who runs it. */
    const struct passwd *user = getpwuid(geteuid());
    const struct group *group = getgrgid(getegid());
    if (user)
        add(config, "default_internal_user = %s\ndefault_login_user = %s\n",
            user->pw_name, user->pw_name);
    if (group)
        add(config, "default_internal_group = %s\n", group->gr_name);
    add(config, "service anvil {\n  chroot =\n}\nservice stats {\n  chroot =\n}\n");
    add(config,
        "service imap-login {\n  chroot =\n}\nservice auth-worker {\n  user =\n}\n");
    add(config, "userdb {\n  driver = static\n  args = uid=%u gid=%u home=%s/mail\n}\n",
        geteuid(), getegid(), dir);
}

static void add_login(struct config *config, const struct sim_dovecot *dovecot,
                      const struct sim_options *options)
{
    add(config, "service imap-login {\n  service_count = 0\n  process_min_avail = 1\n");
    add(config, "  client_limit = 1000\n  inet_listener imap {\n    port = 0\n  }\n");
    add(config, "  inet_listener imaps {\n    port = %d\n    ssl = yes\n  }\n",
        dovecot->ports[0]);
    if (dovecot->ports[1])
        add(config, "  inet_listener imaps2 {\n    port = %d\n    ssl = yes\n  }\n",
            dovecot->ports[1]);
    add(config, "}\n");
    if (options->auth_cache)
        add(config, "auth_cache_size = 4M\nauth_cache_ttl = 1 hour\n"
                    "auth_cache_negative_ttl = 1 hour\n");
    /* Both the delay after a wrong password and the one that grows per address. */
    if (!options->failure_delay)
        add(config, "auth_failure_delay = 0\nservice anvil {\n"
                    "  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n");
}

static bool write_config(const struct sim_dovecot *dovecot,
                         const struct sim_options *options)
{
    struct config config = { .length = 0 };
    char path[PATH_SIZE];
    char *dir = realpath(options->dir, NULL);

    if (!dir)
        return false;
    add(&config, "base_dir = %s/run\nstate_dir = %s/run\n", dovecot->dir, dovecot->dir);
    add(&config, "log_path = %s/dovecot.log\nauth_verbose = yes\n", dir);
    add(&config, "protocols = imap\nlisten = 127.0.0.1\nssl = required\n");
    add(&config, "ssl_cert = <%s/server.pem\n", dir);
    add(&config, "ssl_key = <%s/server.key\n", dir);
    free(dir);
    add(&config, "ssl_min_protocol = TLSv1.2\nauth_mechanisms = plain login\n");
    add(&config, "mail_max_userip_connections = 1000\nfirst_valid_uid = 1\n");
    add(&config, "mail_location = maildir:%s/mail/%%u\n", dovecot->dir);
    add(&config, "passdb {\n  driver = dict\n  args = %s/dict.conf\n}\n", dovecot->dir);
    add_users(&config, dovecot->dir);
    add_login(&config, dovecot, options);
    snprintf(path, sizeof path, "%s/dovecot.conf", dovecot->dir);
    if (!write_file(path, config.text))
        return false;

    config.length = 0;
    add(&config, "uri = fs:posix:prefix=%s/dict/\n", dovecot->dir);
    add(&config, "key passdb {\n  key = passdb/%%{lport}/%%u\n  format = json\n}\n");
    add(&config, "passdb_objects = passdb\n");
    snprintf(path, sizeof path, "%s/dict.conf", dovecot->dir);
    return write_file(path, config.text);
}

static bool make_dir(const char *parent, const char *name, mode_t mode)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s", parent, name);
    return mkdir(path, mode) == 0 && chmod(path, mode) == 0;
}

static bool make_dirs(const struct sim_dovecot *dovecot)
{
    bool root = geteuid() == 0;
    char path[PATH_SIZE];
    char name[64];
    bool good = chmod(dovecot->dir, root ? 0711 : 0700) == 0 &&
                make_dir(dovecot->dir, "run", root ? 0755 : 0700) &&
                make_dir(dovecot->dir, "mail", 0700) &&
                make_dir(dovecot->dir, "dict", 0700) &&
                make_dir(dovecot->dir, "dict/passdb", 0700);

    for (int front = 0; front < SIM_FRONTS && good; front++) {
        snprintf(name, sizeof name, "dict/passdb/%d", dovecot->ports[front]);
        good = dovecot->ports[front] == 0 || make_dir(dovecot->dir, name, 0700);
    }
    snprintf(path, sizeof path, "%s/mail", dovecot->dir);
    return good && (!root || chown(path, NOBODY, NOBODY) == 0);
}

struct sim_dovecot *sim_dovecot_start(const struct sim_options *options,
                                      int ret_ports[SIM_FRONTS], char *ret_why,
                                      size_t why_size)
{
    struct sim_dovecot *dovecot = calloc(1, sizeof *dovecot);
    int fronts = options->two_fronts ? 2 : 1;

    snprintf(ret_why, why_size, "out of memory");
    if (!dovecot)
        return NULL;
    snprintf(dovecot->dir, sizeof dovecot->dir, "/tmp/passation-sim-XXXXXX");
    snprintf(ret_why, why_size, "cannot make a directory under /tmp");
    if (!mkdtemp(dovecot->dir)) {
        free(dovecot);
        return NULL;
    }
    for (int i = 0; i < fronts; i++) {
        dovecot->reserved[i] =
            reserve(i == 0 ? options->imap_port : 0, &dovecot->ports[i]);
        if (dovecot->reserved[i] < 0)
            snprintf(ret_why, why_size, "no port for IMAPS: %s", strerror(errno));
    }
    bool good = dovecot->ports[fronts - 1] != 0 && dovecot->ports[0] != 0;
    if (good) {
        snprintf(ret_why, why_size, "cannot write in %s", dovecot->dir);
        good = make_dirs(dovecot) && write_config(dovecot, options);
    }
    dovecot->keeper = sim_keeper_start(dovecot->dir, options->dir);
    if (good) {
        snprintf(
            ret_why, why_size,
            "Dovecot did not start (dovecot.log and dovecot.out tell why; the package "
            "is dovecot-imapd)");
        good = dovecot->keeper && sim_dovecot_run(dovecot, true);
    }
    if (!good) {
        sim_dovecot_stop(dovecot);
        return NULL;
    }
    memcpy(ret_ports, dovecot->ports, sizeof dovecot->ports);
    return dovecot;
}

bool sim_dovecot_run(struct sim_dovecot *dovecot, bool up)
{
    bool done = false;

    /* A second try, for what is left of the processes of a moment ago. */
    for (int i = 0; i < 3 && !done; i++) {
        sim_keeper_run(dovecot->keeper, up);
        done = !up || wait_up(dovecot);
        if (!done)
            sim_text_sleep_ms(100);
    }
    return done;
}

/* Only a hash goes to disk: what looks for stray passwords must not find ours. */
static void format_entry(const char *password, char *text, size_t size)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];

    SHA256((const unsigned char *)password, strlen(password), hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    snprintf(text, size, "{\"password\": \"{SHA256.HEX}%s\"}\n", hex);
}

void sim_dovecot_put(struct sim_dovecot *dovecot, int front, const char *email,
                     const char *password)
{
    char path[PATH_SIZE];
    char text[160];

    if (dovecot->ports[front] == 0 || strchr(email, '/'))
        return;
    snprintf(path, sizeof path, "%s/dict/passdb/%d/%.320s", dovecot->dir,
             dovecot->ports[front], email);
    if (!password) {
        unlink(path);
        return;
    }
    format_entry(password, text, sizeof text);
    if (!write_file(path, text))
        fprintf(stderr, "passation-sim: cannot write %s: %s\n", path, strerror(errno));
}

void sim_dovecot_forget_all(struct sim_dovecot *dovecot)
{
    char path[PATH_SIZE];

    for (int front = 0; front < SIM_FRONTS; front++) {
        snprintf(path, sizeof path, "%s/dict/passdb/%d", dovecot->dir,
                 dovecot->ports[front]);
        DIR *dir = dovecot->ports[front] ? opendir(path) : NULL;
        const struct dirent *entry = dir ? readdir(dir) : NULL;
        for (; entry; entry = readdir(dir))
            if (entry->d_name[0] != '.')
                unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir)
            closedir(dir);
    }
}

void sim_dovecot_stop(struct sim_dovecot *dovecot)
{
    if (!dovecot)
        return;
    if (dovecot->keeper)
        sim_keeper_stop(dovecot->keeper);
    else
        sim_keeper_remove_tree(dovecot->dir);
    for (int i = 0; i < SIM_FRONTS; i++)
        if (dovecot->ports[i])
            close(dovecot->reserved[i]);
    free(dovecot);
}
