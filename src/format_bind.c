/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of a binding, and the dump of a VM's bindings. Read the top of
 * vtdpi/bind.h first.
 *
 * The decide lock guards the lists of a VM. A dump gives the lock back between two
 * lines, and bindings change lists then. So the cursor is a place (a list, and how
 * far in it) and no pointer.
 *
 * In a panic the lock is not held: the other CPUs are stopped, perhaps in the middle
 * of a change. A walk uses one link of each binding, and a link is one word, so the
 * walk never meets half a pointer. If a list should lead back into itself, a count
 * ends the walk.
 */
#include "vtdpi/format.h"

#include "bind_state.h"
#include "format_sink.h"

static const char *state_name(uint8_t state)
{
    switch ((enum binding_state)state) {
    case STATE_DONE:
        return "done";
    case STATE_DUE:
        return "due";
    case STATE_FLYING:
        return "in-flight";
    case STATE_FAILED:
        return "failed";
    default:
        return "unknown";
    }
}

static VTDPI_COLD void message_put(struct vtdpi_sink_ *s,
                                   const struct vtdpi_msi *msi)
{
    vtdpi_sink_number_(s, "address",
                       (uint64_t)msi->address_hi << 32 | msi->address_lo);
    vtdpi_sink_number_(s, "data", msi->data);
}

static VTDPI_COLD void binding_put(struct vtdpi_sink_ *s,
                                   const struct vtdpi_binding *b)
{
    if (b->vm == NULL || b->irq == NULL) {
        vtdpi_sink_word_(s, "binding", "unbound");
        return;
    }
    vtdpi_sink_word_(s, "binding", state_name(b->state));
    vtdpi_sink_number_(s, "index", vtdpi_irq_index(b->irq));
    vtdpi_sink_bit_(s, "masked", b->masked);
    vtdpi_sink_bit_(s, "host", b->host);
    if (b->written)
        message_put(s, &b->message);
    vtdpi_format_decision_fields_(s, &b->decision);
    vtdpi_sink_reason_(s, vtdpi_route_reason_text(b->decision.reason));
    vtdpi_sink_error_(s, b->error);
}

VTDPI_COLD size_t vtdpi_format_binding(char *buf, size_t size,
                                       const struct vtdpi_binding *b)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    binding_put(&s, b);
    return vtdpi_sink_end_(&s);
}

/* No list is longer than that. */
static VTDPI_COLD uint32_t bindings_of(const struct vtdpi_vm *vm)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < VTDPI_ROUTE_REASONS; i++)
        n += vm->count[i];
    return n;
}

static VTDPI_COLD const struct vtdpi_binding *
link_follow(struct vtdpi_binding *const *link)
{
    return vtdpi_atomic_load_ptr_acquire((void *const *)link);
}

/* The binding at a place; NULL behind the end of the list. */
static VTDPI_COLD const struct vtdpi_binding *
binding_at(const struct vtdpi_vm *vm, uint32_t list, uint32_t at)
{
    const struct vtdpi_binding *b = link_follow(&vm->heads[list]);

    for (uint32_t i = 0; i < at && b != NULL; i++)
        b = link_follow(&b->next);
    return b;
}

VTDPI_COLD size_t vtdpi_format_vm_next(char *buf, size_t size,
                                       const struct vtdpi_vm *vm,
                                       struct vtdpi_format_cursor *cursor)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);
    const uint64_t lists = VTDPI_VM_HEADS(UINT64_C(1) << (32 - vm->shift));
    const uint32_t longest = bindings_of(vm);

    for (uint32_t looked = 0; looked < VTDPI_FORMAT_STEP; looked++) {
        const struct vtdpi_binding *b = NULL;

        if (cursor->list >= lists) {
            cursor->done = true;
            break;
        }
        if (cursor->at < longest)
            b = binding_at(vm, (uint32_t)cursor->list, (uint32_t)cursor->at);
        if (b != NULL) {
            cursor->at++;
            binding_put(&s, b);
            break;
        }
        cursor->list++;
        cursor->at = 0;
    }
    return vtdpi_sink_end_(&s);
}
