/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupts of a VM. Each event (a message, an APIC, a vCPU) makes those
 * bindings due that it can affect: they are kept in lists by destination. An
 * update decides anew for all that are due (route.h), then changes the entries
 * in one batch for each table (irq.h). A binding whose entry did not follow
 * stays due. Read the top of vtdpi/bind.h first; nothing here is shared without
 * the host's lock.
 */
#include "vtdpi/bind.h"

enum {
    /* A table of table.h flushes globally above 16 descriptors anyway. */
    FLUSH_RANGES = 16,

    /* Heads, before those of the buckets. */
    HEAD_NONE = 0,      /* no message, or a malformed one */
    HEAD_BROADCAST = 1, /* the destination of all, in some mode */
    HEAD_LOGICAL = 2,   /* logical, 0 to FFh: one for each */
};

VTDPI_STATIC_ASSERT(HEAD_LOGICAL + 256 == VTDPI_VM_LISTS, "all heads");

/* Lists. */

/* By the high bits of a product: ids are often multiples of a power of two. */
static struct vtdpi_binding **bucket_head(const struct vtdpi_vm *vm,
                                          uint32_t value)
{
    const uint32_t mixed = value * UINT32_C(0x9e3779b1);

    return &vm->heads[VTDPI_VM_LISTS + ((uint64_t)mixed >> vm->shift)];
}

/* Bindings with a physical destination, which is one APIC's id. */
static struct vtdpi_binding **id_head(const struct vtdpi_vm *vm, uint32_t id)
{
    return bucket_head(vm, id);
}

/* Those with a logical one above FFh; only x2APICs of that cluster match. */
static struct vtdpi_binding **cluster_head(const struct vtdpi_vm *vm,
                                           uint32_t cluster)
{
    return bucket_head(vm, ~(cluster & 0xffff));
}

static struct vtdpi_binding **binding_head(const struct vtdpi_binding *b)
{
    const struct vtdpi_vm *vm = b->vm;
    const uint32_t dest = b->msg.dest;

    if (!b->routed)
        return &vm->heads[HEAD_NONE];
    if (dest == VTDPI_DEST_ALL || (!b->msg.dm && dest == 0xff))
        return &vm->heads[HEAD_BROADCAST];
    if (!b->msg.dm)
        return id_head(vm, dest);
    if (dest <= 0xff)
        return &vm->heads[HEAD_LOGICAL + dest];
    return cluster_head(vm, dest >> 16);
}

static void binding_list(struct vtdpi_binding *b)
{
    struct vtdpi_binding **head = binding_head(b);

    b->next = *head;
    b->link = head;
    if (b->next != NULL)
        b->next->link = &b->next;
    *head = b;
}

static void binding_unlist(struct vtdpi_binding *b)
{
    *b->link = b->next;
    if (b->next != NULL)
        b->next->link = b->link;
}

/* The next update looks at the binding. */
static void due_set(struct vtdpi_binding *b)
{
    if (b->due)
        return;
    b->due = true;
    b->next_due = b->vm->due;
    b->vm->due = b;
}

/* Makes those of a list due that the change of an APIC can affect. */
static void due_set_affected(struct vtdpi_vm *vm, struct vtdpi_binding *b,
                             const struct vtdpi_guest_apic *before,
                             const struct vtdpi_guest_apic *after)
{
    for (; b != NULL; b = b->next) {
        vm->visited++;
        if (vtdpi_route_affects(before, after, &b->msg))
            due_set(b);
    }
}

/* All in such a list have one destination. */
static void due_set_logical(struct vtdpi_vm *vm, struct vtdpi_binding *b,
                            const struct vtdpi_guest_apic *before,
                            const struct vtdpi_guest_apic *after)
{
    if (b != NULL && (vtdpi_guest_apic_matches(before, &b->msg) ||
                      vtdpi_guest_apic_matches(after, &b->msg)))
        due_set_affected(vm, b, before, after);
}

/* What an APIC, before or after, is found under. */
static void due_set_by_id(struct vtdpi_vm *vm,
                          const struct vtdpi_guest_apic *apic,
                          const struct vtdpi_guest_apic *before,
                          const struct vtdpi_guest_apic *after)
{
    if (apic->mode == VTDPI_GUEST_APIC_DISABLED)
        return;
    due_set_affected(vm, *id_head(vm, apic->id), before, after);
    if (apic->mode == VTDPI_GUEST_X2APIC)
        due_set_affected(vm, *cluster_head(vm, apic->id >> 4), before, after);
}

