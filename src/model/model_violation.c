/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a violation is called, and what it can lead to. Read vtdpi/model.h first.
 */
#include "internal.h"

const char *vtdpi_model_violation_name(enum vtdpi_model_violation_kind kind)
{
    switch (kind) {
    case VTDPI_MODEL_OK:
        return "none";
    case VTDPI_MODEL_BAD_WIDTH:
        return "register access of the wrong width";
    case VTDPI_MODEL_BAD_ALIGNMENT:
        return "misaligned register access";
    case VTDPI_MODEL_NO_REGISTER:
        return "no such register";
    case VTDPI_MODEL_BEYOND_WINDOW:
        return "register access beyond the mapped window";
    case VTDPI_MODEL_READ_ONLY:
        return "write to a read-only register";
    case VTDPI_MODEL_WRITE_ONLY:
        return "read of a write-only register";
    case VTDPI_MODEL_RESERVED_BITS:
        return "reserved bits written";
    case VTDPI_MODEL_UNSUPPORTED:
        return "capability is absent";
    case VTDPI_MODEL_MULTI_COMMAND:
        return "more than one command in a GCMD write";
    case VTDPI_MODEL_ONE_SHOT_ECHO:
        return "status of a one-shot command echoed to GCMD";
    case VTDPI_MODEL_COMMAND_DROPS:
        return "GCMD drops what another part of the host had on";
    case VTDPI_MODEL_COMMAND_PENDING:
        return "GCMD written before the last command finished";
    case VTDPI_MODEL_COMMAND_ORDER:
        return "command not allowed in this state";
    case VTDPI_MODEL_STALE_CACHE:
        return "remapping enabled over a stale entry cache";
    case VTDPI_MODEL_TABLE_ALIGNMENT:
        return "interrupt-remapping table not aligned to its size";
    case VTDPI_MODEL_QUEUE_LIVE:
        return "IQA written while the queue is on";
    case VTDPI_MODEL_QUEUE_BUSY:
        return "queue turned off with work in it";
    case VTDPI_MODEL_QUEUE_TAIL:
        return "IQT goes back, or is not 0 when the queue comes on";
    case VTDPI_MODEL_REGISTER_INVALIDATION:
        return "register-based invalidation not allowed";
    case VTDPI_MODEL_IEC_ALIGNMENT:
        return "invalidated index not aligned to its mask";
    case VTDPI_MODEL_STATUS_ADDRESS:
        return "status address that nothing answers";
    case VTDPI_MODEL_STATUS_DEAD:
        return "status word in memory that has died";
    case VTDPI_MODEL_TABLE_STORE:
        return "entry in use changed in more than one step";
    case VTDPI_MODEL_VECTOR:
        return "interrupt vector below 16";
    case VTDPI_MODEL_NDST_FORMAT:
        return "NDST not in xAPIC format";
    case VTDPI_MODEL_NOTIFICATION_LOST:
        return "no room for a notification";
    case VTDPI_MODEL_LOCK_NESTED:
        return "lock taken twice";
    case VTDPI_MODEL_LOCK_NOT_HELD:
        return "lock released while free";
    case VTDPI_MODEL_LOCK_TOKEN:
        return "lock released with a wrong token";
    case VTDPI_MODEL_LOCK_MISSING:
        return "register written without the lock";
    case VTDPI_MODEL_LOCK_LOG:
        return "log called with the lock held";
    case VTDPI_MODEL_CLEAN_EMPTY:
        return "clean of nothing";
    }
    return "unknown";
}

enum vtdpi_model_severity
vtdpi_model_violation_severity(enum vtdpi_model_violation_kind kind)
{
    switch (kind) {
    /* The unit ignores what it does not know. */
    case VTDPI_MODEL_OK:
    case VTDPI_MODEL_NO_REGISTER:
    case VTDPI_MODEL_READ_ONLY:
    case VTDPI_MODEL_WRITE_ONLY:
    case VTDPI_MODEL_LOCK_LOG:
    case VTDPI_MODEL_CLEAN_EMPTY:
    case VTDPI_MODEL_NOTIFICATION_LOST:
        return VTDPI_MODEL_HARMLESS;
    /* What happens is the unit's choice; an interrupt that works goes on. */
    case VTDPI_MODEL_BAD_WIDTH:
    case VTDPI_MODEL_BAD_ALIGNMENT:
    case VTDPI_MODEL_BEYOND_WINDOW:
    case VTDPI_MODEL_RESERVED_BITS:
    case VTDPI_MODEL_UNSUPPORTED:
    case VTDPI_MODEL_MULTI_COMMAND:
    case VTDPI_MODEL_COMMAND_PENDING:
    case VTDPI_MODEL_COMMAND_ORDER:
    case VTDPI_MODEL_QUEUE_LIVE:
    case VTDPI_MODEL_REGISTER_INVALIDATION:
    case VTDPI_MODEL_LOCK_NESTED:
    case VTDPI_MODEL_LOCK_NOT_HELD:
    case VTDPI_MODEL_LOCK_TOKEN:
    case VTDPI_MODEL_LOCK_MISSING:
        return VTDPI_MODEL_ROBUSTNESS;
    /* An invalidation is lost, another entry is flushed, or a mixture is read. */
    case VTDPI_MODEL_QUEUE_BUSY:
    case VTDPI_MODEL_QUEUE_TAIL:
    case VTDPI_MODEL_IEC_ALIGNMENT:
    case VTDPI_MODEL_STATUS_ADDRESS:
    case VTDPI_MODEL_TABLE_ALIGNMENT:
    case VTDPI_MODEL_TABLE_STORE:
    case VTDPI_MODEL_VECTOR:
    case VTDPI_MODEL_NDST_FORMAT:
        return VTDPI_MODEL_INTERRUPT;
    /* A table is latched anew over old entries, old entries stay in use, translation
     * goes off, memory that is somebody else's is written. */
    case VTDPI_MODEL_ONE_SHOT_ECHO:
    case VTDPI_MODEL_COMMAND_DROPS:
    case VTDPI_MODEL_STALE_CACHE:
    case VTDPI_MODEL_STATUS_DEAD:
        return VTDPI_MODEL_ISOLATION;
    }
    return VTDPI_MODEL_HARMLESS;
}

const char *vtdpi_model_severity_name(enum vtdpi_model_severity severity)
{
    switch (severity) {
    case VTDPI_MODEL_HARMLESS:
        return "harmless";
    case VTDPI_MODEL_ROBUSTNESS:
        return "robustness";
    case VTDPI_MODEL_INTERRUPT:
        return "interrupt";
    case VTDPI_MODEL_ISOLATION:
        return "isolation";
    }
    return "unknown";
}
