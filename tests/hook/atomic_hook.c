/* SPDX-License-Identifier: BSD-2-Clause */
#include "atomic_hook.h"

#include <stddef.h>

struct hook hook;

void hook_access(enum hook_kind kind, const void *addr)
{
    if (hook.inside)
        return;
    switch (kind) {
    case HOOK_LOAD:
        hook.loads++;
        break;
    case HOOK_STORE:
        hook.stores++;
        break;
    case HOOK_RMW:
        hook.locked++;
        break;
    }
    if (hook.before == NULL)
        return;
    /* What the hook itself does is not hooked. */
    hook.inside = true;
    hook.before(hook.ctx, kind, addr);
    hook.inside = false;
}

void hook_reset(void)
{
    hook = (struct hook){0};
}
