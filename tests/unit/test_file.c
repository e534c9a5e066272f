#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "support/tmpdir.h"

static struct tmpdir dir;

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tmpdir_remove(&dir);
    return 0;
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(psn_file_write(path, text, strlen(text), PSN_FILE_REPLACE, NULL),
                     PSN_OK);
}

static void assert_content(const char *path, const char *text)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(10000);

    assert_int_equal(psn_file_read(path, &buf, NULL), PSN_OK);
    assert_string_equal(psn_buf_str(&buf), text);
}

static mode_t mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

static void assert_fails(enum psn_code rc, enum psn_code expected,
                         const struct psn_error *err)
{
    assert_int_equal(rc, expected);
    assert_int_equal(err->code, expected);
    assert_non_null(strstr(err->message, dir.path));
}

/* Reading --------------------------------------------------------------------------- */

static void a_file_is_read_whole(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init_wiped(20000);
    char path[TMPDIR_PATH_MAX];
    char bytes[20000];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    (void)tmpdir_path(&dir, "f", path);
    assert_int_equal(psn_file_write(path, bytes, sizeof bytes, PSN_FILE_NEW, NULL),
                     PSN_OK);
    assert_int_equal(psn_file_read(path, &buf, NULL), PSN_OK);
    assert_int_equal(buf.size, sizeof bytes);
    assert_memory_equal(buf.data, bytes, sizeof bytes);
}

static void a_file_above_the_limit_is_refused(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(9);
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];

    (void)state;
    write_text(tmpdir_path(&dir, "f", path), "0123456789");
    assert_fails(psn_file_read(path, &buf, &err), PSN_E_LIMIT, &err);
}

static void a_missing_file_is_not_found(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(9);
    struct psn_error err = { 0 };
    struct psn_error below = { 0 };
    char path[TMPDIR_PATH_MAX];

    (void)state;
    assert_fails(psn_file_read(tmpdir_path(&dir, "none", path), &buf, &err),
                 PSN_E_NOT_FOUND, &err);
    write_text(tmpdir_path(&dir, "f", path), "");
    assert_fails(psn_file_read(tmpdir_path(&dir, "f/below", path), &buf, &below),
                 PSN_E_NOT_FOUND, &below);
}

static void a_link_is_not_followed(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(9);
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];
    char link_path[TMPDIR_PATH_MAX];

    (void)state;
    write_text(tmpdir_path(&dir, "f", path), "text");
    assert_int_equal(symlink(path, tmpdir_path(&dir, "link", link_path)), 0);
    assert_fails(psn_file_read(link_path, &buf, &err), PSN_E_IO, &err);
    assert_int_equal(buf.size, 0);
}

static void a_fifo_and_a_folder_are_refused_without_waiting(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(9);
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];

    (void)state;
    assert_int_equal(mkfifo(tmpdir_path(&dir, "fifo", path), 0600), 0);
    assert_fails(psn_file_read(path, &buf, &err), PSN_E_IO, &err);
    assert_int_equal(psn_file_read(dir.path, &buf, NULL), PSN_E_IO);
    assert_int_equal(psn_file_read("/dev/null", &buf, NULL), PSN_E_IO);
}

static void a_descriptor_is_read_without_its_last_newline_and_closed(void **state)
{
    static const struct {
        const char *written;
        const char *read;
    } rows[] = { { "text\n", "text" },
                 { "text", "text" },
                 { "two\nlines\n\n", "two\nlines\n" },
                 { "\n", "" },
                 { "", "" } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(100);
        size_t size = strlen(rows[i].written);
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], rows[i].written, size), size);
        (void)close(ends[1]);
        assert_int_equal(psn_file_read_fd(ends[0], &buf, NULL), PSN_OK);
        assert_string_equal(psn_buf_str(&buf), rows[i].read);
        assert_int_equal(fcntl(ends[0], F_GETFD), -1);
    }
}

static void a_closed_descriptor_is_the_callers_mistake(void **state)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(100);
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_file_read_fd(987, &buf, &err), PSN_E_INVALID);
    assert_int_equal(err.code, PSN_E_INVALID);
}

