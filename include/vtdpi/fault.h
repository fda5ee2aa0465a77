/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_FAULT_H
#define VTDPI_FAULT_H

/**
 * @file
 * @brief Faults of a remapping unit: records, queue errors, and the event that
 *        tells of them.
 *
 * A unit blocks a request that it cannot remap, and writes a fault record. The unit
 * has 1 to 256 records (CAP.NFR) and uses them in turn. While the next record in turn
 * has not been read, further faults are lost (PFO). vtdpi_fault_handle() takes the
 * records and hands everything that the Fault Status Register can tell to one
 * callback: decoded records of interrupt remapping, raw words of DMA remapping's
 * records, overflows, and errors of the queue, from which qi.h has recovered.
 *
 * **One event.** The unit sends one message when the first of its conditions (PPF,
 * APF, IQE, ICE, ITE) arises. It sends no further message until all status bits are
 * clear again, PFO, AFO and PRO included. So a handler that leaves a bit set is never
 * called again. For that reason vtdpi_fault_handle() says whether something is left,
 * and the host calls vtdpi_fault_clear_all() before it enables the event. A fault that
 * arises between these two calls is not lost: it is pending, or it sends the event.
 *
 * **Order.** vtdpi_unit_enable(), vtdpi_fault_clear_all(),
 * vtdpi_fault_event_enable(). Back: vtdpi_fault_event_disable(), wait until
 * the handler has returned on all CPUs, vtdpi_unit_disable(). After
 * vtdpi_unit_resume() the host makes the same calls as after enabling, because the
 * registers of the event were lost. Enable and resume mask the event, because its
 * registers may still have the message of the kernel before.
 *
 * **Locking.** Several CPUs may handle faults of one unit at once: a record is
 * read and cleared under one hold of the unit's lock, so each is delivered
 * once. No lock is held while the callback runs.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/pid.h"
#include "vtdpi/qi.h"
#include "vtdpi/regs.h"
#include "vtdpi/source.h"
#include "vtdpi/status.h"
#include "vtdpi/table.h"
#include "vtdpi/unit.h"

VTDPI_BEGIN_DECLS

/** @brief What a struct vtdpi_fault tells of. */
enum vtdpi_fault_kind {
    /** A record of interrupt remapping or posting, reasons 20h to 28h. */
    VTDPI_FAULT_INTERRUPT,
    /** A record with any other reason: DMA remapping's, handed on raw. */
    VTDPI_FAULT_DMA,
    /** Faults were lost, at least one, since no record was free. */
    VTDPI_FAULT_OVERFLOW,
    /** The invalidation queue was in error; it has been recovered. */
    VTDPI_FAULT_QUEUE,
    /** Other status bits were set. They concern what this library does not
     *  drive: the advanced fault log (AFO, APF), page requests (PRO), or a queue
     *  that is off (IQE, ICE, ITE). They were cleared, because a bit that stays
     *  set suppresses the event. */
    VTDPI_FAULT_STATUS,
};

/** @brief Errors of the invalidation queue. */
struct vtdpi_fault_queue {
    uint64_t iqe;     /**< Queue errors since the last report. */
    uint64_t ite;     /**< Time-outs since the last report. */
    uint64_t ice;     /**< Completion errors since the last report. */
    int code;         /**< The last error, the gravest of its causes:
                          VTDPI_EIQE, VTDPI_EITE or VTDPI_EICE. */
    uint8_t iqei;     /**< IQER.IQEI: why the unit refused the descriptor.
                          0: the unit does not say, or there was no IQE. */
    uint16_t ite_sid; /**< Device that did not answer.
                          0: the unit does not say, or there was no ITE. */
    uint16_t ice_sid; /**< Device whose answer nobody had asked for.
                          0: the unit does not say, or there was no ICE. */
    /** The last error as qi.h kept it: raw registers, and the descriptor that
     *  the queue's head was at. */
    struct vtdpi_qi_error error;
};

/** @brief One thing that a unit had to report. Members that its kind does not
 *         name are zero. */
struct vtdpi_fault {
    enum vtdpi_fault_kind kind; /**< What it is. */

    /* INTERRUPT and DMA. */
    uint16_t sid;    /**< Source id of the request. */
    uint16_t record; /**< Number of the fault recording register. */
    uint64_t lo;     /**< The record, bits 63:0, raw. */
    uint64_t hi;     /**< The record, bits 127:64, raw, F included. */
    uint8_t reason;  /**< INTERRUPT: an enum vtdpi_fault_reason. */

