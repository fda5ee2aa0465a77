/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration space by the two ports; boot processor only. */

#include "internal.h"

#define CONFIG_ADDRESS  0xcf8
#define CONFIG_DATA     0xcfc
#define CONFIG_ENABLE   0x80000000u

#define PCI_ID          0x00
#define PCI_COMMAND     0x04
#define PCI_CAP_POINTER 0x34
#define STATUS_CAP_LIST 0x100000u
#define CAPS_MAX        48

uint32_t pci_read32(uint16_t rid, uint8_t offset)
{
    out32(CONFIG_ADDRESS,
          CONFIG_ENABLE | (uint32_t)rid << 8 | (offset & 0xfcu));
    return in32(CONFIG_DATA);
}

uint16_t pci_read16(uint16_t rid, uint8_t offset)
{
    return (uint16_t)(pci_read32(rid, offset) >> (offset & 2) * 8);
}

uint8_t pci_read8(uint16_t rid, uint8_t offset)
{
    return (uint8_t)(pci_read32(rid, offset) >> (offset & 3) * 8);
}

void pci_write32(uint16_t rid, uint8_t offset, uint32_t value)
{
    out32(CONFIG_ADDRESS,
          CONFIG_ENABLE | (uint32_t)rid << 8 | (offset & 0xfcu));
    out32(CONFIG_DATA, value);
}

void pci_write16(uint16_t rid, uint8_t offset, uint16_t value)
{
    out32(CONFIG_ADDRESS,
          CONFIG_ENABLE | (uint32_t)rid << 8 | (offset & 0xfcu));
    /* Only these two bytes: the neighbours of the command register are
     * cleared by writing ones. */
    out16((uint16_t)(CONFIG_DATA + (offset & 2)), value);
}

bool pci_find(uint16_t vendor, uint16_t device, uint16_t *rid)
{
    for (uint16_t r = 0; r < 256; r++) {
        if (pci_read32(r, PCI_ID) == ((uint32_t)device << 16 | vendor)) {
            *rid = r;
            return true;
        }
    }
    return false;
}

uint8_t pci_capability(uint16_t rid, uint8_t id)
{
    uint8_t at;

    if ((pci_read32(rid, PCI_COMMAND) & STATUS_CAP_LIST) == 0)
        return 0;
    at = pci_read8(rid, PCI_CAP_POINTER) & 0xfc;
    /* Not more than fit: a list that is a circle ends, too. */
    for (int i = 0; i < CAPS_MAX && at != 0; i++) {
        if (pci_read8(rid, at) == id)
            return at;
        at = pci_read8(rid, (uint8_t)(at + 1)) & 0xfc;
    }
    return 0;
}
