/* SPDX-License-Identifier: BSD-2-Clause */
#include "play.h"

#include <machine/segments.h>
#include <machine/smp.h>

struct mini_totals mini_totals;

const struct mini_scenario mini_scenarios[] = {
    {"running", mini_running},
    {"entry", mini_entry},
    {"frozen", mini_frozen},
    {"asleep", mini_asleep},
    {"at_block", mini_at_block},
    {"masked", mini_masked},
    {"equal", mini_equal},
    {"deaf", mini_deaf},
    {"rebind", mini_rebind},
    {"retarget", mini_retarget},
    {"mask", mini_mask},
    {"between", mini_between},
    {"flush", mini_flush},
    {"in_flight", mini_in_flight},
    {"reinit", mini_reinit},
    {"reset", mini_reset},
    {"snapshot", mini_snapshot},
    {"many", mini_many},
    {"reload", mini_reload},
    {"init_fails", mini_init_fails},
    {"logical", mini_logical},
    {"apic_off", mini_apic_off},
    {"late", mini_late},
    {"gone", mini_gone},
    {"overtaken", mini_overtaken},
    {"waits", mini_waits},
    {"rebind_waits", mini_rebind_waits},
    {"hole", mini_hole},
    {"behind_hole", mini_behind_hole},
    {"unhooked", mini_unhooked},
    {"storm", mini_storm},
    {"storm_vectors_gone", mini_storm_vectors_gone},
    {"storm_off", mini_storm_off},
    {"storm_destroy", mini_storm_destroy},
    {"storm_failures", mini_storm_failures},
};

const unsigned int mini_scenario_count = nitems(mini_scenarios);

struct source {
    struct mini_device *dev;
    u_int raises;
};

static void source_main(void *arg)
{
    const struct source s = *(const struct source *)arg;

    for (u_int i = 0; i < s.raises; i++) {
        (void)mini_device_raise(s.dev, shim_random(MINI_MSGS));
        for (u_int j = shim_random(24); j > 0; j--)
            shim_relax();
    }
}

/* One place for each context that there can be. */
static struct source sources[64];
static u_int source_count;

void play_source(struct mini_device *dev, u_int raises)
{
    struct source *s = &sources[source_count++ % nitems(sources)];

    s->dev = dev;
    s->raises = raises;
    shim_device_create(source_main, s);
}

static bool init_fails;

void play_fail_init(bool fail)
{
    init_fails = fail;
}

void play_load(const struct mini_run *run)
{
    const int id = cpu_apic_ids[mp_maxid];

    mini_account_reset();
    mini_dmar_start(run->seed);
    mini_ppt_start(run->seed / 2 % 2 == 1);
    if (init_fails)
        cpu_apic_ids[mp_maxid] = -1;
    mini_modinit();
    cpu_apic_ids[mp_maxid] = id;
    mini_check(mini_vid == !init_fails);
}

static bool low_memory;

void play_low_memory(bool low)
{
    low_memory = low;
}

static int taken_vectors[3];
static u_int taken_count;

void play_begin(const struct mini_run *run, u_int taken)
{
    const struct shim_options options = {
        .seed = run->seed,
        .lockstep = run->lockstep,
        .cpus = 3,
        .sparse = run->seed % 2 == 0,
        .xapic = run->seed % 3 == 2,
        .pti = run->seed % 2 == 1,
        .low = low_memory,
    };

    shim_boot(&options);
    for (taken_count = 0; taken_count < taken; taken_count++)
        taken_vectors[taken_count] = lapic_ipi_alloc(&IDTVEC(justreturn));
    play_load(run);
}

uint64_t play_count(const char *name)
{
    char full[64];
    uint64_t value;

    (void)snprintf(full, sizeof(full), "hw.vmm.vtdpi.%s", name);
    if (!shim_sysctl_u64(full, &value))
        shim_fail("there is no %s", full);
    return value;
}

void play_unload(void)
{
    mini_check(play_count("posted") == 0);
    mini_totals.blocks += play_count("blocks");
    mini_totals.wakeups += play_count("wakeups");
    mini_totals.moves += play_count("moves");
    mini_totals.rebinds += play_count("rebinds");
    mini_totals.reroutes += play_count("reroutes");
    mini_totals.failures += play_count("failures");
    mini_modcleanup();
    mini_ppt_stop();
    mini_dmar_stop();
}

void play_end(void)
{
    struct shim_counters c;

    play_unload();
    while (taken_count > 0)
        lapic_ipi_free(taken_vectors[--taken_count]);
    c = shim_counters();
    mini_totals.migrations += c.migrations;
    mini_totals.preemptions += c.preemptions;
    shim_shutdown();
    shim_setenv(NULL, NULL);
}

void play_add_device(const struct mini_device *dev)
{
    mini_check(dev->raised == dev->posted + dev->remapped);
    mini_check(dev->remapped == dev->handled + dev->merged_host);
    mini_totals.raised += dev->raised;
    mini_totals.posted += dev->posted;
    mini_totals.remapped += dev->remapped;
}

void play_add_vm(const struct vm *vm)
{
    mini_totals.delivered +=
        mini_account_sum(vm, offsetof(struct mini_account, delivered));
    mini_totals.merged +=
        mini_account_sum(vm, offsetof(struct mini_account, pir_merged)) +
        mini_account_sum(vm, offsetof(struct mini_account, irr_merged));
    mini_totals.software +=
        mini_account_sum(vm, offsetof(struct mini_account, raised));
    for (u_int i = 0; i < vm->vcpus; i++) {
        mini_totals.in_guest += vm->vcpu[i].processed;
        mini_totals.sleeps += vm->vcpu[i].sleeps;
        mini_totals.capped += vm->vcpu[i].capped;
        mini_check(vm->vcpu[i].blind_wakes == 0);
    }
}

void play_program(struct mini_device *dev, u_int dest, u_int vector)
{
    mini_ppt_setup(dev, 0, mini_msi_addr(dest), vector, false);
}

uint64_t play_delivered(const struct vcpu *v, u_int vector)
{
    return v->account[vector].delivered;
}

void mini_play(const struct mini_scenario *s, const struct mini_run *run)
{
    s->play(run);
}
