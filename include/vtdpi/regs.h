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

/** Value of the field @p mask, 64 bits wide, in @p word. */
#define VTDPI_FIELD_GET(word, mask) \
    (((word) & (mask)) / ((mask) & (~(mask) + 1)))

/** @p value placed at the field @p mask, 64 bits wide; excess bits are
 *  dropped. */
#define VTDPI_FIELD_PUT(value, mask) \
    (((value) * ((mask) & (~(mask) + 1))) & (mask))

/** Bit @p n of a 64-bit word. */
#define VTDPI_BIT64(n) (UINT64_C(1) << (n))

/** Bits @p hi down to @p lo of a 64-bit word. */
#define VTDPI_BITS64(hi, lo) \
    ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))

/** @brief 32-bit registers. */
enum vtdpi_reg32 {
    VTDPI_VER_REG = 0x00,     /**< Version. */
    VTDPI_GCMD_REG = 0x18,    /**< Global Command. */
    VTDPI_GSTS_REG = 0x1c,    /**< Global Status. */
    VTDPI_FSTS_REG = 0x34,    /**< Fault Status. */
    VTDPI_FECTL_REG = 0x38,   /**< Fault Event Control. */
    VTDPI_FEDATA_REG = 0x3c,  /**< Fault Event Data. */
    VTDPI_FEADDR_REG = 0x40,  /**< Fault Event Address. */
    VTDPI_FEUADDR_REG = 0x44, /**< Fault Event Upper Address. */
    VTDPI_ICS_REG = 0x9c,     /**< Invalidation Completion Status. */
    VTDPI_IECTL_REG = 0xa0,   /**< Invalidation Event Control. */
    VTDPI_IEDATA_REG = 0xa4,  /**< Invalidation Event Data. */
    VTDPI_IEADDR_REG = 0xa8,  /**< Invalidation Event Address. */
    VTDPI_IEUADDR_REG = 0xac, /**< Invalidation Event Upper Address. */
};

/** @brief 64-bit registers. */
enum vtdpi_reg64 {
    VTDPI_CAP_REG = 0x08,    /**< Capability. */
    VTDPI_ECAP_REG = 0x10,   /**< Extended Capability. */
    VTDPI_RTADDR_REG = 0x20, /**< Root Table Address. */
    VTDPI_CCMD_REG = 0x28,   /**< Context Command. */
    VTDPI_IQH_REG = 0x80,    /**< Invalidation Queue Head. */
    VTDPI_IQT_REG = 0x88,    /**< Invalidation Queue Tail. */
    VTDPI_IQA_REG = 0x90,    /**< Invalidation Queue Address. */
    VTDPI_IQER_REG = 0xb0,   /**< Invalidation Queue Error Record. */
    VTDPI_IRTA_REG = 0xb8,   /**< Interrupt Remapping Table Address. */
};

/* Fields: a table, one a line, so not for the formatter. */
/* clang-format off */

/* Version Register */
#define VTDPI_VER_MAJOR VTDPI_BITS64(7, 4) /**< Major version. */
#define VTDPI_VER_MINOR VTDPI_BITS64(3, 0) /**< Minor version. */

/* Capability Register */
#define VTDPI_CAP_ND      VTDPI_BITS64(2, 0)   /**< Number of domains. */
#define VTDPI_CAP_RWBF    VTDPI_BIT64(4)       /**< Flush writes. */
#define VTDPI_CAP_CM      VTDPI_BIT64(7)       /**< Caching mode. */
#define VTDPI_CAP_SAGAW   VTDPI_BITS64(12, 8)  /**< Guest address widths. */
#define VTDPI_CAP_MGAW    VTDPI_BITS64(21, 16) /**< Widest guest address - 1. */
#define VTDPI_CAP_FRO     VTDPI_BITS64(33, 24) /**< Records: offset / 16. */
#define VTDPI_CAP_NFR     VTDPI_BITS64(47, 40) /**< Records: number - 1. */
#define VTDPI_CAP_PI      VTDPI_BIT64(59)      /**< Posted interrupts. */
#define VTDPI_CAP_FL5LP   VTDPI_BIT64(60)      /**< 5-level first stage. */
#define VTDPI_CAP_ESIRTPS VTDPI_BIT64(62)      /**< SIRTP flushes the IEC. */
#define VTDPI_CAP_ESRTPS  VTDPI_BIT64(63)      /**< SRTP flushes DMA caches. */

