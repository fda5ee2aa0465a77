/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupts of a VM. Read the top of vtdpi/bind.h first.
 *
 * A change (a message, an APIC, a vCPU) marks the bindings that it can concern:
 * they are kept in lists by destination. A binding is in one of four states:
 *
 *   DONE --mark--> DUE --begin--> FLYING --end--> DONE, FAILED, or DUE again
 *                   ^                               |
 *                   +-------- mark, retry ----------+
 *
 * Marks are numbered. begin copies the decision with the number of the latest mark
 * of the binding, and end compares: if the binding was marked in between, the
 * copy is out of date and the binding is not done. So nothing that happens while
 * the lock is dropped is lost, whatever the entry holds by then. begin and end run
 * under the decide lock. vtdpi_vm_apply() sees only bindings that are FLYING by its
 * own work, and of these only the copy.
 */
#include "vtdpi/bind.h"

#include "bind_state.h"

enum {
    /* A table of table.h flushes globally above 16 descriptors anyway. */
    FLUSH_RANGES = 16,
    /* How often one work takes a binding that is marked again and again. */
    FLIGHT_TRIES = 2,

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
                                           uint32_t dest)
{
    return bucket_head(vm, ~(dest >> 16));
}

static VTDPI_COLD struct vtdpi_binding **
binding_head(const struct vtdpi_binding *b)
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
    return cluster_head(vm, dest);
}

static VTDPI_COLD void binding_list(struct vtdpi_binding *b)
{
    struct vtdpi_binding **head = binding_head(b);

    b->next = *head;
    b->link = head;
    if (b->next != NULL)
        b->next->link = &b->next;
    *head = b;
}

static VTDPI_COLD void binding_unlist(struct vtdpi_binding *b)
{
    *b->link = b->next;
    if (b->next != NULL)
        b->next->link = b->link;
}

/* States. */

/* Takes a binding off the list of its state. */
static VTDPI_COLD void state_leave(struct vtdpi_binding *b)
{
    struct vtdpi_vm *vm = b->vm;

    if (b->state == STATE_DONE)
        return;
    if (b->state == STATE_DUE) {
        vm->due_count--;
        if (b->next_state == NULL)
            vm->last = b->link_state;
    }
    *b->link_state = b->next_state;
    if (b->next_state != NULL)
        b->next_state->link_state = b->link_state;
    b->state = STATE_DONE;
}

static VTDPI_COLD void state_enter(struct vtdpi_binding *b,
                                   enum binding_state state,
                                   struct vtdpi_binding **link)
{
    b->state = (uint8_t)state;
    b->next_state = *link;
    b->link_state = link;
    if (b->next_state != NULL)
        b->next_state->link_state = &b->next_state;
    *link = b;
}

/* Last, so that no binding is passed over for ever. */
static VTDPI_COLD void state_enter_due(struct vtdpi_binding *b)
{
    struct vtdpi_vm *vm = b->vm;

    state_enter(b, STATE_DUE, vm->last);
    vm->last = &b->next_state;
    vm->due_count++;
}

/* A change concerns the binding. If the binding is in flight, only the mark is
 * set: the work that has the binding finds the mark at its end. Of several marks that
 * no flight has copied the oldest is kept. The caller that made the oldest change has
 * to wait for it, and would not wait if a later mark took its place. */
static VTDPI_COLD void binding_mark(struct vtdpi_binding *b)
{
    b->vm->marks++;
    if (b->mark == 0)
        b->mark = b->vm->marks;
    if (b->state == STATE_FLYING || b->state == STATE_DUE)
        return;
    state_leave(b);
    state_enter_due(b);
}

/* Marks those of a list that the change of an APIC can affect. */
static VTDPI_COLD void mark_affected(struct vtdpi_vm *vm,
                                     struct vtdpi_binding *b,
                                     const struct vtdpi_guest_apic *before,
                                     const struct vtdpi_guest_apic *after)
{
    for (; b != NULL; b = b->next) {
        vm->visited++;
        if (vtdpi_route_affects(before, after, &b->msg))
            binding_mark(b);
    }
}

/* All in such a list have one destination. */
static VTDPI_COLD void mark_logical(struct vtdpi_vm *vm,
                                    struct vtdpi_binding *b,
                                    const struct vtdpi_guest_apic *before,
                                    const struct vtdpi_guest_apic *after)
{
    if (b != NULL && (vtdpi_guest_apic_matches(before, &b->msg) ||
                      vtdpi_guest_apic_matches(after, &b->msg)))
        mark_affected(vm, b, before, after);
}

