/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_REGS_H
#define VTDPI_REGS_H

/**
 * @file
 * @brief Registers, descriptors and fault reasons of a remapping unit.
 *
 * Names are the VT-d specification's. Offsets are relative to the unit's
 * register base. 32-bit and 64-bit registers are different enumerations, so
 * that an access of the wrong width does not pass the compiler unnoticed.
 * A mask names a field; VTDPI_FIELD_GET() and VTDPI_FIELD_PUT() take the
 * shift from it.
 */

#include "vtdpi/compiler.h"

VTDPI_BEGIN_DECLS

/** Value of the field @p mask in @p word (64-bit arithmetic). */
#define VTDPI_FIELD_GET(word, mask) \
    (((uint64_t)(word) & (mask)) / ((mask) & (~(mask) + 1)))

/** @p value placed at the field @p mask; excess bits are dropped. */
#define VTDPI_FIELD_PUT(value, mask) \
    (((uint64_t)(value) * ((mask) & (~(mask) + 1))) & (mask))

/** Bit @p n of a 64-bit word. */
#define VTDPI_BIT64(n) (UINT64_C(1) << (n))

/** Bits @p hi down to @p lo of a 64-bit word. */
#define VTDPI_BITS64(hi, lo) \
    ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))

/** @brief 32-bit registers. */
enum vtdpi_reg32 {
    VTDPI_VER_REG = 0x00,
    VTDPI_GCMD_REG = 0x18,
    VTDPI_GSTS_REG = 0x1c,
    VTDPI_FSTS_REG = 0x34,
    VTDPI_FECTL_REG = 0x38,
    VTDPI_FEDATA_REG = 0x3c,
    VTDPI_FEADDR_REG = 0x40,
    VTDPI_FEUADDR_REG = 0x44,
    VTDPI_ICS_REG = 0x9c,
    VTDPI_IECTL_REG = 0xa0,
    VTDPI_IEDATA_REG = 0xa4,
    VTDPI_IEADDR_REG = 0xa8,
    VTDPI_IEUADDR_REG = 0xac,
};

/** @brief 64-bit registers. */
enum vtdpi_reg64 {
    VTDPI_CAP_REG = 0x08,
    VTDPI_ECAP_REG = 0x10,
    VTDPI_RTADDR_REG = 0x20,
    VTDPI_CCMD_REG = 0x28,
    VTDPI_IQH_REG = 0x80,
    VTDPI_IQT_REG = 0x88,
    VTDPI_IQA_REG = 0x90,
    VTDPI_IQER_REG = 0xb0,
    VTDPI_IRTA_REG = 0xb8,
};

/* Version Register */
#define VTDPI_VER_MAJOR   VTDPI_BITS64(7, 4)
#define VTDPI_VER_MINOR   VTDPI_BITS64(3, 0)

/* Capability Register */
#define VTDPI_CAP_ND      VTDPI_BITS64(2, 0)
#define VTDPI_CAP_RWBF    VTDPI_BIT64(4)
#define VTDPI_CAP_CM      VTDPI_BIT64(7)
#define VTDPI_CAP_SAGAW   VTDPI_BITS64(12, 8)
#define VTDPI_CAP_MGAW    VTDPI_BITS64(21, 16)
#define VTDPI_CAP_FRO     VTDPI_BITS64(33, 24)
#define VTDPI_CAP_NFR     VTDPI_BITS64(47, 40)
#define VTDPI_CAP_PI      VTDPI_BIT64(59)
#define VTDPI_CAP_FL5LP   VTDPI_BIT64(60)
#define VTDPI_CAP_ESIRTPS VTDPI_BIT64(62)
#define VTDPI_CAP_ESRTPS  VTDPI_BIT64(63)

/* Extended Capability Register */
#define VTDPI_ECAP_C      VTDPI_BIT64(0)
#define VTDPI_ECAP_QI     VTDPI_BIT64(1)
#define VTDPI_ECAP_DT     VTDPI_BIT64(2)
#define VTDPI_ECAP_IR     VTDPI_BIT64(3)
#define VTDPI_ECAP_EIM    VTDPI_BIT64(4)
#define VTDPI_ECAP_PT     VTDPI_BIT64(6)
#define VTDPI_ECAP_SC     VTDPI_BIT64(7)
#define VTDPI_ECAP_IRO    VTDPI_BITS64(17, 8)
#define VTDPI_ECAP_MHMV   VTDPI_BITS64(23, 20)
#define VTDPI_ECAP_SMTS   VTDPI_BIT64(43)

