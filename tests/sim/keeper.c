#include "keeper.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"

/*
 * One byte each way on a socket pair: 'u' start, 'd' end, '?' does it live. The answer is
 * 'y' or 'n'. The end of the stream means that the simulator is gone.
 */
struct sim_keeper {
    pid_t pid;
    int fd;
};

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    remove(path);
    return 0;
}

void sim_keeper_remove_tree(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void exec_dovecot(const char *config)
{
    static const char *const places[] = { "/usr/sbin/dovecot", "/usr/local/sbin/dovecot",
                                          "/usr/bin/dovecot" };
    char search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *const environment[] = { search, NULL };
    char foreground[] = "-F";
    char from[] = "-c";
    char path[128];

    snprintf(path, sizeof path, "%s", config);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char place[64];
        snprintf(place, sizeof place, "%s", places[i]);
        char *const arguments[] = { place, foreground, from, path, NULL };
        execve(place, arguments, environment);
    }
    fprintf(stderr, "no dovecot found\n");
    _exit(127);
}

static pid_t start_child(const char *config)
{
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        setpgid(0, 0);
        close_range(3, ~0u, 0);
        exec_dovecot(config);
    }
    /* Here as well as there: whoever comes first. */
    if (pid > 0)
        setpgid(pid, pid);
    return pid;
}

/* Nothing that Dovecot holds is worth a clean end, so the whole group dies at once. All
 * of it are children of the keeper in the end (keep()), so it knows when they are gone
 * and the ports are free. */
static void end_child(pid_t *child)
{
    pid_t ended = 0;

    if (*child <= 0)
        return;
    kill(-*child, SIGKILL);
    for (int i = 0; i < 2000 && ended >= 0; i++) {
        ended = waitpid(-1, NULL, WNOHANG);
        if (ended == 0)
            sim_text_sleep_ms(1);
    }
    *child = 0;
}

static void keep(int fd, const char *dir)
{
    char config[128];
    char order = 0;
    pid_t child = 0;

    snprintf(config, sizeof config, "%s/dovecot.conf", dir);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    while (read(fd, &order, 1) == 1) {
        if (child > 0 && waitpid(child, NULL, WNOHANG) == child)
            end_child(&child);
        if (order == 'd')
            end_child(&child);
        else if (order == 'u' && child <= 0)
            child = start_child(config);
        if (write(fd, child > 0 ? "y" : "n", 1) != 1)
            break;
    }
    end_child(&child);
    /* Its processes may still be writing for a moment. */
    for (int i = 0; i < 40 && access(dir, F_OK) == 0; i++) {
        sim_keeper_remove_tree(dir);
        sim_text_sleep_ms(i > 0 ? 25 : 0);
    }
}

static void become_keeper(int fd, const char *dir, const char *out_dir)
{
    char out[600];

    setsid(); /* an interrupt from the terminal is the simulator's affair */
    signal(SIGPIPE, SIG_IGN);
    snprintf(out, sizeof out, "%s/dovecot.out", out_dir);
    int null_fd = open("/dev/null", O_RDONLY);
    int out_fd = open(out, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 3);
    dup2(null_fd, 0);
    dup2(out_fd >= 0 ? out_fd : null_fd, 1);
    dup2(1, 2);
    close_range(4, ~0u, 0);
    keep(3, dir);
    _exit(0);
}

struct sim_keeper *sim_keeper_start(const char *dir, const char *out_dir)
{
    struct sim_keeper *keeper = calloc(1, sizeof *keeper);
    int ends[2];

    if (!keeper || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        free(keeper);
        return NULL;
    }
    keeper->pid = fork();
    if (keeper->pid == 0)
        become_keeper(ends[1], dir, out_dir);
    close(ends[1]);
    keeper->fd = ends[0];
    if (keeper->pid > 0)
        return keeper;
    close(ends[0]);
    free(keeper);
    return NULL;
}

static bool ask(struct sim_keeper *keeper, char order)
{
    char answer = 'n';

    return write(keeper->fd, &order, 1) == 1 && read(keeper->fd, &answer, 1) == 1 &&
           answer == 'y';
}

void sim_keeper_run(struct sim_keeper *keeper, bool up)
{
    ask(keeper, up ? 'u' : 'd');
}

bool sim_keeper_child_lives(struct sim_keeper *keeper)
{
    return ask(keeper, '?');
}

void sim_keeper_stop(struct sim_keeper *keeper)
{
    close(keeper->fd);
    waitpid(keeper->pid, NULL, 0);
    free(keeper);
}