    /* INTERRUPT. */
    bool hideable;  /**< Recorded only because FPD was clear in the entry:
                         reasons 22h, 24h, 26h, 27h and 28h. The absence of
                         such a fault proves nothing if FPD is set. */
    bool has_index; /**< The request had an index: reason other than 25h. */
    uint16_t index; /**< The index, its low 16 bits if it is beyond the table
                         (21h); 0 without one. */
    void *owner;    /**< vtdpi_table_owner() of the index; NULL if it lies
                         beyond the table, as with 21h. With 26h that is not
                         who sent the request. */

    /* QUEUE. */
    struct vtdpi_fault_queue queue; /**< Which errors. */

    /* OVERFLOW and STATUS. */
    uint32_t status; /**< Bits of FSTS that were cleared. OVERFLOW: PFO. */
};

/**
 * @brief Receives what was found.
 *
 * Called by vtdpi_fault_handle() in its caller's context with nothing of the
 * library held; on several CPUs at once if that is called so. It may call any
 * function of the library that is allowed in that context, except
 * vtdpi_fault_handle() itself. @p fault is valid only during the call.
 */
typedef void (*vtdpi_fault_callback)(void *ctx,
                                     const struct vtdpi_fault *fault);

/** @brief What vtdpi_fault_init() needs. */
struct vtdpi_fault_params {
    struct vtdpi_unit *unit; /**< The unit, probed. */
    /** Where owners are looked up: the table that the unit uses. NULL: they
     *  are not. */
    const struct vtdpi_table *table;
    vtdpi_fault_callback report; /**< Receives what is found. */
    void *ctx;                   /**< Its first argument. */
};

/** @brief Reads the faults of one unit. The caller's memory. */
struct vtdpi_fault_reader {
    /* private: */
    struct vtdpi_fault_params params;
    /* The rest is protected by the unit's lock. */
    uint32_t next; /* record that is due next; fault_count: not known */
    uint64_t iqe;  /* errors of the queue that were reported */
    uint64_t ite;
    uint64_t ice;
};

/**
 * @brief Text of a fault reason of interrupt remapping.
 *
 * @param reason  A reason.
 *
 * @return A phrase; never NULL. "not an interrupt-remapping fault" for any
 *         reason but 20h to 28h.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD const char *vtdpi_fault_reason_text(uint8_t reason);

/**
 * @brief Decode a fault record.
 *
 * Pure: for logs and dumps, too. F is not looked at.
 *
 * @param lo   The record, bits 63:0.
 * @param hi   The record, bits 127:64.
 * @param out  Receives it, kind VTDPI_FAULT_INTERRUPT or VTDPI_FAULT_DMA; record
 *             is 0 and owner NULL. Not NULL.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Fault Recording Registers}
 */
VTDPI_API VTDPI_COLD void vtdpi_fault_decode(uint64_t lo, uint64_t hi,
                                             struct vtdpi_fault *out);