/* Extended Capability Register */
#define VTDPI_ECAP_C    VTDPI_BIT64(0)       /**< Table walks are coherent. */
#define VTDPI_ECAP_QI   VTDPI_BIT64(1)       /**< Queued invalidation. */
#define VTDPI_ECAP_DT   VTDPI_BIT64(2)       /**< Device-TLBs. */
#define VTDPI_ECAP_IR   VTDPI_BIT64(3)       /**< Interrupt remapping. */
#define VTDPI_ECAP_EIM  VTDPI_BIT64(4)       /**< x2APIC destinations. */
#define VTDPI_ECAP_PT   VTDPI_BIT64(6)       /**< Pass-through. */
#define VTDPI_ECAP_SC   VTDPI_BIT64(7)       /**< Snoop control. */
#define VTDPI_ECAP_IRO  VTDPI_BITS64(17, 8)  /**< IOTLB: offset / 16. */
#define VTDPI_ECAP_MHMV VTDPI_BITS64(23, 20) /**< Largest IM of an IEC flush. */
#define VTDPI_ECAP_SMTS VTDPI_BIT64(43)      /**< Scalable-mode translation. */

/* Global Command Register */
#define VTDPI_GCMD_TE    VTDPI_BIT64(31) /**< DMA remapping on. */
#define VTDPI_GCMD_SRTP  VTDPI_BIT64(30) /**< Set root table pointer. */
#define VTDPI_GCMD_SFL   VTDPI_BIT64(29) /**< Set fault log. */
#define VTDPI_GCMD_EAFL  VTDPI_BIT64(28) /**< Advanced fault log on. */
#define VTDPI_GCMD_WBF   VTDPI_BIT64(27) /**< Flush the write buffer. */
#define VTDPI_GCMD_QIE   VTDPI_BIT64(26) /**< Queued invalidation on. */
#define VTDPI_GCMD_IRE   VTDPI_BIT64(25) /**< Interrupt remapping on. */
#define VTDPI_GCMD_SIRTP VTDPI_BIT64(24) /**< Set interrupt table pointer. */
#define VTDPI_GCMD_CFI   VTDPI_BIT64(23) /**< Let compatibility format pass. */

/** Commands that act once; software never echoes their status bits back. */
#define VTDPI_GCMD_ONE_SHOT \
    (VTDPI_GCMD_SRTP | VTDPI_GCMD_SFL | VTDPI_GCMD_WBF | VTDPI_GCMD_SIRTP)

/* Global Status Register: each bit sits where its command bit does. */
#define VTDPI_GSTS_TES   VTDPI_GCMD_TE    /**< DMA remapping is on. */
#define VTDPI_GSTS_RTPS  VTDPI_GCMD_SRTP  /**< Root table pointer is set. */
#define VTDPI_GSTS_FLS   VTDPI_GCMD_SFL   /**< Fault log is set. */
#define VTDPI_GSTS_AFLS  VTDPI_GCMD_EAFL  /**< Advanced fault log is on. */
#define VTDPI_GSTS_WBFS  VTDPI_GCMD_WBF   /**< Write buffer is flushing. */
#define VTDPI_GSTS_QIES  VTDPI_GCMD_QIE   /**< Queued invalidation is on. */
#define VTDPI_GSTS_IRES  VTDPI_GCMD_IRE   /**< Interrupt remapping is on. */
#define VTDPI_GSTS_IRTPS VTDPI_GCMD_SIRTP /**< Interrupt table is set. */
#define VTDPI_GSTS_CFIS  VTDPI_GCMD_CFI   /**< Compatibility format passes. */