static void a_file_that_others_may_read_is_exposed(void **state)
{
    char path[TMPDIR_PATH_MAX];

    (void)state;
    write_text(tmpdir_path(&dir, "f", path), "x");
    assert_false(psn_file_is_exposed(path));
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(psn_file_is_exposed(path));
    assert_int_equal(chmod(path, 0604), 0);
    assert_true(psn_file_is_exposed(path));
}

/* Writing --------------------------------------------------------------------------- */

static void a_written_file_is_ours_alone_whatever_the_umask(void **state)
{
    char path[TMPDIR_PATH_MAX];
    mode_t before = umask(0);

    (void)state;
    write_text(tmpdir_path(&dir, "f", path), "x");
    (void)umask(before);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(tmpdir_count(&dir), 1);
}

static void replacing_leaves_the_new_content_and_nothing_else(void **state)
{
    char path[TMPDIR_PATH_MAX];

    (void)state;
    write_text(tmpdir_path(&dir, "f", path), "old");
    write_text(path, "new");
    assert_content(path, "new");
    assert_int_equal(psn_file_write(path, "hint", 4, PSN_FILE_HINT, NULL), PSN_OK);
    assert_content(path, "hint");
    assert_int_equal(tmpdir_count(&dir), 1);
}

static void replacing_a_link_leaves_its_target_alone(void **state)
{
    char target[TMPDIR_PATH_MAX];
    char path[TMPDIR_PATH_MAX];
    struct stat info;

    (void)state;
    write_text(tmpdir_path(&dir, "target", target), "target");
    assert_int_equal(symlink(target, tmpdir_path(&dir, "f", path)), 0);
    write_text(path, "new");
    assert_content(target, "target");
    assert_content(path, "new");
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISREG(info.st_mode));
}

static void a_new_file_never_replaces_one(void **state)
{
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];
    char dangling[TMPDIR_PATH_MAX];

    (void)state;
    assert_int_equal(
        psn_file_write(tmpdir_path(&dir, "f", path), "old", 3, PSN_FILE_NEW, NULL),
        PSN_OK);
    assert_fails(psn_file_write(path, "new", 3, PSN_FILE_NEW, &err), PSN_E_EXISTS, &err);
    assert_content(path, "old");
    assert_int_equal(symlink("nowhere", tmpdir_path(&dir, "dangling", dangling)), 0);
    assert_int_equal(psn_file_write(dangling, "new", 3, PSN_FILE_NEW, NULL),
                     PSN_E_EXISTS);
    assert_int_equal(tmpdir_count(&dir), 2);
}

static void a_failed_write_leaves_nothing_behind(void **state)
{
    struct psn_error err = { 0 };
    struct psn_error none = { 0 };
    char path[TMPDIR_PATH_MAX];

    (void)state;
    assert_int_equal(mkdir(tmpdir_path(&dir, "folder", path), 0700), 0);
    assert_fails(psn_file_write(path, "x", 1, PSN_FILE_REPLACE, &err), PSN_E_IO, &err);
    assert_int_equal(tmpdir_count(&dir), 1);
    assert_fails(
        psn_file_write(tmpdir_path(&dir, "none/f", path), "x", 1, PSN_FILE_NEW, &none),
        PSN_E_NOT_FOUND, &none);
    assert_int_equal(tmpdir_count(&dir), 1);
}

static void a_full_disk_is_told_as_such(void **state)
{
    (void)state;
    assert_int_equal(psn_file_code(ENOSPC), PSN_E_FULL);
    assert_int_equal(psn_file_code(EDQUOT), PSN_E_FULL);
    assert_int_equal(psn_file_code(EEXIST), PSN_E_EXISTS);
    assert_int_equal(psn_file_code(ENOMEM), PSN_E_NOMEM);
    assert_int_equal(psn_file_code(EROFS), PSN_E_IO);
}

/* Folders --------------------------------------------------------------------------- */

static void folders_are_made_with_their_parents(void **state)
{
    char path[TMPDIR_PATH_MAX];
    char parent[TMPDIR_PATH_MAX];

    (void)state;
    assert_int_equal(psn_file_make_dir(tmpdir_path(&dir, "a/b/c", path), NULL), PSN_OK);
    assert_int_equal(mode_of(path), 0700);
    assert_int_equal(mode_of(tmpdir_path(&dir, "a", parent)), 0700);
    assert_int_equal(psn_file_make_dir(path, NULL), PSN_OK);
    assert_int_equal(psn_file_make_dir(tmpdir_path(&dir, "a//d/", path), NULL), PSN_OK);
    assert_int_equal(psn_file_make_dir("", NULL), PSN_E_NOT_FOUND);
}