/* Global Command Register */
#define VTDPI_GCMD_TE     VTDPI_BIT64(31)
#define VTDPI_GCMD_SRTP   VTDPI_BIT64(30)
#define VTDPI_GCMD_SFL    VTDPI_BIT64(29)
#define VTDPI_GCMD_EAFL   VTDPI_BIT64(28)
#define VTDPI_GCMD_WBF    VTDPI_BIT64(27)
#define VTDPI_GCMD_QIE    VTDPI_BIT64(26)
#define VTDPI_GCMD_IRE    VTDPI_BIT64(25)
#define VTDPI_GCMD_SIRTP  VTDPI_BIT64(24)
#define VTDPI_GCMD_CFI    VTDPI_BIT64(23)

/** Commands that act once; software never echoes their status bits back. */
#define VTDPI_GCMD_ONE_SHOT \
    (VTDPI_GCMD_SRTP | VTDPI_GCMD_SFL | VTDPI_GCMD_WBF | VTDPI_GCMD_SIRTP)

/* Global Status Register: each bit sits where its command bit does. */
#define VTDPI_GSTS_TES       VTDPI_GCMD_TE
#define VTDPI_GSTS_RTPS      VTDPI_GCMD_SRTP
#define VTDPI_GSTS_FLS       VTDPI_GCMD_SFL
#define VTDPI_GSTS_AFLS      VTDPI_GCMD_EAFL
#define VTDPI_GSTS_WBFS      VTDPI_GCMD_WBF
#define VTDPI_GSTS_QIES      VTDPI_GCMD_QIE
#define VTDPI_GSTS_IRES      VTDPI_GCMD_IRE
#define VTDPI_GSTS_IRTPS     VTDPI_GCMD_SIRTP
#define VTDPI_GSTS_CFIS      VTDPI_GCMD_CFI

/* Fault Status Register: PFO, IQE, ICE, ITE and PRO are cleared by writing 1;
 * PPF follows the records' F bits. */
#define VTDPI_FSTS_PFO       VTDPI_BIT64(0)
#define VTDPI_FSTS_PPF       VTDPI_BIT64(1)
#define VTDPI_FSTS_IQE       VTDPI_BIT64(4)
#define VTDPI_FSTS_ICE       VTDPI_BIT64(5)
#define VTDPI_FSTS_ITE       VTDPI_BIT64(6)
#define VTDPI_FSTS_PRO       VTDPI_BIT64(7)
#define VTDPI_FSTS_FRI       VTDPI_BITS64(15, 8)

/* Fault Event Control Register */
#define VTDPI_FECTL_IM       VTDPI_BIT64(31)
#define VTDPI_FECTL_IP       VTDPI_BIT64(30)

/* Fault Recording Registers, 16 bytes each, as two 64-bit words. */
#define VTDPI_FRCD_SIZE      16
#define VTDPI_FRCD_LO_FI     VTDPI_BITS64(63, 12) /* DMA: fault address */
#define VTDPI_FRCD_LO_IINDEX VTDPI_BITS64(63, 48) /* interrupt: index */
#define VTDPI_FRCD_HI_SID    VTDPI_BITS64(15, 0)
#define VTDPI_FRCD_HI_FR     VTDPI_BITS64(39, 32)
#define VTDPI_FRCD_HI_T      VTDPI_BIT64(62)
#define VTDPI_FRCD_HI_F      VTDPI_BIT64(63)

/** @brief Fault reasons of interrupt remapping and posting. */
enum vtdpi_fault_reason {
    VTDPI_FR_REQUEST_RESERVED = 0x20, /**< Reserved field in the request. */
    VTDPI_FR_INDEX = 0x21,            /**< Index beyond the table. */
    VTDPI_FR_NOT_PRESENT = 0x22,      /**< Entry has P = 0. */
    VTDPI_FR_TABLE_ACCESS = 0x23,     /**< Table could not be read. */
    VTDPI_FR_IRTE_RESERVED = 0x24,    /**< Reserved field in the entry. */
    VTDPI_FR_COMPAT_BLOCKED = 0x25,   /**< Compatibility format blocked. */
    VTDPI_FR_SOURCE_ID = 0x26,        /**< Source-id check failed. */
    VTDPI_FR_PID_ACCESS = 0x27,       /**< Descriptor could not be accessed. */
    VTDPI_FR_PID_RESERVED = 0x28,     /**< Reserved field in the descriptor. */
};

