/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * From power on to the account: set up the unit, the pCPUs and the vCPUs; let
 * them run while devices raise interrupts; wait until all is quiet; take
 * everything down; and print what happened.
 */

#include "minivisor.h"

/* How long one dawdles, in turns of a loop, at most. */
#define DAWDLE_TURNS 2000

struct host host;

uint64_t chance_start(unsigned int number)
{
    return host.seed * 1000 + number;
}

uint32_t chance(uint64_t *state, uint32_t below)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (uint32_t)((z >> 32) * below >> 32);
}

void dawdle(uint64_t *state)
{
    for (uint32_t n = chance(state, DAWDLE_TURNS); n != 0; n--)
        pause();
}

void must(int rc, const char *what)
{
    if (rc != 0)
        panic("%s: %s", what, vtdpi_strerror(rc));
}

/* More than anything takes that is waited for in the end. */
#define PATIENCE UINT64_C(500000)

static bool wait_for(bool (*cond)(void *arg))
{
    const uint64_t start = now_us();

    while (!cond(NULL)) {
        if (now_us() - start > PATIENCE)
            return false;
        pause();
    }
    return true;
}

static void start(void)
{
    interrupts_power_up();
    cpu_run(CPU_UNIT, devices_loop, NULL);
    vmx_on();
    scheduler_start();
    vmx_off();
    interrupts_start();
    for (unsigned int i = 0; i < PCPUS; i++)
        cpu_run(CPU_FIRST + i, scheduler_loop, &host.pcpu[i]);
    for (unsigned int i = 0; i < VCPUS; i++)
        scheduler_ready(&host.vcpu[i]);
    atomic_store(&host.start_devices, true);
}

/* Once all vCPUs have slept, the guest raises nothing any more; what is on its
 * way then is seen, and whom it woke sleeps again. */
static bool settle(void)
{
    bool settled;

    atomic_store(&guest.quiet, true);
    settled = wait_for(scheduler_all_asleep) && wait_for(account_all_seen) &&
              wait_for(scheduler_all_asleep);
    atomic_store(&host.stop_pcpus, true);
    for (unsigned int i = 0; i < PCPUS; i++)
        apic_ipi(cpu_apic_id(CPU_FIRST + i), KICK);
    for (unsigned int i = 0; i < PCPUS; i++) {
        if (!cpu_wait(CPU_FIRST + i))
            panic("p%u does not stop", CPU_FIRST + i);
    }
    return settled;
}

static void stop(void)
{
    interrupts_stop();
    scheduler_stop();
    atomic_store(&host.stop_unit, true);
    if (!cpu_wait(CPU_UNIT))
        panic("the unit does not stop");
}

/* The command line is "seed=N" or empty. */
static uint64_t seed_of(const char *text)
{
    static const char name[] = "seed=";
    uint64_t seed = 0;

    if (*text == '\0')
        return 1;
    for (unsigned int i = 0; i < sizeof(name) - 1; i++) {
        if (*text++ != name[i])
            panic("the command line is not seed=N");
    }
    for (; *text >= '0' && *text <= '9'; text++)
        seed = seed * 10 + (uint64_t)(*text - '0');
    return seed;
}

int main(const char *command_line)
{
    bool good;

    host.seed = seed_of(command_line);
    apic_start(APIC_X2APIC);
    cpus_start();
    if (cpu_count() < CPUS)
        panic("%u CPUs are needed, %u are there", CPUS, cpu_count());
    print("libvtdpi minivisor: %u pCPUs, %u vCPUs, %u devices, 1 unit; seed "
          "%lu\n\n",
          PCPUS, VCPUS, DEVICES, host.seed);
    start();
    emulated_loop();
    good = wait_for(devices_done);
    good &= settle();
    timeline_print();
    good &= report();
    if (good) {
        stop();
        good = vtdpi_model_violations(&host.model) == 0;
    }
    check(good, "the account balances");
    return 0;
}