static void a_folder_that_others_can_write_in_is_refused(void **state)
{
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];

    (void)state;
    assert_int_equal(mkdir(tmpdir_path(&dir, "shared", path), 0700), 0);
    assert_int_equal(chmod(path, 0777), 0);
    assert_fails(psn_file_make_dir(path, &err), PSN_E_POLICY, &err);
    assert_non_null(strstr(err.hint, "chmod 700"));
}

static void a_file_or_a_link_in_the_place_of_the_folder_is_refused(void **state)
{
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];

    (void)state;
    write_text(tmpdir_path(&dir, "f", path), "");
    assert_fails(psn_file_make_dir(path, &err), PSN_E_POLICY, &err);
    assert_int_equal(symlink(dir.path, tmpdir_path(&dir, "link", path)), 0);
    assert_int_equal(psn_file_make_dir(path, NULL), PSN_E_POLICY);
}

static void the_folder_part_of_a_path_is_found(void **state)
{
    static const char *const rows[][2] = {
        { "file", "." }, { "/file", "/" }, { "a/file", "a" }, { "/a/b/file", "/a/b" }
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO_FREE char *found = psn_file_dir_of(rows[i][0]);

        assert_string_equal(found, rows[i][1]);
    }
}

/* Locks ----------------------------------------------------------------------------- */

static void a_held_lock_names_its_holder(void **state)
{
    struct psn_file_lock first = PSN_FILE_LOCK_NONE;
    struct psn_file_lock second = PSN_FILE_LOCK_NONE;
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];
    char pid[32];

    (void)state;
    (void)tmpdir_path(&dir, "lock", path);
    assert_int_equal(psn_file_lock(path, "rotate contact@example.org", &first, NULL),
                     PSN_OK);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(psn_file_lock(path, "other", &second, &err), PSN_E_BUSY);
    assert_int_equal(second.fd, -1);
    (void)snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    assert_non_null(strstr(err.message, pid));
    assert_non_null(strstr(err.message, "rotate contact@example.org"));
    assert_true(err.hint[0] != '\0');
    psn_file_unlock(&first);
    assert_int_equal(psn_file_lock(path, "other", &second, NULL), PSN_OK);
    psn_file_unlock(&second);
    psn_file_unlock(&second);
}