/* Fault Status Register: PFO, IQE, ICE, ITE and PRO are cleared by writing 1;
 * PPF follows the records' F bits. */
#define VTDPI_FSTS_PFO VTDPI_BIT64(0)      /**< Fault records overflowed. */
#define VTDPI_FSTS_PPF VTDPI_BIT64(1)      /**< A fault record is pending. */
#define VTDPI_FSTS_AFO VTDPI_BIT64(2)      /**< Advanced faults lost. */
#define VTDPI_FSTS_APF VTDPI_BIT64(3)      /**< An advanced fault is pending. */
#define VTDPI_FSTS_IQE VTDPI_BIT64(4)      /**< Queue error. */
#define VTDPI_FSTS_ICE VTDPI_BIT64(5)      /**< Completion error. */
#define VTDPI_FSTS_ITE VTDPI_BIT64(6)      /**< Time-out error. */
#define VTDPI_FSTS_PRO VTDPI_BIT64(7)      /**< Page request overflow. */
#define VTDPI_FSTS_FRI VTDPI_BITS64(15, 8) /**< First pending fault record. */

/* Fault Event Control Register */
#define VTDPI_FECTL_IM VTDPI_BIT64(31) /**< Fault event is masked. */
#define VTDPI_FECTL_IP VTDPI_BIT64(30) /**< Fault event is held back. */

/* Fault Recording Registers, 16 bytes each, as two 64-bit words. */
#define VTDPI_FRCD_SIZE      16                   /**< Bytes of a record. */
#define VTDPI_FRCD_LO_FI     VTDPI_BITS64(63, 12) /**< DMA: fault address. */
#define VTDPI_FRCD_LO_IINDEX VTDPI_BITS64(63, 48) /**< Interrupt: index. */
#define VTDPI_FRCD_HI_SID    VTDPI_BITS64(15, 0)  /**< Source id. */
#define VTDPI_FRCD_HI_FR     VTDPI_BITS64(39, 32) /**< Fault reason. */
#define VTDPI_FRCD_HI_T      VTDPI_BIT64(62)      /**< DMA: request type. */
#define VTDPI_FRCD_HI_F      VTDPI_BIT64(63)      /**< Valid; 1 clears. */

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
#define VTDPI_IQ_OFFSET VTDPI_BITS64(18, 4) /**< Offset of a descriptor. */

/* Invalidation Queue Address Register */
#define VTDPI_IQA_BASE VTDPI_BITS64(63, 12) /**< Address of the queue. */
#define VTDPI_IQA_DW   VTDPI_BIT64(11)      /**< Descriptors are 256 bits. */
#define VTDPI_IQA_QS   VTDPI_BITS64(2, 0)   /**< Queue has 2^QS pages. */

/* Invalidation Queue Error Record Register */
#define VTDPI_IQER_IQEI    VTDPI_BITS64(3, 0)   /**< Cause of IQE. */
#define VTDPI_IQER_ITE_SID VTDPI_BITS64(47, 32) /**< Device behind an ITE. */
#define VTDPI_IQER_ICE_SID VTDPI_BITS64(63, 48) /**< Device behind an ICE. */

/* Interrupt Remapping Table Address Register */
#define VTDPI_IRTA_BASE VTDPI_BITS64(63, 12) /**< Address of the table. */
#define VTDPI_IRTA_EIME VTDPI_BIT64(11)      /**< 32-bit destinations. */
#define VTDPI_IRTA_S    VTDPI_BITS64(3, 0)   /**< Table has 2^(S+1) entries. */