/* What an APIC, before or after, is found under. */
static VTDPI_COLD void mark_by_id(struct vtdpi_vm *vm,
                                  const struct vtdpi_guest_apic *apic,
                                  const struct vtdpi_guest_apic *before,
                                  const struct vtdpi_guest_apic *after)
{
    if (apic->mode == VTDPI_GUEST_APIC_DISABLED)
        return;
    mark_affected(vm, *id_head(vm, apic->id), before, after);
    if (apic->mode == VTDPI_GUEST_X2APIC)
        mark_affected(vm, *cluster_head(vm, vtdpi_guest_x2apic_ldr(apic)),
                      before, after);
}

/* An APIC has changed. Messages that it matches neither before nor after are
 * not looked at, except those of its cluster and what shares a bucket. */
static VTDPI_COLD void mark_for_apic(struct vtdpi_vm *vm,
                                     const struct vtdpi_guest_apic *before,
                                     const struct vtdpi_guest_apic *after)
{
    mark_affected(vm, vm->heads[HEAD_BROADCAST], before, after);
    for (uint32_t i = 0; i <= 0xff; i++)
        mark_logical(vm, vm->heads[HEAD_LOGICAL + i], before, after);
    mark_by_id(vm, before, before, after);
    if (after->id != before->id || after->mode != before->mode ||
        after->ldr != before->ldr || after->ldr_given != before->ldr_given)
        mark_by_id(vm, after, before, after);
}

/* Decisions. */

static const struct vtdpi_route_decision decision_no_message = {
    .kind = VTDPI_ROUTE_REMAP,
    .reason = VTDPI_ROUTE_NO_MESSAGE,
};

static VTDPI_COLD void decision_set(struct vtdpi_binding *b,
                                    const struct vtdpi_route_decision *d)
{
    b->vm->count[b->decision.reason]--;
    b->decision = *d;
    b->vm->count[b->decision.reason]++;
}

static VTDPI_COLD void decision_make(struct vtdpi_binding *b)
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

/* The latest message comes into force. */
static VTDPI_COLD void message_apply(struct vtdpi_binding *b)
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
    binding_mark(b);
}

