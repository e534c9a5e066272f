/*
 * passation-sim: an OVH API that can be reached from a test, with mailboxes one can log
 * in to. README.md tells how to use it; this file reads the options, starts the parts and
 * ends them.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api.h"
#include "cert.h"
#include "conn.h"
#include "control.h"
#include "dovecot.h"
#include "imap.h"
#include "ready.h"
#include "route.h"
#include "seed.h"
#include "sim.h"
#include "state.h"
#include "task.h"
#include "text.h"

enum {
    EXIT_USAGE = 2,
};

static const char usage[] =
    "Usage: passation-sim --dir DIR [OPTION]...\n"
    "       passation-sim --routes\n"
    "Simulates the part of the OVH API that passation calls, over HTTPS on loopback, "
    "with\n"
    "a mail server behind it. Writes DIR/ready.json when it is up; ends on SIGTERM.\n"
    "\n"
    "  --dir DIR              where ready.json, the certificates and ovh.conf go\n"
    "  --listen ADDRESS       listen here instead of 127.0.0.1\n"
    "  --port N               the API's port (default 0: any)\n"
    "  --control-port N       the control port (default 0: any)\n"
    "  --imap-port N          the mail server's port (default 0: any)\n"
    "  --seed FILE            begin with this state instead of the built-in one\n"
    "  --task-delay MS        how long a task takes (default 300)\n"
    "  --no-imap              no mail server\n"
    "  --imap-responder       a small built-in one instead of Dovecot\n"
    "  --two-fronts           a second IMAPS port, the second front end\n"
    "  --auth-cache           switch Dovecot's cache of log-ins on\n"
    "  --failure-delay default|0   Dovecot's delay after a wrong password (default 0)\n"
    "  --with-parent          end when the process that started this one ends\n"
    "  --routes               print the table of routes as JSON lines, and end\n"
    "  --help, --version\n";

enum option_code {
    OPT_DIR = 256,
    OPT_LISTEN,
    OPT_PORT,
    OPT_CONTROL_PORT,
    OPT_IMAP_PORT,
    OPT_SEED,
    OPT_TASK_DELAY,
    OPT_NO_IMAP,
    OPT_RESPONDER,
    OPT_TWO_FRONTS,
    OPT_AUTH_CACHE,
    OPT_FAILURE_DELAY,
    OPT_WITH_PARENT,
    OPT_ROUTES,
    OPT_HELP,
    OPT_VERSION,
};

static const struct option long_options[] = {
    { "dir", required_argument, NULL, OPT_DIR },
    { "listen", required_argument, NULL, OPT_LISTEN },
    { "port", required_argument, NULL, OPT_PORT },
    { "control-port", required_argument, NULL, OPT_CONTROL_PORT },
    { "imap-port", required_argument, NULL, OPT_IMAP_PORT },
    { "seed", required_argument, NULL, OPT_SEED },
    { "task-delay", required_argument, NULL, OPT_TASK_DELAY },
    { "no-imap", no_argument, NULL, OPT_NO_IMAP },
    { "imap-responder", no_argument, NULL, OPT_RESPONDER },
    { "two-fronts", no_argument, NULL, OPT_TWO_FRONTS },
    { "auth-cache", no_argument, NULL, OPT_AUTH_CACHE },
    { "failure-delay", required_argument, NULL, OPT_FAILURE_DELAY },
    { "with-parent", no_argument, NULL, OPT_WITH_PARENT },
    { "routes", no_argument, NULL, OPT_ROUTES },
    { "help", no_argument, NULL, OPT_HELP },
    { "version", no_argument, NULL, OPT_VERSION },
    { 0 },
};

static void fail(int status, const char *what, const char *detail)
{
    fprintf(stderr, "passation-sim: error: %s%s%s\n", what, *detail ? ": " : "", detail);
    exit(status);
}

static long number(const char *text, long max)
{
    int64_t value = 0;

    if (!sim_text_parse_long(text, &value) || value < 0 || value > max)
        fail(EXIT_USAGE, "not a number in range", text);
    return (long)value;
}

static void read_option(struct sim_options *options, int code)
{
    switch (code) {
    case OPT_DIR:
        options->dir = optarg;
        break;
    case OPT_LISTEN:
        options->listen = optarg;
        break;
    case OPT_PORT:
        options->port = number(optarg, 65535);
        break;
    case OPT_CONTROL_PORT:
        options->control_port = number(optarg, 65535);
        break;
    case OPT_IMAP_PORT:
        options->imap_port = number(optarg, 65535);
        break;
    case OPT_SEED:
        options->seed_file = optarg;
        break;
    case OPT_TASK_DELAY:
        options->task_delay_ms = number(optarg, 86400000);
        break;
    case OPT_NO_IMAP:
        options->imap = false;
        break;
    case OPT_RESPONDER:
        options->responder = true;
        break;
    case OPT_TWO_FRONTS:
        options->two_fronts = true;
        break;
    case OPT_AUTH_CACHE:
        options->auth_cache = true;
        break;
    case OPT_FAILURE_DELAY:
        options->failure_delay = strcmp(optarg, "default") == 0;
        if (!options->failure_delay && strcmp(optarg, "0") != 0)
            fail(EXIT_USAGE, "--failure-delay is 'default' or '0', not", optarg);
        break;
    case OPT_WITH_PARENT:
        options->with_parent = true;
        break;
    case OPT_ROUTES:
        sim_route_print(stdout);
        exit(0);
    case OPT_HELP:
        fputs(usage, stdout);
        exit(0);
    case OPT_VERSION:
        puts("passation-sim 1");
        exit(0);
    default:
        fputs("Try 'passation-sim --help'.\n", stderr);
        exit(EXIT_USAGE);
    }
}

static void read_options(struct sim_options *options, int argc, char **argv)
{
    *options =
        (struct sim_options){ .listen = "127.0.0.1", .task_delay_ms = -1, .imap = true };
    for (;;) {
        int code = getopt_long(argc, argv, "", long_options, NULL);
        if (code == -1)
            break;
        read_option(options, code);
    }
    if (!options->dir)
        fail(EXIT_USAGE, "--dir is missing", "see --help");
    if (optind < argc)
        fail(EXIT_USAGE, "unexpected argument", argv[optind]);
    if (strlen(options->dir) > 400)
        fail(EXIT_USAGE, "the name is too long", options->dir);
}

static void prepare_dir(const char *dir)
{
    char path[512];

    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        fail(1, dir, strerror(errno));
    snprintf(path, sizeof path, "%s/ready.json", dir);
    unlink(path);
}

static void prepare_lock(struct sim *sim)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&sim->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sim->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Dovecot first: its keeper must be forked before there are threads and sockets. */
static void start_mail(struct sim *sim)
{
    const struct sim_options *options = &sim->options;
    char why[256] = "";

    for (int front = 0; front < SIM_FRONTS; front++)
        sim->imap_fds[front] = -1;
    if (!options->imap)
        return;
    if (!options->responder) {
        sim->dovecot = sim_dovecot_start(options, sim->imap_ports, why, sizeof why);
        if (!sim->dovecot)
            fail(1, why, "");
        return;
    }
    for (int front = 0; front < (options->two_fronts ? 2 : 1); front++) {
        sim->imap_fds[front] =
            sim_conn_listen(options->listen, front == 0 ? options->imap_port : 0,
                            &sim->imap_ports[front]);
        if (sim->imap_fds[front] < 0)
            fail(1, "cannot listen for IMAPS", strerror(errno));
    }
}