/** @brief Types of invalidation descriptors. */
enum vtdpi_qi_type {
    VTDPI_QI_CONTEXT = 1, /**< Context cache. */
    VTDPI_QI_IOTLB = 2, /**< IOTLB. */
    VTDPI_QI_DEV_TLB = 3, /**< TLB of a device. */
    VTDPI_QI_IEC = 4, /**< Interrupt entry cache. */
    VTDPI_QI_WAIT = 5, /**< Wait for all before. */
    VTDPI_QI_PASID_IOTLB = 6, /**< IOTLB, of a PASID. */
    VTDPI_QI_PASID_CACHE = 7, /**< PASID cache. */
    VTDPI_QI_PASID_DEV_TLB = 8, /**< TLB of a device, of a PASID. */
    VTDPI_QI_PAGE_GROUP_RESPONSE = 9, /**< Answer to page requests. */
};

/* Invalidation descriptors: first 64-bit word. */
#define VTDPI_QI_TYPE  VTDPI_BITS64(3, 0)   /**< Type, low part. */
#define VTDPI_IEC_G    VTDPI_BIT64(4)       /**< 0 global, 1 index. */
#define VTDPI_IEC_IM   VTDPI_BITS64(31, 27) /**< Index mask: 2^IM entries. */
#define VTDPI_IEC_IIDX VTDPI_BITS64(47, 32) /**< First index. */

/** Bits of an IEC descriptor's first word that must be zero. */
#define VTDPI_IEC_RESERVED (~VTDPI_BITS64(47, 27) & ~VTDPI_BITS64(4, 0))

#define VTDPI_WAIT_IF   VTDPI_BIT64(4)       /**< Interrupt when done. */
#define VTDPI_WAIT_SW   VTDPI_BIT64(5)       /**< Write status when done. */
#define VTDPI_WAIT_FN   VTDPI_BIT64(6)       /**< Fence: wait for all before. */
#define VTDPI_WAIT_PD   VTDPI_BIT64(7)       /**< Drain page requests. */
#define VTDPI_WAIT_DATA VTDPI_BITS64(63, 32) /**< Value of the status word. */

/** Bits of a wait descriptor's first word that must be zero. */
#define VTDPI_WAIT_RESERVED VTDPI_BITS64(31, 8)

/* Context-cache descriptor. */
#define VTDPI_CONTEXT_G   VTDPI_BITS64(5, 4)   /**< Granularity. */
#define VTDPI_CONTEXT_DID VTDPI_BITS64(31, 16) /**< Domain id. */
#define VTDPI_CONTEXT_SID VTDPI_BITS64(47, 32) /**< Source id. */
#define VTDPI_CONTEXT_FM  VTDPI_BITS64(49, 48) /**< Function mask. */

/** Bits of a context-cache descriptor's first word that must be zero. */
#define VTDPI_CONTEXT_RESERVED (VTDPI_BITS64(15, 6) | VTDPI_BITS64(63, 50))

/* IOTLB descriptor. */
#define VTDPI_IOTLB_G   VTDPI_BITS64(5, 4)   /**< Granularity. */
#define VTDPI_IOTLB_DW  VTDPI_BIT64(6)       /**< Drain writes. */
#define VTDPI_IOTLB_DR  VTDPI_BIT64(7)       /**< Drain reads. */
#define VTDPI_IOTLB_DID VTDPI_BITS64(31, 16) /**< Domain id. */

/** Bits of an IOTLB descriptor's first word that must be zero. */
#define VTDPI_IOTLB_RESERVED (VTDPI_BITS64(15, 8) | VTDPI_BITS64(63, 32))

/* Second word, with and without PASID. */
#define VTDPI_IOTLB_HI_AM   VTDPI_BITS64(5, 0)   /**< Mask: 2^AM pages. */
#define VTDPI_IOTLB_HI_IH   VTDPI_BIT64(6)       /**< Invalidation hint. */
#define VTDPI_IOTLB_HI_ADDR VTDPI_BITS64(63, 12) /**< First page. */

/** Bits of that second word that must be zero. */
#define VTDPI_IOTLB_HI_RESERVED VTDPI_BITS64(11, 7)

