/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The backend of irq.h over FreeBSD's DMAR driver. The driver owns tables,
 * indexes and queues; here entries are replaced in its table, and its queue is
 * asked to invalidate them. Its lock of a unit serialises both with what the
 * kernel itself does to entries: begin takes the lock, commit releases it.
 */

#include "vtdpi_bhyve_internal.h"

#include <machine/atomic.h>

static u_int unit_number(void *ctx)
{
    return (((const struct vtdpi_bhyve_unit *)ctx)->number);
}

static struct vtdpi_irte *live_entry(u_int unit, uint32_t index)
{
    return (vtdpi_dmar_ops->irte(unit, index));
}

/* Whatever is there: at the end of an interrupt that somebody else changed. */
static void overwrite(struct vtdpi_irte *entry, struct vtdpi_flush *flush,
                      const struct vtdpi_irte *replacement)
{
    struct vtdpi_irte found;

    do {
        vtdpi_irte_read(entry, &found);
    } while (vtdpi_irte_replace(entry, &found, replacement) != 0);
    if (vtdpi_irte_is_posted(&found))
        flush->drain = true;
}

/* Inside rebind() the driver has taken the lock. Only the thread that is there
 * finds itself. */
static bool is_locked(const struct vtdpi_bhyve_unit *unit)
{
    return (atomic_load_acq_long(&unit->rebinder) == (u_long)curthread);
}

static int backend_begin(void *ctx, struct vtdpi_flush *flush)
{
    (void)flush;
    if (!is_locked(ctx))
        vtdpi_dmar_ops->lock(unit_number(ctx));
    return (0);
}

/* EAGAIN: the entry is not what the port has written. A kernel without the
 * re-bind hook has put the host form there, which ended posting. */
static int backend_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                           const struct vtdpi_irte *old,
                           const struct vtdpi_irte *replacement)
{
    struct vtdpi_irte *const entry = live_entry(unit_number(ctx), index);
    int rc = 0;

    if (old == NULL)
        overwrite(entry, flush, replacement);
    else
        rc = vtdpi_irte_replace(entry, old, replacement);
    if (rc == VTDPI_EAGAIN)
        vtdpi_bhyve_count(VTDPI_COUNT_OVERWRITTEN, 1);
    else if (vtdpi_irte_is_posted(replacement) ||
             (old != NULL && vtdpi_irte_is_posted(old)))
        vtdpi_bhyve_count(VTDPI_COUNT_MOVES, 1);
    return (rc);
}

static int backend_invalidate(void *ctx, struct vtdpi_flush *flush,
                              uint32_t first, uint32_t count)
{
    (void)ctx;
    vtdpi_flush_add(flush, first, count);
    return (0);
}

static int flush_unit(const struct vtdpi_bhyve_unit *unit,
                      const struct vtdpi_flush *flush)
{
    int error = 0;

    if (flush->global)
        error = vtdpi_dmar_ops->invalidate(unit->number, 0, unit->irte_cnt);
    for (uint32_t i = 0; i < flush->used && !flush->global; i++) {
        if (error == 0)
            error = vtdpi_dmar_ops->invalidate(
                unit->number, flush->ranges[i].first, flush->ranges[i].count);
    }
    if (error != 0)
        return (VTDPI_EIO);
    if (flush->drain)
        vtdpi_dmar_ops->drain(unit->number);
    return (0);
}

static int backend_commit(void *ctx, struct vtdpi_flush *flush)
{
    const int rc = flush_unit(ctx, flush);

    if (!is_locked(ctx))
        vtdpi_dmar_ops->unlock(unit_number(ctx));
    return (rc);
}

static const struct vtdpi_backend_ops backend_ops = {
    .begin = backend_begin,
    .replace = backend_replace,
    .invalidate = backend_invalidate,
    .commit = backend_commit,
};

/* The unit of that number. NULL: none that was there at set-up. */
static struct vtdpi_bhyve_unit *unit_find(u_int number)
{
    for (u_int i = 0; i < vtdpi_bhyve.unit_count; i++) {
        if (vtdpi_bhyve.units[i].number == number)
            return (&vtdpi_bhyve.units[i]);
    }
    return (NULL);
}

/*
 * Another thread is changing the entry and will set the form. That thread may write the
 * old form first. The kernel gives the vector of the old form away as soon as it has an
 * answer, so this waits. The other thread may need the unit's lock, so the lock is
 * dropped.
 */
static void rebind_wait(struct vtdpi_bhyve_unit *unit)
{
    unit->rebinds++;
    vtdpi_dmar_ops->unlock(unit->number);
    pause("vtdpih", 1);
    vtdpi_dmar_ops->lock(unit->number);
    unit->rebinds--;
}