/* An APIC has changed. Messages that it matches neither before nor after are
 * not looked at, but for those of its cluster and what shares a bucket. */
static void due_set_for_apic(struct vtdpi_vm *vm,
                             const struct vtdpi_guest_apic *before,
                             const struct vtdpi_guest_apic *after)
{
    due_set_affected(vm, vm->heads[HEAD_BROADCAST], before, after);
    for (uint32_t i = 0; i <= 0xff; i++)
        due_set_logical(vm, vm->heads[HEAD_LOGICAL + i], before, after);
    due_set_by_id(vm, before, before, after);
    if (after->id != before->id || after->mode != before->mode)
        due_set_by_id(vm, after, before, after);
}

/* Decisions. */

static const struct vtdpi_route_decision decision_no_message = {
    .kind = VTDPI_ROUTE_REMAP,
    .reason = VTDPI_ROUTE_NO_MESSAGE,
};

static void decision_set(struct vtdpi_binding *b,
                         const struct vtdpi_route_decision *d)
{
    b->vm->count[b->decision.reason]--;
    b->decision = *d;
    b->vm->count[b->decision.reason]++;
}

static void decision_make(struct vtdpi_binding *b)
{
    struct vtdpi_vm *vm = b->vm;
    const struct vtdpi_apic_set set = vtdpi_route_map_apics(&vm->map);
    struct vtdpi_route_decision d = b->unrouted;

    if (b->routed) {
        vm->decided++;
        d = vtdpi_route_decide_decoded(&set, &b->msg, &vm->options);
    }
    decision_set(b, &d);
}

/* The latest message comes into force, at the next update. */
static void message_apply(struct vtdpi_binding *b)
{
    struct vtdpi_vm *vm = b->vm;
    const struct vtdpi_apic_set set = vtdpi_route_map_apics(&vm->map);

    binding_unlist(b);
    b->routed = b->written &&
                vtdpi_route_decode(&b->message, vm->options.form, &b->msg) == 0;
    binding_list(b);
    /* Depends on nothing but the message, so it can be kept. */
    if (b->written && !b->routed)
        b->unrouted = vtdpi_route_decide(&set, &b->message, &vm->options);
    else
        b->unrouted = decision_no_message;
    due_set(b);
}

static void decision_downgrade(struct vtdpi_binding *b,
                               enum vtdpi_route_reason reason)
{
    const struct vtdpi_route_decision d = {
        .kind = VTDPI_ROUTE_REMAP,
        .reason = reason,
        .vcpu = b->decision.vcpu,
        .vector = b->decision.vector,
    };

    decision_set(b, &d);
}

/* The vCPU that the entry shall name; NULL: none. */
static struct vtdpi_vcpu *decision_vcpu(const struct vtdpi_binding *b)
{
    return b->decision.kind == VTDPI_ROUTE_POST ? b->vm->vcpus[b->decision.vcpu]
                                                : NULL;
}

/* Updates. */

/* What is done with each due binding of a table. */

static VTDPI_BY_POINTER int binding_flush(struct vtdpi_irq_batch *batch,
                                          struct vtdpi_binding *b)
{
    return vtdpi_irq_batch_flush(batch, b->irq);
}

/* Why the table does not post, if @p rc says so; POSTABLE for other codes. */
static enum vtdpi_route_reason refusal_reason(int rc)
{
    switch (rc) {
    case VTDPI_ENOPI:
        return VTDPI_ROUTE_NO_POSTING;
    case VTDPI_EIRTE_PDA_WIDTH:
        return VTDPI_ROUTE_UNREACHABLE;
    default:
        return VTDPI_ROUTE_POSTABLE;
    }
}

static VTDPI_BY_POINTER int binding_change(struct vtdpi_irq_batch *batch,
                                           struct vtdpi_binding *b)
{
    struct vtdpi_vcpu *v = decision_vcpu(b);
    int rc;