/* Device-TLB descriptor. */
#define VTDPI_DEV_TLB_PFSID_3_0  VTDPI_BITS64(15, 12) /**< PFSID 3:0. */
#define VTDPI_DEV_TLB_MIP        VTDPI_BITS64(20, 16) /**< Max. pending. */
#define VTDPI_DEV_TLB_SID        VTDPI_BITS64(47, 32) /**< Source id. */
#define VTDPI_DEV_TLB_PFSID_15_4 VTDPI_BITS64(63, 52) /**< PFSID 15:4. */

/** Bits of a device-TLB descriptor's first word that must be zero. */
#define VTDPI_DEV_TLB_RESERVED \
    (VTDPI_BITS64(11, 4) | VTDPI_BITS64(31, 21) | VTDPI_BITS64(51, 48))

#define VTDPI_DEV_TLB_HI_S    VTDPI_BIT64(0)       /**< More than a page. */
#define VTDPI_DEV_TLB_HI_ADDR VTDPI_BITS64(63, 12) /**< Pages, as in ATS. */

/** Bits of a device-TLB descriptor's second word that must be zero. */
#define VTDPI_DEV_TLB_HI_RESERVED VTDPI_BITS64(11, 1)

/* PASID-cache descriptor, and the first word of one for the IOTLB by PASID. */
#define VTDPI_PASID_CACHE_G     VTDPI_BITS64(5, 4)   /**< Granularity. */
#define VTDPI_PASID_CACHE_DID   VTDPI_BITS64(31, 16) /**< Domain id. */
#define VTDPI_PASID_CACHE_PASID VTDPI_BITS64(51, 32) /**< PASID. */

/** Bits of that first word that must be zero. */
#define VTDPI_PASID_CACHE_RESERVED (VTDPI_BITS64(15, 6) | VTDPI_BITS64(63, 52))

/* Device-TLB descriptor with PASID. */
#define VTDPI_PASID_DEV_TLB_MIP        VTDPI_BITS64(8, 4)   /**< Max. pending. */
#define VTDPI_PASID_DEV_TLB_PFSID_3_0  VTDPI_BITS64(15, 12) /**< PFSID 3:0. */
#define VTDPI_PASID_DEV_TLB_SID        VTDPI_BITS64(31, 16) /**< Source id. */
#define VTDPI_PASID_DEV_TLB_PASID      VTDPI_BITS64(51, 32) /**< PASID. */
#define VTDPI_PASID_DEV_TLB_PFSID_15_4 VTDPI_BITS64(63, 52) /**< PFSID 15:4. */

/** Bits of that descriptor's first word that must be zero. */
#define VTDPI_PASID_DEV_TLB_RESERVED VTDPI_BITS64(11, 9)

#define VTDPI_PASID_DEV_TLB_HI_G    VTDPI_BIT64(0)       /**< All PASIDs. */
#define VTDPI_PASID_DEV_TLB_HI_S    VTDPI_BIT64(11)      /**< More than a page. */
#define VTDPI_PASID_DEV_TLB_HI_ADDR VTDPI_BITS64(63, 12) /**< Pages, as in ATS. */

/** Bits of that descriptor's second word that must be zero. */
#define VTDPI_PASID_DEV_TLB_HI_RESERVED VTDPI_BITS64(10, 1)

/** @brief Granularities of context-cache and IOTLB descriptors. */
enum vtdpi_qi_granularity {
    VTDPI_QI_GLOBAL = 1, /**< All. */
    VTDPI_QI_DOMAIN = 2, /**< A domain. */
    VTDPI_QI_SELECTIVE = 3, /**< A device; pages of a domain. */
};

/** @brief Granularities of a PASID-cache descriptor. */
enum vtdpi_qi_pasid_cache_granularity {
    VTDPI_QI_PASID_CACHE_DOMAIN = 0, /**< All PASIDs of a domain. */
    VTDPI_QI_PASID_CACHE_SELECTIVE = 1, /**< A PASID of a domain. */
    VTDPI_QI_PASID_CACHE_GLOBAL = 3, /**< All. */
};

