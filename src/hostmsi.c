/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pCPU's descriptor for the host's own MSIs. Read hostmsi.h first, and pid.h for what
 * ON and PIR mean.
 *
 * Why no vector waits without a notification. While ON is set a post only records its
 * vector, and nobody is told. So the handler has to look at PIR after it has cleared ON.
 * vtdpi_hostmsi_next() always ends with vtdpi_pid_harvest(), which clears ON and then
 * looks. The looks before that leave ON set, so that what comes then costs no
 * notification. Their number is bounded, because a device could keep the pCPU in the
 * handler for ever.
 *
 * Why nothing is left when the pCPU has gone: vtdpi_hostmsi_offline() closes the target
 * first. That succeeds only if no interrupt names the descriptor, and none can later;
 * each reference was given back after the flush and the drain of its entry, so what was
 * posted is in PIR before the harvest that follows.
 */
#include "vtdpi/hostmsi.h"

#include "internal.h"

static VTDPI_COLD int hostmsi_check(const struct vtdpi_hostmsi *h,
                                    uint64_t phys, enum vtdpi_apic_mode mode,
                                    uint32_t apic_id, uint8_t nv)
{
    if (h == NULL || !vtdpi_apic_mode_ok_(mode))
        return VTDPI_EINVAL;
    if (apic_id == UINT32_MAX || (mode == VTDPI_XAPIC && apic_id >= 0xff))
        return VTDPI_ERANGE;
    if (nv < VTDPI_VECTOR_MIN)
        return VTDPI_EVECTOR;
    if (((uintptr_t)h | phys) % sizeof(struct vtdpi_pid) != 0)
        return VTDPI_EALIGN;
    return vtdpi_atomic_load64(&h->target.refs) != 0 ? VTDPI_EBUSY : 0;
}

int vtdpi_hostmsi_init(struct vtdpi_hostmsi *h, uint64_t phys,
                       enum vtdpi_apic_mode mode, uint32_t apic_id, uint8_t nv)
{
    const int rc = hostmsi_check(h, phys, mode, apic_id, nv);

    if (rc != 0)
        return rc;
    vtdpi_pid_init(&h->pid, nv, vtdpi_ndst_from_apic_id(mode, apic_id));
    h->target.pda = phys;
    h->target.mode = mode;
    return 0;
}

void vtdpi_hostmsi_online(struct vtdpi_hostmsi *h)
{
    int rc;

    (void)vtdpi_pid_test_and_clear_sn(&h->pid);
    /* Last, so that what is posted is notified. Open already if interrupts still named
     * the descriptor when the pCPU went. */
    rc = vtdpi_target_init(&h->target, h->target.pda, h->target.mode);
    VTDPI_ASSERT(rc == 0 || rc == VTDPI_EBUSY);
    (void)rc;
}

int vtdpi_hostmsi_offline(struct vtdpi_hostmsi *h,
                          uint64_t out[VTDPI_PIR_WORDS])
{
    const int rc = vtdpi_target_close(&h->target);

    /* After the close: until then an interrupt could come back to this pCPU, and leave
     * a vector where nobody looks any more. */
    if (rc == 0)
        (void)vtdpi_pid_harvest(&h->pid, out);
    return rc;
}

bool vtdpi_hostmsi_next(struct vtdpi_hostmsi *h, uint32_t *looks,
                        uint64_t out[VTDPI_PIR_WORDS])
{
    if (*looks == 0)
        return false;
    if (--*looks != 0) {
        if (vtdpi_pid_take(&h->pid, out))
            return true;
        *looks = 0;
    }
    /* ON goes before this look. A post between the two steps of the other order would
     * be recorded, would find ON set, and would be notified by nobody. */
    return vtdpi_pid_harvest(&h->pid, out);
}

uint32_t vtdpi_hostmsi_handle(struct vtdpi_hostmsi *h, uint32_t looks,
                              vtdpi_hostmsi_handler handle, void *ctx)
{
    uint64_t set[VTDPI_PIR_WORDS];
    uint32_t handled = 0;

    /* Without a look ON would stay, and no unit would notify any more. */
    if (looks == 0)
        looks = 1;
    while (vtdpi_hostmsi_next(h, &looks, set))
        handled += vtdpi_hostmsi_dispatch(set, handle, ctx);
    return handled;
}

uint32_t vtdpi_hostmsi_dispatch(const uint64_t set[VTDPI_PIR_WORDS],
                                vtdpi_hostmsi_handler handle, void *ctx)
{
    uint32_t handled = 0;

    for (uint32_t i = VTDPI_PIR_WORDS; i-- > 0;) {
        uint64_t bits = set[i];

        while (bits != 0) {
            const uint32_t bit = 63 - (uint32_t)__builtin_clzll(bits);

            bits &= ~VTDPI_BIT64(bit);
            handle(ctx, (uint8_t)(i * 64 + bit));
            handled++;
        }
    }
    return handled;
}