static VTDPI_COLD void decision_downgrade(struct vtdpi_binding *b,
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

/* Work: what is done with the copies, without the decide lock. */

enum flight_stage {
    STAGE_TODO = 0,
    STAGE_DIRTY, /* takes no change before what is dirty was flushed */
    STAGE_DONE,  /* flight.rc is the result, unless the commit fails */
};

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

static VTDPI_COLD int flight_change(struct vtdpi_irq_batch *batch,
                                    struct vtdpi_binding *b)
{
    int rc;

    if (b->flight.vcpu != NULL) {
        rc = vtdpi_irq_batch_post(batch, b->irq, b->flight.vcpu,
                                  b->flight.vector);
        b->flight.refusal = (uint8_t)refusal_reason(rc);
        if (b->flight.refusal == VTDPI_ROUTE_POSTABLE)
            return rc;
        /* The interrupt must not stay posted to the vCPU of before. */
    }
    return vtdpi_irq_batch_unpost(batch, b->irq);
}

/* An interrupt that was torn down (VTDPI_ESTATE) keeps its references itself, so
 * nothing is left to do for it. */
static VTDPI_COLD void flight_try(struct vtdpi_irq_batch *batch,
                                  struct vtdpi_binding *b,
                                  enum flight_stage stage)
{
    const int rc = stage == STAGE_DIRTY ? vtdpi_irq_batch_flush(batch, b->irq)
                                        : flight_change(batch, b);

    b->flight.rc = rc == VTDPI_ESTATE ? 0 : rc;
    b->flight.joined = vtdpi_irq_batch_has(batch, b->irq);
    if (stage == STAGE_TODO)
        b->flight.stage = rc == VTDPI_EDIRTY ? STAGE_DIRTY : STAGE_DONE;
    else
        b->flight.stage = rc == 0 ? STAGE_TODO : STAGE_DONE;
}

/* One batch over those of a table that are at @p stage. */
static VTDPI_COLD void table_pass(struct vtdpi_binding *first,
                                  const struct vtdpi_backend *table,
                                  enum flight_stage stage)
{
    struct vtdpi_flush_range ranges[FLUSH_RANGES];
    struct vtdpi_irq_batch batch;
    /* Cannot fail: vtdpi_irq_init() has judged the table. */
    const int begun =
        vtdpi_irq_batch_begin(&batch, table, ranges, FLUSH_RANGES);
    int rc;

    VTDPI_ASSERT(begun == 0);
    (void)begun;
    for (struct vtdpi_binding *b = first; b != NULL; b = b->flight.next) {
        b->flight.joined = false;
        if (vtdpi_irq_backend(b->irq) == table &&
            b->flight.stage == (uint8_t)stage)
            flight_try(&batch, b, stage);
    }
    rc = vtdpi_irq_batch_commit(&batch);
    for (struct vtdpi_binding *b = first; b != NULL && rc != 0;
         b = b->flight.next) {
        if (b->flight.joined && b->flight.rc == 0) {
            b->flight.rc = rc;
            b->flight.stage = STAGE_DONE;
        }
    }
}

static VTDPI_COLD bool table_has(const struct vtdpi_binding *first,
                                 const struct vtdpi_backend *table,
                                 enum flight_stage stage)
{
    for (; first != NULL; first = first->flight.next) {
        if (vtdpi_irq_backend(first->irq) == table &&
            first->flight.stage == (uint8_t)stage)
            return true;
    }
    return false;
}

/* What an earlier failure has left dirty is flushed by a batch of its own. If that
 * fails the result is EDIRTY or the error, and the stage is not
 * STAGE_TODO. */
static VTDPI_COLD void table_work(struct vtdpi_binding *first,
                                  const struct vtdpi_backend *table)
{
    table_pass(first, table, STAGE_TODO);
    if (!table_has(first, table, STAGE_DIRTY))
        return;
    table_pass(first, table, STAGE_DIRTY);
    table_pass(first, table, STAGE_TODO);
}

void vtdpi_vm_apply(struct vtdpi_vm_work *work)
{
    for (struct vtdpi_binding *b = work->first; b != NULL; b = b->flight.next) {
        if (b->flight.stage == STAGE_TODO)
            table_work(work->first, vtdpi_irq_backend(b->irq));
    }
}

/* Begin and end. */

/* Whether the entry holds already what is decided. */
static bool binding_is_as_decided(const struct vtdpi_binding *b,
                                  const struct vtdpi_vcpu *v)
{
    return b->known && b->vcpu == v &&
           (v == NULL || b->vector == b->decision.vector);
}

/* A binding is as decided: tell the host if nothing takes its interrupts. */
static VTDPI_COLD void work_note_done(struct vtdpi_vm_work *w,
                                      const struct vtdpi_binding *b)
{
    if (b->state == STATE_DONE && b->routed && !b->host &&
        b->decision.kind != VTDPI_ROUTE_POST)
        w->no_host = true;
}

/*
 * Puts a binding in flight. The hold on the vCPU is kept until the end of the
 * flight, so that nobody can detach the vCPU while the entry is being made. The
 * hold cannot be refused, since the VM has one itself.
 */
static VTDPI_COLD void flight_begin(struct vtdpi_vm_work *w,
                                    struct vtdpi_binding *b,
                                    struct vtdpi_vcpu *v, uint8_t tries)
{
    if (v != NULL && vtdpi_vcpu_hold(v) != 0) {
        decision_downgrade(b, VTDPI_ROUTE_DETACHED);
        v = NULL;
    }
    state_enter(b, STATE_FLYING, &b->vm->flying);
    b->flight.next = NULL;
    b->flight.vcpu = v;
    b->flight.vector = b->decision.vector;
    b->flight.mark = b->mark;
    b->mark = 0;
    b->flight.number = ++b->vm->flights;
    b->flight.rc = 0;
    b->flight.refusal = VTDPI_ROUTE_POSTABLE;
    b->flight.stage = STAGE_TODO;
    b->flight.tries = tries;
    *w->last = b;
    w->last = &b->flight.next;
}

/* Decides, and puts the binding in flight if its entry has to change. */
static VTDPI_COLD void work_take(struct vtdpi_vm_work *w,
                                 struct vtdpi_binding *b, uint8_t tries)
{
    struct vtdpi_vcpu *v;

    state_leave(b);
    decision_make(b);
    v = decision_vcpu(b);
    if (binding_is_as_decided(b, v)) {
        b->error = 0;
        b->mark = 0;
        work_note_done(w, b);
    } else {
        flight_begin(w, b, v, tries);
    }
}

/*
 * The next part of the work. Bindings that are named are looked at one by one; of
 * the others as many as were due when the work began, oldest first. What has
 * failed in this work is not tried again.
 */
static VTDPI_COLD void work_take_part(struct vtdpi_vm *vm,
                                      struct vtdpi_vm_work *w)
{
    for (uint32_t i = 0; i < vm->part && w->at < w->count; i++, w->at++) {
        struct vtdpi_binding *b = w->only != NULL ? w->only[w->at] : vm->due;

        if (b == NULL)
            continue; /* another work has taken the rest */
        if (b->state == STATE_DUE || (b->state == STATE_FAILED && !w->again))
            work_take(w, b, 1);
        else
            work_note_done(w, b);
    }
}

/*
 * Whether a work without names has to wait for a binding that is due, in flight or
 * failed. It has to if the binding has a mark from before the work began that is not
 * in force: no flight has copied the mark, or a flight that began after the work has.
 * A flight that began before the work has copied no mark of this work's caller.
 */
static VTDPI_COLD bool work_needs(const struct vtdpi_vm_work *w,
                                  const struct vtdpi_binding *b)
{
    if (b->state != STATE_FAILED && b->mark != 0 && b->mark <= w->mark)
        return true;
    return b->state != STATE_DUE && b->flight.number > w->flight &&
           b->flight.mark <= w->mark;
}

/* What stands in the way of calling a binding done. */
static VTDPI_COLD void work_note_pending(struct vtdpi_vm_work *w,
                                         const struct vtdpi_binding *b)
{
    if (b->state == STATE_FLYING)
        w->in_flight = true;
    else if (b->state == STATE_DUE)
        w->due = true;
    else if (b->state == STATE_FAILED && w->error == 0)
        w->error = b->error;
}

static VTDPI_COLD void work_note_list(struct vtdpi_vm_work *w,
                                      const struct vtdpi_binding *b)
{
    for (; b != NULL; b = b->next_state) {
        if (work_needs(w, b))
            work_note_pending(w, b);
    }
}

static VTDPI_COLD int work_result(const struct vtdpi_vm *vm,
                                  struct vtdpi_vm_work *w)
{
    if (w->only == NULL) {
        work_note_list(w, vm->flying);
        work_note_list(w, vm->due);
        /* Another work may have taken a binding of this one, and failed. */
        if (vm->failed_flight > w->flight)
            work_note_list(w, vm->failed);
    }
    for (uint32_t i = 0; w->only != NULL && i < w->count; i++)
        work_note_pending(w, w->only[i]);
    if (w->in_flight)
        return VTDPI_EINFLIGHT;
    if (w->due)
        return VTDPI_EDUE;
    if (w->error != 0)
        return w->error;
    return w->no_host ? VTDPI_ENOHOST : 0;
}

/* 1 if there is something to do, else what the work has come to. */
static VTDPI_COLD int work_go_on(struct vtdpi_vm *vm, struct vtdpi_vm_work *w)
{
    work_take_part(vm, w);
    return w->first != NULL || w->at < w->count ? 1 : work_result(vm, w);
}

static VTDPI_COLD int work_open(struct vtdpi_vm *vm, struct vtdpi_vm_work *w)
{
    w->first = NULL;
    w->last = &w->first;
    w->at = 0;
    w->due = false;
    w->in_flight = false;
    if (w->only == NULL)
        w->count = vm->due_count;
    return work_go_on(vm, w);
}

int vtdpi_vm_begin(struct vtdpi_vm *vm, struct vtdpi_vm_work *work,
                   struct vtdpi_binding *const *b, uint32_t count)
{
    *work = (struct vtdpi_vm_work){
        .only = b,
        .count = count,
        .mark = vm->marks,
        .flight = vm->flights,
    };
    return work_open(vm, work);
}

/* The caller made its change under an earlier hold of the lock. A flight that has
 * begun since then may have copied the change, so this work counts flights from
 * @p since and not from now. */
int vtdpi_vm_begin_since(struct vtdpi_vm *vm, struct vtdpi_vm_work *work,
                         uint64_t since)
{
    *work = (struct vtdpi_vm_work){.mark = vm->marks, .flight = since};
    return work_open(vm, work);
}

int vtdpi_vm_begin_again(struct vtdpi_vm *vm, struct vtdpi_vm_work *work)
{
    work->again = true;
    return work_open(vm, work);
}

/* What the work has done with one binding. */
static VTDPI_COLD void flight_end(struct vtdpi_vm_work *w,
                                  struct vtdpi_binding *b)
{
    struct vtdpi_vm *vm = b->vm;
    struct vtdpi_vcpu *const v = b->flight.vcpu;
    const bool refused = b->flight.refusal != VTDPI_ROUTE_POSTABLE;
    const bool again = b->mark != 0 || b->flight.rc == VTDPI_EINFLIGHT;

    b->error = b->flight.rc;
    b->known = b->error == 0;
    if (!b->known) /* so what the flight has copied is not in force */
        b->mark = b->flight.mark;
    b->vcpu = refused ? NULL : v;
    b->vector = b->flight.vector;
    state_leave(b);
    /* The entry has been made: if it names the vCPU, it has a reference of its
     * own. Before that the hold kept the vCPU from being detached. */
    if (v != NULL)
        vtdpi_vcpu_unhold(v);
    /* Affinity code had the interrupt: the same as if the binding was marked. */
    if (again) {
        if (b->flight.tries < FLIGHT_TRIES) {
            work_take(w, b, (uint8_t)(b->flight.tries + 1));
        } else {
            state_enter_due(b);
            w->due = true;
        }
        return;
    }
    if (refused)
        decision_downgrade(b, (enum vtdpi_route_reason)b->flight.refusal);
    if (b->error != 0) {
        state_enter(b, STATE_FAILED, &vm->failed);
        if (vm->failed_flight < b->flight.number)
            vm->failed_flight = b->flight.number;
        if (w->error == 0)
            w->error = b->error;
    }
    work_note_done(w, b);
}

int vtdpi_vm_end(struct vtdpi_vm *vm, struct vtdpi_vm_work *work)
{
    struct vtdpi_binding *b = work->first;

    work->first = NULL;
    work->last = &work->first;
    while (b != NULL) {
        struct vtdpi_binding *const next = b->flight.next;

        flight_end(work, b);
        b = next;
    }
    return work_go_on(vm, work);
}

void vtdpi_vm_retry(struct vtdpi_vm *vm)
{
    while (vm->failed != NULL)
        binding_mark(vm->failed);
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
        .part = p->part != 0 ? p->part : VTDPI_VM_PART,
        .vcpu_count = p->vcpu_count,
        .shift = 32 - (uint32_t)__builtin_ctz(p->buckets),
        .options = {.form = p->form,
                    .posting = p->posting,
                    .vector_min = p->vector_min},
    };
    vm->last = &vm->due;
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
                  struct vtdpi_irq *irq, bool host)
{
    bool posted;