/**
 * @brief Set up a reader; no register is touched.
 *
 * @param reader  The reader. Not NULL.
 * @param params  Copied. Not NULL.
 *
 * @retval 0             Set up.
 * @retval VTDPI_EINVAL  A pointer is NULL that may not be, or the unit was not
 *                       probed.
 *
 * @thread
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_fault_init(struct vtdpi_fault_reader *reader,
                 const struct vtdpi_fault_params *params);

/**
 * @brief Deliver what is pending.
 *
 * The call delivers, in this order:
 *
 * 1. The queue's errors, after vtdpi_qi_recover(). One report has them together
 *    with the errors that pollers have found since the last report.
 * 2. The records, oldest first. Each record is cleared before it is delivered.
 * 3. An overflow. It is cleared when records are free again, because the unit
 *    records nothing before that.
 * 4. The other status bits. They are cleared, too.
 *
 * Only status bits that read as one are written.
 *
 * @param reader  The reader.
 * @param max     Records to deliver at most; 0: as many as the unit has. Never
 *                more than that: the records are gone through once. One report
 *                of queue errors, one of an overflow and one of other status
 *                bits may come on top.
 * @param more    Receives whether something is still pending: more records than
 *                @p max, faults that came during the call, or a bit that does
 *                not clear. The event will not tell of it: call again. Not in
 *                a loop without end, since a device can cause faults faster
 *                than they are read: mask the event and go on from a timer.
 *                False after an error. Not NULL.
 *
 * @retval 0          Done, see @p more.
 * @retval VTDPI_EIO  The unit reads as all ones. What was delivered before
 *                    that is true.
 *
 * @pre Neither vtdpi_unit_enable() nor vtdpi_unit_resume() is running. A queue
 *      that another kernel has left on is not looked at, and its errors stay.
 *
 * @anyctx @locks{unit}
 * @spec{VT-d, Primary Fault Logging; Fault Status Register}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_fault_handle(struct vtdpi_fault_reader *reader, uint32_t max, bool *more);

/**
 * @brief Forget what is pending: what others left behind, at bring-up.
 *
 * Clears all records and all status bits; nothing is reported. Queue errors that
 * were recovered from are taken as reported. Those that are pending are recovered
 * from if the queue is on, and cleared if it is off.
 *
 * @param reader  The reader.
 *
 * @retval 0            Nothing was pending any more at the end.
 * @retval VTDPI_EBUSY  Something is pending after one pass: devices go on
 *                      causing faults, or a bit does not clear. Harmless if
 *                      vtdpi_fault_handle() is called once the event is
 *                      enabled.
 * @retval VTDPI_EIO    The unit reads as all ones.
 *
 * @pre As vtdpi_fault_handle().
 *
 * @anyctx @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_fault_clear_all(struct vtdpi_fault_reader *reader);

/**
 * @brief Have faults tell of themselves by an interrupt.
 *
 * Also moves an event that is enabled: it is masked during the move, and sent
 * afterwards if a fault came. What was pending before the first call sends
 * nothing, see vtdpi_fault_clear_all().
 *
 * @param unit     Probed.
 * @param mode     Mode of the CPUs' local APICs.
 * @param apic_id  The processor: a local APIC id, not a logical one.
 * @param vector   Host vector, 16 to 255; fixed, edge. Not remapped.
 *
 * @retval 0              Enabled.
 * @retval VTDPI_EINVAL   @p mode is neither value.
 * @retval VTDPI_EVECTOR  @p vector is below 16.
 * @retval VTDPI_ERANGE   @p apic_id is above 254 in xAPIC mode, or is all ones
 *                        in x2APIC mode: no processor's id.
 * @retval VTDPI_ENOEIM   @p apic_id is above 255, and ECAP.EIM is 0.
 * @retval VTDPI_EIO      The unit reads as all ones.
 *
 * On error nothing was changed.
 *
 * @anyctx @locks{unit}
 * @spec{VT-d, Fault Event Control Register; Fault Event Data Register; Fault
 * Event Address Register; Fault Event Upper Address Register}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_fault_event_enable(struct vtdpi_unit *unit, enum vtdpi_apic_mode mode,
                         uint32_t apic_id, uint8_t vector);

/**
 * @brief Hold the event back; for a host that limits its rate.
 *
 * @param unit  Probed.
 *
 * @retval 0          Masked: no event is sent after the return. One that was
 *                    sent before may still arrive.
 * @retval VTDPI_EIO  The unit reads as all ones.
 *
 * @anyctx @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_fault_event_mask(struct vtdpi_unit *unit);

/**
 * @brief Let the event go; one that was held back is sent at once.
 *
 * @param unit  Probed.
 *
 * @retval 0             Unmasked.
 * @retval VTDPI_ESTATE  The event has no address, since it was never enabled or
 *                       the unit was reset: it would write to memory.
 * @retval VTDPI_EIO     The unit reads as all ones.
 *
 * @anyctx @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_fault_event_unmask(struct vtdpi_unit *unit);

/**
 * @brief Whether the mask holds an event back (FECTL.IP).
 *
 * @param unit  Probed.
 *
 * @return False also if the unit reads as all ones.
 *
 * @anyctx
 */
VTDPI_API VTDPI_COLD bool
vtdpi_fault_event_pending(const struct vtdpi_unit *unit);

/**
 * @brief Switch the event off: masked, and its message forgotten.
 *
 * @param unit  Probed.
 *
 * @retval 0          Off. One that was sent before may still arrive.
 * @retval VTDPI_EIO  The unit reads as all ones.
 *
 * @anyctx @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_fault_event_disable(struct vtdpi_unit *unit);

VTDPI_END_DECLS

#endif
