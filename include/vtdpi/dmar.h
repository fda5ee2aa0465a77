/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_DMAR_H
#define VTDPI_DMAR_H

/**
 * @file
 * @brief Reader of the ACPI DMAR table; which unit serves a device.
 *
 * The table stays in the caller's memory, which must not change or go away
 * while it is read. It may have any alignment. No byte outside it is read,
 * whatever it contains, and every walk ends. Errors are local: a structure
 * with a bad device scope does not hide the structures after it.
 *
 * Firmware describes what is added later by a list: the same structures without
 * the header of a table (method _DSM of a host bridge). vtdpi_dmar_open_list()
 * opens one. "Table" stands for a table or a list below, unless the text names
 * the header.
 *
 * A machine may have one table and several lists. The host links them through the
 * member `next`. Look-ups and the check then go over all of them as over one
 * table, from the one they are given. A walk and a decoder stay in the table they
 * are given.
 *
 * A walk starts from a zeroed element and ends at 0 or at an error:
 *
 * @code
 * struct vtdpi_dmar_struct s = {0};
 * while ((rc = vtdpi_dmar_next(&dmar, &s)) > 0) {
 *     struct vtdpi_dmar_scope scope = {0};
 *     while ((rc = vtdpi_dmar_next_scope(&dmar, &s, &scope)) > 0)
 *         ...
 * }
 * @endcode
 *
 * @spec{VT-d, BIOS Considerations; DMA Remapping Reporting Structure}
 */

#include "vtdpi/compiler.h"
#include "vtdpi/source.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** Table flag: the platform supports interrupt remapping. */
#define VTDPI_DMAR_INTR_REMAP               0x01
/** Table flag: firmware asks the system not to enable x2APIC mode. */
#define VTDPI_DMAR_X2APIC_OPT_OUT           0x02
/** Table flag: firmware guards memory against DMA while it boots, and asks the
 *  system to go on with that. Units may be found with DMA translation on. */
#define VTDPI_DMAR_DMA_CTRL_PLATFORM_OPT_IN 0x04
/** Table flag: firmware asks the system to leave DMA translation off. */
#define VTDPI_DMAR_DMA_REMAP_OPT_OUT        0x08

/** DRHD flag (byte 4): also serves every PCI device of the segment that no other
 *  unit names; vtdpi_dmar_drhd.include_all. */
#define VTDPI_DMAR_DRHD_INCLUDE_PCI_ALL     0x01
/** DRHD size (byte 5), its field n: the register window has 2^n pages of 4 KiB;
 *  vtdpi_dmar_drhd.window_bytes. */
#define VTDPI_DMAR_DRHD_SIZE                0x0f
/** ATSR flag: all root ports of the segment can do ATS. */
#define VTDPI_DMAR_ATSR_ALL_PORTS           0x01
/** SATC flag: the devices need their address-translation cache. */
#define VTDPI_DMAR_SATC_ATC_REQUIRED        0x01

/** vtdpi_dmar_open() flag: a wrong checksum is noted, not refused. */
#define VTDPI_DMAR_ACCEPT_BAD_CHECKSUM      0x01u

/**
 * @brief An open table: its header, decoded.
 *
 * A list has no header: only its length is not zero. A host_address_width of 0
 * tells a list from a table.
 */
struct vtdpi_dmar {
    size_t length;               /**< Bytes, as the table says. */
    uint32_t oem_revision;       /**< OEM revision. */
    uint16_t host_address_width; /**< Bits of a DMA address, 1..256. */
    uint8_t revision;            /**< Table revision. */
    uint8_t flags;               /**< VTDPI_DMAR_INTR_REMAP, ... */
    bool checksum_ok;            /**< Bytes sum up to zero. */
    char oem_id[7];              /**< As stored, zero-terminated. */
    char oem_table_id[9];        /**< As stored, zero-terminated. */
    /** The host's: the next table or list of the same machine. Opening sets it to
     *  NULL. The chain has an end, and does not change while it is looked up. */
    const struct vtdpi_dmar *next;
    /* private: */
    const uint8_t *table_;
    size_t first_; /* offset of the first structure */
};

