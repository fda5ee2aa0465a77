/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtdpi collect: the files that `vtdpi host` reads, as an archive for a bug report.
 * Nothing personal leaves: a list says which files are taken and collect_keep.c what of
 * them. The archive also lists what could not be read, since a file that is not there
 * and a file that only root may read mean different things.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect_keep.h"
#include "host.h"
#include "tar.h"
#include "tool.h"

enum {
    OPTION_ROOT = 1,
    OPTION_LIST
};

struct collect {
    const char *root;
    const char *output;
    bool list;
    struct root r;
    FILE *to; /* NULL: only look */
    bool failed;
    json_t *taken;
    json_t *refused;
    json_t *folders; /* those that are in the archive already */
};

/* A list of files, with what of each is kept. */
static const struct source {
    const char *path;
    size_t max;
    void (*keep)(struct span text, FILE *to);
    const char *what;
} sources[] = {
    {PATH_DMAR, TABLE_BYTES, keep_all, "whole, with the OEM's ids"},
    {PATH_MADT, TABLE_BYTES, keep_all, "whole, with the OEM's ids"},
    {PATH_CPUINFO, CPUINFO_BYTES, keep_cpuinfo,
     "model and flags of the first processor"},
    {PATH_CMDLINE, TABLE_BYTES, keep_cmdline,
     "words about interrupts and IOMMUs"},
    {PATH_INTERRUPTS, TEXT_BYTES, keep_interrupts,
     "counts and chips, no names of devices"},
    {PATH_RELEASE, SMALL_BYTES, keep_all, "the kernel's release"},
    {PATH_APICV, SMALL_BYTES, keep_all, "whole"},
    {PATH_DEVICES, SMALL_BYTES, keep_all, "whole"},
    {PATH_UNSAFE, SMALL_BYTES, keep_all, "whole"},
    {PATH_HYPERVISOR, SMALL_BYTES, keep_all, "whole"},
    {PATH_REGSET, TEXT_BYTES, keep_all, "whole: the units' registers"},
    {PATH_ENTRIES, TEXT_BYTES, keep_all,
     "whole: entries, with addresses of descriptors"},
};

enum {
    FOLDER_BYTES = 512,
};

static void folder_add(struct collect *c, const char *path)
{
    char name[FOLDER_BYTES + 1];

    if (json_object_get(c->folders, path) != NULL)
        return;
    (void)json_object_set_new(c->folders, path, json_true());
    (void)snprintf(name, sizeof(name), "%s/", path);
    if (c->to != NULL && !tar_folder(c->to, name))
        c->failed = true;
}

/* The folders above @path. */
static void folders_add(struct collect *c, const char *path)
{
    char folder[FOLDER_BYTES];

    for (size_t i = 0; path[i] != '\0' && i < sizeof(folder); i++) {
        folder[i] = '\0';
        if (path[i] == '/')
            folder_add(c, folder);
        folder[i] = path[i];
    }
}

static void file_add(struct collect *c, const char *path, const char *bytes,
                     size_t size, const char *what)
{
    folders_add(c, path);
    if (c->to != NULL && !tar_file(c->to, path, bytes, size))
        c->failed = true;
    (void)json_array_append_new(
        c->taken, json_pack("{s:s, s:I, s:s}", "path", path, "bytes",
                            (json_int_t)size, "what", what));
}

/* A folder counts by being there: without a table in it, there is no such table. */
static void look_add(struct collect *c, const char *path)
{
    if (root_look(&c->r, path) != ROOT_READ)
        return;
    folders_add(c, path);
    folder_add(c, path);
}

static void kept_add(struct collect *c, const struct source *s,
                     const char *path, char *bytes, size_t size)
{
    const struct span text = {bytes, size};
    char *kept = NULL;
    size_t length = 0;
    FILE *const to = open_memstream(&kept, &length);

    if (to == NULL) {
        c->failed = true;
        return;
    }
    s->keep(text, to);
    if (fclose(to) == 0)
        file_add(c, path, kept, length, s->what);
    else
        c->failed = true;
    free(kept);
}

static void refused_add(struct collect *c, const char *path,
                        enum root_state state)
{
    if (state == ROOT_REFUSED || state == ROOT_FAILED)
        (void)json_array_append_new(c->refused, json_string(path));
}

static void source_add(struct collect *c, const struct source *s)
{
    enum root_state state;
    size_t size;
    char *const bytes = root_read(&c->r, s->path, s->max, &size, &state, true);

    if (bytes != NULL)
        kept_add(c, s, s->path, bytes, size);
    else
        refused_add(c, s->path, state);
    free(bytes);
}

static void unit_add(struct collect *c, const char *name)
{
    static const char *const files[] = {"address", "cap", "ecap", "version"};

    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        char path[256];
        const struct source s = {path, SMALL_BYTES, keep_all, "whole"};

        (void)snprintf(path, sizeof(path), PATH_UNITS "/%.64s/intel-iommu/%s",
                       name, files[i]);
        source_add(c, &s);
    }
}

static void units_add(struct collect *c)
{
    json_t *const names = root_list(&c->r, PATH_UNITS, "dmar");
    json_t *name;
    size_t i;

    json_array_foreach(names, i, name) unit_add(c, json_string_value(name));
    json_decref(names);
}