/* Invalidation Queue Head and Tail Registers: byte offset of a descriptor. */
#define VTDPI_IQ_OFFSET    VTDPI_BITS64(18, 4)

/* Invalidation Queue Address Register */
#define VTDPI_IQA_BASE     VTDPI_BITS64(63, 12)
#define VTDPI_IQA_DW       VTDPI_BIT64(11)
#define VTDPI_IQA_QS       VTDPI_BITS64(2, 0)

/* Invalidation Queue Error Record Register */
#define VTDPI_IQER_IQEI    VTDPI_BITS64(3, 0)
#define VTDPI_IQER_ITE_SID VTDPI_BITS64(47, 32)
#define VTDPI_IQER_ICE_SID VTDPI_BITS64(63, 48)

/* Interrupt Remapping Table Address Register */
#define VTDPI_IRTA_BASE    VTDPI_BITS64(63, 12)
#define VTDPI_IRTA_EIME    VTDPI_BIT64(11)
#define VTDPI_IRTA_S       VTDPI_BITS64(3, 0)

/** @brief Types of invalidation descriptors. */
enum vtdpi_qi_type {
    VTDPI_QI_CONTEXT = 1,
    VTDPI_QI_IOTLB = 2,
    VTDPI_QI_DEV_TLB = 3,
    VTDPI_QI_IEC = 4,
    VTDPI_QI_WAIT = 5,
    VTDPI_QI_PASID_IOTLB = 6,
    VTDPI_QI_PASID_CACHE = 7,
    VTDPI_QI_PASID_DEV_TLB = 8,
    VTDPI_QI_PAGE_GROUP_RESPONSE = 9,
};

/* Invalidation descriptors: first 64-bit word. */
#define VTDPI_QI_TYPE            VTDPI_BITS64(3, 0)
#define VTDPI_IEC_G              VTDPI_BIT64(4)
#define VTDPI_IEC_IM             VTDPI_BITS64(31, 27)
#define VTDPI_IEC_IIDX           VTDPI_BITS64(47, 32)
#define VTDPI_IEC_RESERVED       (~VTDPI_BITS64(47, 27) & ~VTDPI_BITS64(4, 0))
#define VTDPI_WAIT_IF            VTDPI_BIT64(4)
#define VTDPI_WAIT_SW            VTDPI_BIT64(5)
#define VTDPI_WAIT_FN            VTDPI_BIT64(6)
#define VTDPI_WAIT_PD            VTDPI_BIT64(7)
#define VTDPI_WAIT_DATA          VTDPI_BITS64(63, 32)
#define VTDPI_WAIT_RESERVED      VTDPI_BITS64(31, 8)

/* Interrupt-remapping table entry, first word, both formats. */
#define VTDPI_IRTE_LO_P          VTDPI_BIT64(0)
#define VTDPI_IRTE_LO_FPD        VTDPI_BIT64(1)
#define VTDPI_IRTE_LO_AVAIL      VTDPI_BITS64(11, 8)
#define VTDPI_IRTE_LO_IM         VTDPI_BIT64(15)
#define VTDPI_IRTE_LO_VECTOR     VTDPI_BITS64(23, 16)

/* First word, remapped format. */
#define VTDPI_IRTE_LO_DM         VTDPI_BIT64(2)
#define VTDPI_IRTE_LO_RH         VTDPI_BIT64(3)
#define VTDPI_IRTE_LO_TM         VTDPI_BIT64(4)
#define VTDPI_IRTE_LO_DLM        VTDPI_BITS64(7, 5)
#define VTDPI_IRTE_LO_DST        VTDPI_BITS64(63, 32)
#define VTDPI_IRTE_LO_DST_XAPIC  VTDPI_BITS64(47, 40)
#define VTDPI_IRTE_LO_RSVD_REMAP (VTDPI_BITS64(14, 12) | VTDPI_BITS64(31, 24))

/* First word, posted format. */
#define VTDPI_IRTE_LO_URG        VTDPI_BIT64(14)
#define VTDPI_IRTE_LO_PDA        VTDPI_BITS64(63, 38) /* PDA 31:6 */
#define VTDPI_IRTE_LO_RSVD_POST \
    (VTDPI_BITS64(7, 2) | VTDPI_BITS64(13, 12) | VTDPI_BITS64(37, 24))

