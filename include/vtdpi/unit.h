/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_UNIT_H
#define VTDPI_UNIT_H

/**
 * @file
 * @brief A remapping unit: probe, enable, disable, commands.
 *
 * **States.** What is on is read, not believed. A call that a state has no arrow
 * for is refused with VTDPI_ESTATE, and no state is a dead end.
 *
 * @picture{unit-states.dot,The states of a unit and the calls between them}
 *
 * **Table.** A unit is enabled with the table that it has joined by
 * vtdpi_table_add_unit(), and with no other. It joins and leaves while it is OFF,
 * QUEUE or FOREIGN; vtdpi_table_remove_unit() says more.
 *
 * **DMA translation.** A host that has set TE needs the queue. While GSTS.TES is
 * set only remapping goes off and comes back: the queue stays open over
 * vtdpi_unit_disable() (VTDPI_EBUSY, state QUEUE) and vtdpi_unit_suspend(). While
 * remapping is off, compatibility-format requests pass, and remappable ones are
 * dropped.
 *
 * **Order of enabling.**
 *
 * 1. The fault event is masked, and advanced fault logging is switched off.
 * 2. The queue is switched on.
 * 3. The table's address is latched (SIRTP).
 * 4. All cached entries are dropped through the queue, unless SIRTP does so itself
 *    (CAP.ESIRTPS).
 * 5. Interrupt remapping is switched on.
 * 6. Compatibility format is switched off.
 *
 * Disabling goes the other way round. It also clears extended interrupt mode, which
 * would stay on and break the next user of the unit.
 *
 * **Commands.** Each write of GCMD is made from a read of GSTS: bits that last stay as
 * they are, one-shot bits are masked, and one command changes. The library then polls
 * GSTS under the unit's lock until the command is done or its deadline has passed. If
 * the deadline has passed, the command is late, and may still be executing. The next
 * command first waits for the late one, for one more deadline, and is not written
 * before the late one is done. If the late command is not done then, enable, disable
 * and resume take the late command for lost and go on; all other calls fail. A host
 * that also does DMA remapping sends its commands through vtdpi_unit_command(),
 * because two writers of GCMD undo each other's bits.
 *
 * **Lost commands.** A unit may still execute a command that was taken for lost. Say
 * that command was QIE or IRE. Then the state of the unit is OFF, but the queue that
 * the unit had last, or the table that it has latched last, is on, and no call has shown
 * that to the library. Changes skip a unit that is OFF, so this unit may deliver by old
 * entries. That lasts until the next vtdpi_unit_enable(), vtdpi_unit_open_queue() or
 * vtdpi_unit_resume(). These calls read what is on. If the configuration has take_over,
 * they switch it off and go on; otherwise they return VTDPI_EFOREIGN. So if
 * vtdpi_unit_disable() has taken QIE or IRE for lost after a time-out, the host keeps
 * the requesters quiet, and keeps the memory of the table and of the queue, until the
 * unit was enabled and disabled again without a time-out, or was reset.
 *
 * **Locking.** One lock per unit, the platform's; never two at a time, and
 * never held while a wait descriptor is waited for. probe, open_queue, enable,
 * disable, suspend, resume and forsake of one unit are serialised by the caller.
 * From the first enable or open_queue to the next probe everything else may be
 * called at any time, also beside these calls: a submission that meets the unit
 * on its way to off, or off, ends with VTDPI_EQOFF. Nothing else may run beside
 * probe.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/atomic.h"
#include "vtdpi/caps.h"
#include "vtdpi/pid.h"
#include "vtdpi/platform.h"
#include "vtdpi/qi.h"
#include "vtdpi/regs.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** @brief What a unit is doing, as far as this library knows. */
enum vtdpi_unit_state {
    /** A read of GSTS has shown that remapping and the queue are off. Changes of
     *  entries skip the unit. */
    VTDPI_UNIT_OFF = 0,
    /** Interrupts are remapped and the queue is open. Changes are flushed. */
    VTDPI_UNIT_ON,
    /** The queue is open. Remapping is off, or about to come on during
     *  vtdpi_unit_enable() and vtdpi_unit_resume(). Changes are flushed.
     *  vtdpi_unit_open_queue() leads here, and vtdpi_unit_disable() with DMA
     *  translation on. */
    VTDPI_UNIT_QUEUE,
    /** A read of GSTS has shown that remapping is off. The queue is open if the
     *  host has DMA translation on. Changes skip the unit:
     *  vtdpi_unit_resume() drops the whole cache. */
    VTDPI_UNIT_SUSPENDED,
    /** Not known to be off: a command timed out on the way to off, or one
     *  before that may still be executing. The memory of its table and of its
     *  queue stays in use. Changes are flushed if the queue is open, else they
     *  end with VTDPI_EQOFF at once. vtdpi_unit_disable() and
     *  vtdpi_unit_resume() read what is on and try again. */
    VTDPI_UNIT_FAILED,
    /** vtdpi_unit_probe(), vtdpi_unit_enable() or vtdpi_unit_resume() has found
     *  remapping or the queue on, and not by this library. Changes skip the
     *  unit, unless the table is being adopted (struct vtdpi_table_params). */
    VTDPI_UNIT_FOREIGN,
    /** The last read was all ones, so nobody knows whether the unit remaps. The
     *  memory of its table and of its queue stays in use. Changes end with
     *  VTDPI_EIO at once, without an access to a register. A change that reads
     *  all ones on a unit in another state ends with VTDPI_EIO, too. It leaves
     *  that state alone: only the calls that the host serialises write it.
     *  vtdpi_unit_disable() and vtdpi_unit_resume() read again;
     *  vtdpi_unit_forsake() gives the unit up. */
    VTDPI_UNIT_GONE,
    /** Given up by vtdpi_unit_forsake(): the host has promised that the unit
     *  neither remaps nor posts any more. Changes skip the unit. */
    VTDPI_UNIT_FORSAKEN,
};