/** @brief Types of remapping structures. Others may occur; skip them. */
enum vtdpi_dmar_type {
    VTDPI_DMAR_DRHD = 0, /**< Remapping unit. */
    VTDPI_DMAR_RMRR = 1, /**< Reserved memory region. */
    VTDPI_DMAR_ATSR = 2, /**< Root ports that can do ATS. */
    VTDPI_DMAR_RHSA = 3, /**< Proximity domain of a unit. */
    VTDPI_DMAR_ANDD = 4, /**< ACPI name-space device. */
    VTDPI_DMAR_SATC = 5, /**< SoC-integrated devices with ATS. */
    VTDPI_DMAR_SIDP = 6, /**< SoC-integrated device properties. */
};

/** @brief A remapping structure within the table. */
struct vtdpi_dmar_struct {
    size_t offset;   /**< From the start of the table. In a list, that of the
                          first structure is 0. */
    uint16_t type;   /**< enum vtdpi_dmar_type, or one not known here. */
    uint16_t length; /**< Bytes, header included; 0 before the first step. */
};

/** @brief Types of device scopes. */
enum vtdpi_dmar_scope_type {
    VTDPI_DMAR_SCOPE_ENDPOINT = 1, /**< PCI endpoint. */
    VTDPI_DMAR_SCOPE_BRIDGE = 2,   /**< PCI bridge and all below it. */
    VTDPI_DMAR_SCOPE_IOAPIC = 3,   /**< IOAPIC, by its id in the MADT. */
    VTDPI_DMAR_SCOPE_HPET = 4,     /**< HPET block that can send MSIs. */
    VTDPI_DMAR_SCOPE_ACPI = 5,     /**< Device that an ANDD names. */
};

/** @brief A device scope within a remapping structure. */
struct vtdpi_dmar_scope {
    size_t offset;          /**< From the start of the table; 0: start. */
    uint8_t type;           /**< enum vtdpi_dmar_scope_type, or unknown. */
    uint8_t length;         /**< Bytes, header and path. */
    uint8_t flags;          /**< Raw; reserved in older tables. */
    uint8_t enumeration_id; /**< IOAPIC, HPET or ANDD number. */
    uint8_t start_bus;      /**< Bus of the first hop. */
    uint8_t hop_count;      /**< Hops in the path, 1..124. */
};

/** @brief A remapping unit (DRHD). */
struct vtdpi_dmar_drhd {
    uint64_t base; /**< Physical address of the registers. */
    /** The table that the DRHD is in: the one that the decoder was given, or one of
     *  the chain that the look-up was given. */
    const struct vtdpi_dmar *table;
    uint32_t window_bytes; /**< Size of the register window, 4 KiB..128 MiB. */
    /** Ordinal among the DRHDs of that table alone: a table that joins or leaves the
     *  chain does not change it. */
    uint32_t index;
    uint16_t segment; /**< PCI segment of its devices. */
    bool include_all; /**< Also serves every PCI device of the segment
                           that no other unit names. */
};

/** @brief A reserved memory region (RMRR). */
struct vtdpi_dmar_rmrr {
    uint64_t base;    /**< First byte. */
    uint64_t limit;   /**< Last byte. */
    uint16_t segment; /**< PCI segment. */
};

/** @brief Proximity domain of a unit (RHSA). */
struct vtdpi_dmar_rhsa {
    uint64_t base;   /**< Register base of the unit. */
    uint32_t domain; /**< Proximity domain, as in the SRAT. */
};

/** @brief An ACPI name-space device (ANDD). */
struct vtdpi_dmar_andd {
    size_t name_offset;    /**< Of the path in the table. */
    uint16_t name_length;  /**< Without the terminating zero. */
    uint8_t device_number; /**< Enumeration id in ACPI device scopes. */
};

