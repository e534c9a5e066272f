/*
 * The folder of a worker, put back before each trial from what is kept in memory, and
 * commands in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "fault/sweep.h"

int passation_main(int argc, char **argv);

enum {
    FILES_MAX = 96,
    ARGS_MAX = 40,
    SECONDS_MAX = 20, /* of the processor, and thrice as much by the clock */
};

/* A file or folder as it was. */
struct kept {
    char path[SWEEP_BELOW_MAX]; /* below the worker's folder */
    mode_t mode;
    char *bytes;
    size_t size;
};

static struct kept_all {
    struct kept items[FILES_MAX];
    size_t count;
} kept[2]; /* the base, and the master */

static const char *walked;
static struct kept_all *taking;

static void path_of(const struct sweep_world *world, const char *name, char *out)
{
    (void)snprintf(out, SWEEP_PATH_MAX, "%s/%.100s", world->folder, name);
}

static void write_file(const char *path, const char *bytes, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || close(fd) != 0) {
        (void)fprintf(stderr, "fault_sweep: %s: %s\n", path, strerror(errno));
        exit(2);
    }
}

static size_t read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, out, size);

    if (fd >= 0)
        (void)close(fd);
    return got > 0 ? (size_t)got : 0;
}

/* --- keeping and putting back --- */

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_all(const char *folder)
{
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int take_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    struct kept *item = &taking->items[taking->count];

    (void)at;
    if (taking->count == FILES_MAX)
        return -1;
    (void)snprintf(item->path, sizeof item->path, "%s", path + strlen(walked));
    item->mode = info->st_mode;
    item->size = type == FTW_F ? (size_t)info->st_size : 0;
    item->bytes = malloc(item->size + 1);
    if (!item->bytes ||
        (type == FTW_F && read_file(path, item->bytes, item->size) != item->size))
        return -1;
    taking->count++;
    return 0;
}

static void keep(const struct sweep_world *world, struct kept_all *all)
{
    char home[SWEEP_PATH_MAX];

    for (size_t i = 0; i < all->count; i++)
        free(all->items[i].bytes);
    all->count = 0;
    taking = all;
    walked = world->folder;
    path_of(world, "home", home);
    if (nftw(home, take_one, 16, FTW_PHYS) != 0) {
        (void)fprintf(stderr, "fault_sweep: cannot keep %s\n", home);
        exit(2);
    }
}

void sweep_world_keep(struct sweep_world *world)
{
    keep(world, &kept[1]);
    world->master = *sweep_server;
}

void sweep_world_reset(const struct sweep_world *world, const char *from)
{
    bool base = strcmp(from, "base") == 0;
    const struct kept_all *all = &kept[base ? 0 : 1];
    char path[SWEEP_PATH_MAX];

    path_of(world, "home", path);
    remove_all(path);
    for (size_t i = 0; i < all->count; i++) {
        const struct kept *item = &all->items[i];

        (void)snprintf(path, sizeof path, "%s%s", world->folder, item->path);
        if (S_ISDIR(item->mode))
            (void)mkdir(path, item->mode & 0777);
        else
            write_file(path, item->bytes, item->size, item->mode & 0777);
    }
    *sweep_server = base ? world->base : world->master;
}

void sweep_world_put(const struct sweep_world *world, const char *name, const char *text)
{
    char path[SWEEP_PATH_MAX];
    char below[64];

    (void)snprintf(below, sizeof below, "home/%s", name);
    path_of(world, below, path);
    write_file(path, text, strlen(text), 0600);
}

void sweep_world_remove(const struct sweep_world *world)
{
    remove_all(world->folder);
}

/* --- what it came to --- */

static uint8_t digest_of_all[SWEEP_DIGEST_SIZE];

/* In any order: so they may be walked as they lie there. */
static int add_to_digest(const char *path, const struct stat *info, int type,
                         struct FTW *at)
{
    static char bytes[1 << 20];
    crypto_generichash_state state;
    uint8_t digest[SWEEP_DIGEST_SIZE];
    size_t size = 0;

    (void)at;
    /* SQLite makes the index of its log anew. */
    if (strlen(path) > 4 && strcmp(path + strlen(path) - 4, "-shm") == 0)
        return 0;
    if (type == FTW_F && (size_t)info->st_size > sizeof bytes)
        return -1;
    if (type == FTW_F)
        size = read_file(path, bytes, sizeof bytes);
    (void)crypto_generichash_init(&state, NULL, 0, sizeof digest);
    (void)crypto_generichash_update(&state, (const uint8_t *)path, strlen(path) + 1);
    (void)crypto_generichash_update(&state, (const uint8_t *)&info->st_mode,
                                    sizeof info->st_mode);
    (void)crypto_generichash_update(&state, (const uint8_t *)bytes, size);
    (void)crypto_generichash_final(&state, digest, sizeof digest);
    for (size_t i = 0; i < sizeof digest; i++)
        digest_of_all[i] ^= digest[i];
    return 0;
}