    if (vm == NULL || b == NULL || irq == NULL)
        return VTDPI_EINVAL;
    posted = vtdpi_irq_target(irq) != NULL;
    if (b->vm != NULL || (posted && vtdpi_irq_vcpu(irq) == NULL))
        return VTDPI_EBUSY;
    *b = (struct vtdpi_binding){0};
    b->vm = vm;
    b->irq = irq;
    b->known = !posted;
    b->host = host;
    b->decision = decision_no_message;
    b->unrouted = decision_no_message;
    vm->count[VTDPI_ROUTE_NO_MESSAGE]++;
    binding_list(b);
    /* No message says yet that the entry may name a vCPU: the next work looks. */
    if (posted)
        binding_mark(b);
    return 0;
}

int vtdpi_vm_unbind(struct vtdpi_binding *b)
{
    if (b == NULL || b->vm == NULL)
        return VTDPI_EINVAL;
    b->leaving = true;
    b->written = false;
    message_apply(b);
    return 0;
}

int vtdpi_vm_unbind_end(struct vtdpi_binding *b)
{
    if (b == NULL || b->vm == NULL || !b->leaving)
        return VTDPI_EINVAL;
    if (b->state != STATE_DONE)
        return VTDPI_EBUSY;
    binding_unlist(b);
    b->vm->count[b->decision.reason]--;
    b->vm = NULL;
    return 0;
}