/** @brief Granularities of an IOTLB descriptor with PASID. */
enum vtdpi_qi_pasid_iotlb_granularity {
    VTDPI_QI_PASID_IOTLB_ALL = 2,   /**< All pages of a PASID. */
    VTDPI_QI_PASID_IOTLB_PAGES = 3, /**< Some pages of a PASID. */
};

/* Interrupt-remapping table entry, first word, both formats. */
#define VTDPI_IRTE_LO_P      VTDPI_BIT64(0)       /**< Present. */
#define VTDPI_IRTE_LO_FPD    VTDPI_BIT64(1)       /**< Hide faults. */
#define VTDPI_IRTE_LO_AVAIL  VTDPI_BITS64(11, 8)  /**< Left to software. */
#define VTDPI_IRTE_LO_IM     VTDPI_BIT64(15)      /**< 0 remapped, 1 posted. */
#define VTDPI_IRTE_LO_VECTOR VTDPI_BITS64(23, 16) /**< Vector. */

/* First word, remapped format. */
#define VTDPI_IRTE_LO_DM        VTDPI_BIT64(2)       /**< 1: logical. */
#define VTDPI_IRTE_LO_RH        VTDPI_BIT64(3)       /**< Redirection hint. */
#define VTDPI_IRTE_LO_TM        VTDPI_BIT64(4)       /**< 1: level. */
#define VTDPI_IRTE_LO_DLM       VTDPI_BITS64(7, 5)   /**< Delivery mode. */
#define VTDPI_IRTE_LO_DST       VTDPI_BITS64(63, 32) /**< APIC id, EIME 1. */
#define VTDPI_IRTE_LO_DST_XAPIC VTDPI_BITS64(47, 40) /**< APIC id, EIME 0. */

/** Bits of a remapped entry's first word that must be zero. */
#define VTDPI_IRTE_LO_RSVD_REMAP (VTDPI_BITS64(14, 12) | VTDPI_BITS64(31, 24))

/* First word, posted format. */
#define VTDPI_IRTE_LO_URG VTDPI_BIT64(14)      /**< Urgent. */
#define VTDPI_IRTE_LO_PDA VTDPI_BITS64(63, 38) /**< Descriptor address 31:6. */

/** Bits of a posted entry's first word that must be zero. */
#define VTDPI_IRTE_LO_RSVD_POST \
    (VTDPI_BITS64(7, 2) | VTDPI_BITS64(13, 12) | VTDPI_BITS64(37, 24))

/* Second word, both formats. */
#define VTDPI_IRTE_HI_SID VTDPI_BITS64(15, 0)  /**< Source id. */
#define VTDPI_IRTE_HI_SQ  VTDPI_BITS64(17, 16) /**< Source-id qualifier. */
#define VTDPI_IRTE_HI_SVT VTDPI_BITS64(19, 18) /**< Source validation type. */

/* Second word, remapped format. */

/** Bits of a remapped entry's second word that must be zero. */
#define VTDPI_IRTE_HI_RSVD_REMAP VTDPI_BITS64(63, 20)

/* Second word, posted format. */
#define VTDPI_IRTE_HI_PDA VTDPI_BITS64(63, 32) /**< Descriptor address 63:32. */

/** Bits of a posted entry's second word that must be zero. */
#define VTDPI_IRTE_HI_RSVD_POST VTDPI_BITS64(31, 20)

/* Posted-interrupt descriptor: the control word, bits 319:256. */
#define VTDPI_PID_ON   VTDPI_BIT64(0)       /**< Outstanding notification. */
#define VTDPI_PID_SN   VTDPI_BIT64(1)       /**< Suppress notification. */
#define VTDPI_PID_NV   VTDPI_BITS64(23, 16) /**< Notification vector. */
#define VTDPI_PID_NDST VTDPI_BITS64(63, 32) /**< Notification destination. */