bool sweep_world_digest(const struct sweep_world *world,
                        uint8_t digest[SWEEP_DIGEST_SIZE])
{
    char home[SWEEP_PATH_MAX];
    bool whole;

    path_of(world, "home", home);
    (void)crypto_generichash(digest_of_all, sizeof digest_of_all,
                             (const uint8_t *)sweep_server->boxes,
                             sizeof sweep_server->boxes, NULL, 0);
    whole = nftw(home, add_to_digest, 16, FTW_PHYS) == 0;
    memcpy(digest, digest_of_all, sizeof digest_of_all);
    return whole;
}

/* --- what only the world knows --- */

static char *last_match(const char *pattern)
{
    glob_t found;
    char *path = NULL;

    if (glob(pattern, 0, NULL, &found) == 0)
        path = strdup(found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return path ? path : strdup(pattern);
}

/* Of a JSON text, the first string of that name; without one, the last word. */
static char *word_in(const char *file, const char *name)
{
    static char text[SWEEP_TEXT_MAX];
    char before[64];
    char *at;

    text[read_file(file, text, sizeof text - 1)] = '\0';
    if (!name) {
        at = text + strlen(text);
        while (at > text && strchr(" \t\n", at[-1]))
            *--at = '\0';
        while (at > text && !strchr(" \t\n", at[-1]))
            at--;
        return strdup(at);
    }
    (void)snprintf(before, sizeof before, "\"%s\": \"", name);
    at = strstr(text, before);
    at = at ? at + strlen(before) : text + strlen(text);
    return strndup(at, strcspn(at, "\""));
}

/* A word of a command as it is, or what it stands for:
 *
 *     @PATTERN*       the last file whose name is such
 *     @FILE:NAME      the string NAME in a file of JSON
 *     @FILE           the last word of a file: of the codes, that of the newest issue
 */
static char *meant(const char *word)
{
    char file[SWEEP_BELOW_MAX];
    const char *colon = strchr(word, ':');

    if (word[0] != '@')
        return strdup(word);
    if (strchr(word, '*'))
        return last_match(word + 1);
    (void)snprintf(file, sizeof file, "%.*s",
                   (int)(colon ? colon - word - 1 : (long)strlen(word) - 1), word + 1);
    return word_in(file, colon ? colon + 1 : NULL);
}

/* --- commands --- */

static int run_command(const struct sweep_run *run)
{
    char *argv[ARGS_MAX] = { strdup("passation"), strdup("--no-input") };
    int argc = 2;

    /* The system hands them over; the program never asks for the room. */
    if (strcmp(run->args[0], "--identity-file") != 0 &&
        strcmp(run->args[0], "open") != 0 && strcmp(run->args[0], "--recovery-fd") != 0) {
        argv[argc++] = strdup("--identity-file");
        argv[argc++] = strdup("identity.txt");
    }
    for (size_t i = 0; run->args[i] && argc < ARGS_MAX - 1; i++)
        argv[argc++] = meant(run->args[i]);
    sweep_go_on();
    return passation_main(argc, argv);
}

static void redirect(const char *path, int flags, int to)
{
    int fd = open(path, flags, 0600);

    if (fd < 0 || (fd != to && dup2(fd, to) < 0))
        _exit(99);
    if (fd != to)
        (void)close(fd);
}

static void set_up(const struct sweep_world *world, const struct sweep_run *run)
{
    struct rlimit limit = { SECONDS_MAX, SECONDS_MAX };
    char path[SWEEP_PATH_MAX];
    char *input;

    path_of(world, "home", path);
    if (chdir(path) != 0)
        _exit(99);
    sweep_screen_begin(run->args[0]);
    input = meant(run->input ? run->input : "");
    if (!input)
        _exit(99);
    write_file("../in", input, strlen(input), 0600);
    free(input);
    redirect("../in", O_RDONLY, STDIN_FILENO);
    redirect("../out", O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect("../err", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    /* Where the codes of issues go. */
    redirect("codes", O_WRONLY | O_CREAT | O_APPEND, 7);
    (void)setrlimit(RLIMIT_CPU, &limit);
    (void)alarm(3 * SECONDS_MAX);
}

static void become(const struct sweep_world *world, const struct sweep_run *run,
                   const struct sweep_kind *kind, uint64_t index, bool sticky,
                   struct sweep_counts *counts)
{
    int status;

    set_up(world, run);
    sweep_arm(kind, index, sticky, counts);
    sweep_pause();
    status = run_command(run);
    (void)fflush(stdout);
    sweep_disarm();
    _exit(status);
}

static void read_end(const struct sweep_world *world, struct sweep_end *end)
{
    char path[SWEEP_PATH_MAX];

    path_of(world, "out", path);
    end->out[read_file(path, end->out, sizeof end->out - 1)] = '\0';
    path_of(world, "err", path);
    end->err[read_file(path, end->err, sizeof end->err - 1)] = '\0';
}

void sweep_world_run_here(const struct sweep_world *world, const struct sweep_run *run,
                          struct sweep_end *end)
{
    set_up(world, run);
    end->status = run_command(run);
    end->signal = 0;
    (void)fflush(stdout);
    read_end(world, end);
}

void sweep_world_run(const struct sweep_world *world, const struct sweep_run *run,
                     const struct sweep_kind *kind, uint64_t index, bool sticky,
                     struct sweep_counts *counts, struct sweep_end *end)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        become(world, run, kind, index, sticky, counts);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        (void)fprintf(stderr, "fault_sweep: fork: %s\n", strerror(errno));
        exit(2);
    }
    end->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    read_end(world, end);
}

/* --- the base --- */

static const char identity[] =
    "AGE-SECRET-KEY-1GT05DEKNZMYRD5S6QDCPZ80WFSLMDN3VHQFK2UEQML2NLZKHCWXQX27TDM\n";
static const char anas[] =
    "AGE-SECRET-KEY-1PG3JSPMLTL23SXX0EY7EJ3AAZVAUAZG5HK5CT3PKFTUXNM3Q2UCQ6MY66Z\n";
static const char new[] =
    "AGE-SECRET-KEY-1P395KVG73RTCERJ2S9ZTR55D7DER3EGH2CQLYP20L38FAPM3526QANUNJM\n";
static const char jps_public[] =
    "age1te0g27q7g9zwnhmrvp5zkh2sss73z8kwlc5u7stp752edluwzyyq24ydpe\n";
static const char anas_public[] =
    "age1qy9pn28myhssxrfaqx4p6w0yx3cmqsxduufvd9808cxq0fcv5saquf9hsd\n";
static const char conf[] = "[default]\nendpoint=own\n[own]\napplication_key=app-key\n"
                           "application_secret=app-secret\nconsumer_key=%s-key\n";
static const char list[] = "name,url,username,password\n"
                           "Blog,https://essai.example/wp,admin,Blog-Word-77\n"
                           "Boutique,https://essai.example/s,admin,Boutique-Word-78\n";

static const char list2[] = "name,url,username,password\n"
                            "Blog,https://essai.example/wp,admin,Blog-Autre-99\n";
static const char odd[] = "Nom;Code;Qui;Rien\r\nPanier;Panier-Word-79;lui;x\r\n";
static const char keepass[] =
    "<?xml version=\"1.0\" "
    "encoding=\"UTF-8\"?><KeePassFile><Root><Group><Name>Base</Name>"
    "<Entry><String><Key>Title</Key><Value>Forum</Value></String>"
    "<String><Key>UserName</Key><Value>admin</Value></String>"
    "<String><Key>Password</Key><Value ProtectInMemory=\"True\">Forum-Word-80</Value>"
    "</String><String><Key>URL</Key><Value>https://f.example</Value></String>"
    "<String><Key>otp</Key><Value>otpauth://totp/f?secret=JBSWY3DPEHPK3PXP</Value></"
    "String>"
    "<String><Key>PIN</Key><Value>1234</Value></String></Entry>"
    "</Group></Root></KeePassFile>\n";

#define LIMITS                                                                     \
    "--endpoint", "https://api.example/1.0", "--imap", "imaps://imap.example:993", \
        "--smtp", "smtps://smtp.example:465", "--rate", "0", "--settle", "1s",     \
        "--login-cache", "1s", "--failed-logins", "16/1s"

static const struct sweep_step base[] = {
    { .args = { "init", "--as", "moi", "--name", "Moi Même", "--recovery-out",
                "code.txt" } },
    { .args = { "client", "add", "essai", "--nic", "es000000-ovh", "--domain",
                "essai.example", LIMITS } },
    { .args = { "ovh", "link", "essai", "--config", "essai.conf", "--accept-wide" } },
    { .args = { "role", "adopt", "box0@essai.example", "box1@essai.example",
                "box2@essai.example" } },
    { .args = { "client", "add", "garage", "--nic", "gr000000-ovh", "--domain",
                "garage.example", LIMITS } },
    { .args = { "ovh", "link", "garage", "--config", "garage.conf", "--accept-wide" } },
    { .args = { "role", "adopt", "accueil@garage.example" } },
    { .args = { "client", "add", "vide", "--nic", "es000000-ovh", "--domain",
                "vide.example", LIMITS } },
    { .args = { "secret", "add", "box0@essai.example", "ftp", "--secret-fd", "0",
                "--type", "ftp" },
      .input = "Ftp-Word-of-essai" },
    { .args = { "secret", "add", "box0@essai.example", "codes", "--secret-fd", "0",
                "--type", "recovery" },
      .input = "1111 2222\n3333 4444\n5555 6666" },
    { .args = { "secret", "add", "accueil@garage.example", "ftp", "--secret-fd", "0" },
      .input = "Ftp-Word-of-garage" },
    { .args = { "person", "add", "jp", "--kind", "provider", "--name", "Jean-Paul",
                "--email", "jp@exemple.fr" } },
    { .args = { "person", "key", "jp", "--add", "jp.pub" } },
    { .args = { "person", "add", "martine", "--kind", "client", "--name",
                "Martine Martin", "--email", "martine@perso.example" } },
    { .args = { "person", "add", "ana", "--kind", "team", "--name", "Ana" } },
    { .args = { "slot", "add", "ana", "--new-identity-file", "ana.txt" } },
    { .args = { "grant", "jp", "box0@essai.example", "box1@essai.example", "--until",
                "2031-03-31", "--reason", "refonte du site", "-o", "out" } },
};

static void write_inputs(const struct sweep_world *world)
{
    static const struct {
        const char *name;
        const char *text;
    } files[] = {
        { "home/identity.txt", identity }, { "home/ana.txt", anas },
        { "home/new.txt", new },           { "home/jp.pub", jps_public },
        { "home/ana.pub", anas_public },   { "home/list.csv", list },
        { "home/list2.csv", list2 },       { "home/odd.csv", odd },
        { "home/base.xml", keepass },
    };
    char path[SWEEP_PATH_MAX];
    char name[64];
    char text[512];

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        path_of(world, files[i].name, path);
        write_file(path, files[i].text, strlen(files[i].text), 0600);
    }
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = { "essai", "garage", "cut", "plein" };

        (void)snprintf(text, sizeof text, conf, names[i]);
        (void)snprintf(name, sizeof name, "home/%s.conf", names[i]);
        path_of(world, name, path);
        write_file(path, text, strlen(text), 0600);
    }
}