static void start_ports(struct sim *sim)
{
    sim->api_fd = sim_conn_listen(sim->options.listen, sim->options.port, &sim->api_port);
    if (sim->api_fd < 0) {
        int cause = errno;
        sim_dovecot_stop(sim->dovecot);
        fail(1, "cannot listen for the API", strerror(cause));
    }
    sim->control_fd =
        sim_conn_listen("127.0.0.1", sim->options.control_port, &sim->control_port_bound);
    if (sim->control_fd < 0) {
        int cause = errno;
        sim_dovecot_stop(sim->dovecot);
        fail(1, "cannot listen for the control port", strerror(cause));
    }
}

static void start_threads(struct sim *sim)
{
    static int fronts[SIM_FRONTS] = { 0, 1 };
    bool good = sim_task_start(sim) &&
                sim_conn_accept(sim, sim->api_fd, sim->tls, sim_api_serve, NULL) &&
                sim_conn_accept(sim, sim->control_fd, NULL, sim_control_serve, NULL);

    for (int front = 0; front < SIM_FRONTS; front++)
        if (sim->imap_fds[front] >= 0)
            good = good && sim_conn_accept(sim, sim->imap_fds[front], sim->tls,
                                           sim_imap_serve, &fronts[front]);
    if (!good) {
        sim_dovecot_stop(sim->dovecot);
        fail(1, "cannot start a thread", "");
    }
}

static void put_seed(struct sim *sim)
{
    char why[256] = "";
    json_t *seed = NULL;

    sim_state_clear(sim);
    seed = sim_seed_default(sim, why, sizeof why);
    if (!seed || !sim_seed(sim, seed, why, sizeof why)) {
        sim_dovecot_stop(sim->dovecot);
        fail(1, "cannot use the seed", why);
    }
    json_decref(seed);
}

/* The signal is asked for first, so that an end in between is seen by one or the other.
 */
static void follow_parent(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        fail(1, "the parent process has gone", "");
}

static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    static struct sim sim;
    pid_t parent = getppid();
    sigset_t ends;
    int signal_number = 0;

    read_options(&sim.options, argc, argv);
    if (sim.options.with_parent)
        follow_parent(parent);
    /* All dates of the API are those of Paris; the rule stands here so that no zone data
     * need be installed. */
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    umask(077);
    raise_limits();
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGHUP);

    json_object_seed(1);
    prepare_lock(&sim);
    prepare_dir(sim.options.dir);
    sim.tls = sim_cert_make(sim.options.dir);
    if (!sim.tls)
        fail(1, "cannot make the certificates in", sim.options.dir);
    start_mail(&sim);
    sigprocmask(SIG_BLOCK, &ends, NULL); /* the threads inherit it, Dovecot must not */
    start_ports(&sim);
    put_seed(&sim);
    start_threads(&sim);
    pthread_mutex_lock(&sim.lock);
    bool ready = sim_ready_write(&sim);
    pthread_mutex_unlock(&sim.lock);
    if (!ready) {
        sim_dovecot_stop(sim.dovecot);
        fail(1, "cannot write ready.json in", sim.options.dir);
    }
    printf("passation-sim: ready (%s/ready.json); Ctrl-C ends it\n", sim.options.dir);
    fflush(stdout);
    sigwait(&ends, &signal_number);

    /* Nothing may use the mail server while it is taken down, so the lock is kept. */
    pthread_mutex_lock(&sim.lock);
    sim_dovecot_stop(sim.dovecot);
    sim_ready_remove(&sim);
    _exit(0);
}