/* The guest's messages. */

static VTDPI_COLD void message_write(struct vtdpi_binding *b,
                                     const struct vtdpi_msi *msi)
{
    b->written = msi != NULL;
    if (msi != NULL)
        b->message = *msi;
    /* Under the mask the device sends nothing, and the guest may be in the
     * middle of its three registers. */
    if (msi == NULL || !b->masked)
        message_apply(b);
}

/* Whether the guest can change the message. */
static VTDPI_COLD int binding_check(const struct vtdpi_binding *b)
{
    if (b == NULL || b->vm == NULL)
        return VTDPI_EINVAL;
    return b->leaving ? VTDPI_ESTATE : 0;
}

int vtdpi_binding_set_message(struct vtdpi_binding *b,
                              const struct vtdpi_msi *msi)
{
    const int rc = binding_check(b);

    if (rc == 0)
        message_write(b, msi);
    return rc;
}

/* One VM, one table, indexes one after the other. */
static VTDPI_COLD int block_check(struct vtdpi_binding *const *b,
                                  uint32_t count)
{
    if (b == NULL || count == 0 || count > VTDPI_MSI_BLOCK_MAX ||
        (count & (count - 1)) != 0)
        return VTDPI_EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        const int rc = binding_check(b[i]);

        if (rc != 0)
            return rc;
        if (b[i]->vm != b[0]->vm ||
            vtdpi_irq_backend(b[i]->irq) != vtdpi_irq_backend(b[0]->irq))
            return VTDPI_EINVAL;
        if (vtdpi_irq_index(b[i]->irq) != vtdpi_irq_index(b[0]->irq) + i)
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
    return 0;
}

