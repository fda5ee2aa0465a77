/* SPDX-License-Identifier: BSD-2-Clause */
/* Files below a root; see host_root.h. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host_root.h"
#include "tool.h"

enum {
    CHUNK = 65536,
    LIST_BYTES = 65536,
    NAMES_MAX = 4096
};

/* Without openat2(): component by component, and no link is followed. */
static int open_plainly(int root, const char *path, int flags)
{
    int fd = dup(root);
    char part[NAME_MAX + 1];

    while (fd >= 0) {
        const size_t n = strcspn(path, "/");
        const bool last = path[n] == '\0';
        int next;

        if (n > NAME_MAX) {
            (void)close(fd);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, n);
        part[n] = '\0';
        next = openat(fd, part,
                      (last ? flags : O_RDONLY | O_DIRECTORY | O_CLOEXEC) |
                          O_NOFOLLOW);
        (void)close(fd);
        if (last)
            return next;
        fd = next;
        path += n + 1;
    }
    return -1;
}

static int open_below(const struct root *r, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned int)(flags | O_RDONLY | O_CLOEXEC | O_NOCTTY |
                                O_NONBLOCK),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    const long fd = syscall(SYS_openat2, r->fd, path, &how, sizeof(how));

    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return (int)fd;
    /* Links of the running kernel's own file systems are no danger. */
    if (r->live)
        return openat(r->fd, path, (int)how.flags);
    return open_plainly(r->fd, path, (int)how.flags);
}

static enum root_state state_of(int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return ROOT_ABSENT;
    return error == EACCES || error == EPERM ? ROOT_REFUSED : ROOT_FAILED;
}

const char *root_state_name(enum root_state state)
{
    static const char *const names[] = {
        [ROOT_READ] = "read",
        [ROOT_ABSENT] = "absent",
        [ROOT_REFUSED] = "refused",
        [ROOT_FAILED] = "failed",
    };

    return names[state];
}

/* All of the file up to @max bytes, with the end of a longer one. */
static char *fd_read(int fd, size_t max, size_t *size)
{
    char *bytes = NULL;
    size_t have = 0;
    size_t room = 0;

    while (have < max) {
        ssize_t n;

        if (have == room) {
            char *const more = realloc(bytes, room == 0 ? CHUNK : 2 * room);

            if (more == NULL)
                break;
            room = room == 0 ? CHUNK : 2 * room;
            bytes = more;
        }
        n = read(fd, bytes + have,
                 room - have < max - have ? room - have : max - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        if (n == 0) {
            *size = have;
            return bytes;
        }
        have += (size_t)n;
    }
    if (have == max) {
        *size = have;
        return bytes;
    }
    free(bytes);
    return NULL;
}

static char *file_take(const struct root *r, const char *path, size_t max,
                       size_t *size)
{
    const int fd = open_below(r, path, 0);
    char *bytes = NULL;
    struct stat st;
    int error;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        errno = EINVAL;
        return NULL;
    }
    /* The end of a log is about the last boot. */
    if (st.st_size > 0 && (size_t)st.st_size > max)
        (void)lseek(fd, st.st_size - (off_t)max, SEEK_SET);
    bytes = fd_read(fd, max, size);
    error = errno;
    (void)close(fd);
    errno = error;
    return bytes;
}

static void note(struct root *r, const char *path, enum root_state state,
                 const char *reason)
{
    (void)json_array_append_new(
        r->files, json_pack("{s:s, s:s, s:s?}", "path", path, "state",
                            root_state_name(state), "reason", reason));
}

/* A tree of `vtdpi collect` says what could not be read on the machine. */
static bool was_refused(const struct root *r, const char *path)
{
    return json_object_get(r->refused, path) != NULL;
}

char *root_read(struct root *r, const char *path, size_t max, size_t *size,
                enum root_state *state, bool optional)
{
    char *const bytes = file_take(r, path, max, size);
    const char *reason = NULL;

    *state = ROOT_READ;
    if (bytes == NULL) {
        *size = 0;
        *state = state_of(errno);
        reason = *state == ROOT_ABSENT ? NULL : strerror(errno);
        if (*state == ROOT_ABSENT && was_refused(r, path)) {
            *state = ROOT_REFUSED;
            reason = "not readable for the user who made this tree";
        }
    }
    if (*state != ROOT_ABSENT || !optional)
        note(r, path, *state, reason);
    return bytes;
}

enum root_state root_look(struct root *r, const char *path)
{
    const int fd = open_below(r, path, O_DIRECTORY);

    if (fd < 0)
        return state_of(errno);
    (void)close(fd);
    return ROOT_READ;
}

/* Numbers in names count as numbers: dmar10 comes after dmar9. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strverscmp((*a)->d_name, (*b)->d_name);
}

/* The prefix and a number, or the prefix alone: a name from a tree of somebody else is
 * printed. */
