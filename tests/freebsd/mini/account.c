/* SPDX-License-Identifier: BSD-2-Clause */
/* Where every interrupt went. */
#include "mini.h"

/* Whose descriptor is where; both words are atomic. */
static struct {
    uint64_t pid_pa; /* 0: free */
    struct vcpu *vcpu;
} registry[MINI_REGISTRY];

/* What the calling thread is posting to, or merging into. Interrupt handlers
 * put back what they find. */
static _Thread_local struct {
    const struct vtdpi_pid *pid;
    bool was_there;
    struct vcpu *merging;
    struct vm *delivering;
} saw;

void mini_account_reset(void)
{
    memset(registry, 0, sizeof(registry));
}

void mini_register(struct vcpu *v)
{
    for (u_int i = 0; i < MINI_REGISTRY; i++) {
        if (registry[i].pid_pa != 0)
            continue;
        __atomic_store_n(&registry[i].vcpu, v, __ATOMIC_RELAXED);
        __atomic_store_n(&registry[i].pid_pa, v->pid_pa, __ATOMIC_RELEASE);
        return;
    }
    shim_fail("mini: more than %d vCPUs", MINI_REGISTRY);
}

void mini_unregister(struct vcpu *v)
{
    for (u_int i = 0; i < MINI_REGISTRY; i++)
        if (registry[i].vcpu == v && registry[i].pid_pa != 0)
            __atomic_store_n(&registry[i].pid_pa, 0, __ATOMIC_RELEASE);
}

struct vcpu *mini_vcpu_of(uint64_t pid_pa)
{
    for (u_int i = 0; i < MINI_REGISTRY; i++)
        if (__atomic_load_n(&registry[i].pid_pa, __ATOMIC_ACQUIRE) == pid_pa)
            return __atomic_load_n(&registry[i].vcpu, __ATOMIC_RELAXED);
    return NULL;
}

/* The following three are called by atomic.h. */
void perturb(void)
{
    shim_point();
}

/* A post to whatever vCPU of the VM. */
static void count_delivered(struct vm *vm, const uint64_t *p, uint64_t bits,
                            uint64_t old)
{
    for (u_int i = 0; i < vm->made; i++) {
        const struct vtdpi_pid *pid =
            shim_phys_to_virt(vm->vcpu[i].pid_pa, sizeof(*pid));
        struct mini_account *a = vm->vcpu[i].account;

        if (p < pid->pir || p >= pid->pir + 4)
            continue;
        a += 64 * (p - pid->pir) + __builtin_ctzll(bits);
        (void)__atomic_fetch_add(&a->raised, 1, __ATOMIC_RELAXED);
        if ((old & bits) != 0)
            (void)__atomic_fetch_add(&a->pir_merged, 1, __ATOMIC_RELAXED);
    }
}

uint64_t mini_saw_or64(const uint64_t *p, uint64_t bits, uint64_t old)
{
    if (saw.delivering != NULL)
        count_delivered(saw.delivering, p, bits, old);
    if (saw.pid != NULL && p >= saw.pid->pir && p < saw.pid->pir + 4)
        saw.was_there = (old & bits) != 0;
    return old;
}

static void count_merged(struct vcpu *v, u_int first, uint64_t bits)
{
    for (; bits != 0; bits &= bits - 1)
        v->account[first + (u_int)__builtin_ctzll(bits)].irr_merged++;
}

uint32_t mini_saw_or32(const uint32_t *p, uint32_t bits, uint32_t old)
{
    struct vcpu *v = saw.merging;
    u_int word;

    if (v == NULL || p < v->apic + APIC_IRR_REG)
        return old;
    word = (u_int)(p - (v->apic + APIC_IRR_REG)) / 4;
    if (word < 8)
        count_merged(v, word * 32, old & bits);
    return old;
}

/* The processor's own way into the IRR. */
void mini_irr_or(struct vcpu *v, const uint64_t pir[4])
{
    for (u_int i = 0; i < 8; i++) {
        const uint32_t bits = (uint32_t)(pir[i / 2] >> (i % 2 * 32));
        const uint32_t old = __atomic_fetch_or(&v->apic[APIC_IRR_REG + 4 * i],
                                               bits, __ATOMIC_SEQ_CST);

        count_merged(v, i * 32, old & bits);
    }
}