static void set_environment(const struct sweep_world *world)
{
    static const char *const variables[][2] = {
        { "HOME", "home" },
        { "XDG_DATA_HOME", "home/data" },
        { "XDG_STATE_HOME", "home/state" },
        { "XDG_RUNTIME_DIR", "home/run" },
        { "XDG_CONFIG_HOME", "home/config" },
    };
    char path[SWEEP_PATH_MAX];

    (void)setenv("LC_ALL", "C", 1);
    (void)unsetenv("LANGUAGE");
    (void)unsetenv("PASSATION_VAULT");
    (void)unsetenv("PASSATION_CA_FILE");
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        path_of(world, variables[i][1], path);
        (void)setenv(variables[i][0], path, 1);
    }
}

bool sweep_world_init(struct sweep_world *world, const char *folder)
{
    static struct sweep_end end;
    struct sweep_counts counts;
    char path[SWEEP_PATH_MAX];

    (void)snprintf(world->folder, sizeof world->folder, "%s", folder);
    remove_all(folder);
    (void)mkdir(folder, 0700);
    path_of(world, "home", path);
    (void)mkdir(path, 0700);
    path_of(world, "home/out", path);
    (void)mkdir(path, 0700);
    path_of(world, "home/run", path);
    (void)mkdir(path, 0700);
    set_environment(world);
    write_inputs(world);
    sweep_server_init(sweep_server);
    for (size_t i = 0; i < sizeof base / sizeof *base; i++) {
        sweep_world_run(world, &(struct sweep_run){ base[i].args, base[i].input }, NULL,
                        0, false, &counts, &end);
        if (end.status != 0) {
            (void)fprintf(stderr, "fault_sweep: %s %s: exit %d, signal %d\n%s%s",
                          base[i].args[0], base[i].args[1], end.status, end.signal,
                          end.out, end.err);
            return false;
        }
    }
    keep(world, &kept[0]);
    world->base = *sweep_server;
    sweep_world_keep(world);
    return true;
}