static void log_add(struct collect *c)
{
    static const struct source log = {
        "dmesg", TEXT_BYTES, keep_log,
        "lines of DMAR, IOMMU, x2APIC and KVM, without names of hosts"};
    enum root_state state;
    size_t size;
    char *const bytes = root_log(&c->r, TEXT_BYTES, &size, &state);

    if (bytes != NULL)
        kept_add(c, &log, log.path, bytes, size);
    else
        refused_add(c, log.path, state);
    free(bytes);
}

/* Of AMD's table only the name is of use. */
static void ivrs_add(struct collect *c)
{
    json_t *const names = root_list(&c->r, PATH_TABLES, "IVRS");

    if (json_array_size(names) != 0)
        file_add(c, PATH_IVRS, "", 0,
                 "that there is one; its bytes are not taken");
    json_decref(names);
}

static void refused_list_add(struct collect *c)
{
    char *text = NULL;
    size_t length = 0;
    FILE *const to = open_memstream(&text, &length);
    json_t *path;
    size_t i;

    if (to == NULL)
        return;
    json_array_foreach(c->refused, i, path)(void)
        fprintf(to, "%s\n", json_string_value(path));
    if (fclose(to) == 0)
        file_add(c, ROOT_REFUSED_LIST, text, length,
                 "names of files that could not be read");
    free(text);
}

static void everything_add(struct collect *c)
{
    static const char *const folders[] = {PATH_TABLES, PATH_UNITS, "sys/module",
                                          PATH_KVM};

    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
        look_add(c, folders[i]);
    for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
        source_add(c, &sources[i]);
    ivrs_add(c);
    units_add(c);
    log_add(c);
}

static error_t collect_parse(int key, char *argument, struct argp_state *state)
{
    struct collect *const c = state->input;

    switch (key) {
    case OPTION_ROOT:
        c->root = argument;
        return 0;
    case OPTION_LIST:
        c->list = true;
        return 0;
    case 'o':
        c->output = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void list_print(const json_t *list, const char *heading)
{
    const json_t *item;
    size_t i;

    if (json_array_size(list) == 0)
        return;
    printf("%s%s%s\n", tint(TINT_BOLD), heading, tint(TINT_NONE));
    json_array_foreach(list, i, item)
    {
        if (json_is_string(item))
            printf("  %s\n", json_string_value(item));
        else
            printf(
                "  %-50s %8lld  %s\n",
                json_string_value(json_object_get(item, "path")),
                (long long)json_integer_value(json_object_get(item, "bytes")),
                json_string_value(json_object_get(item, "what")));
    }
}

static void collect_text(const json_t *result)
{
    const char *const file = json_string_value(json_object_get(result, "file"));

    list_print(json_object_get(result, "taken"),
               file == NULL ? "Would be taken, with bytes:"
                            : "Taken, with bytes:");
    list_print(json_object_get(result, "refused"), "Not readable (root may):");
    puts("Not taken: names of hosts, users, devices and disks, serial numbers, "
         "addresses of networks.\nThe ACPI tables keep the ids of the "
         "machine's maker (OEM ids).");
    if (file != NULL)
        printf("Written: %s. Look into the file before you give it away; "
               "vtdpi host --root judges it unpacked.\n",
               file);
}

/* 0 or a status. An own name must not exist, since others may have made it. */
static int output_open(struct collect *c)
{
    const bool own = c->output == NULL;
    int fd;

    if (c->list)
        return 0;
    if (own)
        c->output = "vtdpi-host.tar";
    fd = open(c->output,
              O_WRONLY | O_CREAT | O_CLOEXEC | (own ? O_EXCL : O_TRUNC), 0600);
    if (fd >= 0)
        c->to = fdopen(fd, "w");
    if (c->to == NULL)
        return complain(STATUS_INPUT, "%s: %s", c->output, strerror(errno));
    return 0;
}

static int output_close(struct collect *c)
{
    if (c->to == NULL)
        return 0;
    if (!c->failed && !tar_end(c->to))
        c->failed = true;
    if (fclose(c->to) != 0)
        c->failed = true;
    if (!c->failed)
        return 0;
    return complain(STATUS_INPUT, "%s: the archive is not complete", c->output);
}

static int collect_run(struct collect *c)
{
    int status;

    everything_add(c);
    /* What could not be read is not a thing that was found. */
    status = json_array_size(c->taken) == 0 ? STATUS_UNKNOWN : STATUS_GOOD;
    refused_list_add(c);
    if (output_close(c) != 0)
        return STATUS_INPUT;
    return result_print(
        json_pack("{s:o, s:O, s:O}", "file",
                  c->list ? json_null()
                          : json_printable(c->output, strlen(c->output)),
                  "taken", c->taken, "refused", c->refused),
        collect_text, status);
}

int collect_main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"output", 'o', "FILE", 0, "the archive (vtdpi-host.tar)", 0},
        {"list", OPTION_LIST, NULL, 0,
         "say what would be taken, and write "
         "nothing",
         0},
        {"root", OPTION_ROOT, "DIR", 0,
         "take the files below DIR, not this machine's", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = collect_parse,
        .doc = "Make an archive of what vtdpi host reads, without anything "
               "personal.",
    };
    struct collect c = {0};
    int status;

    command_parse(&argp, argc, argv, &c);
    status = root_open(&c.r, c.root);
    if (status != 0)
        return status;
    c.taken = json_array();
    c.refused = json_array();
    c.folders = json_object();
    status = output_open(&c);
    if (status == 0)
        status = collect_run(&c);
    json_decref(c.taken);
    json_decref(c.refused);
    json_decref(c.folders);
    root_close(&c.r);
    return status;
}
