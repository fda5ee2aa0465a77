/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A self-test of the library inside Linux: start, end, results. Insert the module,
 * take CPUs offline and online while it runs, write anything to
 * /sys/kernel/debug/vtdpi_selftest/stop, read results there, remove the module.
 */

#define pr_fmt(format) KBUILD_MODNAME ": " format

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "selftest.h"

struct st_counts st_counts;

static struct dentry *folder;
static DEFINE_MUTEX(stop_lock);
static bool stopped;

static void totals(s64 *posted, s64 *taken)
{
    unsigned int i;
    unsigned int n;

    *posted = *taken = 0;
    for (i = 0; i < ST_VCPUS; i++) {
        for (n = 0; n < ST_VECTORS; n++) {
            *posted += atomic64_read(&st_vcpus[i].posted[n]);
            *taken += atomic64_read(&st_vcpus[i].taken[n]);
        }
    }
}

/* Nobody posts any more: the vCPUs are still there and take the rest. */
static void wait_until_taken(void)
{
    unsigned int ms;
    s64 posted;
    s64 taken;

    for (ms = 0; ms < ST_LOST_MS; ms += 10) {
        totals(&posted, &taken);
        if (posted == taken)
            return;
        msleep(10);
    }
    st_fail("%lld of %lld posts were not taken", posted - taken, posted);
}

static void judge(void)
{
    const s64 wakes = atomic64_read(&st_counts.wakes);
    const s64 handlers = atomic64_read(&st_counts.by_handler);
    const s64 most =
        atomic64_read(&st_counts.blocks) + (s64)ST_VCPUS * num_possible_cpus();

    if (wakes != handlers + atomic64_read(&st_counts.by_offline))
        st_fail("%lld wakes, handlers and offline say otherwise", wakes);
    if (handlers > most)
        st_fail("handlers woke %lld times, %lld is the most", handlers, most);
}

static void stop(void)
{
    mutex_lock(&stop_lock);
    if (!stopped) {
        st_posters_stop();
        wait_until_taken();
        st_vcpus_stop();
        st_host_stop();
        judge();
        stopped = true;
        pr_info("%lld failures\n", atomic64_read(&st_counts.failures));
    }
    mutex_unlock(&stop_lock);
}

static int results_show(struct seq_file *file, void *data)
{
    static const struct {
        const char *name;
        atomic64_t *count;
    } rows[] = {
        {"runs", &st_counts.runs},
        {"preempts", &st_counts.preempts},
        {"blocks", &st_counts.blocks},
        {"blocks-pending", &st_counts.pending},
        {"blocks-offline", &st_counts.offline},
        {"wakes", &st_counts.wakes},
        {"wakes-by-handler", &st_counts.by_handler},
        {"wakes-by-offline", &st_counts.by_offline},
        {"ipis", &st_counts.ipis},
        {"ipis-lost", &st_counts.ipis_lost},
        {"taken-in-guest", &st_counts.in_guest},
        {"device-posts", &st_counts.device_posts},
        {"moves", &st_counts.moves},
        {"offlines", &st_counts.offlines},
        {"onlines", &st_counts.onlines},
        {"failures", &st_counts.failures},
    };
    unsigned int i;
    s64 posted;
    s64 taken;

    totals(&posted, &taken);
    seq_printf(file, "posted %lld\ntaken %lld\n", posted, taken);
    for (i = 0; i < ARRAY_SIZE(rows); i++)
        seq_printf(file, "%s %lld\n", rows[i].name,
                   atomic64_read(rows[i].count));
    return 0;
}
DEFINE_SHOW_ATTRIBUTE(results);

static ssize_t stop_write(struct file *file, const char __user *text,
                          size_t size, loff_t *offset)
{
    stop();
    return size;
}

static const struct file_operations stop_fops = {
    .owner = THIS_MODULE,
    .write = stop_write,
};

static int __init selftest_init(void)
{
    int rc = st_host_start();

    if (rc)
        return rc;
    rc = st_vcpus_start();
    if (rc == 0) {
        rc = st_posters_start();
        if (rc)
            st_vcpus_stop();
    }
    if (rc) {
        st_host_stop();
        return rc;
    }
    folder = debugfs_create_dir(ST_NAME, NULL);
    debugfs_create_file("results", 0444, folder, NULL, &results_fops);
    debugfs_create_file("stop", 0200, folder, NULL, &stop_fops);
    pr_info("%u vCPUs on %u CPUs\n", ST_VCPUS, num_online_cpus());
    return 0;
}

static void __exit selftest_exit(void)
{
    debugfs_remove_recursive(folder);
    stop();
}

module_init(selftest_init);
module_exit(selftest_exit);
MODULE_DESCRIPTION("self-test of libvtdpi");
MODULE_LICENSE("Dual BSD/GPL");
