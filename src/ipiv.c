/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PID-pointer table of IPI virtualization; vtdpi/ipiv.h first. An entry is free
 * (0, no target), set (valid, a target) or cleared (0, a target). Processors read
 * entries; nobody but the caller of an entry's functions reads its target.
 *
 * Why no processor posts to a PID of somebody else: the reference is taken before
 * the entry is valid, and given back after each vCPU was out of the guest behind the
 * clear. A processor that has read the valid entry is in the guest until its post is
 * done, so until then the reference is there, and the target cannot be closed.
 */
#include "vtdpi/ipiv.h"

#include "internal.h"

enum {
    IPIV_WIDTH_MIN = 32,
    IPIV_WIDTH_MAX = 52,
};

static VTDPI_COLD bool params_ok(const struct vtdpi_ipiv_params *p)
{
    return p != NULL && p->entries != NULL && p->targets != NULL &&
           p->count >= 1 && p->count <= VTDPI_IPIV_COUNT_MAX &&
           p->width >= IPIV_WIDTH_MIN && p->width <= IPIV_WIDTH_MAX &&
           vtdpi_apic_mode_ok_(p->mode);
}

int vtdpi_ipiv_init(struct vtdpi_ipiv *t,
                    const struct vtdpi_ipiv_params *params)
{
    uint64_t end;

    if (t == NULL || !params_ok(params))
        return VTDPI_EINVAL;
    if (VTDPI_ADDRESS_(params->entries) % VTDPI_IPIV_ALIGN != 0 ||
        params->phys % VTDPI_IPIV_ALIGN != 0)
        return VTDPI_EALIGN;
    end = UINT64_C(1) << params->width;
    if (params->phys > end - params->count * sizeof(uint64_t))
        return VTDPI_ERANGE;
    t->entries = params->entries;
    t->targets = params->targets;
    t->phys = params->phys;
    t->count = params->count;
    t->width = params->width;
    t->mode = params->mode;
    for (uint32_t i = 0; i < t->count; i++) {
        vtdpi_atomic_store64_relaxed(&t->entries[i], 0);
        t->targets[i] = NULL;
    }
    return 0;
}

int vtdpi_ipiv_fini(struct vtdpi_ipiv *t)
{
    if (t == NULL)
        return VTDPI_EINVAL;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->targets[i] != NULL)
            return VTDPI_EBUSY;
    }
    t->count = 0;
    return 0;
}

static VTDPI_COLD int entry_check(const struct vtdpi_ipiv *t, uint32_t id)
{
    if (t == NULL)
        return VTDPI_EINVAL;
    return id < t->count ? 0 : VTDPI_EINDEX;
}

static VTDPI_COLD bool entry_is_valid(const struct vtdpi_ipiv *t, uint32_t id)
{
    return vtdpi_atomic_load64_relaxed(&t->entries[id]) != 0;
}

/* With a reference: only then the target's fields are those of an open target. */
static VTDPI_COLD int target_check(const struct vtdpi_ipiv *t,
                                   const struct vtdpi_target *target)
{
    if (target->mode != t->mode)
        return VTDPI_EMODE;
    return target->pda >> t->width != 0 ? VTDPI_ERANGE : 0;
}

int vtdpi_ipiv_set(struct vtdpi_ipiv *t, uint32_t id,
                   struct vtdpi_target *target)
{
    int err = entry_check(t, id);

    if (err == 0 && target == NULL)
        err = VTDPI_EINVAL;
    else if (err == 0 && t->targets[id] != NULL)
        err = entry_is_valid(t, id) ? VTDPI_EBUSY : VTDPI_EDIRTY;
    if (err == 0)
        err = vtdpi_target_ref(target);
    if (err != 0)
        return err;
    err = target_check(t, target);
    if (err != 0) {
        vtdpi_target_unref(target);
        return err;
    }
    t->targets[id] = target;
    /*
     * Release: a processor that finds the entry posts to a PID that is initialised,
     * and whose target has this reference (vtdpi_target_close()). One store of 8
     * bytes: with the valid bit or half of the address before the rest a processor
     * would post to memory that is no PID.
     */
    vtdpi_atomic_store64_release(&t->entries[id],
                                 target->pda | VTDPI_IPIV_VALID);
    return 0;
}

int vtdpi_ipiv_clear(struct vtdpi_ipiv *t, uint32_t id)
{
    int err = entry_check(t, id);

    if (err == 0 && t->targets[id] == NULL)
        err = VTDPI_ENOENT;
    else if (err == 0 && !entry_is_valid(t, id))
        err = VTDPI_EDIRTY;
    if (err != 0)
        return err;
    /*
     * The exchange is the full barrier between the entry and the host's look at who
     * is in the guest. Pairs with the barrier of a vCPU between its mark and the VM
     * entry: the host sees the vCPU in the guest, or the vCPU reads 0 here. A plain
     * store would let the host count as out a vCPU that enters and reads the address.
     */
    (void)vtdpi_atomic_xchg64(&t->entries[id], 0);
    return 0;
}

int vtdpi_ipiv_settled(struct vtdpi_ipiv *t, uint32_t id)
{
    struct vtdpi_target *target;
    int err = entry_check(t, id);

    if (err == 0 && t->targets[id] == NULL)
        err = VTDPI_ENOENT;
    else if (err == 0 && entry_is_valid(t, id))
        err = VTDPI_EBUSY;
    if (err != 0)
        return err;
    target = t->targets[id];
    t->targets[id] = NULL;
    vtdpi_target_unref(target);
    return 0;
}