static int set_host(struct vtdpi_bhyve_unit *unit, u_int index,
                    const struct vtdpi_irte_remapped *host)
{
    const struct vtdpi_bhyve_msg *const msg = unit->adopted[index];
    int rc = VTDPI_IRQ_DEFERRED;

    /* If the message was released in the wait, the form was set before that. */
    while (rc == VTDPI_IRQ_DEFERRED && unit->adopted[index] == msg) {
        atomic_store_rel_long(&unit->rebinder, (u_long)curthread);
        rc = vtdpi_irq_set_host(&unit->adopted[index]->irq, host);
        atomic_store_rel_long(&unit->rebinder, 0);
        if (rc == VTDPI_IRQ_DEFERRED)
            rebind_wait(unit);
    }
    return (rc == VTDPI_IRQ_DEFERRED ? 0 : rc);
}

/* What failed, and the entry. */
static void report(const struct vtdpi_bhyve_unit *unit, uint32_t index,
                   const struct vtdpi_irte *entry, const char *what, int rc)
{
    char line[VTDPI_FORMAT_MAX];

    (void)vtdpi_format_irte(line, sizeof(line), entry, unit->backend.mode,
                            unit->backend.haw);
    printf("vtdpi: unit %u, entry %u: %s: %s: %s\n", unit->number, index, what,
           vtdpi_strerror(rc), line);
}

static void report_live(const struct vtdpi_bhyve_unit *unit, uint32_t index,
                        const char *what, int rc)
{
    struct vtdpi_irte live;

    vtdpi_dmar_ops->lock(unit->number);
    vtdpi_irte_read(live_entry(unit->number, index), &live);
    vtdpi_dmar_ops->unlock(unit->number);
    report(unit, index, &live, what, rc);
}

/*
 * The kernel wants another host form. Under a posted form it is only stored,
 * so moving the host interrupt to another CPU does not undo posting.
 */
static bool rebind(u_int number, u_int index, uint64_t lo, uint64_t hi)
{
    struct vtdpi_bhyve_unit *const unit = unit_find(number);
    const struct vtdpi_irte irte = {.lo = lo, .hi = hi};
    struct vtdpi_irte_remapped host;
    int rc;

    if (unit == NULL || index >= unit->irte_cnt || unit->adopted[index] == NULL)
        return (false);
    rc = vtdpi_irte_decode_remapped(&irte, unit->backend.mode, &host);
    if (rc == 0)
        rc = set_host(unit, index, &host);
    vtdpi_bhyve_count(VTDPI_COUNT_REBINDS, 1);
    if (rc != 0) {
        vtdpi_bhyve_count(VTDPI_COUNT_FAILURES, 1);
        report(unit, index, &irte, "the host form is not taken", rc);
    }
    return (true);
}

static void unit_init(struct vtdpi_bhyve_unit *unit, u_int number,
                      const struct vtdpi_dmar_unit_info *info, bool usable)
{
    unit->number = number;
    unit->irte_cnt = info->irte_cnt;
    unit->backend.ops = &backend_ops;
    unit->backend.ctx = unit;
    unit->backend.mode = info->eime ? VTDPI_X2APIC : VTDPI_XAPIC;
    unit->backend.haw = info->haw;
    unit->usable = usable;
    unit->adopted = malloc(sizeof(*unit->adopted) * info->irte_cnt, M_VTDPI,
                           M_WAITOK | M_ZERO);
}

void vtdpi_bhyve_dmar_init(void)
{
    struct vtdpi_dmar_unit_info info;
    const u_int numbers = vtdpi_dmar_ops->unit_count();
    struct vtdpi_caps caps;

    vtdpi_bhyve.units = malloc(sizeof(*vtdpi_bhyve.units) * MAX(numbers, 1),
                               M_VTDPI, M_WAITOK | M_ZERO);
    for (u_int i = 0; i < numbers; i++) {
        if (vtdpi_dmar_ops->unit_info(i, &info) != 0)
            continue; /* a hole in the numbers */
        /* A unit that does not snoop has its table uncached, where locked
         * 16-byte accesses are slow or refused. */
        unit_init(&vtdpi_bhyve.units[vtdpi_bhyve.unit_count++], i, &info,
                  vtdpi_caps_decode(info.ver, info.cap, info.ecap, &caps) ==
                          0 &&
                      caps.coherent);
    }
    vtdpi_dmar_ops->set_rebind(rebind);
}

/* Frees a unit when no call of rebind() sleeps in it any more. */
static void unit_fini(struct vtdpi_bhyve_unit *unit)
{
    vtdpi_dmar_ops->lock(unit->number);
    while (unit->rebinds != 0) {
        vtdpi_dmar_ops->unlock(unit->number);
        pause("vtdpif", 1);
        vtdpi_dmar_ops->lock(unit->number);
    }
    vtdpi_dmar_ops->unlock(unit->number);
    free(unit->adopted, M_VTDPI);
}

void vtdpi_bhyve_dmar_fini(void)
{
    if (vtdpi_bhyve.units == NULL)
        return;
    vtdpi_dmar_ops->set_rebind(NULL);
    for (u_int i = 0; i < vtdpi_bhyve.unit_count; i++)
        unit_fini(&vtdpi_bhyve.units[i]);
    free(vtdpi_bhyve.units, M_VTDPI);
    vtdpi_bhyve.units = NULL;
    vtdpi_bhyve.unit_count = 0;
}

