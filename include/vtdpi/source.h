/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SOURCE_H
#define VTDPI_SOURCE_H

/**
 * @file
 * @brief Source ids of PCI functions, the bridges that replace them, and which
 *        of them an entry of an interrupt-remapping table accepts.
 *
 * A source id (sid) is what a unit reads in a request, PCI's requester id: bus
 * in bits 15:8, device in bits 7:3, function in bits 2:0. irte.h writes a struct
 * vtdpi_source into entries, dmar.h finds the unit of a source id, fault.h
 * reports the source id of a blocked request.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** Source id of a PCI function: bus 15:8, device 7:3, function 2:0. */
#define VTDPI_SID(bus, device, function)                                       \
    VTDPI_CAST_(uint16_t, (VTDPI_CAST_(uint32_t, bus) << 8 & 0xff00u) |        \
                              (VTDPI_CAST_(uint32_t, device) << 3 & 0x00f8u) | \
                              (VTDPI_CAST_(uint32_t, function) & 0x0007u))

/**
 * @brief Bus number in a source id.
 *
 * @param sid  Source id.
 *
 * @return 0 to 255.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint8_t vtdpi_sid_bus(uint16_t sid)
{
    return VTDPI_CAST_(uint8_t, sid >> 8);
}

/**
 * @brief Device number in a source id.
 *
 * @param sid  Source id.
 *
 * @return 0 to 31.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint8_t vtdpi_sid_device(uint16_t sid)
{
    return VTDPI_CAST_(uint8_t, (sid >> 3) & 31);
}

/**
 * @brief Function number in a source id.
 *
 * @param sid  Source id.
 *
 * @return 0 to 7.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint8_t vtdpi_sid_function(uint16_t sid)
{
    return VTDPI_CAST_(uint8_t, sid & 7);
}

/** @brief Which bits of the source id must match (SQ). */
enum vtdpi_sq {
    VTDPI_SQ_ALL = 0,        /**< All 16. */
    VTDPI_SQ_IGNORE_2 = 1,   /**< All but bit 2. */
    VTDPI_SQ_IGNORE_2_1 = 2, /**< All but bits 2:1. */
    VTDPI_SQ_IGNORE_2_0 = 3, /**< All but bits 2:0, the function number. */
};

/** @brief How the requester of an interrupt is verified. */
enum vtdpi_source_kind {
    /** Nothing chosen. Encoders refuse it: verification is never off just
     *  because nobody thought of it. */
    VTDPI_SOURCE_UNSET = 0,
    /** Every requester is accepted (SVT = 0). */
    VTDPI_SOURCE_ANY = 1,
    /** The source id, as far as SQ says (SVT = 1). */
    VTDPI_SOURCE_EXACT = 2,
    /** The bus of the requester, in a range (SVT = 2). */
    VTDPI_SOURCE_BUS_RANGE = 3,
    /** SVT = 3. Only decoders make it; encoders refuse it. */
    VTDPI_SOURCE_RESERVED = 4,
};

/**
 * @brief Who may use an entry. Made by vtdpi_source_exact(),
 * vtdpi_source_bus_range() or vtdpi_source_any_unverified().
 */
struct vtdpi_source {
    enum vtdpi_source_kind kind; /**< Which check is made. */
    /** EXACT: the source id. BUS_RANGE: first bus in bits 15:8, last bus
     *  in bits 7:0. ANY: kept, but hardware does not look at it. */
    uint16_t sid;
    uint8_t sq; /**< EXACT: an enum vtdpi_sq. Else 0. */
};