/* bhyve's own way, without the port: into the IRR. */
static void request(struct vcpu *v, uint8_t vector)
{
    const uint32_t bit = 1u << vector % 32;
    const uint32_t old = __atomic_fetch_or(
        &v->apic[APIC_IRR_REG + 4 * (vector / 32u)], bit, __ATOMIC_SEQ_CST);

    (void)__atomic_fetch_add(&v->account[vector].raised, 1, __ATOMIC_RELAXED);
    if ((old & bit) != 0)
        (void)__atomic_fetch_add(&v->account[vector].pir_merged, 1,
                                 __ATOMIC_RELAXED);
    vcpu_notify_event(v, true);
}

static void post(struct vcpu *v, uint8_t vector)
{
    const struct vtdpi_pid *outer = saw.pid;
    const bool outer_was_there = saw.was_there;

    (void)__atomic_fetch_add(&v->account[vector].raised, 1, __ATOMIC_RELAXED);
    saw.pid = shim_phys_to_virt(v->pid_pa, sizeof(struct vtdpi_pid));
    saw.was_there = false;
    vtdpi_bhyve_post(v->pi, vector);
    if (saw.was_there)
        (void)__atomic_fetch_add(&v->account[vector].pir_merged, 1,
                                 __ATOMIC_RELAXED);
    saw.pid = outer;
    saw.was_there = outer_was_there;
}

void mini_apic_post(struct vcpu *v, uint8_t vector)
{
    if (v->pi != NULL)
        post(v, vector);
    else
        request(v, vector);
}

/* Interrupts are off, so no other filter comes in between. */
bool mini_apic_deliver_msg(const struct mini_device *dev, u_int msg)
{
    bool done;

    saw.delivering = dev->vm;
    done = vtdpi_bhyve_msg_deliver(dev->pi, msg);
    saw.delivering = NULL;
    return done;
}

void mini_apic_inject(struct vcpu *v)
{
    int vector;

    saw.merging = v;
    vector = v->pi != NULL ? vtdpi_bhyve_inject(v->pi) : mini_apic_requested(v);
    saw.merging = NULL;
    v->rvi = vector;
}

bool mini_apic_pending(struct vcpu *v)
{
    bool pending;

    saw.merging = v;
    pending = v->pi != NULL ? vtdpi_bhyve_pending(v->pi)
                            : mini_apic_unmasked(v, mini_apic_requested(v));
    saw.merging = NULL;
    return pending;
}

/* PIR and IRR, while nobody posts and the guest does not run. */
static bool waits(const struct vcpu *v, u_int vector)
{
    const struct vtdpi_pid *pid;
    uint64_t pir;

    if (v->pi == NULL)
        return false;
    pid = shim_phys_to_virt(v->pid_pa, sizeof(struct vtdpi_pid));
    pir = __atomic_load_n(&pid->pir[vector / 64], __ATOMIC_SEQ_CST);
    return (pir >> (vector % 64) & 1) != 0;
}

static bool requested(const struct vcpu *v, u_int vector)
{
    const uint32_t irr = __atomic_load_n(
        &v->apic[APIC_IRR_REG + 4 * (vector / 32)], __ATOMIC_SEQ_CST);

    return (irr >> (vector % 32) & 1) != 0;
}

void mini_account_check(const struct vcpu *v)
{
    for (u_int i = 0; i < 256; i++) {
        const struct mini_account *a = &v->account[i];
        const uint64_t merged = a->pir_merged + a->irr_merged;
        const uint64_t there = (u_int)waits(v, i) + (u_int)requested(v, i);

        if (a->raised != a->delivered + merged + a->dropped + there)
            shim_fail(
                "vCPU %u, vector %02x: %llu raised, but %llu delivered, "
                "%llu merged, %llu dropped, %llu waiting",
                v->id, i, (unsigned long long)a->raised,
                (unsigned long long)a->delivered, (unsigned long long)merged,
                (unsigned long long)a->dropped, (unsigned long long)there);
    }
}

void mini_account_drop(struct vcpu *v)
{
    for (u_int i = 0; i < 256; i++)
        v->account[i].dropped += (u_int)waits(v, i) + (u_int)requested(v, i);
}

void mini_account_restored(struct vcpu *v)
{
    for (u_int i = 0; i < 256; i++)
        v->account[i].raised =
            v->account[i].delivered + v->account[i].pir_merged +
            v->account[i].irr_merged + v->account[i].dropped +
            (u_int)waits(v, i) + (u_int)requested(v, i);
}

uint64_t mini_account_sum(const struct vm *vm, size_t offset)
{
    uint64_t sum = 0;

    for (u_int i = 0; i < vm->vcpus; i++)
        for (u_int j = 0; j < 256; j++) {
            const char *a = (const char *)&vm->vcpu[i].account[j];

            sum += *(const uint64_t *)(const void *)(a + offset);
        }
    return sum;
}
