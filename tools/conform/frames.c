/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has called the line of the driver that does something, by unwinding the stack. */
#define _GNU_SOURCE
#include <unwind.h>

#include "engine.h"

enum {
    INSTRUCTION_MAX = 15,
};

static uintptr_t outermost; /* frames of the driver lie below */
static bool unwinding;

struct walk {
    uintptr_t where;
    uintptr_t *frames;
    unsigned int count;
};

/* A stepped access is behind its instruction, a call is in the middle of it. */
static bool is_there(uintptr_t where, uintptr_t ip, bool interrupted)
{
    return where == 0 ? interrupted : ip - where <= INSTRUCTION_MAX;
}

static _Unwind_Reason_Code walk(struct _Unwind_Context *context, void *argument)
{
    struct walk *const w = argument;
    int interrupted = 0;
    const uintptr_t ip = _Unwind_GetIPInfo(context, &interrupted);

    if (_Unwind_GetCFA(context) >= outermost && w->count != 0)
        return _URC_END_OF_STACK;
    if (w->count != 0)
        w->frames[w->count++] = ip - (interrupted == 0);
    else if (is_there(w->where, ip, interrupted != 0))
        w->frames[w->count++] = w->where != 0 ? w->where : ip;
    return w->count == FRAMES_MAX ? _URC_END_OF_STACK : _URC_NO_REASON;
}

void frames_begin(uintptr_t top)
{
    outermost = top;
}

bool frames_are_walked(void)
{
    return unwinding;
}

void frames_find(uintptr_t where, uintptr_t frames[FRAMES_MAX])
{
    struct walk w = {.where = where, .frames = frames};

    unwinding = true;
    (void)_Unwind_Backtrace(walk, &w);
    unwinding = false;
    if (w.count == 0)
        frames[0] = where;
}