/** Bits of a control word that must be zero. */
#define VTDPI_PID_RESERVED (VTDPI_BITS64(15, 2) | VTDPI_BITS64(31, 24))

/* Message address, low word, both formats. */
#define VTDPI_MSI_ADDR_BASE_MASK VTDPI_BITS64(31, 20)   /**< Fixed part. */
#define VTDPI_MSI_ADDR_BASE      UINT64_C(0xfee00000)   /**< Its value. */
#define VTDPI_MSI_ADDR_FORMAT    VTDPI_BIT64(4)         /**< 1: remappable. */

/* Message in remappable format. */
#define VTDPI_MSI_ADDR_HANDLE_14_0 VTDPI_BITS64(19, 5)  /**< Handle 14:0. */
#define VTDPI_MSI_ADDR_SHV         VTDPI_BIT64(3)       /**< Subhandle valid. */
#define VTDPI_MSI_ADDR_HANDLE_15   VTDPI_BIT64(2)       /**< Handle 15. */
#define VTDPI_MSI_DATA_SUBHANDLE   VTDPI_BITS64(15, 0)  /**< Added to handle. */
#define VTDPI_MSI_DATA_RESERVED    VTDPI_BITS64(31, 16) /**< Must be zero. */

/* Message in compatibility format. */
#define VTDPI_COMPAT_ADDR_DEST     VTDPI_BITS64(19, 12) /**< APIC id 7:0. */
#define VTDPI_COMPAT_ADDR_EXT_DEST VTDPI_BITS64(11, 5)  /**< APIC id 14:8. */
#define VTDPI_COMPAT_ADDR_RH       VTDPI_BIT64(3)       /**< Redirection. */
#define VTDPI_COMPAT_ADDR_DM       VTDPI_BIT64(2)       /**< 1: logical. */
#define VTDPI_COMPAT_HI_DEST       VTDPI_BITS64(31, 8)  /**< Id 31:8, high. */
#define VTDPI_COMPAT_DATA_TRIGGER  VTDPI_BIT64(15)      /**< 1: level. */
#define VTDPI_COMPAT_DATA_LEVEL    VTDPI_BIT64(14)      /**< 1: assert. */
#define VTDPI_COMPAT_DATA_DLM      VTDPI_BITS64(10, 8)  /**< Delivery mode. */
#define VTDPI_COMPAT_DATA_VECTOR   VTDPI_BITS64(7, 0)   /**< Vector. */

/** Bits of the data of a compatibility-format message that must be zero. */
#define VTDPI_COMPAT_DATA_RESERVED (VTDPI_BITS64(31, 16) | VTDPI_BITS64(13, 11))

/* IOAPIC redirection table entry in remappable format. */
#define VTDPI_RTE_VECTOR          VTDPI_BITS64(7, 0)   /**< Vector, for EOI. */
#define VTDPI_RTE_INDEX_15        VTDPI_BIT64(11)      /**< Index 15. */
#define VTDPI_RTE_DELIVERY_STATUS VTDPI_BIT64(12)      /**< Read only. */
#define VTDPI_RTE_POLARITY        VTDPI_BIT64(13)      /**< 1: active low. */
#define VTDPI_RTE_REMOTE_IRR      VTDPI_BIT64(14)      /**< Read only. */
#define VTDPI_RTE_TRIGGER         VTDPI_BIT64(15)      /**< 1: level. */
#define VTDPI_RTE_MASK            VTDPI_BIT64(16)      /**< 1: masked. */
#define VTDPI_RTE_FORMAT          VTDPI_BIT64(48)      /**< 1: remappable. */
#define VTDPI_RTE_INDEX_14_0      VTDPI_BITS64(63, 49) /**< Index 14:0. */

/** Bits of a remappable entry that must be zero. */
#define VTDPI_RTE_RESERVED (VTDPI_BITS64(47, 17) | VTDPI_BITS64(10, 8))

/* clang-format on */

VTDPI_END_DECLS

#endif