void vtdpi_binding_mask(struct vtdpi_binding *b)
{
    b->masked = true;
}

int vtdpi_binding_unmask(struct vtdpi_binding *b)
{
    const int rc = binding_check(b);

    if (rc != 0)
        return rc;
    b->masked = false;
    message_apply(b);
    return 0;
}

void vtdpi_binding_set_host(struct vtdpi_binding *b, bool host)
{
    b->host = host;
}

/* Marks the bindings in flight whose entry may still name the vCPU @p v, or any
 * vCPU if @p v is NULL. Their message names another destination by now, so the lists by
 * destination do not lead to them. */
static VTDPI_COLD void mark_leaving(struct vtdpi_vm *vm,
                                    const struct vtdpi_vcpu *v)
{
    for (struct vtdpi_binding *b = vm->flying; b != NULL; b = b->next_state) {
        if (!b->known || (v == NULL ? b->vcpu != NULL : b->vcpu == v))
            binding_mark(b);
    }
}

/* The guest's vCPUs. */

static VTDPI_COLD int vm_apic_set(struct vtdpi_vm *vm, uint32_t vcpu,
                                  const struct vtdpi_guest_apic *apic)
{
    const struct vtdpi_guest_apic before = vtdpi_route_map_apic(&vm->map, vcpu);
    struct vtdpi_guest_apic after = *apic;
    int rc;

    after.attached = vm->vcpus[vcpu] != NULL;
    rc = vtdpi_route_map_update(&vm->map, vcpu, &after);
    if (rc != 0)
        return rc;
    mark_for_apic(vm, &before, &after);
    return 0;
}

int vtdpi_vm_set_apic(struct vtdpi_vm *vm, uint32_t vcpu,
                      const struct vtdpi_guest_apic *apic)
{
    if (vm == NULL || apic == NULL || vcpu >= vm->vcpu_count)
        return VTDPI_EINVAL;
    return vm_apic_set(vm, vcpu, apic);
}

static VTDPI_COLD int vm_vcpu_set(struct vtdpi_vm *vm, uint32_t vcpu,
                                  struct vtdpi_vcpu *v)
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
    if (v != NULL)
        mark_leaving(vm, v);
    /* After the map has forgotten the vCPU. Entries hold references of their
     * own, and so do bindings in flight. */
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
            binding_mark(b);
    }
    if (!on)
        mark_leaving(vm, NULL);
    return 0;
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
            vtdpi_route_is_postable(&msg, &vm->options)) {
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
    out->due = vm->due_count;
    for (const struct vtdpi_binding *b = vm->failed; b != NULL;
         b = b->next_state)
        out->failed++;
}