/* Second word, both formats. */
#define VTDPI_IRTE_HI_SID          VTDPI_BITS64(15, 0)
#define VTDPI_IRTE_HI_SQ           VTDPI_BITS64(17, 16)
#define VTDPI_IRTE_HI_SVT          VTDPI_BITS64(19, 18)

/* Second word, remapped format. */
#define VTDPI_IRTE_HI_RSVD_REMAP   VTDPI_BITS64(63, 20)

/* Second word, posted format. */
#define VTDPI_IRTE_HI_PDA          VTDPI_BITS64(63, 32) /* PDA 63:32 */
#define VTDPI_IRTE_HI_RSVD_POST    VTDPI_BITS64(31, 20)

/* Posted-interrupt descriptor: the control word, bits 319:256. */
#define VTDPI_PID_ON               VTDPI_BIT64(0)
#define VTDPI_PID_SN               VTDPI_BIT64(1)
#define VTDPI_PID_NV               VTDPI_BITS64(23, 16)
#define VTDPI_PID_NDST             VTDPI_BITS64(63, 32)
#define VTDPI_PID_RESERVED         (VTDPI_BITS64(15, 2) | VTDPI_BITS64(31, 24))

/* Message address, low word, both formats. */
#define VTDPI_MSI_ADDR_BASE_MASK   VTDPI_BITS64(31, 20)
#define VTDPI_MSI_ADDR_BASE        UINT64_C(0xfee00000)
#define VTDPI_MSI_ADDR_FORMAT      VTDPI_BIT64(4) /* 1: remappable */

/* Message in remappable format. */
#define VTDPI_MSI_ADDR_HANDLE_14_0 VTDPI_BITS64(19, 5)
#define VTDPI_MSI_ADDR_SHV         VTDPI_BIT64(3)
#define VTDPI_MSI_ADDR_HANDLE_15   VTDPI_BIT64(2)
#define VTDPI_MSI_DATA_SUBHANDLE   VTDPI_BITS64(15, 0)
#define VTDPI_MSI_DATA_RESERVED    VTDPI_BITS64(31, 16)

/* Message in compatibility format. */
#define VTDPI_COMPAT_ADDR_DEST     VTDPI_BITS64(19, 12)
#define VTDPI_COMPAT_ADDR_EXT_DEST VTDPI_BITS64(11, 5)
#define VTDPI_COMPAT_ADDR_RH       VTDPI_BIT64(3)
#define VTDPI_COMPAT_ADDR_DM       VTDPI_BIT64(2)
#define VTDPI_COMPAT_HI_DEST       VTDPI_BITS64(31, 8) /* high word */
#define VTDPI_COMPAT_DATA_TRIGGER  VTDPI_BIT64(15)
#define VTDPI_COMPAT_DATA_LEVEL    VTDPI_BIT64(14)
#define VTDPI_COMPAT_DATA_DLM      VTDPI_BITS64(10, 8)
#define VTDPI_COMPAT_DATA_VECTOR   VTDPI_BITS64(7, 0)
#define VTDPI_COMPAT_DATA_RESERVED (VTDPI_BITS64(31, 16) | VTDPI_BITS64(13, 11))

/* IOAPIC redirection table entry in remappable format. */
#define VTDPI_RTE_VECTOR           VTDPI_BITS64(7, 0)
#define VTDPI_RTE_INDEX_15         VTDPI_BIT64(11)
#define VTDPI_RTE_DELIVERY_STATUS  VTDPI_BIT64(12)
#define VTDPI_RTE_POLARITY         VTDPI_BIT64(13)
#define VTDPI_RTE_REMOTE_IRR       VTDPI_BIT64(14)
#define VTDPI_RTE_TRIGGER          VTDPI_BIT64(15)
#define VTDPI_RTE_MASK             VTDPI_BIT64(16)
#define VTDPI_RTE_FORMAT           VTDPI_BIT64(48) /* 1: remappable */
#define VTDPI_RTE_INDEX_14_0       VTDPI_BITS64(63, 49)
#define VTDPI_RTE_RESERVED         (VTDPI_BITS64(47, 17) | VTDPI_BITS64(10, 8))

VTDPI_END_DECLS

#endif