/** @brief Head of an ATSR, SATC or SIDP: a list of devices. */
struct vtdpi_dmar_devices {
    uint16_t segment; /**< PCI segment. */
    uint8_t flags;    /**< VTDPI_DMAR_ATSR_ALL_PORTS of an ATSR,
                           VTDPI_DMAR_SATC_ATC_REQUIRED of a SATC; SIDP: 0. */
};

/**
 * @brief Check and decode the header of a table.
 *
 * Only the header is looked at, and the bytes for the checksum.
 *
 * @param table         The table, at any alignment. Not NULL.
 * @param size          Bytes that may be read there; more than the table's
 *                      own length is fine.
 * @param flags         0 or VTDPI_DMAR_ACCEPT_BAD_CHECKSUM: some firmware
 *                      never got it right. out->checksum_ok then tells.
 * @param out           Receives the header. Not NULL. Zeroed on failure.
 * @param error_offset  On failure receives the offset of the field that is
 *                      wrong, or where the bytes end too early. May be NULL.
 *
 * @retval 0                      Open.
 * @retval VTDPI_EINVAL           @p table or @p out is NULL, or an unknown
 *                                flag is set; offset 0.
 * @retval VTDPI_EDMAR_SIGNATURE  Not "DMAR"; offset 0.
 * @retval VTDPI_EDMAR_LENGTH     @p size is smaller than the header (offset
 *                                @p size), or the length field is below 48
 *                                or above @p size (offset 4).
 * @retval VTDPI_EDMAR_CHECKSUM   Wrong checksum, not accepted; offset 9.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_open(const void *table, size_t size, unsigned int flags,
                struct vtdpi_dmar *out, size_t *error_offset);

/**
 * @brief Open a list of remapping structures without a header.
 *
 * No byte of the list is looked at.
 *
 * @param list  The structures, at any alignment. Not NULL.
 * @param size  Bytes of the list, as firmware's method returned them.
 * @param out   Receives the length; its other members are zero. Not NULL. Zeroed
 *              on failure.
 *
 * @retval 0             Open.
 * @retval VTDPI_EINVAL  @p list or @p out is NULL.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_open_list(const void *list, size_t size, struct vtdpi_dmar *out);

/**
 * @brief Step to the next remapping structure.
 *
 * The length of each type is checked only where it is decoded.
 *
 * @param dmar  Open table. Not NULL.
 * @param s     Zeroed to start, then as left by the previous call. Receives
 *              the structure. On an error only the offset means something: it
 *              is that of the bad structure. Not NULL.
 *
 * @retval 1                   @p s is the next structure.
 * @retval 0                   No more: the table ends, or nothing but zero bytes
 *                             follow, which some firmware leaves there. Another
 *                             call starts over.
 * @retval VTDPI_EDMAR_STRUCT  The next structure is shorter than its own
 *                             header or reaches beyond the table. The walk
 *                             cannot go on; structures seen so far are good.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_next(const struct vtdpi_dmar *dmar, struct vtdpi_dmar_struct *s);

/**
 * @brief Step to the next device scope of a structure.
 *
 * @param dmar   Open table. Not NULL.
 * @param s      A structure of it. Not NULL.
 * @param scope  Zeroed to start, then as left by the previous call. Receives
 *               the scope; on an error only its offset. Not NULL.
 *
 * @retval 1                   @p scope is the next scope.
 * @retval 0                   No more, or the type of @p s has none; another
 *                             call starts over.
 * @retval VTDPI_EDMAR_STRUCT  @p s is shorter than the fixed part of its type
 *                             or is not within the table.
 * @retval VTDPI_EDMAR_SCOPE   The next scope is shorter than 8 bytes, of odd
 *                             length or reaches beyond @p s.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_next_scope(const struct vtdpi_dmar *dmar,
                      const struct vtdpi_dmar_struct *s,
                      struct vtdpi_dmar_scope *scope);

/**
 * @brief One hop of a scope's path.
 *
 * @param dmar      Open table. Not NULL.
 * @param scope     From vtdpi_dmar_next_scope(). Not NULL.
 * @param hop       0 to scope->hop_count - 1.
 * @param device    Receives the device number, 0..255 as stored. Not NULL.
 * @param function  Receives the function number, 0..255 as stored. Not NULL.
 *
 * @retval 0             Done.
 * @retval VTDPI_ERANGE  @p hop is not in the path, or @p scope is not in the
 *                       table.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_get_hop(const struct vtdpi_dmar *dmar,
                   const struct vtdpi_dmar_scope *scope, unsigned int hop,
                   uint8_t *device, uint8_t *function);

/**
 * @brief Decode a DRHD.
 *
 * @param dmar  Open table. Not NULL.
 * @param s     Structure of type DRHD. Not NULL.
 * @param out   Receives the unit. Not NULL. Unchanged on failure.
 *
 * @retval 0                   Done.
 * @retval VTDPI_EINVAL        @p s has another type.
 * @retval VTDPI_EDMAR_STRUCT  @p s is shorter than 16 bytes or not within the
 *                             table.
 * @retval VTDPI_EDMAR_BASE    The register base is zero or not 4 KiB aligned,
 *                             or the window wraps.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_get_drhd(const struct vtdpi_dmar *dmar,
                    const struct vtdpi_dmar_struct *s,
                    struct vtdpi_dmar_drhd *out);

/**
 * @brief Decode an RMRR.
 *
 * @param dmar  Open table. Not NULL.
 * @param s     Structure of type RMRR. Not NULL.
 * @param out   Receives the region. Not NULL. Unchanged on failure.
 *
 * @retval 0                   Done.
 * @retval VTDPI_EINVAL        @p s has another type.
 * @retval VTDPI_EDMAR_STRUCT  @p s is shorter than 24 bytes or not within the
 *                             table.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_get_rmrr(const struct vtdpi_dmar *dmar,
                    const struct vtdpi_dmar_struct *s,
                    struct vtdpi_dmar_rmrr *out);

/**
 * @brief Decode an RHSA.
 *
 * @param dmar  Open table. Not NULL.
 * @param s     Structure of type RHSA. Not NULL.
 * @param out   Receives base and domain. Not NULL. Unchanged on failure.
 *
 * @retval 0                   Done.
 * @retval VTDPI_EINVAL        @p s has another type.
 * @retval VTDPI_EDMAR_STRUCT  @p s is shorter than 20 bytes or not within the
 *                             table.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_get_rhsa(const struct vtdpi_dmar *dmar,
                    const struct vtdpi_dmar_struct *s,
                    struct vtdpi_dmar_rhsa *out);

/**
 * @brief Decode an ANDD.
 *
 * @param dmar  Open table. Not NULL.
 * @param s     Structure of type ANDD. Not NULL.
 * @param out   Receives number and name. Not NULL. Unchanged on failure. The
 *              name ends with the structure if no zero ends it earlier.
 *
 * @retval 0                   Done.
 * @retval VTDPI_EINVAL        @p s has another type.
 * @retval VTDPI_EDMAR_STRUCT  @p s is shorter than 8 bytes or not within the
 *                             table.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_get_andd(const struct vtdpi_dmar *dmar,
                    const struct vtdpi_dmar_struct *s,
                    struct vtdpi_dmar_andd *out);

/**
 * @brief Decode the head of an ATSR, SATC or SIDP.
 *
 * @param dmar  Open table. Not NULL.
 * @param s     Structure of one of these types. Not NULL.
 * @param out   Receives segment and flags. Not NULL. Unchanged on failure.
 *
 * @retval 0                   Done.
 * @retval VTDPI_EINVAL        @p s has another type.
 * @retval VTDPI_EDMAR_STRUCT  @p s is shorter than 8 bytes or not within the
 *                             table.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_get_devices(const struct vtdpi_dmar *dmar,
                       const struct vtdpi_dmar_struct *s,
                       struct vtdpi_dmar_devices *out);

/** @brief Where vtdpi_dmar_check() found something. */
struct vtdpi_dmar_problem {
    const struct vtdpi_dmar *table; /**< In this table, */
    size_t offset;                  /**< at this offset. */
    /** Of two that contradict each other: the table of the first. NULL if what was
     *  found is wrong by itself. */
    const struct vtdpi_dmar *other_table;
    size_t other_offset; /**< The offset in that table, or 0. */
    bool note;           /**< Walks and look-ups work: a host may go on. */
};

