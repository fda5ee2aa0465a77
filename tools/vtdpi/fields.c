/* SPDX-License-Identifier: BSD-2-Clause */
/* The names in the lines of format.h, and a few that logs and manuals have. */
#include "decode.h"

const struct field_text field_texts[] = {
    /* Of CAP, what concerns interrupts. */
    {"CAP", "PI",
     "Posted interrupts: the unit can post. Posting needs this bit in every "
     "unit "
     "of the machine."},
    {"CAP", "ESIRTPS",
     "The command SIRTP also flushes the interrupt entry cache. Without this "
     "bit "
     "software has to flush after SIRTP."},
    {"CAP", "CM",
     "Caching mode: an emulated unit. The unit may cache entries that are not "
     "present, so software flushes after each change."},
    {"CAP", "RWBF",
     "The chipset's write buffer has to be flushed before the unit sees what "
     "software wrote."},
    {"CAP", "NFR", "Number of fault recording registers, less one."},
    {"CAP", "FRO",
     "Offset of the first fault recording register, divided by 16."},
    {"CAP", "ND", "Number of domains, coded. DMA translation only."},
    {"CAP", "AFL", "Advanced fault log. Hardware does not have it."},
    {"CAP", "PLMR", "Protected low memory region. DMA only."},
    {"CAP", "PHMR", "Protected high memory region. DMA only."},
    {"CAP", "SAGAW", "Address widths of guests, coded. DMA translation only."},
    {"CAP", "MGAW",
     "Widest address of a guest in bits, less one. DMA translation only."},
    {"CAP", "ZLR", "Zero-length DMA reads. DMA translation only."},
    {"CAP", "SLLPS", "Large pages of the second stage. DMA translation only."},
    {"CAP", "PSI", "Invalidation by page. DMA translation only."},
    {"CAP", "MAMV", "Largest mask of an invalidation by page. DMA only."},
    {"CAP", "DWD", "Draining of DMA writes."},
    {"CAP", "DRD", "Draining of DMA reads."},
    {"CAP", "FL1GP", "1 GiB pages of the first stage. DMA translation only."},
    {"CAP", "FL5LP", "Five levels of the first stage. DMA translation only."},
    {"CAP", "ESRTPS",
     "The command SRTP also flushes the caches of DMA translation."},
    /* The same of ECAP. */
    {"ECAP", "QI",
     "Queued invalidation. Interrupt remapping needs it: the interrupt entry "
     "cache is flushed by the queue only."},
    {"ECAP", "IR",
     "Interrupt remapping: the unit can look up interrupt requests in a "
     "table."},
    {"ECAP", "EIM",
     "Extended interrupt mode: destinations of 32 bits. CPUs in x2APIC mode "
     "need "
     "this bit in every unit."},
    {"ECAP", "C",
     "Coherent: the unit snoops caches when it reads tables. Without this bit "
     "software writes table entries back to memory."},
    {"ECAP", "MHMV", "Largest mask (IM) of a flush of interrupt entries."},
    {"ECAP", "IRO", "Offset of the IOTLB registers, divided by 16."},
    {"ECAP", "DT", "Device-TLBs. DMA translation only."},
    {"ECAP", "PT", "Pass-through. DMA translation only."},
    {"ECAP", "SC", "Snoop control. DMA translation only."},
    {"ECAP", "NEST", "Nested translation. DMA translation only."},
    {"ECAP", "PRS", "Page requests. DMA translation only."},
    {"ECAP", "ERS", "Execute requests. DMA translation only."},
    {"ECAP", "SRS", "Supervisor requests. DMA translation only."},
    {"ECAP", "NWFS", "No-write flag. DMA translation only."},
    {"ECAP", "EAFS", "Extended accessed flag. DMA translation only."},
    {"ECAP", "PSS", "Size of PASIDs in bits, less one. DMA translation only."},
    {"ECAP", "PASID", "Process address space ids. DMA translation only."},
    {"ECAP", "DIT", "Device-TLB invalidations are throttled. DMA only."},
    {"ECAP", "PDS", "Page-request draining. DMA translation only."},
    {"ECAP", "SMTS",
     "Scalable mode. For interrupts: the queue can have descriptors of 256 "
     "bits."},
    {"ECAP", "VCS", "Virtual commands. For guests' own PASIDs."},
    {"ECAP", "SLADS", "Accessed and dirty bits of the second stage. DMA only."},
    {"ECAP", "SLTS", "Second-stage translation. DMA translation only."},
    {"ECAP", "FLTS", "First-stage translation. DMA translation only."},
    {"ECAP", "SMPWCS", "Page walks of scalable mode are coherent. DMA only."},
    {"ECAP", "RPS", "PASIDs of requests without one. DMA translation only."},
    /* Entries of the interrupt remapping table. */
    {"IRTE", "P", "Present. With P=0 each request is blocked, reason 0x22."},
    {"IRTE", "FPD",
     "Fault processing disable: faults 0x22, 0x24 and 0x26 to 0x28 of this "
     "entry are not recorded."},
    {"IRTE", "IM", "Format: 0 is remapped, 1 is posted."},
    {"IRTE", "V",
     "Vector. In a remapped entry that of the host, in a posted entry that of "
     "the guest."},
    {"IRTE", "DST",
     "Destination: an APIC id, or with DM=1 a logical destination. In xAPIC "
     "mode bits 15:8 of the field."},
    {"IRTE", "DM", "Destination mode: 1 is logical."},
    {"IRTE", "RH",
     "Redirection hint: 1 lets one of several destinations take "
     "the interrupt."},
    {"IRTE", "TM", "Trigger mode: 1 is level."},
    {"IRTE", "DLM",
     "Delivery mode: 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT, 7 "
     "ExtINT; 3 and 6 are reserved."},
    {"IRTE", "AVAIL", "Four bits for software. The unit does not read them."},
    {"IRTE", "URG",
     "Urgent: the post notifies the CPU even if SN is set in the descriptor."},
    {"IRTE", "PDA", "Address of the posted-interrupt descriptor."},
    {"IRTE", "SID",
     "Source id: bus in bits 15:8, device in 7:3, function in "
     "2:0. Which requests may use the entry, see SVT."},
    {"IRTE", "BDF", "SID as bus:device.function."},
    {"IRTE", "SVT",
     "Source validation type: 0 accepts every requester, 1 compares SID (see "
     "SQ), 2 takes SID as a range of buses. 3 is reserved."},
    {"IRTE", "SQ",
     "Source qualifier, with SVT=1: 0 compares all bits of SID, 1 all but bit "
     "2, 2 all but bits 2:1, 3 all but bits 2:0."},
    {"IRTE", "buses", "With SVT=2: first and last bus that are accepted."},
    /* Posted-interrupt descriptors. */
    {"PID", "ON",
     "Outstanding notification: a poster has sent a notification, or is about "
     "to, and nobody has taken PIR since."},
    {"PID", "SN",
     "Suppress notification: vectors are recorded and nobody is notified, as "
     "while a vCPU is preempted."},
    {"PID", "NV", "Notification vector: the host vector of the notification."},
    {"PID", "NDST",
     "Notification destination: the APIC id in x2APIC mode; in xAPIC mode the "
     "id is in bits 15:8."},
    {"PID", "PIR", "Posted-interrupt requests: a bit for each of 256 vectors."},
    {"PID", "vectors", "The vectors whose bits are set in PIR."},
    {"PID", "control", "The word with ON, SN, NV and NDST."},
    /* Requests. */
    {"MSI", "format",
     "Remappable: the request names an entry of a table. Compatibility: it "
     "names "
     "a destination and a vector, and a unit that remaps may block it (0x25)."},
    {"MSI", "SHV",
     "Subhandle valid: the subhandle in the data is added to the handle."},
    {"MSI", "handle", "Number in the address that selects the entry."},
    {"MSI", "subhandle", "Number in the data; counts with SHV=1."},
    {"MSI", "index",
     "The entry that is used: the handle, with SHV=1 plus the "
     "subhandle."},
    {"MSI", "address",
     "The address as programmed; interrupts are at 0xfeexxxxx."},
    {"MSI", "data", "The data as programmed."},
    {"MSI", "level", "With TM=1: 1 asserts, 0 deasserts."},
    {"RTE", "rte", "The whole entry, low word in bits 31:0."},
    {"RTE", "MASK", "1: the pin raises no interrupt."},
    {"RTE", "POL", "Polarity: 1 is active low."},
    {"RTE", "DS", "Delivery status, read only: a request is pending."},
    {"RTE", "RIRR",
     "Remote IRR, read only: a level interrupt waits for its EOI."},
    /* Faults. */
    {"fault", "fault",
     "Kind of a record: interrupt, or DMA with every other reason."},
    {"fault", "record", "Number of the fault recording register."},
    {"fault", "FR",
     "Fault reason; vtdpi explain 0x20 to 0x28 tells about each."},
    {"fault", "IINDEX", "Index of the entry that the request named."},
    {"fault", "FI", "Fault information: the page of a DMA fault."},
    {"fault", "T", "Type of a DMA request that faulted."},
    /* The queue. */
    {"descriptor", "desc", "Kind of a descriptor; IEC flushes entries."},
    {"descriptor", "TYPE", "Number of the kind."},
    {"descriptor", "G",
     "Granularity. IEC: 0 flushes all entries, 1 those that IIDX and IM name."},
    {"descriptor", "IM",
     "IEC: mask, so many low bits of IIDX are ignored: 2^IM entries."},
    {"descriptor", "IIDX", "IEC: first index to flush."},
    {"descriptor", "IF", "Wait: 1 raises the completion interrupt."},
    {"descriptor", "SW", "Wait: 1 writes DATA to the address."},
    {"descriptor", "FN",
     "Wait: 1 holds later descriptors back until this one is done."},
    {"descriptor", "PD", "Wait: 1 drains page requests."},
    {"descriptor", "DATA", "Wait: what is written when all before it is done."},
    {"descriptor", "ADDR[63:2]", "Wait: where DATA is written, divided by 4."},
    {"descriptor", "DID", "Domain id. DMA translation only."},
    {"descriptor", "FM", "Function mask. DMA translation only."},
    {"descriptor", "DW", "Drains writes. DMA translation only."},
    {"descriptor", "DR", "Drains reads. DMA translation only."},
    {"descriptor", "AM", "Address mask. DMA translation only."},
    {"descriptor", "IH", "Invalidation hint. DMA translation only."},
    {"descriptor", "ADDR[63:12]", "Page to invalidate. DMA translation only."},
    {"descriptor", "PASID", "Process address space id. DMA translation only."},
    {"descriptor", "S", "Size of what is invalidated. DMA translation only."},
    {"descriptor", "MIP",
     "Most invalidations in flight to a device. DMA translation only."},
    {"descriptor", "PFSID[3:0]", "Physical function. DMA translation only."},
    {"descriptor", "PFSID[15:4]", "Physical function. DMA translation only."},
    {"descriptor", "qw0", "First word of a descriptor; qw1 to qw3 follow."},
    /* Registers that logs and manuals name. */
    {"GCMD", "SIRTP",
     "Command: set the interrupt remapping table pointer, from IRTA. Status: "
     "IRTPS."},
    {"GCMD", "IRE", "Command: interrupt remapping enable. Status: IRES."},
    {"GCMD", "QIE", "Command: queued invalidation enable. Status: QIES."},
    {"GCMD", "CFI",
     "Command: let compatibility-format requests pass. Status: CFIS. With "
     "CFIS=0 "
     "they are blocked, reason 0x25; in extended interrupt mode always."},
    {"IRTA", "EIME",
     "Extended interrupt mode enable: the unit takes destinations of 32 bits."},
    {"FSTS", "PPF", "Primary pending fault: a record has a fault."},
    {"FSTS", "PFO",
     "Primary fault overflow: faults were lost, since no record was free."},
    {"FSTS", "IQE", "Invalidation queue error: a descriptor was refused."},
    {"FSTS", "ITE", "Invalidation time-out error: a device did not answer."},
    {"FSTS", "ICE", "Invalidation completion error: an unexpected answer."},
    {"DMAR", "INTR_REMAP",
     "Flag of the table: the platform supports interrupt remapping."},
    {"DMAR", "X2APIC_OPT_OUT",
     "Flag of the table: firmware asks the system to leave x2APIC mode alone."},
    /* Rows of /proc/interrupts. */
    {"/proc/interrupts", "PIN",
     "Posted-interrupt notification events: a notification came to a CPU that "
     "was "
     "not in the guest."},
    {"/proc/interrupts", "PIW",
     "Posted-interrupt wakeup events: a notification for a blocked vCPU."},
    {"/proc/interrupts", "NPI",
     "Nested posted-interrupt events: of a guest hypervisor."},
    {"/proc/interrupts", "PMN",
     "Posted MSI notification events: of the host's own devices."},
};

const size_t field_text_count = sizeof(field_texts) / sizeof(field_texts[0]);