/** @brief What IRTA says of an interrupt-remapping table. */
struct vtdpi_unit_irt {
    uint64_t phys;             /**< Physical address of entry 0. */
    unsigned int order;        /**< 2^order entries, 1 to 16. */
    enum vtdpi_apic_mode mode; /**< X2APIC if IRTA.EIME is set. */
};

/** @brief What a unit is enabled with, beside its table: what neither the table
 *        nor a register of the unit says. */
struct vtdpi_unit_config {
    /** The invalidation queue. The same in every vtdpi_unit_enable() between
     *  two probes: a call that met the unit on its way to off may still read
     *  the status words of before. To change the queue, disable the unit, wait
     *  until the memory of the queue may be freed (see struct
     *  vtdpi_qi_params), and probe the unit again. */
    struct vtdpi_qi_params qi;
    /** If the unit is found enabled, by firmware or by another kernel, take it
     *  down first instead of refusing. Only the host knows whether the one that
     *  enabled the unit is gone. */
    bool take_over;
    /** If the unit is found remapping, with a table of this size and interrupt
     *  mode: do not switch remapping off in between. This is for a kernel that was
     *  started by another kernel while devices go on interrupting. The table is
     *  that of the other kernel, or a copy with the same entries, see struct
     *  vtdpi_table_params; only the host knows whether the entries are the same.
     *  The library replaces the queue. For that the queue goes off for a moment
     *  while the unit remaps (vtdpi-model counts that as
     *  VTDPI_MODEL_COMMAND_ORDER). For a unit that does not remap, or whose table
     *  differs, take_over decides. */
    bool adopt;
    /** Accept a unit that goes on delivering compatibility-format interrupts:
     *  any device can then raise any vector. The host decides whether it trusts
     *  its devices so far. In extended interrupt mode the unit blocks these
     *  interrupts in any case. */
    bool accept_cfi;
    /** Flush the write buffer as if CAP.RWBF were 1: for units that need it and
     *  do not say so. */
    bool force_wbf;
};