/**
 * @brief Check every structure and every scope of a table and of those linked
 *        behind, and every two units against each other.
 *
 * VTDPI_EDMAR_STRUCT, VTDPI_EDMAR_SCOPE and VTDPI_EDMAR_BASE are errors: a look-up
 * that comes to the place fails with the same code. They are found first. The other
 * codes are notes: walks and look-ups work, as said below, and a host may go on
 * (`note` in @p where). The first note is returned: contradictions in the order of
 * the units, then zero bytes.
 *
 * Paths are not compared, since only the host knows its bridges. So a PCI function
 * that two units name is not found.
 *
 * The time grows with the square of the number of units and scopes.
 *
 * @param dmar   Open table, the first of those to check. Not NULL.
 * @param where  On failure receives the place of the bad structure or scope, of the
 *               bad register base, or of the zero bytes; for a contradiction, those
 *               of both units or scopes. May be NULL.
 *
 * @retval 0                    The tables are well-formed, without contradiction.
 * @retval VTDPI_EDMAR_STRUCT   As vtdpi_dmar_next(), or a structure too short
 *                              for its type.
 * @retval VTDPI_EDMAR_SCOPE    As vtdpi_dmar_next_scope().
 * @retval VTDPI_EDMAR_BASE     As vtdpi_dmar_get_drhd().
 * @retval VTDPI_EDMAR_TWICE    Two DRHDs have one register base, so both describe
 *                              the same unit. A look-up returns the DRHD that claims
 *                              the device. A host that sets up a second unit at the
 *                              same registers takes the queue from the first.
 * @retval VTDPI_EDMAR_OVERLAP  The register windows of two units overlap. Look-ups
 *                              do not look at windows.
 * @retval VTDPI_EDMAR_ALL      Two units of a segment have INCLUDE_PCI_ALL.
 *                              vtdpi_dmar_find_pci() takes the first.
 * @retval VTDPI_EDMAR_ID       Two units claim an IOAPIC, an HPET or an ACPI device
 *                              by one id. vtdpi_dmar_find_id() takes the first.
 *                              (Several scopes with one id in one unit are usual;
 *                              see there.)
 * @retval VTDPI_EDMAR_TAIL     Zero bytes follow the last structure of a table, and
 *                              nothing else is wrong. Walks end before these bytes.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_check(const struct vtdpi_dmar *dmar,
                 struct vtdpi_dmar_problem *where);

/**
 * @brief Find the unit that serves a PCI function.
 *
 * The most specific claim wins: the function itself named by a scope, then the
 * innermost bridge above it that a scope names, then the INCLUDE_PCI_ALL unit
 * of the segment. Equal claims: the first in the table; of several tables, the
 * one in the table that is nearer to @p dmar.
 *
 * For a virtual function pass the source id of its physical function: a VF
 * may sit on a bus that no scope mentions, but belongs to the PF's unit. For
 * a device behind a bridge to conventional PCI pass the device's own
 * bus number, not the bridge's alias: the scopes name devices. The source to
 * verify is another matter: vtdpi_source_of_pci().
 *
 * @param dmar     Open table, the first of those to look into. Not NULL.
 * @param ops      Bridge look-up; its member not NULL. Not NULL.
 * @param ctx      For the callback.
 * @param segment  PCI segment.
 * @param sid      Source id, as from VTDPI_SID().
 * @param out      Receives the unit. Not NULL. Unchanged on failure.
 *
 * @retval 0                   Found.
 * @retval VTDPI_EINVAL        @p ops or its callback is NULL.
 * @retval VTDPI_ENOENT        No unit claims the function.
 * @retval VTDPI_EDMAR_STRUCT  One of the tables is malformed
 *                             (vtdpi_dmar_check() says which, and where). No
 *                             guess is made from the others: an entry in the
 *                             wrong unit's table would never be used.
 * @retval VTDPI_EDMAR_SCOPE   The same.
 * @retval VTDPI_EDMAR_BASE    The same.
 *
 * @anyctx, if the callback is
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_dmar_find_pci(
    const struct vtdpi_dmar *dmar, const struct vtdpi_source_pci_ops *ops,
    void *ctx, uint16_t segment, uint16_t sid, struct vtdpi_dmar_drhd *out);

/**
 * @brief Find the unit and source id of an IOAPIC, HPET or ACPI device.
 *
 * The source to verify follows from the source id: vtdpi_source_exact()
 * with VTDPI_SQ_ALL for an IOAPIC, and with VTDPI_SQ_IGNORE_2_0 for an HPET.
 * Some tables list an HPET eight times with one id, as functions 0 to 7 of a
 * device: each comparator has a function. This function gives the first of
 * them, and a source that verifies all bits would refuse the other seven.
 *
 * @param dmar  Open table, the first of those to look into. Not NULL.
 * @param ops   Bridge look-up, for paths of several hops. May be NULL, and so
 *              may its member, if there are none.
 * @param ctx   For the callback.
 * @param type  SCOPE_IOAPIC, SCOPE_HPET or SCOPE_ACPI.
 * @param id    Enumeration id: I/O APIC ID of the MADT, HPET number, ANDD
 *              device number.
 * @param out   Receives the unit; the first if several claim the id, in the order
 *              of the tables and of each table. Not NULL. Unchanged on failure.
 * @param sid   Receives the source id that requests carry. Not NULL.
 *              Unchanged on failure.
 *
 * @retval 0                   Found.
 * @retval VTDPI_EINVAL        @p type is another one.
 * @retval VTDPI_ENOENT        No unit claims it.
 * @retval VTDPI_ERANGE        A unit claims it, but its path has a device
 *                             above 31 or a function above 7, or leads
 *                             through something that is not a bridge.
 * @retval VTDPI_EDMAR_STRUCT  What is before the first claim is malformed. No guess
 *                             is made from what follows.
 * @retval VTDPI_EDMAR_SCOPE   The same.
 * @retval VTDPI_EDMAR_BASE    The same.
 *
 * @anyctx, if the callback is
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_dmar_find_id(const struct vtdpi_dmar *dmar,
                   const struct vtdpi_source_pci_ops *ops, void *ctx,
                   enum vtdpi_dmar_scope_type type, uint8_t id,
                   struct vtdpi_dmar_drhd *out, uint16_t *sid);

/**
 * @brief List the machine's IOAPICs that no unit covers: vtdpi_dmar_find_id() does
 *        not find them.
 *
 * Interrupt remapping cannot be switched on while there is such an IOAPIC: its
 * requests would be blocked. The list is for vtdpi_verdict_decide(). An IOAPIC whose
 * path in the table leads nowhere counts as uncovered, because the source to verify
 * is not known.
 *
 * @param dmar       Open table, the first of those to look into. Not NULL.
 * @param ops        As for vtdpi_dmar_find_id().
 * @param ctx        For the callback.
 * @param ids        I/O APIC IDs from the MADT. Not NULL, unless @p count is 0.
 * @param count      Their number.
 * @param uncovered  Receives those that are not found, in the same order; room
 *                   for @p count. May be @p ids itself. Not NULL, unless
 *                   @p count is 0. If a table is malformed, those are found that
 *                   are listed before the error.
 *
 * @return How many were written.
 *
 * @anyctx, if the callback is
 */
VTDPI_API VTDPI_COLD size_t vtdpi_dmar_uncovered_ioapics(
    const struct vtdpi_dmar *dmar, const struct vtdpi_source_pci_ops *ops,
    void *ctx, const uint8_t *ids, size_t count, uint8_t *uncovered);

VTDPI_END_DECLS

#endif
