/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model as a platform; the context is the struct vtdpi_model. Read
 * struct vtdpi_platform_ops in vtdpi/platform.h first.
 */
#include "internal.h"

static VTDPI_BY_POINTER uint32_t platform_read32(void *ctx, uint32_t off)
{
    return vtdpi_model_read32(ctx, off);
}

static VTDPI_BY_POINTER uint64_t platform_read64(void *ctx, uint32_t off)
{
    return vtdpi_model_read64(ctx, off);
}

/* GCMD and IQT are read-modify-written state: never without the lock. */
static void platform_check_locked(struct vtdpi_model *m, uint32_t off,
                                  uint64_t value)
{
    if (m->params.allow_unlocked ||
        (off != VTDPI_GCMD_REG && off != VTDPI_IQT_REG) ||
        vtdpi_atomic_load64(&m->lock_token) != 0)
        return;
    vtdpi_model_enter_(m);
    vtdpi_model_violate_(m, VTDPI_MODEL_LOCK_MISSING, off, value);
    vtdpi_model_leave_(m);
}

static VTDPI_BY_POINTER void platform_write32(void *ctx, uint32_t off,
                                              uint32_t value)
{
    platform_check_locked(ctx, off, value);
    vtdpi_model_write32(ctx, off, value);
}

static VTDPI_BY_POINTER void platform_write64(void *ctx, uint32_t off,
                                              uint64_t value)
{
    platform_check_locked(ctx, off, value);
    vtdpi_model_write64(ctx, off, value);
}

static VTDPI_BY_POINTER uint64_t platform_now_us(void *ctx)
{
    struct vtdpi_model *m = ctx;
    uint64_t now;

    vtdpi_model_enter_(m);
    vtdpi_model_tick_(m);
    now = m->clock_us;
    m->clock_us += m->clock_step;
    vtdpi_model_leave_(m);
    return now;
}

static VTDPI_BY_POINTER void platform_relax(void *ctx)
{
    struct vtdpi_model *m = ctx;

    if (m->params.relax != NULL)
        m->params.relax(m->params.ctx);
    vtdpi_model_tick(m, 1);
}

/* Take the platform's lock if it is free. The guard makes this one step. */
static uint64_t platform_try_lock(struct vtdpi_model *m)
{
    uint64_t token = 0;

    vtdpi_model_enter_(m);
    if (vtdpi_atomic_load64(&m->lock_token) == 0) {
        token = ++m->lock_next;
        m->counters.locks++;
        (void)vtdpi_atomic_xchg64(&m->lock_token, token);
    }
    vtdpi_model_leave_(m);
    return token;
}

static VTDPI_BY_POINTER uintptr_t platform_lock(void *ctx)
{
    struct vtdpi_model *m = ctx;
    uint64_t token = platform_try_lock(m);

    /* With one thread a lock that is held will stay so: report it, and let the
     * caller go on as if it had it. */
    if (token == 0 && !m->params.concurrent) {
        vtdpi_model_violate_(m, VTDPI_MODEL_LOCK_NESTED, 0, m->lock_token);
        return (uintptr_t)m->lock_token;
    }
    while (token == 0) {
        if (m->params.relax != NULL)
            m->params.relax(m->params.ctx);
        token = platform_try_lock(m);
    }
    return (uintptr_t)token;
}

static VTDPI_BY_POINTER void platform_unlock(void *ctx, uintptr_t token)
{
    struct vtdpi_model *m = ctx;
    uint64_t held;

    vtdpi_model_enter_(m);
    held = vtdpi_atomic_xchg64(&m->lock_token, 0);
    if (held == 0)
        vtdpi_model_violate_(m, VTDPI_MODEL_LOCK_NOT_HELD, 0, token);
    else if (held != token)
        vtdpi_model_violate_(m, VTDPI_MODEL_LOCK_TOKEN, 0, token);
    vtdpi_model_leave_(m);
}

static VTDPI_BY_POINTER void platform_clean(void *ctx, const void *p,
                                            size_t len)
{
    struct vtdpi_model *m = ctx;

    vtdpi_model_enter_(m);
    vtdpi_model_clean_(m, p, len);
    vtdpi_model_leave_(m);
}

static VTDPI_BY_POINTER void
platform_log_line(void *ctx, enum vtdpi_log_level level, const char *text)
{
    struct vtdpi_model *m = ctx;

    vtdpi_model_enter_(m);
    m->counters.logs++;
    if (!m->params.concurrent && m->lock_token != 0)
        vtdpi_model_violate_(m, VTDPI_MODEL_LOCK_LOG, 0, (uint64_t)level);
    if (m->params.log != NULL)
        m->params.log(m->params.ctx, level, text);
    vtdpi_model_leave_(m);
}

const struct vtdpi_platform_ops vtdpi_model_platform_ops = {
    .read32 = platform_read32,
    .write32 = platform_write32,
    .read64 = platform_read64,
    .write64 = platform_write64,
    .now_us = platform_now_us,
    .lock = platform_lock,
    .unlock = platform_unlock,
    .clean = platform_clean,
    .relax = platform_relax,
    .log = platform_log_line,
};

void vtdpi_model_set_clock_step(struct vtdpi_model *m, uint64_t us)
{
    vtdpi_model_enter_(m);
    m->clock_step = us;
    vtdpi_model_leave_(m);
}

void vtdpi_model_advance_clock(struct vtdpi_model *m, uint64_t us)
{
    vtdpi_model_enter_(m);
    m->clock_us += us;
    vtdpi_model_leave_(m);
}
