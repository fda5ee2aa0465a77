/* SPDX-License-Identifier: BSD-2-Clause */
/* The state and the steps of a trace in words. */
#include "world_internal.h"

static const char *const op_names[] = {
    [OP_END] = "done",
    [OP_RUN] = "run",
    [OP_ENTER] = "enter",
    [OP_PREEMPT] = "preempt",
    [OP_HALT] = "halt",
    [OP_HALT_COMMITTED] = "halt (committed)",
    [OP_BLOCK] = "block",
    [OP_BLOCK_COMMITTED] = "block_committed",
    [OP_SLEEP] = "sleep",
    [OP_SWITCH] = "switched out and in",
    [OP_SYNC] = "sync",
    [OP_MERGE] = "merge",
    [OP_CHOOSE] = "choose and block",
    [OP_RESET] = "reset",
    [OP_ATTACH] = "attach",
    [OP_DETACH] = "detach",
    [OP_NAP] = "nap",
    [OP_UNIT] = "unit posts",
    [OP_UNIT_URGENT] = "unit posts urgent",
    [OP_POST] = "post",
    [OP_POST_URGENT] = "urgent post",
    [OP_DEVICE] = "interrupt",
    [OP_EMULATE] = "virtual APIC",
    [OP_OFFLINE] = "offline",
    [OP_ONLINE] = "online",
    [OP_RESCAN] = "rescan",
    [OP_SPURIOUS] = "spurious WNV",
    [OP_BIND] = "bind",
    [OP_UNBIND] = "unbind",
    [OP_AWAIT_NAP] = "await nap",
    [OP_ADD_PAGE] = "add_page",
    [OP_ADOPT] = "adopt",
    [OP_ADOPT_PAGE] = "adopt_page",
    [OP_RELEASE] = "release",
    [OP_ADD_PCPU] = "pcpu_init",
    [OP_GROW] = "grow",
};

const char *world_doing(unsigned int fiber)
{
    const struct op *const op = current_op(fiber);

    return op == NULL ? "interrupt" : op_names[op->kind];
}

static void print_place(FILE *out, uint64_t control)
{
    const uint8_t nv = (uint8_t)(control >> 16);
    const unsigned int cpu = cpu_of_ndst((uint32_t)(control >> 32));

    (void)fprintf(out, "ON=%u SN=%u NV=%s NDST=", (control & CTL_ON) != 0,
                  (control & CTL_SN) != 0,
                  nv == ANV         ? "ANV"
                  : nv == WNV       ? "WNV"
                  : nv == WNV_OTHER ? "WNV'"
                                    : "?");
    if (cpu == CPUS)
        (void)fputc('-', out);
    else
        (void)fprintf(out, "%u", cpu);
}

static void print_set(FILE *out, uint64_t set)
{
    const char *separator = "";

    (void)fputc('{', out);
    for (unsigned int i = 0; i < VECTORS; i++) {
        if ((set >> i & 1) == 0)
            continue;
        (void)fprintf(out, "%s%u", separator, vector_of(i));
        separator = ",";
    }
    (void)fputc('}', out);
}

static void print_vcpu(FILE *out, unsigned int i)
{
    const struct host_vcpu *const v = &host.vcpu[i];
    const struct vtdpi_pid *const pid = pid_of(i);

    (void)fprintf(out, " %c: ", (char)('A' + i));
    print_place(out, pid->control);
    (void)fputs(" PIR=", out);
    print_set(out, vectors_in(pid->pir));
    hooks->print_vcpu(out, i);
    if (v->asleep)
        (void)fputs(v->woken ? " asleep, woken" : " asleep", out);
    for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
        if (host.cpu[cpu].guest == i + 1)
            (void)fprintf(out, " in the guest on %u", cpu);
    }
    (void)fputc(';', out);
}

void world_print(FILE *out)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        if (host.vcpu[i].attached)
            print_vcpu(out, i);
    }
    for (unsigned int i = 0; i < CPUS; i++) {
        const struct host_cpu *const cpu = &host.cpu[i];

        (void)fprintf(out, " cpu%u:", i);
        hooks->print_cpu(out, i);
        (void)fprintf(
            out, "%s%s%s%s%s", cpu->irr & IRR_ANV ? " ANV pending" : "",
            cpu->irr & IRR_WNV(0) ? " WNV pending" : "",
            cpu->irr & IRR_WNV(1) ? " WNV' pending" : "",
            cpu->busy ? " in an interrupt" : "", i + 1 < CPUS ? ";" : "");
    }
    (void)fputc('\n', out);
}

void world_print_name(FILE *out, const uint64_t *addr)
{
    for (unsigned int i = A; i <= B; i++) {
        const struct vtdpi_pid *const pid = pid_of(i);

        if (addr == &pid->control)
            (void)fprintf(out, "%c.control", (char)('A' + i));
        for (unsigned int w = 0; w < VTDPI_PIR_WORDS; w++) {
            if (addr == &pid->pir[w])
                (void)fprintf(out, "%c.pir[%u]", (char)('A' + i), w);
        }
    }
    hooks->print_name(out, addr);
}