static bool is_numbered(const char *name, const char *prefix)
{
    const size_t n = strlen(prefix);

    return strncmp(name, prefix, n) == 0 &&
           name[n + strspn(name + n, "0123456789")] == '\0' &&
           strlen(name) < HOST_NAME;
}

json_t *root_list(struct root *r, const char *path, const char *prefix)
{
    const int fd = open_below(r, path, O_DIRECTORY);
    json_t *const names = json_array();
    struct dirent **entry = NULL;
    int count;

    if (fd < 0)
        return names;
    count = scandirat(fd, ".", &entry, NULL, by_name);
    for (int i = 0; i < count; i++) {
        if (i < NAMES_MAX && is_numbered(entry[i]->d_name, prefix))
            (void)json_array_append_new(names, json_string(entry[i]->d_name));
        free(entry[i]);
    }
    free(entry);
    (void)close(fd);
    return names;
}

/* Of a record "6,339,5140900,-;text", the text if the kernel wrote it. Programs may
 * write records, too, with a facility above 0. Returns its length. */
static size_t record_text(const char *record, size_t length, const char **text)
{
    const struct span s = {record, length};
    struct span rest = span_after(s, ";");
    struct span line;
    unsigned long priority = 0;

    for (size_t i = 0; i < length && record[i] >= '0' && record[i] <= '9'; i++)
        priority = 10 * priority + (unsigned long)(record[i] - '0');
    if (priority > 7 || !span_line(&rest, &line))
        return 0;
    *text = line.at;
    return line.length;
}

static void kmsg_read(int fd, size_t max, FILE *to)
{
    char record[8192];
    size_t have = 0;

    while (have < max) {
        const ssize_t n = read(fd, record, sizeof(record));
        const char *text = NULL;
        size_t length;

        /* EPIPE: records were overwritten meantime; the next read goes on. */
        if (n < 0 && (errno == EINTR || errno == EPIPE))
            continue;
        if (n <= 0)
            return;
        length = record_text(record, (size_t)n, &text);
        if (length == 0)
            continue;
        (void)fprintf(to, "%.*s\n", (int)length, text);
        have += length + 1;
    }
}

static char *kmsg_take(struct root *r, size_t max, size_t *size,
                       enum root_state *state)
{
    const int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char *bytes = NULL;
    FILE *to;

    if (fd < 0) {
        *state = state_of(errno);
        note(r, "dev/kmsg", *state, strerror(errno));
        return NULL;
    }
    to = open_memstream(&bytes, size);
    if (to != NULL) {
        kmsg_read(fd, max, to);
        (void)fclose(to);
    }
    (void)close(fd);
    *state = bytes == NULL ? ROOT_FAILED : ROOT_READ;
    note(r, "dev/kmsg", *state, NULL);
    return bytes;
}

char *root_log(struct root *r, size_t max, size_t *size, enum root_state *state)
{
    static const char *const places[] = {
        "dmesg",           "dmesg.txt",
        "dmesg.log",       "sos_commands/kernel/dmesg",
        "var/log/dmesg",   "var/log/kern.log",
        "var/log/messages"};
    /* Files of the first names at the top of a running machine are none of its. */
    const size_t first = r->live ? 4 : 0;
    enum root_state worst = ROOT_ABSENT;
    char *bytes = NULL;

    *size = 0;
    *state = ROOT_ABSENT;
    if (r->live)
        bytes = kmsg_take(r, max, size, state);
    for (size_t i = first;
         bytes == NULL && i < sizeof(places) / sizeof(*places); i++) {
        worst = *state == ROOT_ABSENT ? worst : *state;
        bytes = root_read(r, places[i], max, size, state, true);
    }
    if (bytes == NULL && *state == ROOT_ABSENT)
        *state = worst;
    return bytes;
}

/* One path in each line. */
static void refused_read(struct root *r)
{
    enum root_state state;
    size_t size;
    char *const bytes =
        root_read(r, ROOT_REFUSED_LIST, LIST_BYTES, &size, &state, true);
    struct span text = {bytes, size};
    struct span line;

    r->refused = json_object();
    while (bytes != NULL && span_line(&text, &line)) {
        json_t *const path = json_stringn(line.at, line.length);

        if (path != NULL)
            (void)json_object_set_new(r->refused, json_string_value(path),
                                      json_true());
        json_decref(path);
    }
    free(bytes);
}

int root_open(struct root *r, const char *name)
{
    memset(r, 0, sizeof(*r));
    r->live = name == NULL;
    r->fd = open(r->live ? "/" : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->fd < 0)
        return complain(STATUS_INPUT, "%s: %s", r->live ? "/" : name,
                        strerror(errno));
    r->files = json_array();
    if (!r->live)
        refused_read(r);
    return 0;
}

void root_close(struct root *r)
{
    (void)close(r->fd);
    json_decref(r->files);
    json_decref(r->refused);
}