    if (v != NULL) {
        rc = vtdpi_irq_batch_post(batch, b->irq, v, b->decision.vector);
        if (refusal_reason(rc) == VTDPI_ROUTE_POSTABLE)
            return rc;
        /* It must not stay with the vCPU that it had before. */
        decision_downgrade(b, refusal_reason(rc));
    }
    return vtdpi_irq_batch_unpost(batch, b->irq);
}

/* One batch over those of @p todo that are in this table. */
static int
table_pass(struct vtdpi_binding *todo, const struct vtdpi_backend *table,
           int (*one)(struct vtdpi_irq_batch *batch, struct vtdpi_binding *b))
{
    struct vtdpi_flush_range ranges[FLUSH_RANGES];
    struct vtdpi_irq_batch batch;
    int first = vtdpi_irq_batch_begin(&batch, table, ranges, FLUSH_RANGES);
    int rc;

    for (; todo != NULL; todo = todo->next_due) {
        if (todo->irq->backend != table || todo->irq->down)
            continue;
        rc = one(&batch, todo);
        if (first == 0)
            first = rc;
    }
    rc = vtdpi_irq_batch_commit(&batch);
    return first != 0 ? first : rc;
}

/* Whether the entry is as decided. One that the host has torn down is none of
 * the VM's any more. */
static bool binding_is_done(const struct vtdpi_binding *b)
{
    const struct vtdpi_vcpu *v = decision_vcpu(b);

    if (b->irq->down)
        return true;
    return !vtdpi_irq_is_dirty(b->irq) && vtdpi_irq_vcpu(b->irq) == v &&
           (v == NULL || vtdpi_irq_vector(b->irq) == b->decision.vector);
}

/*
 * Brings the bindings of one table up to date, and takes them off @p todo. What
 * an earlier failure has left dirty is flushed first: it takes no change until
 * then. Mostly there is nothing, and an empty batch costs nothing.
 */
static int table_update(struct vtdpi_binding **todo)
{
    const struct vtdpi_backend *table = (*todo)->irq->backend;
    const int rc_flush = table_pass(*todo, table, binding_flush);
    const int rc = table_pass(*todo, table, binding_change);

    while (*todo != NULL) {
        struct vtdpi_binding *b = *todo;

        if (b->irq->backend != table) {
            todo = &b->next_due;
            continue;
        }
        *todo = b->next_due;
        b->due = false;
        if (!binding_is_done(b))
            due_set(b);
    }
    return rc_flush != 0 ? rc_flush : rc;
}

static int vm_update(struct vtdpi_vm *vm)
{
    struct vtdpi_binding *todo = vm->due;
    int first = 0;

    vm->due = NULL;
    for (struct vtdpi_binding *b = todo; b != NULL; b = b->next_due)
        decision_make(b);
    while (todo != NULL) {
        const int rc = table_update(&todo);

        if (first == 0)
            first = rc;
    }
    return first;
}

/* An event is over. */
static int vm_changed(struct vtdpi_vm *vm)
{
    return vm->held ? 0 : vm_update(vm);
}

int vtdpi_vm_update(struct vtdpi_vm *vm)
{
    if (vm == NULL)
        return VTDPI_EINVAL;
    vm->held = false;
    return vm_update(vm);
}

void vtdpi_vm_hold(struct vtdpi_vm *vm)
{
    vm->held = true;
}

/* Set up. */

int vtdpi_vm_init(struct vtdpi_vm *vm, const struct vtdpi_vm_params *params)
{
    const struct vtdpi_vm_params *p = params;
    int rc;

    if (vm == NULL || p == NULL || p->vcpus == NULL || p->heads == NULL ||
        p->buckets == 0 || (p->buckets & (p->buckets - 1)) != 0 ||
        (unsigned int)p->form > VTDPI_COMPAT_DEST_32)
        return VTDPI_EINVAL;
    *vm = (struct vtdpi_vm){
        .vcpus = p->vcpus,
        .heads = p->heads,
        .vcpu_count = p->vcpu_count,
        .shift = 32 - (uint32_t)__builtin_ctz(p->buckets),
        .options = {.form = p->form, .posting = p->posting},
    };
    rc = vtdpi_route_map_init(&vm->map, p->apics, p->keys, p->vcpu_count);
    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < p->vcpu_count; i++)
        vm->vcpus[i] = NULL;
    for (size_t i = 0; i < VTDPI_VM_HEADS(p->buckets); i++)
        vm->heads[i] = NULL;
    return 0;
}

