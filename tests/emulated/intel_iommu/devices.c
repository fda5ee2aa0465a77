/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's edu device: a write to one of its registers makes it interrupt, by
 * one message, or by a level-triggered line while messages are off. And the
 * PIT, for an edge. */

#include "kernel.h"

#define EDU_VENDOR     0x1234
#define EDU_DEVICE     0x11e8
#define EDU_RAISE      0x60
#define EDU_ACK        0x64
#define EDU_DMA_FROM   0x80
#define EDU_DMA_TO     0x88
#define EDU_DMA_COUNT  0x90
#define EDU_DMA_CMD    0x98
#define EDU_DMA_START  0x1u
#define EDU_DMA_OUT    0x2u
#define EDU_BUFFER     0x40000

#define PCI_COMMAND    0x04
#define PCI_BAR0       0x10
#define COMMAND_ON     0x6 /* memory space, bus master */

#define MSI_CONTROL    2
#define MSI_ADDRESS_LO 4
#define MSI_ADDRESS_HI 8
#define MSI_DATA       12
#define MSI_ENABLE     0x1u
#define MSI_64_BIT     0x80

#define PIT_CHANNEL_0  0x40
#define PIT_MODE       0x43
#define PIT_ONE_SHOT   0x30 /* channel 0, both bytes, mode 0 */
#define PIT_TICKS      1193 /* a millisecond */
#define PIT_READ_BACK  0xe2 /* the status of channel 0 */
#define PIT_OUT        0x80

void edu_find(void)
{
    uint16_t control = 0;

    if (pci_find(EDU_VENDOR, EDU_DEVICE, &machine.edu)) {
        machine.edu_bar = pci_read32(machine.edu, PCI_BAR0) & ~0xfu;
        machine.edu_msi = pci_capability(machine.edu, PCI_CAP_MSI);
        control = pci_read16(machine.edu, machine.edu_msi + MSI_CONTROL);
    }
    if (!check(machine.edu_bar != 0 && machine.edu_msi != 0 &&
                   (control & MSI_64_BIT) != 0,
               "there is an edu device with MSI, requester id %x", machine.edu))
        panic("nothing to test with");
    pci_write16(machine.edu, PCI_COMMAND,
                pci_read16(machine.edu, PCI_COMMAND) | COMMAND_ON);
}

void edu_program(const struct vtdpi_msi *msi)
{
    pci_write32(machine.edu, machine.edu_msi + MSI_ADDRESS_LO, msi->address_lo);
    pci_write32(machine.edu, machine.edu_msi + MSI_ADDRESS_HI, msi->address_hi);
    pci_write16(machine.edu, machine.edu_msi + MSI_DATA, (uint16_t)msi->data);
    edu_use_intx(false);
}

/* What a register of 16 bits would hide is looked at here. */
void edu_select(uint32_t index)
{
    struct vtdpi_msi msi = {0};

    if (vtdpi_msi_encode(index, &msi) != 0 ||
        msi.address_lo != oracle_address((uint16_t)index) ||
        msi.address_hi != 0 || msi.data != 0)
        panic("the message for index %x is %x %x %x", index, msi.address_hi,
              msi.address_lo, msi.data);
    edu_program(&msi);
}

void edu_use_intx(bool on)
{
    const uint8_t control = machine.edu_msi + MSI_CONTROL;
    const uint16_t rest =
        (uint16_t)(pci_read16(machine.edu, control) & ~MSI_ENABLE);

    pci_write16(machine.edu, control, on ? rest : rest | MSI_ENABLE);
}

/* The edu device sends one message for each write, acknowledged or not. */
void edu_raise(void)
{
    mmio_write32(machine.edu_bar + EDU_RAISE, 1);
}

void edu_acknowledge(void)
{
    mmio_write32(machine.edu_bar + EDU_ACK, 1);
}

/* Returns when it has come to an end, about a tenth of a second later. */
void edu_copy(uint64_t address, bool to_memory)
{
    mmio_write64(machine.edu_bar + EDU_DMA_FROM,
                 to_memory ? EDU_BUFFER : address);
    mmio_write64(machine.edu_bar + EDU_DMA_TO,
                 to_memory ? address : EDU_BUFFER);
    mmio_write64(machine.edu_bar + EDU_DMA_COUNT, 4096);
    mmio_write64(machine.edu_bar + EDU_DMA_CMD,
                 EDU_DMA_START | (to_memory ? EDU_DMA_OUT : 0));
    while ((mmio_read64(machine.edu_bar + EDU_DMA_CMD) & EDU_DMA_START) != 0)
        pause();
}

/* The pin's line goes down with the mode, and up when the count is over. */
void pit_stop(void)
{
    out8(PIT_MODE, PIT_ONE_SHOT);
}

void pit_start(void)
{
    out8(PIT_CHANNEL_0, PIT_TICKS & 0xff);
    out8(PIT_CHANNEL_0, PIT_TICKS >> 8);
}

/* Firmware leaves a periodic timer. Until a count is loaded, its next period raises
 * the line although the mode has changed. */
void pit_forget_firmware(void)
{
    pit_stop();
    pit_start();
    do {
        pause();
        out8(PIT_MODE, PIT_READ_BACK);
    } while ((in8(PIT_CHANNEL_0) & PIT_OUT) == 0);
}