/** @brief A remapping unit. The caller's memory. */
struct vtdpi_unit {
    /* private: */
    const struct vtdpi_platform_ops *ops;
    void *ctx;
    struct vtdpi_caps caps;
    uint64_t state;    /* enum vtdpi_unit_state; others read it at any time */
    uint64_t flush_wb; /* write buffers need flushes; read at any time */
    uint64_t stuck; /* GCMD bit of the last command that timed out; as state */
    uint64_t other_table; /* remaps with another kernel's table; as state */
    uint32_t pending;     /* that bit, as long as it may still be executing */
    bool pending_set;     /* what its status bit was to become */
    bool eime_left;       /* the SIRTP that clears EIME was not done */
    struct vtdpi_unit_irt irt; /* of the table joined; order 0: none */
    struct vtdpi_unit_config config;
    struct vtdpi_qi qi;
};

/**
 * @brief Look at a unit; nothing is written to it.
 *
 * The unit is OFF, or FOREIGN if GSTS says that remapping or the queue is on.
 *
 * A unit that was enabled before may be probed again when all of this holds: its state
 * is OFF or FORSAKEN; it has left its table; no other call on the unit runs; the memory
 * of its queue may be freed; and, if it is OFF, it executes no command. The new object
 * would not know of such a command, and would write over it. So after VTDPI_ETIMEDOUT of
 * vtdpi_unit_command() the host calls that function again until it returns 0, or enables
 * and disables the unit.
 *
 * @param unit          Receives the unit. Not NULL.
 * @param ops           Callbacks: read32, write32, read64, write64, now_us, lock
 *                      and unlock; clean, if the unit is not coherent. Kept.
 * @param ctx           Their context, one for each unit.
 * @param window_bytes  How many bytes of registers the host has mapped, from the
 *                      unit's base on: at least 4096. struct vtdpi_dmar_drhd
 *                      says how many there are.
 *
 * @retval 0                 Can be enabled.
 * @retval VTDPI_EINVAL      A pointer or a required callback is NULL, or
 *                           @p window_bytes is below 4096.
 * @retval VTDPI_EIO         The unit does not answer: VER, CAP, ECAP or GSTS
 *                           reads as all ones, or the first three as zero.
 * @retval VTDPI_ENOQI       ECAP.QI is 0.
 * @retval VTDPI_ENOIR       ECAP.IR is 0.
 * @retval VTDPI_EOPNOTSUPP  ECAP.C is 0 and there is no clean callback.
 * @retval VTDPI_EFRO        The fault records that CAP.FRO and CAP.NFR place reach
 *                           outside of the window, or begin within the registers
 *                           at fixed places.
 * @retval VTDPI_EIRO        The same of the IOTLB registers that ECAP.IRO places.
 *
 * After VTDPI_EFRO and VTDPI_EIRO the host may map register_bytes of struct
 * vtdpi_caps, if the DRHD's window has so many, and probe again. After the
 * errors below VTDPI_EIO vtdpi_unit_caps() is valid, for the verdict to name
 * what is missing. The unit is not probed after any error.
 *
 * @thread
 * @spec{VT-d, Capability Register; Extended Capability Register}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_unit_probe(struct vtdpi_unit *unit, const struct vtdpi_platform_ops *ops,
                 void *ctx, uint32_t window_bytes);

/**
 * @brief Start remapping interrupts, with the table that the unit has joined.
 *
 * Requesters behind the unit are quiet, or the table has their entries: until
 * the call returns their interrupts may be delivered, blocked or dropped. Those
 * of a unit that is adopted are delivered all the time.
 *
 * @param unit    OFF or FOREIGN; or QUEUE, whose queue goes on untouched. On the
 *                list of a table, see vtdpi_table_add_unit(). No return value
 *                takes the unit off the list.
 * @param config  Copied. Not NULL.
 *
 * @retval 0                 On.
 * @retval VTDPI_ESTATE      The unit is in another state.
 * @retval VTDPI_ENOTABLE    The unit is on the list of no table. A change would
 *                           miss the unit.
 * @retval VTDPI_EINVAL      @p config is NULL, its qi is not that of the first
 *                           enable after the probe, or see vtdpi_qi_init().
 * @retval VTDPI_EALIGN      See vtdpi_qi_init().
 * @retval VTDPI_ERANGE      See vtdpi_qi_init().
 * @retval VTDPI_ENOSPC      See vtdpi_qi_init().
 * @retval VTDPI_EOPNOTSUPP  256-bit descriptors, and ECAP.SMTS is 0.
 * @retval VTDPI_EIO         The unit reads as all ones, or did for a moment.
 * @retval VTDPI_EFOREIGN    The queue or remapping is on already, take_over
 *                           is false, and the unit is not adopted: adopt is
 *                           false, or the unit's table has another size or mode.
 * @retval VTDPI_ETIMEDOUT   A command (vtdpi_unit_stuck() names it) or the
 *                           flush of the cache did not complete.
 * @retval VTDPI_EIQE        The unit refused the flush of the cache.
 * @retval VTDPI_ECFIS       Compatibility-format interrupts could not be
 *                           switched off, the table is in xAPIC mode, and
 *                           accept_cfi is false.
 *
 * A failure of vtdpi_unit_enable() or vtdpi_unit_resume() that found our queue on
 * leaves the queue open: where OFF is said below, the state is QUEUE.
 *
 * After the errors above VTDPI_EIO the unit and its state are as before. After
 * VTDPI_EFOREIGN the unit is as it was found, and its state FOREIGN. After any
 * other error what was switched on has been switched off again, newest first.
 * The unit is OFF then, with EIME clear. It is GONE if it still reads as all
 * ones. It is FAILED in three cases: switching off did not succeed, the queue or the
 * remapping that was to be taken over did not go off, or the command that timed out
 * was not done after a second deadline. In the last case nothing more is written,
 * because the command may still be executing.
 *
 * @thread @waits{VTDPI_CMD_TIMEOUT_US per command, VTDPI_QI_TIMEOUT_US}
 * @locks{unit}
 * @spec{VT-d, Global Command Register; Interrupt Remapping Table Address
 * Register}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_unit_enable(struct vtdpi_unit *unit,
                  const struct vtdpi_unit_config *config);

/**
 * @brief Open the queue, and leave remapping off.
 *
 * For hosts that need the queue for their own invalidations before they switch
 * on DMA translation or remapping. vtdpi_unit_enable() goes on from there, with
 * the same queue. The unit may join a table before this call or after it.
 *
 * @param unit    OFF or FOREIGN, on the list of a table or of none.
 * @param config  As vtdpi_unit_enable(). adopt is not obeyed: remapping that
 *                others left on has to go off.
 *
 * @retval 0             The state is QUEUE.
 * @retval VTDPI_ESTATE  The unit is in another state.
 * @retval other         As vtdpi_unit_enable(), but neither VTDPI_ENOTABLE,
 *                       VTDPI_ECFIS nor VTDPI_EIQE, with the states described
 *                       there.
 *
 * @thread @waits{VTDPI_CMD_TIMEOUT_US per command} @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_unit_open_queue(struct vtdpi_unit *unit,
                      const struct vtdpi_unit_config *config);

/**
 * @brief Stop remapping interrupts and switch the queue off.
 *
 * Requesters behind the unit are quiet: with remapping off, their remappable
 * requests are dropped, and compatibility-format ones pass. When the state is
 * OFF the memory of the table may be freed, unless the call has taken IRE for
 * lost, see "Lost commands" above; struct vtdpi_qi_params says when the memory of
 * the queue may.
 *
 * @param unit  ON, QUEUE, FAILED or GONE.
 *
 * @retval 0                Off.
 * @retval VTDPI_ESTATE     The unit is in another state.
 * @retval VTDPI_EBUSY      Remapping is off, but GSTS.TES is set: the host's DMA
 *                          remapping needs the queue, which stays open. The
 *                          state is QUEUE. vtdpi_unit_enable() switches
 *                          remapping on again; or clear TE and call again.
 * @retval VTDPI_ETIMEDOUT  The state says what is known.
 *                          FAILED: remapping or the queue may still be on. If
 *                          vtdpi_unit_stuck() names VTDPI_GCMD_IRE, the queue is
 *                          open. If vtdpi_unit_stuck() is 0, the last read found
 *                          remapping or the queue on.
 *                          OFF: VTDPI_GCMD_SIRTP timed out, or the queue did not
 *                          drain, and the unit is off nevertheless.
 *                          QUEUE: VTDPI_GCMD_SIRTP timed out with GSTS.TES set.
 *                          Remapping is off and the queue stays open, as after
 *                          VTDPI_EBUSY.
 * @retval VTDPI_EIO        The unit reads as all ones, so nobody knows whether
 *                          it remaps: GONE, and the queue is closed. Call
 *                          again when the unit answers.
 * @retval other            The queue was not drained, see vtdpi_qi_close(): OFF.
 *
 * When the queue is off, and after VTDPI_EIO, all tickets in flight are resolved
 * with VTDPI_EQOFF.
 *
 * @thread @waits{VTDPI_CMD_TIMEOUT_US per command, VTDPI_QI_TIMEOUT_US}
 * @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_unit_disable(struct vtdpi_unit *unit);

/**
 * @brief Give up a unit that will never answer again, or never be off.
 *
 * One dead unit fails all changes of its table. After this call changes skip the
 * unit: what is dirty, and what is pinned on its account, is released by the
 * next flush that succeeds on the other units. vtdpi_table_remove_unit() accepts
 * the unit then.
 *
 * @param unit  FAILED or GONE.
 *
 * @pre The unit can neither remap a request nor post an interrupt any more, nor
 *      write to the status words of its queue: it was removed, or has lost its
 *      power, or was reset and not enabled since. The library cannot see that.
 *      If the promise is broken, a device can raise interrupts of others, or the
 *      unit writes to memory that was freed.
 *
 * @retval 0             Forsaken. All tickets in flight are resolved with
 *                       VTDPI_EQOFF. Only vtdpi_table_remove_unit(),
 *                       vtdpi_unit_state() and vtdpi_unit_probe() may follow for
 *                       this unit. vtdpi_unit_probe() makes the object new.
 * @retval VTDPI_ESTATE  The unit is in another state.
 * @retval VTDPI_EBUSY   The unit answers, and GSTS.IRES is 1. The state is as
 *                       before: vtdpi_unit_disable() can switch the unit off.
 *
 * @thread @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_unit_forsake(struct vtdpi_unit *unit);

/**
 * @brief Disable, to go on with the same table after vtdpi_unit_resume().
 *
 * If GSTS.TES is set only remapping goes off. The queue stays open for the host's
 * DMA translation. The host submits nothing between the loss of power and
 * vtdpi_unit_resume(), which resolves what is in flight.
 *
 * @param unit  ON.
 *
 * @retval 0                Suspended.
 * @retval VTDPI_ESTATE     The unit is in another state.
 * @retval VTDPI_ETIMEDOUT  As vtdpi_unit_disable(), with SUSPENDED for OFF and
 *                          for QUEUE.
 * @retval VTDPI_EIO        As vtdpi_unit_disable().
 *
 * @thread @waits{as vtdpi_unit_disable()} @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_unit_suspend(struct vtdpi_unit *unit);

/**
 * @brief Enable again with the configuration and the table of before.
 *
 * Registers say what is on. A queue that is on with our address, tail and head is
 * kept, and nothing of it is written. If the queue is off, what was in flight ends
 * with VTDPI_EQOFF, and the queue is set up from the start.
 *
 * If firmware has switched remapping or another queue on, resume switches that off
 * first: only if the configuration has take_over, or the unit was FAILED or GONE.
 * Resume never adopts. All cached entries are dropped on the way, so entries may have
 * been changed in memory while the unit was suspended.
 *
 * @param unit  SUSPENDED, FAILED or GONE.
 *
 * @retval 0               On.
 * @retval VTDPI_ESTATE    The unit is in another state.
 * @retval VTDPI_ENOTABLE  The unit is on the list of no table:
 *                         vtdpi_unit_open_queue() failed, or the unit stopped
 *                         answering after it. The state is as before.
 * @retval VTDPI_EFOREIGN  Firmware or another kernel has switched the queue or
 *                         remapping on, and take_over is false. The state is
 *                         FOREIGN; vtdpi_unit_enable() with take_over goes on.
 * @retval other           As vtdpi_unit_enable().
 *
 * @thread @waits{as vtdpi_unit_enable()} @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_unit_resume(struct vtdpi_unit *unit);

/**
 * @brief Issue one of the host's global commands.
 *
 * @param unit  Probed.
 * @param bit   VTDPI_GCMD_TE (lasting), on or off; _SRTP or _WBF (act once), on;
 *              _EAFL, off. EAFL on and SFL are refused: with advanced fault
 *              logging on, the unit writes faults to a log in memory, and the
 *              registers that fault.h reads stay empty. Bring-up clears EAFL.
 *              The other bits are this library's: enable and disable.
 * @param on    TE and EAFL: set or clear. True for the others.
 *
 * @retval 0                The Global Status Register shows it done. A lasting
 *                          bit that is so already is not written.
 * @retval VTDPI_EINVAL     Any other bit, several, a one-shot bit off, SFL, or
 *                          EAFL on. Nothing was written.
 * @retval VTDPI_ETIMEDOUT  Not done within VTDPI_CMD_TIMEOUT_US; it may take
 *                          effect later. Or not written, since a command before
 *                          it may still be executing: vtdpi_unit_stuck().
 * @retval VTDPI_EIO        The unit reads as all ones.
 *
 * @anyctx @waits{VTDPI_CMD_TIMEOUT_US} @locks{unit}
 * @spec{VT-d, Global Command Register; Global Status Register}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_unit_command(struct vtdpi_unit *unit, uint32_t bit, bool on);

/**
 * @brief Flush the write buffer, on units that need it.
 *
 * Due after an entry in memory went from not present to present when nothing
 * is invalidated for it.
 *
 * @param unit  Enabled.
 *
 * @retval 0                Flushed, or CAP.RWBF is 0 and the host forces none.
 * @retval VTDPI_ETIMEDOUT  As vtdpi_unit_command().
 * @retval VTDPI_EIO        The unit reads as all ones.
 *
 * @anyctx @waits{VTDPI_CMD_TIMEOUT_US} @locks{unit}
 * @spec{VT-d, Write Buffer Flushing}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_unit_flush_write_buffer(struct vtdpi_unit *unit);

/**
 * @brief Push out interrupts that the unit is still posting.
 *
 * One register read. After a wait that retired a posted entry, everything that
 * the unit posted by the old entry is in memory when this returns.
 *
 * @param unit  Probed.
 *
 * @retval 0          Drained.
 * @retval VTDPI_EIO  The unit reads as all ones.
 *
 * @anyctx
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_unit_drain(struct vtdpi_unit *unit);

/**
 * @brief Which table IRTA names: for a kernel that adopts it.
 *
 * One register read. In state VTDPI_UNIT_FOREIGN with GSTS.IRES set the unit
 * remaps with that table, unless IRTA was written and not latched since. Of a
 * unit that does not remap the answer has no meaning.
 *
 * @param unit  Probed.
 * @param out   Receives the answer. Not NULL.
 *
 * @retval 0          Read.
 * @retval VTDPI_EIO  The unit reads as all ones. Nothing was stored.
 *
 * @anyctx
 * @spec{VT-d, Interrupt Remapping Table Address Register}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_unit_read_table(const struct vtdpi_unit *unit,
                      struct vtdpi_unit_irt *out);

/**
 * @brief Invalidate a block of cached interrupt entries.
 *
 * @param unit    Enabled.
 * @param first   First index, a multiple of 2^order.
 * @param order   The block has 2^order entries; at most ECAP.MHMV.
 * @param ticket  As vtdpi_qi_submit().
 *
 * @retval 0             Submitted.
 * @retval VTDPI_ERANGE  @p order is above ECAP.MHMV.
 * @retval VTDPI_EALIGN  @p first is not a multiple of 2^order.
 * @retval VTDPI_EQOFF   As vtdpi_qi_submit().
 * @retval VTDPI_EQFULL  As vtdpi_qi_submit().
 * @retval VTDPI_EIO     As vtdpi_qi_submit().
 *
 * On error nothing was submitted and the ticket is resolved, with that code.
 *
 * @anyctx @locks{unit}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_unit_submit_iec(struct vtdpi_unit *unit, uint16_t first,
                      unsigned int order, struct vtdpi_qi_ticket *ticket);

/**
 * @brief Invalidate all cached interrupt entries.
 *
 * @param unit    Enabled.
 * @param ticket  As vtdpi_qi_submit().
 *
 * @retval 0             Submitted.
 * @retval VTDPI_EQOFF   As vtdpi_qi_submit().
 * @retval VTDPI_EQFULL  As vtdpi_qi_submit().
 * @retval VTDPI_EIO     As vtdpi_qi_submit().
 *
 * On error nothing was submitted and the ticket is resolved, with that code.
 *
 * @anyctx @locks{unit}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_unit_submit_iec_global(struct vtdpi_unit *unit,
                             struct vtdpi_qi_ticket *ticket);

/**
 * @brief vtdpi_qi_wait() on the unit's queue.
 *
 * @param unit        Enabled.
 * @param ticket      Of a submission to this unit; or all zeros.
 * @param timeout_us  Deadline from now on; 0: VTDPI_QI_TIMEOUT_US.
 *
 * @retval 0      Done.
 * @retval other  As vtdpi_qi_wait().
 *
 * @anyctx @waits{timeout_us} @locks{unit}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_unit_wait(struct vtdpi_unit *unit,
                                               struct vtdpi_qi_ticket *ticket,
                                               uint64_t timeout_us);

/**
 * @brief The unit's queue, for batches and for the host's own descriptors.
 *
 * @param unit  Any unit.
 *
 * @return The queue; usable while the unit is enabled.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE struct vtdpi_qi *vtdpi_unit_qi(struct vtdpi_unit *unit)
{
    return &unit->qi;
}

/**
 * @brief What the unit can do.
 *
 * @param unit  Probed.
 *
 * @return Its decoded capabilities, as they were at probe.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE const struct vtdpi_caps *
vtdpi_unit_caps(const struct vtdpi_unit *unit)
{
    return &unit->caps;
}

/**
 * @brief What the unit is doing.
 *
 * @param unit  Any unit.
 *
 * @return Its state; during enable, disable, suspend and resume, one on the way.
 *
 * @anyctx @waitfree @order{acquire}
 */
VTDPI_INLINE enum vtdpi_unit_state
vtdpi_unit_state(const struct vtdpi_unit *unit)
{
    return VTDPI_CAST_(enum vtdpi_unit_state,
                       vtdpi_atomic_load64_acquire(&unit->state));
}

/**
 * @brief What the unit was enabled with last.
 *
 * @param unit  Enabled.
 *
 * @return The copy of the configuration. The next vtdpi_unit_enable() or
 *         vtdpi_unit_resume() writes it, so it is not read beside them.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE const struct vtdpi_unit_config *
vtdpi_unit_last_config(const struct vtdpi_unit *unit)
{
    return &unit->config;
}

/**
 * @brief Which command timed out last.
 *
 * @param unit  Probed.
 *
 * @return The GCMD bit; 0 if none has since the last enable, disable, suspend
 *         or resume began.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint32_t vtdpi_unit_stuck(const struct vtdpi_unit *unit)
{
    return VTDPI_CAST_(uint32_t, vtdpi_atomic_load64_relaxed(&unit->stuck));
}

VTDPI_END_DECLS

#endif
