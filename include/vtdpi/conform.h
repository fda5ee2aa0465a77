/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_CONFORM_H
#define VTDPI_CONFORM_H

/**
 * @file
 * @brief Judge any driver of VT-d interrupt remapping by the model (library
 *        vtdpi-conform, for user space).
 *
 * A driver is compiled into a program, with an adapter of a page between the two. The
 * adapter fills in a struct vtdpi_conform_driver, whose functions call the driver, and
 * its main() calls vtdpi_conform_main(). Each phase of the trial runs in a child
 * process, with a modelled unit that was just powered up, and asks one question; see
 * docs/your-driver.md.
 *
 * @code
 * static int my_init(void)
 * {
 *     return their_iommu_init(VTDPI_CONFORM_REGISTERS);
 * }
 * ...
 * static const struct vtdpi_conform_driver driver = {
 *     .name = "their driver 1.2", .init = my_init, .map = my_map, ...
 * };
 *
 * int main(int argc, char **argv)
 * {
 *     return vtdpi_conform_main(argc, argv, &driver);
 * }
 * @endcode
 *
 * **Registers.** On Linux on x86-64 the unit's registers are the page at
 * VTDPI_CONFORM_REGISTERS. The page cannot be accessed: every access traps, the model
 * answers, and the driver goes on behind the access. So the source of a driver that
 * dereferences pointers stays as it is, in any language. A driver that has callbacks
 * for registers lets them call vtdpi_conform_read32() and its siblings; that is the
 * only way on other hosts.
 *
 * **Memory.** A physical address is the address of the same byte in the program. So
 * what maps addresses for the unit (virt_to_phys() and the like) returns its argument.
 * Tables need the alignment that the specification demands.
 *
 * **Time.** A driver that waits reads a register, or calls its pause, or asks its
 * clock. The adapter makes the pause call vtdpi_conform_pause() and the clock
 * vtdpi_conform_now_us(). Each lets time of the model pass. A driver that waits in
 * none of these ways, for a word in memory to change, is noticed by the processor's time
 * that it uses: then time passes as well, and after some seconds the driver is stopped.
 *
 * The functions that the driver calls must be called by the thread that runs the trial.
 * Other threads of the driver may reach the registers and the table while that thread
 * waits for them.
 */

#include "vtdpi/compiler.h"

VTDPI_BEGIN_DECLS

/** Address of the unit's registers: one page. */
#define VTDPI_CONFORM_REGISTERS 0xfed91000u

/** Bytes of the registers. */
#define VTDPI_CONFORM_WINDOW    4096u

/** @brief The message that a device is programmed with, and its entry. */
struct vtdpi_conform_message {
    uint64_t address; /**< Address of the write: fee..... */
    uint32_t data;    /**< Data of the write. */
    uint32_t index;   /**< Index of the table's entry. */
};

/**
 * @brief A driver under trial: what the adapter provides.
 *
 * Functions return 0, or any other number for an error. init and map are needed. Every
 * other pointer to a function may be NULL; phases that need such a function are then
 * skipped, and say so. The functions are called one after the other, never nested.
 */
struct vtdpi_conform_driver {
    /** The driver's name and version, for the report. Not NULL. */
    const char *name;

    /**
     * @brief Bring the unit up, with interrupt remapping on, as at boot.
     *
     * Called once in a process. Not NULL.
     */
    int (*init)(void);

    /**
     * @brief Set up one interrupt of a device: fixed, physical, edge.
     *
     * @p sid is the device's requester id. @p apic_id has 8 bits, and is a logical id if
     * vtdpi_conform_driver.logical is set. @p out receives the message. An interrupt of
     * another device may be mapped before; a driver that cannot do that refuses the
     * second map, or gives out the same index again. Not NULL.
     */
    int (*map)(uint16_t sid, uint8_t vector, uint32_t apic_id,
               struct vtdpi_conform_message *out);