int vtdpi_vm_bind(struct vtdpi_vm *vm, struct vtdpi_binding *b,
                  struct vtdpi_irq *irq)
{
    if (vm == NULL || b == NULL || irq == NULL)
        return VTDPI_EINVAL;
    if (b->vm != NULL || vtdpi_irq_vcpu(irq) != NULL)
        return VTDPI_EBUSY;
    if (irq->down)
        return VTDPI_ESTATE;
    *b = (struct vtdpi_binding){
        .vm = vm,
        .irq = irq,
        .decision = decision_no_message,
        .unrouted = decision_no_message,
    };
    vm->count[VTDPI_ROUTE_NO_MESSAGE]++;
    binding_list(b);
    return 0;
}

int vtdpi_vm_unbind(struct vtdpi_binding *b)
{
    int rc;

    if (b == NULL || b->vm == NULL)
        return VTDPI_EINVAL;
    b->written = false;
    message_apply(b);
    rc = vm_update(b->vm);
    if (b->due)
        return rc;
    binding_unlist(b);
    b->vm->count[b->decision.reason]--;
    b->vm = NULL;
    return 0;
}

/* The guest's messages. */

static void message_write(struct vtdpi_binding *b, const struct vtdpi_msi *msi)
{
    b->written = msi != NULL;
    if (msi != NULL)
        b->message = *msi;
    /* Under the mask the device sends nothing, and the guest may be in the
     * middle of its three registers. */
    if (msi == NULL || !b->masked)
        message_apply(b);
}

int vtdpi_binding_set_message(struct vtdpi_binding *b,
                              const struct vtdpi_msi *msi)
{
    if (b == NULL || b->vm == NULL)
        return VTDPI_EINVAL;
    message_write(b, msi);
    return vm_changed(b->vm);
}

/* One VM, one table, indexes one after the other. */
static int block_check(struct vtdpi_binding *const *b, uint32_t count)
{
    if (b == NULL || count == 0 || count > VTDPI_MSI_BLOCK_MAX ||
        (count & (count - 1)) != 0)
        return VTDPI_EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        if (b[i] == NULL || b[i]->vm == NULL || b[i]->vm != b[0]->vm ||
            b[i]->irq->backend != b[0]->irq->backend)
            return VTDPI_EINVAL;
        if (b[i]->irq->index != b[0]->irq->index + i)
            return VTDPI_EINDEX;
    }
    return 0;
}

int vtdpi_binding_set_block(struct vtdpi_binding *const *b, uint32_t count,
                            const struct vtdpi_msi *msi)
{
    const int rc = block_check(b, count);

    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < count; i++) {
        struct vtdpi_msi one;

        if (msi != NULL) {
            one = *msi;
            one.data = (msi->data & ~(count - 1)) | i;
        }
        message_write(b[i], msi == NULL ? NULL : &one);
    }
    return vm_changed(b[0]->vm);
}

void vtdpi_binding_mask(struct vtdpi_binding *b)
{
    b->masked = true;
}

int vtdpi_binding_unmask(struct vtdpi_binding *b)
{
    if (b == NULL || b->vm == NULL)
        return VTDPI_EINVAL;
    b->masked = false;
    message_apply(b);
    return vm_changed(b->vm);
}

/* The guest's vCPUs. */

static int vm_apic_set(struct vtdpi_vm *vm, uint32_t vcpu,
                       const struct vtdpi_guest_apic *apic)
{
    const struct vtdpi_guest_apic before = vtdpi_route_map_apic(&vm->map, vcpu);
    struct vtdpi_guest_apic after = *apic;
    int rc;

    after.attached = vm->vcpus[vcpu] != NULL;
    rc = vtdpi_route_map_update(&vm->map, vcpu, &after);
    if (rc != 0)
        return rc;
    due_set_for_apic(vm, &before, &after);
    return vm_changed(vm);
}

int vtdpi_vm_set_apic(struct vtdpi_vm *vm, uint32_t vcpu,
                      const struct vtdpi_guest_apic *apic)
{
    if (vm == NULL || apic == NULL || vcpu >= vm->vcpu_count)
        return VTDPI_EINVAL;
    return vm_apic_set(vm, vcpu, apic);
}

