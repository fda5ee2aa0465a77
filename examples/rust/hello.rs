// SPDX-License-Identifier: BSD-2-Clause
// examples/hello.c in Rust: one pCPU, one vCPU that halts, one interrupt that
// wakes the vCPU. bindings.rs is what bindgen makes of vtdpi.h; docs/adopting.md
// has the commands.
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::{addr_of_mut, null_mut};
use std::cell::Cell;

#[allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals)]
#[allow(clippy::all)]
mod vtdpi {
    include!("bindings.rs");
}
use vtdpi::*;

const ANV: u8 = 0xf2;
const WNV: u8 = 0xf1;
const APIC_ID: u32 = 7;

#[repr(C, align(4096))]
struct Page([u8; VTDPI_PAGE_SIZE as usize]);

/// What the callbacks of this host have seen.
#[derive(Default)]
struct Host {
    ipi: Cell<Option<(u32, u8)>>,
    woken: Cell<u32>,
}

unsafe extern "C" fn send_ipi(ctx: *mut c_void, apic_id: u32, vector: u8) {
    let host = &*(ctx as *const Host);
    host.ipi.set(Some((apic_id, vector)));
}

unsafe extern "C" fn wake(ctx: *mut c_void, cookie: *mut c_void) {
    let host = &*(ctx as *const Host);
    assert_eq!(*(cookie as *const u32), 0, "the cookie is that of vCPU 0");
    host.woken.set(host.woken.get() + 1);
}

/// An object as C begins with one: all zeros.
fn zeroed<T>() -> T {
    // SAFETY: only used for C structures, for which zeros are a value.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

fn main() {
    let host = Host::default();
    let ops = vtdpi_platform_ops { send_ipi: Some(send_ipi), wake: Some(wake), ..zeroed() };
    let mut memory = Page([0; VTDPI_PAGE_SIZE as usize]);
    let mut pages: [vtdpi_page_ref; 1] = zeroed();
    let mut pcpus: [*mut vtdpi_pcpu; 1] = [null_mut()];
    let mut bitmap = [0u64; 3]; // VTDPI_BITMAP_WORDS(1)
    let mut params = vtdpi_sched_params {
        ops: &ops,
        ctx: &host as *const Host as *mut c_void,
        pages: pages.as_mut_ptr(),
        max_pages: 1,
        pcpus: pcpus.as_mut_ptr(),
        max_pcpus: 1,
        apic_mode: vtdpi_apic_mode_VTDPI_X2APIC,
        anv: ANV,
        ..zeroed()
    };
    params.wnv[0] = WNV;
    let mut cookie = 0u32;
    let mut sched: vtdpi_sched = zeroed();
    let mut page: vtdpi_pid_page = zeroed();
    let mut pcpu: vtdpi_pcpu = zeroed();
    let mut vcpu: vtdpi_vcpu = zeroed();
    let mut vectors = [0u64; VTDPI_PIR_WORDS as usize];

    // SAFETY: every object above outlives the calls, none moves, and this thread
    // is the only one.
    unsafe {
        assert_eq!(vtdpi_version() >> 16, VTDPI_VERSION_MAJOR);
        let s = addr_of_mut!(sched);
        let (p, v) = (addr_of_mut!(pcpu), addr_of_mut!(vcpu));
        let m = addr_of_mut!(memory) as *mut c_void;
        assert_eq!(vtdpi_sched_init(s, &params), 0);
        assert_eq!(vtdpi_sched_add_page(s, 0, &mut page, m, 0x1000), 0);
        assert_eq!(vtdpi_pcpu_init(s, p, 0, APIC_ID, bitmap.as_mut_ptr()), 0);
        assert_eq!(vtdpi_vcpu_attach(s, v, 0, addr_of_mut!(cookie) as *mut c_void), 0);
        vtdpi_pcpu_online(p);
        assert_eq!(vtdpi_vcpu_block(v, p), vtdpi_block_result_VTDPI_BLOCKED);
        vtdpi_vcpu_post(v, 0x41, false);
        assert_eq!(host.ipi.get(), Some((APIC_ID, WNV)), "the notification");
        vtdpi_pcpu_handle_wakeup(p, WNV);
        assert_eq!(host.woken.get(), 1, "the vCPU is woken once");
        vtdpi_vcpu_run(v, p);
        assert!(vtdpi_vcpu_sync(v, vectors.as_mut_ptr()));
    }
    assert_eq!(vectors, [0, 1 << 1, 0, 0], "vector 0x41 and no other");
    println!("vector 0x41 woke vCPU {cookie}");
}