/* With the unit's lock held. Who may raise the interrupt is the driver's
 * business (it knows bridges); so it is taken from the entry it has written. */
static int adopt(struct vtdpi_bhyve_unit *unit, uint32_t index,
                 struct vtdpi_bhyve_vm *gvm, struct vtdpi_bhyve_msg *msg)
{
    struct vtdpi_irte_remapped host;
    struct vtdpi_irte live;
    int rc;

    vtdpi_irte_read(live_entry(unit->number, index), &live);
    rc = vtdpi_irte_decode_remapped(&live, unit->backend.mode, &host);
    if (rc == 0 && !host.present)
        rc = VTDPI_EIRTE_ABSENT;
    if (rc == 0)
        rc = vtdpi_irq_init(&msg->irq, &unit->backend, index, &host.source,
                            &live);
    if (rc == 0) {
        mtx_lock_spin(&gvm->lock);
        rc = vtdpi_vm_bind(&gvm->pi, &msg->binding, &msg->irq, true);
        mtx_unlock_spin(&gvm->lock);
    }
    if (rc == 0) {
        unit->adopted[index] = msg;
        msg->unit = unit;
    }
    return (rc);
}

void vtdpi_bhyve_dmar_adopt(struct vtdpi_bhyve_vm *gvm,
                            struct vtdpi_bhyve_msg *msg, u_int irq)
{
    struct vtdpi_bhyve_unit *unit;
    struct vtdpi_dmar_entry e;
    int rc;

    KASSERT(msg->unit == NULL, ("vtdpi: adopted twice"));
    if (!vtdpi_bhyve.posting || vtdpi_dmar_ops->lookup(irq, &e) != 0)
        return;
    unit = unit_find(e.unit);
    if (unit == NULL || !unit->usable)
        return;
    KASSERT(e.index < unit->irte_cnt,
            ("vtdpi: unit %u, entry %u", e.unit, e.index));
    vtdpi_dmar_ops->lock(unit->number);
    KASSERT(unit->adopted[e.index] == NULL,
            ("vtdpi: unit %u, entry %u is in use", e.unit, e.index));
    rc = adopt(unit, e.index, gvm, msg);
    vtdpi_dmar_ops->unlock(unit->number);
    if (rc != 0)
        report_live(unit, e.index, "interrupts are not posted", rc);
}

/* One attempt to end posting. */
static int unpost(struct vtdpi_bhyve_vm *gvm, struct vtdpi_bhyve_msg *msg)
{
    struct vtdpi_binding *const b = &msg->binding;
    int rc;

    mtx_lock_spin(&gvm->lock);
    rc = vtdpi_bhyve_apply(gvm, &b, 1);
    if (rc == VTDPI_EAGAIN) {
        /* Not what we wrote: clear it, whatever it is. */
        rc = vtdpi_irq_teardown(&msg->irq);
        if (rc != 0)
            return (rc);
        mtx_lock_spin(&gvm->lock);
        rc = vtdpi_bhyve_apply(gvm, &b, 1);
    }
    /* Nothing to do, unless the teardown of an earlier attempt has failed. */
    return (rc != 0 ? rc : vtdpi_irq_flush(&msg->irq));
}

/* The decision, and its end when it is in force. */
static void unbind(struct vtdpi_bhyve_vm *gvm, struct vtdpi_binding *b,
                   int (*step)(struct vtdpi_binding *))
{
    int rc;

    mtx_lock_spin(&gvm->lock);
    rc = step(b);
    mtx_unlock_spin(&gvm->lock);
    KASSERT(rc == 0, ("vtdpi: unbind: %s", vtdpi_strerror(rc)));
    (void)rc;
}

void vtdpi_bhyve_dmar_release(struct vtdpi_bhyve_vm *gvm,
                              struct vtdpi_bhyve_msg *msg)
{
    struct vtdpi_bhyve_unit *const unit = msg->unit;
    bool told = false;
    int rc;

    if (unit == NULL)
        return;
    unbind(gvm, &msg->binding, vtdpi_vm_unbind);
    /*
     * The unit may write the descriptor until this succeeds, so there is no
     * going on without it. FreeBSD's driver waits without a deadline, too.
     */
    while ((rc = unpost(gvm, msg)) != 0) {
        vtdpi_bhyve_count(VTDPI_COUNT_FAILURES, 1);
        if (!told)
            report_live(unit, vtdpi_irq_index(&msg->irq),
                        "posting does not end yet", rc);
        told = true;
        pause("vtdpir", MAX(hz / 10, 1));
    }
    unbind(gvm, &msg->binding, vtdpi_vm_unbind_end);
    vtdpi_dmar_ops->lock(unit->number);
    unit->adopted[vtdpi_irq_index(&msg->irq)] = NULL;
    vtdpi_dmar_ops->unlock(unit->number);
    msg->unit = NULL;
}