    /**
     * @brief Change an interrupt that is in use: affinity.
     *
     * @p msg is what map gave out. If the device has to be programmed with another
     * message, the function changes @p msg.
     */
    int (*change)(uint16_t sid, uint8_t vector, uint32_t apic_id,
                  struct vtdpi_conform_message *msg);

    /** Take an interrupt away. Its index is free when the function has returned 0. */
    int (*free)(uint16_t sid, const struct vtdpi_conform_message *msg);

    /** Before the machine sleeps (S3). */
    int (*suspend)(void);

    /** After the machine has slept: the unit's registers have their reset values. */
    int (*resume)(void);

    /** The handler of the unit's fault event. */
    void (*fault)(void);

    /**
     * @brief Where the remapping table is, for units that do not snoop; before init.
     *
     * Receives the table's size, in bytes: a multiple of 64. Returns its address, a
     * multiple of 64; NULL if the address is not known before init. A driver that maps
     * the table uncached leaves the pointer to this function NULL.
     */
    void *(*table)(size_t *bytes);

    /**
     * @brief Post an interrupt that is mapped: its entry gets the posted format.
     *
     * @p pid is the posted-interrupt descriptor: the first 64 bytes of a page of memory
     * that is the driver's. As change otherwise.
     */
    int (*post)(uint16_t sid, uint8_t vector, void *pid,
                struct vtdpi_conform_message *msg);

    /**
     * @brief Stop posting: the entry gets the remapped format again, with the vector
     *        and the destination that map or change was called with last.
     *
     * When the function has returned 0, the page is used for something else at
     * once.
     */
    int (*unpost)(uint16_t sid, struct vtdpi_conform_message *msg);

    /** The driver programs x2APIC mode (IRTA.EIME) where the unit has it. */
    bool x2apic;

    /** The driver's entries are in logical destination mode. Destinations are not
     *  compared then. */
    bool logical;
};

/**
 * @brief Run the trial.
 *
 * Reads the command line, runs the phases, prints the report on the standard output.
 * --help names the options.
 *
 * @param argc    As of main().
 * @param argv    As of main().
 * @param driver  The driver. Not NULL; stays.
 *
 * @return The status for exit(): 0: no phase has failed; 1: at least one has; 2: the
 *         command line or @p driver is wrong, or the host cannot run the trial.
 */
int vtdpi_conform_main(int argc, char **argv,
                       const struct vtdpi_conform_driver *driver);

/**
 * @brief Read a register, by a callback of the driver.
 *
 * @param off  Offset from the register base, in bytes; below VTDPI_CONFORM_WINDOW.
 *
 * @return What the unit answers.
 */
uint32_t vtdpi_conform_read32(uint32_t off);

/** @brief 64-bit read; see vtdpi_conform_read32(). */
uint64_t vtdpi_conform_read64(uint32_t off);

/** @brief 32-bit write; see vtdpi_conform_read32(). */
void vtdpi_conform_write32(uint32_t off, uint32_t value);

/** @brief 64-bit write; see vtdpi_conform_read32(). */
void vtdpi_conform_write64(uint32_t off, uint64_t value);

/**
 * @brief The driver's cache flush: a unit that does not snoop sees memory as it was
 *        cleaned last.
 *
 * On Linux on x86-64 the driver's own CLFLUSH, CLFLUSHOPT and CLWB do the same. A driver
 * that does neither has not cleaned anything.
 *
 * @param p  First byte.
 * @param n  Bytes. All cache lines that they touch are cleaned.
 */
void vtdpi_conform_clean(const void *p, size_t n);

/** @brief The driver's clock: microseconds that never go back. Each call lets some
 *         pass. */
uint64_t vtdpi_conform_now_us(void);

/** @brief The driver's pause in a loop that waits. */
void vtdpi_conform_pause(void);

/**
 * @brief What the driver logs; shown with --verbose, beside the register accesses.
 *
 * @param format  As of printf(), with the arguments behind it. One line.
 */
#if defined(__GNUC__)
__attribute__((__format__(__printf__, 1, 2)))
#endif
void vtdpi_conform_log(const char *format, ...);

VTDPI_END_DECLS

#endif