static int vm_vcpu_set(struct vtdpi_vm *vm, uint32_t vcpu, struct vtdpi_vcpu *v)
{
    const struct vtdpi_guest_apic apic = vtdpi_route_map_apic(&vm->map, vcpu);

    vm->vcpus[vcpu] = v;
    return vm_apic_set(vm, vcpu, &apic);
}

int vtdpi_vm_attach(struct vtdpi_vm *vm, uint32_t vcpu, struct vtdpi_vcpu *v)
{
    if (vm == NULL || v == NULL || vcpu >= vm->vcpu_count)
        return VTDPI_EINVAL;
    if (!vtdpi_vcpu_attached(v))
        return VTDPI_EDETACHED;
    if (vm->vcpus[vcpu] != NULL)
        return VTDPI_EATTACHED;
    /* Before the map names the vCPU, so that no delivery finds a slot that may
     * be somebody else's. */
    if (vtdpi_vcpu_hold(v) != 0)
        return VTDPI_ECLOSED;
    return vm_vcpu_set(vm, vcpu, v);
}

int vtdpi_vm_detach(struct vtdpi_vm *vm, uint32_t vcpu)
{
    struct vtdpi_vcpu *v;
    int rc;

    if (vm == NULL || vcpu >= vm->vcpu_count)
        return VTDPI_EINVAL;
    v = vm->vcpus[vcpu];
    rc = vm_vcpu_set(vm, vcpu, NULL);
    /* After the map has forgotten the vCPU. Entries that the update could not
     * change hold references of their own. */
    if (v != NULL)
        vtdpi_vcpu_unhold(v);
    return rc;
}

int vtdpi_vm_set_posting(struct vtdpi_vm *vm, bool on)
{
    size_t heads;

    if (vm == NULL)
        return VTDPI_EINVAL;
    heads = VTDPI_VM_HEADS(UINT64_C(1) << (32 - vm->shift));
    vm->options.posting = on;
    for (size_t i = HEAD_NONE + 1; i < heads; i++) {
        for (struct vtdpi_binding *b = vm->heads[i]; b != NULL; b = b->next)
            due_set(b);
    }
    return vm_changed(vm);
}

/* Delivery by software. */

int vtdpi_vm_deliver(struct vtdpi_vm *vm, const struct vtdpi_msi *msi,
                     vtdpi_vm_inject inject, void *ctx,
                     struct vtdpi_vm_delivery *out)
{
    struct vtdpi_route_candidate to;
    struct vtdpi_compat_msi msg;
    struct vtdpi_route_walk walk;
    struct vtdpi_apic_set set;
    int rc;

    if (vm == NULL || out == NULL)
        return VTDPI_EINVAL;
    *out = (struct vtdpi_vm_delivery){0, 0, 0, 0};
    rc = vtdpi_route_decode(msi, vm->options.form, &msg);
    if (rc != 0)
        return rc;
    set = vtdpi_route_map_apics(&vm->map);
    vtdpi_route_walk_begin(&walk, &set, &msg);
    while (vtdpi_route_walk_next(&walk, &to)) {
        if (vm->options.posting && to.attached &&
            vtdpi_route_is_postable(&msg)) {
            const enum vtdpi_post_result result =
                vtdpi_vcpu_post(vm->vcpus[to.vcpu], msg.vector, false);

            out->posted++;
            out->notified += result == VTDPI_POST_NOTIFY;
            out->suppressed += result == VTDPI_POST_SUPPRESSED;
        } else {
            out->injected++;
            if (inject != NULL)
                inject(ctx, to.vcpu, &msg);
        }
    }
    return 0;
}

/* Queries. */

void vtdpi_vm_get_stats(const struct vtdpi_vm *vm, struct vtdpi_vm_stats *out)
{
    *out = (struct vtdpi_vm_stats){
        .visited = vm->visited,
        .decided = vm->decided,
    };
    for (uint32_t i = 0; i < VTDPI_ROUTE_REASONS; i++)
        out->bindings += vm->count[i];
    for (const struct vtdpi_binding *b = vm->due; b != NULL; b = b->next_due)
        out->pending++;
}