/**
 * @brief Accept one requester.
 *
 * @param sid  Source id: bus in bits 15:8, device and function below.
 * @param sq   Bits of it that need not match, for phantom functions.
 *
 * @return The source.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
VTDPI_INLINE struct vtdpi_source vtdpi_source_exact(uint16_t sid,
                                                    enum vtdpi_sq sq)
{
    const struct vtdpi_source s = {VTDPI_SOURCE_EXACT, sid,
                                   VTDPI_CAST_(uint8_t, sq)};

    return s;
}

/**
 * @brief Accept every requester on a range of buses, for devices behind a
 * bridge that replaces source ids.
 *
 * @param first  First bus.
 * @param last   Last bus, not below @p first (encoders refuse that).
 *
 * @return The source.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
VTDPI_INLINE struct vtdpi_source vtdpi_source_bus_range(uint8_t first,
                                                        uint8_t last)
{
    const struct vtdpi_source s = {VTDPI_SOURCE_BUS_RANGE,
                                   VTDPI_CAST_(uint16_t, first << 8 | last), 0};

    return s;
}

/**
 * @brief Accept every requester: any device can then raise this interrupt.
 *
 * Only for a host that decided so, such as one whose user turned verification
 * off.
 *
 * @return The source.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
VTDPI_INLINE struct vtdpi_source vtdpi_source_any_unverified(void)
{
    const struct vtdpi_source s = {VTDPI_SOURCE_ANY, 0, 0};

    return s;
}

/** @brief What a bridge makes of the source ids that pass it upwards. */
enum vtdpi_source_bridge_kind {
    /** A port of the root complex or of a PCI Express switch: nothing. */
    VTDPI_SOURCE_BRIDGE_PCIE = 0,
    /** From PCI Express to conventional PCI or PCI-X: requests arrive with ids
     *  of the buses behind it, mostly that of device 0 on its secondary bus. */
    VTDPI_SOURCE_BRIDGE_PCIE_TO_PCI = 1,
    /** Conventional PCI to PCI: requests arrive with the bridge's own id. */
    VTDPI_SOURCE_BRIDGE_PCI = 2,
};

/** @brief A bridge between a PCI function and the root. */
struct vtdpi_source_bridge {
    enum vtdpi_source_bridge_kind kind; /**< What it does to source ids. */
    uint16_t sid;                       /**< Its own source id. */
    uint8_t secondary;                  /**< Its secondary bus. */
};

/** @brief A PCI function that raises interrupts, as the host's bus code knows
 *         it. */
struct vtdpi_source_requester {
    uint16_t sid;     /**< Its source id. */
    enum vtdpi_sq sq; /**< Its phantom functions, if it uses any. */
    /** It requests with further ids of its bus, which no SQ describes (a
     *  non-transparent bridge, a quirk): the whole bus is accepted. */
    bool whole_bus;
    const struct vtdpi_source_bridge
        *bridges;        /**< From the function up to the root;
                                             NULL if there are none. */
    size_t bridge_count; /**< How many. */
};

/**
 * @brief The source to verify for a PCI function, with the bridges above it.
 *
 * Of the bridges that replace source ids, the one nearest to the root decides.
 * If that bridge leads from PCI Express to PCI, the buses from its secondary bus to
 * the function's bus are accepted. If it is a conventional bridge, exactly the
 * bridge is accepted: with a whole bus, every other function of that bus could
 * raise the interrupt. The function looks nothing up: keep the result, teardown
 * needs no second call.
 *
 * @param r    The function. Not NULL.
 * @param out  Receives the source. Not NULL. Unchanged on failure.
 *
 * @anyctx @waitfree
 *
 * @retval 0                Done.
 * @retval VTDPI_EINVAL     A pointer is NULL, or a bridge of unknown kind.
 * @retval VTDPI_ERANGE     SQ is above 3.
 * @retval VTDPI_EIRTE_BUS  The function's bus is below the secondary bus of a
 *                          PCI Express to PCI bridge above it.
 *
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_source_of_pci(const struct vtdpi_source_requester *r,
                    struct vtdpi_source *out);

/**
 * @brief The machine's PCI bridges, as the host knows them.
 *
 * Paths in the table are relative to bus numbers which firmware or the host
 * assigned, so that only the host can resolve them.
 */
struct vtdpi_source_pci_ops {
    /**
     * Bus numbers behind the bridge @p sid of @p segment, as in its Secondary
     * and Subordinate Bus Number Registers. Returns false if there is no such
     * function or it is not a bridge; the scope in question then matches
     * nothing. Called by the vtdpi_dmar_find functions in the context of their
     * caller; must not call them back.
     */
    bool (*bridge_buses)(void *ctx, uint16_t segment, uint16_t sid,
                         uint8_t *secondary, uint8_t *subordinate);
};

VTDPI_END_DECLS

#endif