static void a_lock_ends_with_its_process(void **state)
{
    struct psn_file_lock lock = PSN_FILE_LOCK_NONE;
    char path[TMPDIR_PATH_MAX];
    int ready[2];
    char byte;
    pid_t child;

    (void)state;
    (void)tmpdir_path(&dir, "lock", path);
    assert_int_equal(pipe(ready), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (psn_file_lock(path, "child", &lock, NULL) == PSN_OK)
            (void)!write(ready[1], "x", 1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(psn_file_lock(path, "parent", &lock, NULL), PSN_E_BUSY);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(psn_file_lock(path, "parent", &lock, NULL), PSN_OK);
    psn_file_unlock(&lock);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void a_long_or_hostile_purpose_does_no_harm(void **state)
{
    struct psn_file_lock first = PSN_FILE_LOCK_NONE;
    struct psn_file_lock second = PSN_FILE_LOCK_NONE;
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];
    char what[3000];

    (void)state;
    memset(what, 'w', sizeof what);
    memcpy(what, "\x1b[2J", 4);
    what[sizeof what - 1] = '\0';
    (void)tmpdir_path(&dir, "lock", path);
    assert_int_equal(psn_file_lock(path, what, &first, NULL), PSN_OK);
    assert_int_equal(psn_file_lock(path, "other", &second, &err), PSN_E_BUSY);
    assert_true(psn_text_is_plain(err.message, strlen(err.message)));
    assert_non_null(strstr(err.message, "\\x1b[2Jwww"));
    psn_file_unlock(&first);
}

static void a_lock_is_a_regular_file_and_no_link(void **state)
{
    struct psn_file_lock lock = PSN_FILE_LOCK_NONE;
    struct psn_error err = { 0 };
    char path[TMPDIR_PATH_MAX];
    char target[TMPDIR_PATH_MAX];

    (void)state;
    write_text(tmpdir_path(&dir, "target", target), "precious");
    assert_int_equal(symlink(target, tmpdir_path(&dir, "lock", path)), 0);
    assert_fails(psn_file_lock(path, "x", &lock, &err), PSN_E_IO, &err);
    assert_content(target, "precious");
    assert_int_equal(mkfifo(tmpdir_path(&dir, "fifo", path), 0600), 0);
    assert_int_equal(psn_file_lock(path, "x", &lock, NULL), PSN_E_IO);
    assert_int_equal(lock.fd, -1);
}

static void what_belongs_to_a_file_by_its_name_is_not_written(void **state)
{
    static const char *const tails[] = { "-wal",       "-shm",        "-journal",
                                         "-WAL",       ".lock",       ".rekeying",
                                         ".restoring", ".restoring-2" };
    struct psn_error err = { 0 };
    char vault[TMPDIR_PATH_MAX];
    char path[TMPDIR_PATH_MAX + 32];

    (void)state;
    (void)tmpdir_path(&dir, "vault.db", vault);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        (void)snprintf(path, sizeof path, "%s%s", vault, tails[i]);
        write_text(path, "nobody's");
        assert_int_equal(unlink(path), 0);
    }
    write_text(vault, "precious");
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        (void)snprintf(path, sizeof path, "%s%s", vault, tails[i]);
        for (enum psn_file_mode mode = PSN_FILE_REPLACE; mode <= PSN_FILE_HINT; mode++) {
            assert_fails(psn_file_write(path, "x", 1, mode, &err), PSN_E_INVALID, &err);
            psn_error_clear(&err);
        }
        assert_fails(psn_file_check_new(path, &err), PSN_E_INVALID, &err);
        psn_error_clear(&err);
        assert_int_equal(access(path, F_OK), -1);
    }
    (void)snprintf(path, sizeof path, "%s.passation", vault);
    write_text(path, "another name");
}

static void a_database_is_not_replaced(void **state)
{
    static const char head[] = "SQLite format 3\0and more";
    struct psn_error err = { 0 };
    char vault[TMPDIR_PATH_MAX];
    char link[TMPDIR_PATH_MAX];

    (void)state;
    (void)tmpdir_path(&dir, "vault.db", vault);
    assert_int_equal(psn_file_write(vault, head, sizeof head, PSN_FILE_NEW, NULL),
                     PSN_OK);
    assert_fails(psn_file_write(vault, "x", 1, PSN_FILE_REPLACE, &err), PSN_E_INVALID,
                 &err);
    assert_int_equal(symlink(vault, tmpdir_path(&dir, "link", link)), 0);
    write_text(link, "the link alone is replaced");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(unlink(vault), 0);
    write_text(vault, "SQLite format");
    write_text(vault, "no database");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_whole),
        TEST(a_file_above_the_limit_is_refused),
        TEST(a_missing_file_is_not_found),
        TEST(a_link_is_not_followed),
        TEST(a_fifo_and_a_folder_are_refused_without_waiting),
        TEST(a_descriptor_is_read_without_its_last_newline_and_closed),
        TEST(a_closed_descriptor_is_the_callers_mistake),
        TEST(a_file_that_others_may_read_is_exposed),
        TEST(a_written_file_is_ours_alone_whatever_the_umask),
        TEST(replacing_leaves_the_new_content_and_nothing_else),
        TEST(replacing_a_link_leaves_its_target_alone),
        TEST(a_new_file_never_replaces_one),
        TEST(what_belongs_to_a_file_by_its_name_is_not_written),
        TEST(a_database_is_not_replaced),
        TEST(a_failed_write_leaves_nothing_behind),
        TEST(a_full_disk_is_told_as_such),
        TEST(folders_are_made_with_their_parents),
        TEST(a_folder_that_others_can_write_in_is_refused),
        TEST(a_file_or_a_link_in_the_place_of_the_folder_is_refused),
        TEST(the_folder_part_of_a_path_is_found),
        TEST(a_held_lock_names_its_holder),
        TEST(a_lock_ends_with_its_process),
        TEST(a_long_or_hostile_purpose_does_no_harm),
        TEST(a_lock_is_a_regular_file_and_no_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
